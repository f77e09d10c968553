package muc

import (
	"context"
	"fmt"
	"runtime"
	"testing"
	"time"

	"gangway/core"
	"gangway/core/xmpp/edge"
	"gangway/core/xmpp/edge/edgetest"
	"gangway/core/xmpp/stream"
)

// full is a room with so many resources of the account in it, and the means to render.
func full(b *testing.B, resources int) (*Rooms, *edge.Domain, core.Account, *stream.Encoder) {
	b.Helper()
	rooms := New(Config{Secret: []byte("secret")})
	d := &edge.Domain{Name: "irc.gw", Network: edgetest.Network((*edgetest.Full)(nil))}
	a := edgetest.Account()
	a.Realm = "net"
	rm := rooms.newRoom(d, a, ref, channel)
	rm.me = core.Member{Nick: "me"}
	for i := range resources {
		rm.in = append(rm.in, fmt.Sprintf("alice@example.org/client-%d", i))
	}
	rooms.rooms[ref] = rm
	return rooms, d, a, &stream.Encoder{Domain: d.Name}
}

func benchmark(b *testing.B, e func(i int) core.Event) {
	for _, k := range []int{1, 10, 100} {
		b.Run(fmt.Sprint(k), func(b *testing.B) {
			rooms, d, a, enc := full(b, k)
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				enc.Reset()
				if err := rooms.Render(context.Background(), enc, d, a, e(i)); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*k), "ns/stanza")
		})
	}
}

// BenchmarkBroadcast is what one message to K joined clients costs.
func BenchmarkBroadcast(b *testing.B) {
	m := &core.Message{Ref: ref, IDs: core.IDs{ID: "aaaaaaaaaaaaaaaaaaaaaaaaaa"}, Room: true, Author: "Op", Text: "Hello, everybody. How are you?"}
	benchmark(b, func(int) core.Event { return m })
}

// BenchmarkPresence is what one member's coming costs with K joined clients, when it is shown at once.
func BenchmarkPresence(b *testing.B) {
	e := &core.MemberChanged{Ref: ref, Change: core.Came, Member: core.Member{Nick: "Op", Address: "op", Real: "~op@host.example"}}
	for _, k := range []int{1, 10, 100} {
		b.Run(fmt.Sprint(k), func(b *testing.B) {
			rooms, _, _, enc := full(b, k)
			b.ReportAllocs()
			for b.Loop() {
				enc.Reset()
				rooms.find(ref).changed(enc, e)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*k), "ns/stanza")
		})
	}
}

// BenchmarkFlood is what one who comes and goes again in a flood costs, unseen.
func BenchmarkFlood(b *testing.B) {
	came := &core.MemberChanged{Ref: ref, Change: core.Came, Member: core.Member{Nick: "Op", Address: "op"}}
	went := *came
	went.Change = core.Went
	rooms, _, _, enc := full(b, 1)
	rm := rooms.find(ref)
	for b.Loop() {
		enc.Reset()
		rm.member(enc, came)
		rm.member(enc, &went)
	}
}

// BenchmarkJoin is what a join costs in a room of 1,000.
func BenchmarkJoin(b *testing.B) {
	rooms, d, a, enc := full(b, 1)
	e := &core.RoomJoined{Ref: ref, Origin: core.Origin{From: "alice@example.org/client-0"}, Self: core.Member{Nick: "me"}}
	for i := range 1000 {
		nick := fmt.Sprintf("nick%d", i)
		e.Members = append(e.Members, core.Member{Nick: nick, Address: core.Address(nick), Real: "~user@host.example"})
	}
	b.ReportAllocs()
	for b.Loop() {
		enc.Reset()
		if err := rooms.Render(context.Background(), enc, d, a, e); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkHeld is what is kept, in each of 100 rooms that see the same flood, of one who came in it.
func BenchmarkHeld(b *testing.B) {
	const rooms, flood = 100, 1000
	heap := func() uint64 {
		runtime.GC()
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	before, now := heap(), time.Now()
	crowds := make([]crowd, rooms)
	b.ReportAllocs()
	for b.Loop() {
		for i := range crowds {
			crowds[i] = crowd{spent: crowdBurst, at: now}
			for n := range flood {
				nick := fmt.Sprint("nick", n)
				crowds[i].take(&core.MemberChanged{Ref: ref, Change: core.Came, Member: core.Member{Nick: nick, Real: "~user@host.example"}}, now)
			}
		}
	}
	b.ReportMetric(float64(heap()-before)/(rooms*flood), "B/change")
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*rooms*flood), "ns/change")
	runtime.KeepAlive(crowds)
}
