//go:build integration

package integration

import (
	"context"
	"strings"
	"testing"
	"time"

	"gangway/integration/client"
	"gangway/integration/ircclient"
	"gangway/integration/servers"
	"gangway/integration/twilio"
	"gangway/integration/world"
)

func register(ctx context.Context, t *testing.T, c *client.Client, gateway string, answers ...string) {
	t.Helper()
	last, err := world.Register(ctx, c, gateway, answers...)
	if err != nil {
		t.Fatalf("%v\n%s", err, journal(c))
	}
	t.Logf("%s: %s", gateway, last)
}

func TestEmail(t *testing.T) {
	t.Parallel()
	w, ctx := start(t, world.Options{})
	alice := login(ctx, t, w, world.Alice, "phone")
	register(ctx, t, alice, world.Mail, "alice")

	id, err := alice.SendMessage(client.Message{To: `carol\40mail.test@` + world.Mail, Body: "hello Carol", Subject: "greeting", Receipt: true})
	if err != nil {
		t.Fatal(err)
	}
	raw, err := w.Mail.WaitMessage(ctx, world.Carol, servers.Contains("hello Carol"))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"Subject: greeting", "alice@" + world.Mail, "Message-Id: <"} {
		if !strings.Contains(strings.ReplaceAll(string(raw), "Message-ID", "Message-Id"), want) {
			t.Errorf("the mail lacks %q:\n%s", want, raw)
		}
	}
	wait(ctx, t, alice, "the receipt (the recipient's server has it)", client.ReceiptOf(id))

	mid := header(string(raw), "Message-ID")
	reply := "From: Carol <carol@mail.test>\r\nTo: alice@" + world.Mail + "\r\nSubject: Re: greeting\r\nMessage-ID: <r1@mail.test>\r\n" +
		"In-Reply-To: " + mid + "\r\nDate: " + time.Now().Format(time.RFC1123Z) + "\r\n\r\nhello Alice\r\n"
	if err := w.Mail.Send(ctx, "carol@mail.test", "alice@"+world.Mail, []byte(reply)); err != nil {
		t.Fatal(err)
	}
	st := wait(ctx, t, alice, "Carol's answer", func(s *client.Stanza) bool {
		return s.Kind() == "message" && strings.Contains(s.Body(), "hello Alice")
	})
	if got := client.Bare(st.From()); got != `carol\40mail.test@`+world.Mail {
		t.Errorf("it is from %s", got)
	}
	if r := st.Child(client.NSReply, "reply"); r.Attr("id") != id {
		t.Errorf("it answers %q, not %q: %s", r.Attr("id"), id, st.Raw)
	}

	bad, err := alice.Say(`nobody\40mail.test@`+world.Mail, "is anybody there?")
	if err != nil {
		t.Fatal(err)
	}
	st = wait(ctx, t, alice, "the bounce as an error", client.ErrorOf(bad))
	if !client.IsCondition(st.Err(), "item-not-found") {
		t.Errorf("the bounce is %v", st.Err())
	}
}

// header is the value of a header field on one line.
func header(raw, name string) string {
	for line := range strings.SplitSeq(raw, "\n") {
		if k, v, ok := strings.Cut(line, ":"); ok && strings.EqualFold(k, name) {
			return strings.TrimSpace(v)
		}
		if strings.TrimSpace(line) == "" {
			break
		}
	}
	return ""
}

func TestSMS(t *testing.T) {
	t.Parallel()
	w, ctx := start(t, world.Options{})
	alice := login(ctx, t, w, world.Alice, "phone")
	register(ctx, t, alice, world.SMS, world.Numbers()[0])
	const peer = "+15550199999"

	id, err := alice.Say(peer+"@"+world.SMS, "hello by SMS")
	if err != nil {
		t.Fatal(err)
	}
	m, err := w.Twilio.WaitMessage(ctx, func(m *twilio.Message) bool { return m.Body == "hello by SMS" })
	if err != nil {
		t.Fatal(err)
	}
	if m.From != world.Numbers()[0] || m.To != peer {
		t.Errorf("sent from %s to %s", m.From, m.To)
	}
	wait(ctx, t, alice, "the carrier's receipt", client.ReceiptOf(id))

	if _, err := w.Twilio.Inbound(ctx, peer, world.Numbers()[0], "hello back"); err != nil {
		t.Fatal(err)
	}
	st := wait(ctx, t, alice, "the SMS", client.MessageFrom(peer+"@"+world.SMS, "hello back"))
	if st.Type() != "chat" {
		t.Errorf("it is of type %s", st.Type())
	}

	w.Twilio.Script(twilio.Match{To: "+15550198888"}, twilio.FailWith(twilio.Undelivered, 30003))
	bad, err := alice.Say("+15550198888@"+world.SMS, "out of reach")
	if err != nil {
		t.Fatal(err)
	}
	st = wait(ctx, t, alice, "the carrier's failure", client.ErrorOf(bad))
	t.Log(st.Err())
}

