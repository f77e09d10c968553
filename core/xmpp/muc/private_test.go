package muc

import (
	"context"
	"strings"
	"testing"

	"gangway/core"
	"gangway/core/xmpp/edge"
	"gangway/core/xmpp/edge/edgetest"
	"gangway/core/xmpp/stream"
)

// other is the renderer of conversations.
type other struct{ rendered []core.Event }

func (o *other) Render(_ context.Context, _ *stream.Encoder, _ *edge.Domain, _ core.Account, e core.Event) error {
	o.rendered = append(o.rendered, e)
	return nil
}

// Behaviour 43: what becomes of a private message is told from the occupant that it was sent to; everything else of
// that person comes from their one address.
func TestPrivateMessageAnswered43(t *testing.T) {
	for _, c := range []struct {
		state core.State
		want  []string
	}{
		{core.Failed, []string{"type=\"error\"", "id=\"p1\"", "item-not-found", "No such nick."}},
		{core.Delivered, []string{"type=\"chat\"", "<received", "p1"}},
	} {
		s := open(t)
		s.enter(phone)
		s.Send(`<message type='chat' id='p1' from='` + phone + `' to='` + channel + `/Op'><body>psst</body><x ` + user + `/></message>`)
		m := s.submitted()
		next := &other{}
		r := s.rooms.Whispers(next)
		show := func(e core.Event) string {
			enc := stream.Encoder{Domain: "irc.gw"}
			if err := r.Render(t.Context(), &enc, s.d, edgetest.Account(), e); err != nil || enc.Err() != nil {
				t.Fatal(err, enc.Err())
			}
			return strings.ReplaceAll(string(enc.Bytes()), "'", "\"")
		}
		receipt := &core.Receipt{Ref: m.Ref, IDs: m.IDs, Origin: m.Origin, State: c.state, Err: core.E(core.NotFound, "", "No such nick.")}
		got := show(receipt)
		for _, want := range append(c.want, "from=\""+channel+"/Op\"", "to=\""+phone+"\"", "muc#user") {
			if !strings.Contains(got, want) {
				t.Errorf("no %s in %s", want, got)
			}
		}
		for _, e := range []core.Event{
			receipt, // its fate was told
			&core.Receipt{Ref: m.Ref, Origin: core.Origin{ID: "p2", From: phone}, State: core.Failed},
			&core.Message{Ref: m.Ref, Text: "psst yourself"},
		} {
			if got := show(e); got != "" {
				t.Errorf("shown %s", got)
			}
		}
		if len(next.rendered) != 3 {
			t.Errorf("%d were passed on", len(next.rendered))
		}
	}
}

func TestWhispersBounded(t *testing.T) {
	var w whispers
	for i := range 2 * maxWhispers {
		w.add("a1", core.Origin{ID: strings.Repeat("x", i%1000), From: string(rune('0' + i/1000))}, "occupant")
	}
	if len(w.all) > maxWhispers {
		t.Errorf("%d are remembered", len(w.all))
	}
}

// XEP-0045 section 7.8.2 and XEP-0249, out of the room.
func TestInvite(t *testing.T) {
	s := open(t)
	s.enter(phone)
	invite := func(from, inside string) string {
		return `<message id='i1' from='` + from + `' to='` + channel + `'><x ` + user + `>` + inside + `</x></message>`
	}
	s.Send(invite(phone, `<invite to='bob@example.org/x'><reason>come</reason></invite><password>k</password>`))
	s.Expect(`<message from='` + channel + `' to='bob@example.org' type='!'><x ` + user + `><invite from='alice@example.org'><reason>come</reason></invite><password>k</password></x>
		<x xmlns='jabber:x:conference' jid='` + channel + `' reason='come' password='k'/></message>`)
	s.Send(invite(phone, `<invite to='op%net@irc.gw'/>`))
	s.asked("invite op to #c")
	s.Send(`<message id='i2' from='` + phone + `' to='op%net@irc.gw'><x xmlns='jabber:x:conference' jid='` + channel + `'/></message>`)
	s.asked("invite op to #c")
	s.Send(invite(phone, `<decline to='op%net@irc.gw'/>`))
	s.quiet()
	for _, c := range []struct{ stanza, condition string }{
		{invite(desk, `<invite to='bob@example.org'/>`), "forbidden"},
		{invite(phone, `<invite to='example.org'/>`), "jid-malformed"},
		{invite(phone, `<invite to='op%other@irc.gw'/>`), "item-not-found"},
		{invite(phone, strings.Repeat(`<invite to='bob@example.org'/>`, maxInvites+1)), "policy-violation"},
		{`<message id='i1' from='` + phone + `' to='op%net@irc.gw'><x xmlns='jabber:x:conference' jid='room@muc.example.org'/></message>`, "feature-not-implemented"},
		{`<message id='i1' from='` + phone + `' to='op%net@irc.gw'><x xmlns='jabber:x:conference' jid='bob%net@irc.gw'/></message>`, "jid-malformed"},
	} {
		s.Send(c.stanza)
		s.Expect(`<message type='error' id='i1'><error><` + c.condition + ` ` + stanzas + `/></error></message>`)
	}
	s.quiet()
}

