//go:build integration

package integration

import (
	"fmt"
	"strings"

	"gangway/integration/client"
	"gangway/integration/world"
)

func loopScenarios() []scenario {
	return []scenario{
		{"corrections where the network has them (24)", correctionsAcross},
		{"reactions within what the network takes (25)", reactionsAcross},
		{"a message is taken back (27)", retractedAcross},
	}
}

// neighbours are two people on the network that ends where it begins, and each other's addresses there.
func (s *stage) neighbours() (p, q *person, pJID, qJID string) {
	s.Helper()
	p, q = s.newPerson(), s.newPerson(client.WithReceipts())
	for _, one := range []*person{p, q} {
		if _, err := world.Register(s.ctx, one.Client, world.Loop, one.name); err != nil {
			s.Fatal(err)
		}
	}
	return p, q, p.name + "@" + world.Loop, q.name + "@" + world.Loop
}

// tell sends a message from p to q and returns the ids that each of them has for it.
func (p *person) tell(q *person, from, to, body string) (sent, shown string) {
	p.s.Helper()
	sent = p.say(to, body)
	shown = q.wait("the message", client.MessageFrom(from, body)).ID()
	p.wait("its receipt", client.ReceiptOf(sent))
	return sent, shown
}

func correctionsAcross(s *stage) {
	p, q, from, to := s.neighbours()
	if !p.info(to, "").has(client.NSCorrect) {
		s.Error("the contact does not announce corrections")
	}
	sent, shown := p.tell(q, from, to, "helo")
	for _, body := range []string{"hello", "hello!"} { // both name the first id
		p.send(client.Message{To: to, Body: body, Replaces: sent})
		st := q.wait("the correction", client.MessageFrom(from, body))
		if got := st.Child(client.NSCorrect, "replace").Attr("id"); got != shown {
			s.Errorf("%q corrects %q, not %q", body, got, shown)
		}
	}
	id := p.send(client.Message{To: to, Body: "of nothing", Replaces: "no-such-id", Receipt: true})
	st := p.wait("an answer to the correction of nothing", client.Either(client.ErrorOf(id), client.ReceiptOf(id)))
	if st.Type() == "error" {
		s.sentence(st.Child(client.NSClient, "error").Child(client.NSStanzas, "text").Content())
	}
}

func reactionsAcross(s *stage) {
	p, q, from, to := s.neighbours()
	i := q.info(from, "")
	restricted := false
	for _, x := range i.All(nsForm, "x") {
		restricted = restricted || strings.Contains(formVer(x), nsReactions+":restrictions")
	}
	if !i.has(nsReactions) || !restricted {
		s.Errorf("reactions: %v, how many: %v", i.has(nsReactions), restricted)
	}
	sent, shown := p.tell(q, from, to, "hello")
	react := func(emoji ...string) string {
		set := ""
		for _, e := range emoji {
			set += "<reaction>" + e + "</reaction>"
		}
		return q.send(client.Message{To: from, Extra: "<reactions xmlns='" + nsReactions + "' id='" + shown + "'>" + set + "</reactions>"})
	}
	for _, set := range [][]string{{"\U0001F44D"}, {"\U0001F44D", "\U0001F389"}, {}} { // the whole set each time
		react(set...)
		p.wait(fmt.Sprintf("%d reactions", len(set)), func(st *client.Stanza) bool {
			r := st.Child(nsReactions, "reactions")
			return client.Bare(st.From()) == to && r != nil && r.Attr("id") == sent && len(r.All(nsReactions, "reaction")) == len(set)
		})
	}
	id := react("\U0001F44D", "\U0001F389", "\U0001F600", "\U0001F601", "\U0001F602", "\U0001F603", "\U0001F604")
	st := q.wait("the refusal of more than it takes", client.ErrorOf(id))
	s.sentence(st.Child(client.NSClient, "error").Child(client.NSStanzas, "text").Content())
}

func retractedAcross(s *stage) {
	p, q, from, to := s.neighbours()
	sent, shown := p.tell(q, from, to, "not meant for you")
	p.send(client.Message{To: to, Extra: "<retract xmlns='" + nsRetract + "' id='" + sent + "'/>"})
	st := q.wait("the retraction", func(st *client.Stanza) bool {
		return client.Bare(st.From()) == from && st.Child(nsRetract, "retract") != nil
	})
	if got := st.Child(nsRetract, "retract").Attr("id"); got != shown {
		s.Errorf("it retracts %q, not %q", got, shown)
	}
	if strings.Contains(st.Body(), shown) {
		s.Errorf("the id stands in the body: %s", st.Raw)
	}
}
