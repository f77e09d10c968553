package chat

import (
	"context"
	"strings"
	"testing"
	"unicode/utf8"

	"gangway/core"
	"gangway/core/xmpp"
	"gangway/core/xmpp/edge/edgetest"
	"gangway/core/xmpp/stream"
)

// mute is a link that takes what it is given.
type mute struct{ xmpp.Sender }

func (mute) Write(fn func(*stream.Encoder)) error {
	enc := stream.Encoder{Domain: "email.gw"}
	fn(&enc)
	return enc.Err()
}

// Whatever a client sends is submitted whole or refused, and nothing encrypted
// gets out.
func FuzzServe(f *testing.F) {
	for _, inside := range []string{
		`<body>Hello</body>`,
		`<body>x</body><encrypted xmlns='eu.siacs.conversations.axolotl'/>`,
		`<body>&gt; a&#10;b</body><reply xmlns='urn:xmpp:reply:0' id='client-1'/><fallback xmlns='urn:xmpp:fallback:0' for='urn:xmpp:reply:0'><body start='0' end='4'/></fallback>`,
		`<body>x</body><replace xmlns='urn:xmpp:message-correct:0' id='client-1'/>`,
		`<reactions xmlns='urn:xmpp:reactions:0' id='client-1'><reaction>👍</reaction></reactions>`,
		`<retract xmlns='urn:xmpp:message-retract:1' id='client-1'/>`,
		`<composing xmlns='http://jabber.org/protocol/chatstates'/>`,
		`<displayed xmlns='urn:xmpp:chat-markers:0' id='zzzzzzzzzzzzzzzzzzzzzzzz22'/>`,
		`<body>x</body><delay xmlns='urn:xmpp:delay' stamp='0000-00-00T00:00:00Z'/>`,
		`<x xmlns='jabber:x:oob'><url>https://files.example/1</url></x>`,
		`<file-sharing xmlns='urn:xmpp:sfs:0'><file xmlns='urn:xmpp:file:metadata:0'><name>a/../b</name><size>-1</size></file><sources><url-data xmlns='http://jabber.org/protocol/url-data' target='https://x/y'/></sources></file-sharing>`,
		`<body>x</body><addresses xmlns='http://jabber.org/protocol/address'><address type='cc' jid='bob\40example.com@email.gw'/></addresses>`,
		`<apply-to xmlns='urn:xmpp:fasten:0' id='client-1'><retract xmlns='urn:xmpp:message-retract:0'/></apply-to>`,
		`<fallback xmlns='urn:xmpp:fallback:0' for='urn:xmpp:reply:0'/><body/><reply xmlns='urn:xmpp:reply:0'/>`,
	} {
		f.Add("chat", "c1", inside)
	}
	f.Fuzz(func(t *testing.T, typ, id, inside string) {
		var head stream.Encoder
		head.Empty("message", "", "type", typ, "id", id, "from", "alice@example.org/x", "to", bob)
		st, err := stream.Parse(strings.TrimSuffix(string(head.Bytes()), "/>") + ">" + inside + "</message>")
		if err != nil {
			return
		}
		ch, d, hall := pane((*edgetest.Full)(nil))
		err = ch.Handler(d).ServeTarget(context.Background(), mute{}, st, core.Target{Address: "bob@example.com"})
		all := hall.Submitted()
		if st.Child(nsAddress, "addresses") != nil {
			return // several may have it, and others not
		}
		if len(all) > 1 || err != nil && len(all) > 0 {
			t.Fatalf("%d events, %v", len(all), err)
		}
		for _, e := range all {
			if encrypted(st) || typ == "error" || typ == "groupchat" {
				t.Fatalf("submitted %+v of %s", e, st)
			}
			if e.Where() != (core.Ref{Account: "a1", Peer: "bob@example.com"}) {
				t.Fatalf("submitted to %+v", e.Where())
			}
			m, ok := e.(*core.Message)
			if ok && (strings.TrimSpace(m.Text) == "" && len(m.Attachments) == 0 || !utf8.ValidString(m.Text) || m.At.After(noon) || m.ID == "") {
				t.Fatalf("submitted %+v", m)
			}
		}
	})
}

// Whatever a network says makes whole stanzas.
func FuzzRender(f *testing.F) {
	f.Add("Bob@example.com", "Hello", "Subject", "thread", "https://x/1", uint8(0))
	f.Add("a\x00b@c", "\x02\x1f\xff]]>", "&#2;", "\ufffe", "", uint8(1))
	f.Fuzz(func(t *testing.T, peer, text, subject, thread, url string, kind uint8) {
		ch, d, _ := pane((*edgetest.Full)(nil))
		ref := core.Ref{Account: "a1", Peer: core.Address(peer)}
		ids := core.IDs{ID: theirs}
		origin := core.Origin{ID: subject, From: "alice@example.org/" + thread}
		events := []core.Event{
			&core.Message{Ref: ref, IDs: ids, Text: text, Subject: subject, Thread: core.ThreadID(thread), Attachments: []core.Attachment{{URL: url}}},
			&core.Receipt{Ref: ref, IDs: ids, Origin: origin, State: core.Failed, Err: &core.Error{Text: text, Code: url, Kind: core.Kind(kind)}},
			&core.Receipt{Ref: ref, IDs: ids, Origin: origin, State: core.State(kind)},
			&core.Reaction{Ref: ref, IDs: ids, Emoji: []string{text, subject}},
			&core.Retraction{Ref: ref, IDs: core.IDs{ID: core.MessageID(text)}},
		}
		enc := stream.Encoder{Domain: d.Name}
		err := ch.Render(context.Background(), &enc, d, edgetest.Account(), events[int(kind)%len(events)])
		if err != nil && (enc.Count() > 0 || core.KindOf(err) != core.Invalid) {
			t.Fatalf("%d stanzas and %v", enc.Count(), err)
		}
		if err := enc.Err(); err != nil {
			t.Fatal(err)
		}
		start := 0
		for _, end := range enc.Ends() {
			if _, err := stream.Parse(string(enc.Bytes()[start:end])); err != nil {
				t.Fatalf("%v: %s", err, enc.Bytes()[start:end])
			}
			start = end
		}
	})
}
