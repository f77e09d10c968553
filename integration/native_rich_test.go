//go:build integration

package integration

import (
	"fmt"
	"strings"
	"time"

	"gangway/integration/client"
	"gangway/integration/servers"
	"gangway/integration/world"
)

const (
	nsReactions = "urn:xmpp:reactions:0"
	nsRetract   = "urn:xmpp:message-retract:1"
	nsStates    = "http://jabber.org/protocol/chatstates"
)

func richScenarios() []scenario {
	return []scenario{
		{"what a network cannot do is announced and refused", cannotIsRefused},
		{"a reply without its quotation", replyWithoutQuotation},
		{"chat states disturb nobody", chatStatesDisturbNobody},
		{"the history of a room", historyOfARoom},
	}
}

// cannotIsRefused: SMS has no corrections, reactions or retractions. The contact does not announce them, and each comes
// back as an error with a sentence, or goes out as a message of its own; none is dropped. Behaviours 24, 25 and 27.
func cannotIsRefused(s *stage) {
	p := s.newPerson()
	p.registerByChat(world.SMS)
	original := p.say(p.peerJID(), "hello "+p.name)
	p.wait("the receipt", client.ReceiptOf(original))
	features := p.info(p.peerJID(), "")
	for feature, extra := range map[string]client.Message{
		client.NSCorrect: {Body: "hello, corrected", Replaces: original, Receipt: true},
		nsReactions:      {Extra: "<reactions xmlns='" + nsReactions + "' id='" + original + "'><reaction>\U0001F44D</reaction></reactions>"},
		nsRetract:        {Extra: "<retract xmlns='" + nsRetract + "' id='" + original + "'/>"},
	} {
		if features.has(feature) {
			s.Errorf("an SMS contact announces %s", feature)
		}
		extra.To = p.peerJID()
		id := p.send(extra)
		st := p.wait("an answer to "+feature, client.Either(client.ErrorOf(id), client.ReceiptOf(id)))
		if st.Type() == "error" {
			s.sentence(st.Child(client.NSClient, "error").Child(client.NSStanzas, "text").Content())
		}
	}
}

// Behaviour 26: the range is counted in code points, and taken out where the network has another way to say what is
// answered: e-mail has In-Reply-To, and quotes below the answer; SMS has nothing but the quotation.
func replyWithoutQuotation(s *stage) {
	p := s.newPerson()
	p.registerByChat(world.Mail)
	mail := fmt.Sprintf("From: Carol <carol@mail.test>\r\nTo: %[1]s@%[2]s\r\nSubject: A question\r\nMessage-ID: <q-%[3]s@mail.test>\r\nDate: %[4]s\r\n\r\nhow are you?\r\n",
		p.alias, world.Mail, p.name, time.Now().Format(time.RFC1123Z))
	if err := s.Mail.Send(s.ctx, "carol@mail.test", p.alias+"@"+world.Mail, []byte(mail)); err != nil {
		s.Fatal(err)
	}
	question := p.wait("the question", func(st *client.Stanza) bool {
		return st.Kind() == "message" && strings.Contains(st.Body(), "how are you?")
	})
	const quotation = "> how \U0001F600 are you?\n" // 17 code points: the emoji is one of them
	p.send(client.Message{
		To: carolJID, Body: quotation + "well, says " + p.name, ReplyTo: carolJID, ReplyID: question.ID(), Receipt: true,
		Extra: "<fallback xmlns='" + client.NSFallback + "' for='" + client.NSReply + "'><body start='0' end='17'/></fallback>",
	})
	raw, err := s.Mail.WaitMessage(s.ctx, world.Carol, servers.Contains("well, says "+p.name))
	if err != nil {
		s.Fatal(err)
	}
	if text := string(raw); !strings.HasPrefix(body(text), "well, says ") || !strings.Contains(text, "<q-"+p.name+"@mail.test>") {
		s.Errorf("the answer:\n%s", text)
	}
}

func chatStatesDisturbNobody(s *stage) {
	p := s.newPerson()
	p.registerByChat(world.SMS)
	var ids []string
	for _, state := range []string{"active", "composing", "paused", "inactive", "gone"} {
		ids = append(ids, p.send(client.Message{To: p.peerJID(), Extra: "<" + state + " xmlns='" + nsStates + "'/>"}))
	}
	id := p.send(client.Message{To: p.peerJID(), Body: "after all that", Receipt: true, Extra: "<active xmlns='" + nsStates + "'/>"})
	p.wait("the receipt", client.ReceiptOf(id))
	for _, id := range ids {
		if st, came := p.Take(client.ErrorOf(id)); came {
			s.Errorf("a chat state is answered: %s", st.Raw)
		}
	}
}

// historyOfARoom: who comes later sees what was said before, marked as such, and nothing of it if they want nothing.
func historyOfARoom(s *stage) {
	p := s.newPerson()
	room, other := p.channel()
	p.enter(room, p.name)
	if err := other.Privmsg("#of-"+p.name, "said before"); err != nil {
		s.Fatal(err)
	}
	p.wait("the line", client.MessageFrom(room+"/irc-"+p.name, "said before"))
	subject := func(st *client.Stanza) bool {
		return st.Kind() == "message" && client.Bare(st.From()) == room && st.Child(client.NSClient, "subject") != nil && st.Body() == ""
	}
	tablet := p.device("tablet")
	if _, err := tablet.Join(s.ctx, room, p.name); err != nil {
		s.Fatal(err)
	}
	wait(s.ctx, s.T, tablet, "the subject", subject)
	st, came := tablet.Take(client.MessageFrom(room+"/irc-"+p.name, "said before"))
	if !came || st.Child(client.NSDelay, "delay") == nil {
		s.Errorf("the history before the subject: %v\n%s", st, journal(tablet))
	}
	watch := p.device("watch")
	if err := watch.SendPresence(room+"/"+p.name, "", "<x xmlns='"+client.NSMUC+"'><history maxstanzas='0'/></x>"); err != nil {
		s.Fatal(err)
	}
	wait(s.ctx, s.T, watch, "the subject", subject)
	if st, came := watch.Take(client.MessageFrom(room+"/irc-"+p.name, "")); came {
		s.Errorf("history that was not wanted: %s", st.Raw)
	}
}