func TestIRC(t *testing.T) {
	t.Parallel()
	w, ctx := start(t, world.Options{})
	dave, err := ircclient.Dial(ctx, w.IRC.Addr(), ircclient.Config{Nick: "dave"})
	if err != nil {
		t.Fatal(err)
	}
	defer dave.Close()
	if err := dave.Join(ctx, "#lobby"); err != nil {
		t.Fatal(err)
	}
	room := "#lobby%irc.test@" + world.IRC
	alice := login(ctx, t, w, world.Alice, "phone")
	self, err := alice.Join(ctx, room, "alice")
	if err != nil {
		t.Fatalf("%v\n%s", err, journal(alice))
	}
	if !self.HasStatus("110") {
		t.Errorf("self-presence without 110: %s", self.Raw)
	}
	id, err := alice.SendMessage(client.Message{To: room, Type: "groupchat", Body: "hello IRC"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := dave.Wait(ctx, ircclient.Said("alice", "#lobby", "hello IRC")); err != nil {
		t.Fatal(err)
	}
	st := wait(ctx, t, alice, "the reflection", client.MessageFrom(room+"/alice", "hello IRC"))
	if st.ID() != id {
		t.Errorf("reflected with id %q, sent with %q", st.ID(), id)
	}
	if err := dave.Privmsg("#lobby", "hello \x02XMPP\x02 \x1f\x03"); err != nil {
		t.Fatal(err)
	}
	wait(ctx, t, alice, "dave's line", func(s *client.Stanza) bool {
		return s.From() == room+"/dave" && strings.Contains(s.Body(), "XMPP")
	})

	tablet := login(ctx, t, w, world.Alice, "tablet")
	if _, err := tablet.Join(ctx, room, "alice"); err != nil {
		t.Fatalf("second resource: %v", err)
	}
	wait(ctx, t, tablet, "dave's presence", client.PresenceFrom(room+"/dave", ""))
	if _, err := tablet.IQ(ctx, room+"/alice", "get", "<ping xmlns='urn:xmpp:ping'/>"); err != nil {
		t.Errorf("self-ping: %v", err)
	}

	pm, err := alice.Say("dave%irc.test@"+world.IRC, "psst")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := dave.Wait(ctx, ircclient.Said("alice", "dave", "psst")); err != nil {
		t.Fatal(err)
	}
	wait(ctx, t, alice, "the receipt of the private message", client.ReceiptOf(pm))
	if err := dave.Privmsg("alice", "pssst"); err != nil {
		t.Fatal(err)
	}
	wait(ctx, t, alice, "dave's private message", client.MessageFrom("dave%irc.test@"+world.IRC, "pssst"))

	for _, c := range []struct{ line, what string }{
		{"TOPIC #lobby :new topic", "topic"},
		{"NICK david", "nick"},
		{"KICK #lobby alice :bye", "kick"},
	} {
		if err := dave.Send(c.line); err != nil {
			t.Fatal(err)
		}
		wait(ctx, t, alice, c.what, func(s *client.Stanza) bool {
			switch c.what {
			case "topic":
				return s.Kind() == "message" && s.Subject() == "new topic"
			case "nick":
				return s.HasStatus("303") && s.From() == room+"/dave"
			}
			return s.Type() == "unavailable" && s.HasStatus("307") && s.HasStatus("110")
		})
	}
	if err := tablet.Ping(ctx); err != nil {
		t.Fatal(err)
	}
	wait(ctx, t, tablet, "the kick on the second resource", func(s *client.Stanza) bool { return s.HasStatus("307") && s.HasStatus("110") })
}
