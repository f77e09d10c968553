package roster

import (
	"context"
	"fmt"
	"testing"

	"gangway/core"
	"gangway/core/xmpp"
	"gangway/core/xmpp/disco"
	"gangway/core/xmpp/edge"
	"gangway/core/xmpp/edge/edgetest"
	"gangway/core/xmpp/stream"
)

// sink is a link that takes everything.
type sink struct {
	xmpp.Sender
	enc stream.Encoder
}

func (s *sink) Domain() string { return "email.gw" }

func (s *sink) Write(fn func(*stream.Encoder)) error {
	s.enc.Reset()
	fn(&s.enc)
	return s.enc.Err()
}

// BenchmarkFanOut is a network's word about one contact, shown to a user who is
// online: it changes every time, so that it is sent every time.
func BenchmarkFanOut(b *testing.B) {
	out := &sink{enc: stream.Encoder{Domain: "email.gw"}}
	hall := &edgetest.Hall{State: core.Status{Link: core.Connected}}
	d := &edge.Domain{Name: "email.gw", Network: edgetest.Network((*edgetest.Plain)(nil)), Link: out}
	r := New(Config{Gateway: hall, Accounts: hall})
	r.On(d, disco.New(disco.Config{Domain: d, Gateway: hall}))
	e, err := edge.New(edge.Config{Domains: []*edge.Domain{d}, Chat: r, Roster: r})
	if err != nil {
		b.Fatal(err)
	}
	shows := []core.Show{core.Away, core.Online}
	events := make([]*core.Presence, 100)
	for i := range events {
		events[i] = &core.Presence{Ref: core.Ref{Account: "a1", Peer: core.Address(fmt.Sprintf("c%d@example.com", i))}}
	}
	for name, change := range map[string]bool{"changed": true, "unchanged": false} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for i := range b.N {
				ev := events[i%len(events)]
				if change {
					ev.Show = shows[i/len(events)%2]
				}
				if err := e.Show(context.Background(), edgetest.Account(), ev); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
