package chat

import (
	"testing"

	"gangway/core"
	"gangway/core/xmpp/edge/edgetest"
	"gangway/core/xmpp/stream"
)

func BenchmarkRender(b *testing.B) {
	ch, d, _ := pane((*edgetest.Full)(nil))
	m := &core.Message{
		Ref: core.Ref{Account: "a1", Peer: "bob@example.com"}, IDs: core.IDs{ID: theirs},
		Text: "A line of text such as people write to each other.", At: noon,
	}
	enc := stream.Encoder{Domain: d.Name}
	a := edgetest.Account()
	b.ReportAllocs()
	for b.Loop() {
		enc.Reset()
		if err := ch.Render(b.Context(), &enc, d, a, m); err != nil {
			b.Fatal(err)
		}
	}
	b.SetBytes(int64(len(enc.Bytes())))
}

func BenchmarkServe(b *testing.B) {
	ch, d, hall := pane((*edgetest.Full)(nil))
	h := ch.Handler(d)
	st := parse(b, `<message type='chat' id='c1' from='alice@example.org/phone' to='`+bob+`'><body>A line of text such as people write to each other.</body>
		<request xmlns='urn:xmpp:receipts'/><active xmlns='http://jabber.org/protocol/chatstates'/></message>`)
	t := core.Target{Address: "bob@example.com"}
	b.ReportAllocs()
	for n := 0; b.Loop(); n++ {
		if err := h.ServeTarget(b.Context(), nil, st, t); err != nil {
			b.Fatal(err)
		}
		if n%1000 == 0 {
			hall.Submitted()
		}
	}
}