func TestInvited(t *testing.T) {
	s := open(t)
	s.show(&core.Invited{Ref: ref, By: "op", Nick: "Op", Reason: "come"})
	s.Expect(`<message from='` + channel + `' to='alice@example.org' type='!'><body>Op invites you to #c.</body><x ` + user + `><invite from='op%net@irc.gw'><reason>come</reason></invite></x>
		<x xmlns='jabber:x:conference' jid='` + channel + `' reason='come'/></message>`)
}

// Behaviour 44, to who is in.
func TestDiscoInside44(t *testing.T) {
	s := openRich(t)
	s.enter(phone)
	s.populate()
	const disco = `xmlns='http://jabber.org/protocol/disco#info'`
	query := func(id, to, node string) string {
		return `<iq type='get' id='` + id + `' from='` + phone + `' to='` + to + `'><query ` + disco + ` node='` + node + `'/></iq>`
	}
	s.Send(`<iq type='get' id='d1' from='` + phone + `' to='` + channel + `'><query ` + disco + `/></iq>`)
	s.Expect(`<iq type='result' id='d1'><query ` + disco + `><feature var='muc_moderated'/><feature var='muc_open'/><feature var='urn:xmpp:reactions:0'/>
		<feature var='http://jabber.org/protocol/chatstates'/><feature var='urn:xmpp:message-moderate:1'/>
		<x xmlns='jabber:x:data'><field var='muc#roominfo_description'><value>Welcome</value></field><field var='muc#roominfo_occupants'><value>3</value></field>
		<field var='muc#roominfo_subject'><value>Welcome</value></field><field var='muc#roominfo_subjectmod'><value>1</value></field></x></query></iq>`)
	s.Send(query("d2", channel, "x-roomuser-item"))
	s.Expect(`<iq type='result' id='d2'><query ` + disco + ` node='x-roomuser-item'><identity category='conference' type='text' name='me'/></query></iq>`)
	s.Send(query("d3", channel, "http://jabber.org/protocol/muc#traffic"))
	s.Expect(`<iq type='result' id='d3'><query ` + disco + `><feature var='urn:xmpp:reply:0'/><feature var='urn:xmpp:message-correct:0'/></query></iq>`)
	const items = `xmlns='http://jabber.org/protocol/disco#items'`
	s.Send(`<iq type='get' id='d4' from='` + phone + `' to='` + channel + `'><query ` + items + `/></iq>`)
	s.Expect(`<iq type='result' id='d4'><query ` + items + `><item jid='` + channel + `/Op'/><item jid='` + channel + `/me'/></query></iq>`)
	s.Send(`<iq type='get' id='d5' from='` + phone + `' to='` + channel + `/me'><query ` + items + ` node='http://jabber.org/protocol/muc#rooms'/></iq>`)
	s.Expect(`<iq type='result' id='d5'><query ` + items + `><item jid='` + channel + `'/></query></iq>`)
}

func TestRoomList(t *testing.T) {
	s := open(t)
	const items = `xmlns='http://jabber.org/protocol/disco#items'`
	s.Send(`<iq type='get' id='d1' from='` + phone + `' to='%net@irc.gw'><query ` + items + `/></iq>`)
	s.asked("list")
	s.Expect(`<iq type='result' id='d1'><query ` + items + `><item jid='#big%net@irc.gw' name='#big (2000)'/><item jid='#small%net@irc.gw' name='#small (2)'/></query></iq>`)
	s.net.mu.Lock()
	s.net.partly = true // in the network's own order, and without a count
	s.net.mu.Unlock()
	const set = `<set xmlns='http://jabber.org/protocol/rsm'>`
	s.Send(`<iq type='get' id='d1' from='` + phone + `' to='%net@irc.gw'><query ` + items + `>` + set + `<max>1</max></set></query></iq>`)
	s.asked("list")
	s.Expect(`<iq type='result' id='d1'><query ` + items + `><item jid='#small%net@irc.gw'/>` + set + `<first index='0'>#small%net@irc.gw</first>
		<last>#small%net@irc.gw</last><no><count/></no></set><no><item jid='#big%net@irc.gw'/></no></query></iq>`)
	s.Send(`<iq type='get' id='d1' from='bob@example.org/x' to='%net@irc.gw'><query ` + items + `/></iq>`)
	s.Expect(`<iq type='error' id='d1'><error><registration-required ` + stanzas + `/></error></iq>`)
	s.quiet()
}
