package muc

import (
	"context"
	"strings"
	"testing"
	"time"

	"gangway/core"
	"gangway/core/xmpp/addr"
	"gangway/core/xmpp/edge"
	"gangway/core/xmpp/edge/edgetest"
	"gangway/core/xmpp/stream"
)

// Whatever a network says makes whole stanzas, from an occupant's address or the room's.
func FuzzRender(f *testing.F) {
	f.Add("Op", "op@h", "~op@host", "Hello")
	f.Add("a\x02<b>&'\"", "", "\x00", "\x034red\x0f </body>]]>")
	f.Add("", " ", "/", "")
	f.Add("\xff\u202e", "\ufffe", "\u200d", "\xed\xa0\x80")
	f.Add(strings.Repeat("n", 3000), strings.Repeat("a", 3000), strings.Repeat("r", 3000), strings.Repeat("\r\n", 3000))
	f.Fuzz(func(t *testing.T, nick, address, real, text string) {
		if len(text)+len(nick) > 50_000 {
			return // a stanza too large is refused as a whole: see the encoder
		}
		rooms := New(Config{})
		d := &edge.Domain{Name: "irc.gw", Network: edgetest.Network((*edgetest.Full)(nil))}
		a := edgetest.Account()
		a.Realm = "net"
		enc := stream.Encoder{Domain: d.Name}
		o := core.Origin{ID: text, From: phone}
		m := core.Member{Nick: nick, Address: core.Address(address), Real: real}
		for _, e := range []core.Event{
			&core.RoomJoined{Ref: ref, Origin: o, Self: m, Members: []core.Member{m}, Topic: core.Topic{Text: text, By: nick}},
			&core.Message{Ref: ref, IDs: core.IDs{ID: "m1"}, Author: core.Address(nick), Text: text, At: time.Unix(int64(len(text)), 0)},
			&core.MemberChanged{Ref: ref, Change: core.Renamed, Member: m, Old: real, Mine: true},
			&core.MemberChanged{Ref: ref, Change: core.Went, Why: core.Kicked, Member: m, By: real, Reason: text},
			&core.TopicChanged{Ref: ref, Topic: core.Topic{Text: text, By: nick}},
			&core.RoomLeft{Ref: ref, Why: core.Disconnected, Reason: text},
			&core.Receipt{Ref: ref, Origin: o, State: core.Failed, Err: &core.Error{Text: text, Code: nick}},
			&core.RoomLeft{Ref: ref, Origin: core.Origin{ID: "again", From: desk}, Why: core.NotJoined, Err: &core.Error{Text: text, Code: nick}},
			&core.RoomLeft{Ref: ref, Why: core.Banned, By: nick, Reason: text},
		} {
			if _, joins := e.(*core.RoomJoined); joins {
				expect(t, rooms, d, a, o, nick)
				expect(t, rooms, d, a, core.Origin{ID: "again", From: desk}, "desk")
			}
			if err := rooms.Render(context.Background(), &enc, d, a, e); err != nil {
				t.Fatal(err)
			}
		}
		if err := enc.Err(); err != nil {
			t.Fatal(err)
		}
		if n := enc.Count(); n < 12 {
			t.Fatalf("only %d stanzas", n)
		}
		check(t, &enc)
	})
}

func expect(t *testing.T, r *Rooms, d *edge.Domain, a core.Account, o core.Origin, nick string) {
	t.Helper()
	if _, err := r.expect(d, a, ref.Peer, o, waiting{asked: nick}); err != nil {
		t.Fatal(err)
	}
}

// check reads what was written as a server does.
func check(t *testing.T, enc *stream.Encoder) {
	t.Helper()
	start := 0
	for _, end := range enc.Ends() {
		st, err := stream.Parse(string(enc.Bytes()[start:end]))
		if err != nil {
			t.Fatalf("%v: %s", err, enc.Bytes()[start:end])
		}
		from, err := addr.Parse(st.From)
		if err != nil || from.Bare() != channel {
			t.Fatalf("from %q: %v", st.From, err)
		}
		start = end
	}
}

// Whatever a client sends is asked for once or refused, and nothing encrypted gets out.
func FuzzMessage(f *testing.F) {
	for _, inside := range []string{
		`<body>Hello</body>`,
		`<subject>x</subject>`,
		`<body>x</body><encrypted xmlns='eu.siacs.conversations.axolotl'/>`,
		`<encryption xmlns='urn:xmpp:eme:0'/>`,
		`<reactions xmlns='urn:xmpp:reactions:0'/>`,
		`<x xmlns='jabber:x:oob'><url>https://files.example/1</url></x>`,
		`<x xmlns='http://jabber.org/protocol/muc#user'><invite/></x>`,
		`<origin-id xmlns='urn:xmpp:sid:0' id='o'/><body/>`,
	} {
		f.Add("groupchat", "c1", channel, inside)
		f.Add("chat", "", channel+"/Op", inside)
	}
	f.Fuzz(func(t *testing.T, typ, id, to, inside string) {
		var head stream.Encoder
		head.Empty("message", "", "type", typ, "id", id, "from", phone, "to", to)
		st, err := stream.Parse(strings.TrimSuffix(string(head.Bytes()), "/>") + ">" + inside + "</message>")
		if err != nil {
			return
		}
		net := &session{spectator{calls: make(chan string, 10)}}
		gw := &hall{session: net}
		rooms := New(Config{Gateway: gw})
		d := &edge.Domain{Name: "irc.gw", Network: edgetest.Network(net)}
		a := edgetest.Account()
		a.Realm = "net"
		o := core.Origin{ID: "j", From: phone}
		expect(t, rooms, d, a, o, "me")
		var enc stream.Encoder
		if err := rooms.Render(context.Background(), &enc, d, a, &core.RoomJoined{Ref: ref, Origin: o}); err != nil {
			t.Fatal(err)
		}
		err = rooms.On(d).Messages().ServeTarget(context.Background(), nil, st, core.Target{Realm: "net", Address: "#c", Room: true})
		all := gw.Submitted()
		if did := len(all) + len(net.calls); did > 1 || err != nil && did > 0 {
			t.Fatalf("%d things were done, %v", did, err)
		}
		for _, e := range all {
			m, ok := e.(*core.Message)
			if !ok || m.Text == "" || m.ID == "" || m.Room != (typ == "groupchat") || strings.Contains(inside, "<encrypted") && st.Child("", "encrypted") != nil {
				t.Fatalf("submitted %+v of %s", e, st)
			}
		}
	})
}
