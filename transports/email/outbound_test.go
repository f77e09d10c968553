package email

import (
	"fmt"
	"strings"
	"testing"

	"github.com/emersion/go-smtp"

	"gangway/core"
	"gangway/transports/email/mime"
)

func TestSend(t *testing.T) {
	relay := startRelay(t, func(s *smtp.Server) { s.EnableSMTPUTF8 = true })
	g := start(t, map[string]any{"relay": "smtp://" + relay.addr}, nil)
	m := note("hello\n.\nbye")
	m.Peer, m.Receipt = "Bob@bücher.example", true
	taken, err := g.session(t).Send(t.Context(), m)
	if err != nil {
		t.Fatal(err)
	}
	got := <-relay.mails
	if mid := string(taken.Remote); !strings.Contains(got.mail, "Message-ID: "+mid) || !strings.HasSuffix(mid, "@gw.example>") ||
		strings.Contains(got.mail, string(m.ID)) {
		t.Errorf("remote %s, mail %s", taken.Remote, got.mail)
	}
	if got.to != "Bob@xn--bcher-kva.example" || !isVERP(got.from) || !strings.HasSuffix(got.from, "@gw.example") {
		t.Errorf("envelope %s -> %s", got.from, got.to)
	}
	if o := got.opts; o.Return != smtp.DSNReturnHeaders || o.EnvelopeID != string(m.ID) || o.UTF8 || o.Size != int64(len(got.mail)) {
		t.Errorf("MAIL %+v of %d bytes", o, len(got.mail))
	}
	if o := got.rcpt; fmt.Sprint(o.Notify) != "[FAILURE DELAY SUCCESS]" || o.OriginalRecipient != got.to {
		t.Errorf("RCPT %+v", o)
	}
	if text := mime.Parse([]byte(got.mail)).Body(1000).Text; text != m.Text {
		t.Errorf("text %q", text)
	}
	m2 := note("no receipt wanted")
	m2.Peer = "jürgen@example.com"
	if _, err := g.session(t).Send(t.Context(), m2); err != nil {
		t.Fatal(err)
	}
	got = <-relay.mails
	if fmt.Sprint(got.rcpt.Notify) != "[FAILURE DELAY]" || !got.opts.UTF8 || got.to != "jürgen@example.com" {
		t.Errorf("RCPT %s %+v %+v", got.to, got.rcpt, got.opts)
	}
}

// Delivered is said only where it is known, or where the operator has decided that the relay's word will do.
func TestWhatTakenMeans(t *testing.T) {
	for _, tt := range []struct {
		receipt string
		dsn     bool
		want    core.State
	}{{"dsn", true, core.Accepted}, {"dsn", false, core.Accepted}, {"relay", true, core.Delivered}, {"relay", false, core.Delivered}} {
		relay := startRelay(t, func(s *smtp.Server) { s.EnableDSN = tt.dsn })
		g := start(t, map[string]any{"relay": "smtp://" + relay.addr, "receipt": tt.receipt}, nil)
		taken, err := g.session(t).Send(t.Context(), note("x"))
		if err != nil || taken.State != tt.want {
			t.Errorf("%+v: %v, %v", tt, taken.State, err)
		}
	}
}

// Straight to the recipient's server is delivered; to a mailbox's own server is not, whatever becomes of the domain's mail.
func TestWhatTakenMeansWithoutRelay(t *testing.T) {
	for _, tt := range []struct {
		relay, receipt string
		box            bool
		want           core.State
	}{
		{"", "dsn", false, core.Delivered}, {"", "dsn", true, core.Accepted}, {"", "relay", true, core.Delivered},
		{"smtp://127.0.0.1:1", "dsn", true, core.Accepted},
	} {
		g := start(t, map[string]any{"relay": tt.relay, "receipt": tt.receipt}, nil)
		s := g.session(t).(*session)
		if tt.box {
			s.via = &box{}
		}
		if got := s.taken(); got != tt.want {
			t.Errorf("%+v: %v", tt, got)
		}
	}
}

// Another gateway threw the answer to the final dot away, and lost what was refused there.
func TestRefusals(t *testing.T) {
	relay := startRelay(t, nil)
	g := start(t, map[string]any{"relay": "smtp://" + relay.addr}, nil)
	for _, tt := range []struct {
		command string
		err     *smtp.SMTPError
		kind    core.Kind
		code    string
	}{
		{"data", refusal(554, smtp.EnhancedCode{5, 7, 1}, "spam"), core.Denied, "554 5.7.1"},
		{"data", refusal(451, smtp.EnhancedCode{4, 3, 0}, "later"), core.Unavailable, "451 4.3.0"},
		{"rcpt", refusal(550, smtp.EnhancedCode{5, 1, 1}, "nobody"), core.NotFound, "550 5.1.1"},
		{"rcpt", refusal(450, smtp.EnhancedCode{4, 2, 0}, "greylisted"), core.Unavailable, "450 4.2.0"},
		{"rcpt", refusal(452, smtp.EnhancedCode{4, 2, 2}, "full"), core.OverLimit, "452 4.2.2"},
		{"mail", refusal(552, smtp.EnhancedCode{5, 3, 4}, "big"), core.TooLarge, "552 5.3.4"},
		{"mail", refusal(550, smtp.EnhancedCode{5, 1, 8}, "you"), core.Denied, "550 5.1.8"},
	} {
		relay.set(tt.command, tt.err)
		_, err := g.session(t).Send(t.Context(), note("x"))
		relay.set(tt.command, nil)
		e := core.AsError(err)
		if e == nil || e.Kind != tt.kind || e.Code != tt.code || !strings.Contains(e.Text, "“"+tt.err.Message+"”") {
			t.Errorf("%s %v: %+v", tt.command, tt.err, e)
		}
	}
	if n := len(relay.mails); n != 0 {
		t.Errorf("%d mails", n)
	}
}

func TestMessagesThatAreNoMail(t *testing.T) {
	g := start(t, nil, nil)
	for name, change := range map[string]func(*core.Message){
		"empty": func(m *core.Message) { m.Text = "" },
		"blank": func(m *core.Message) { m.Text = " \n " },
		"room":  func(m *core.Message) { m.Room = true },
		"peer":  func(m *core.Message) { m.Peer = "bob" },
		"lines": func(m *core.Message) { m.Peer = "bob\r\n@example.com" },
		"id":    func(m *core.Message) { m.ID = "x> y" },
	} {
		m := note("x")
		change(m)
		_, err := g.session(t).Send(t.Context(), m)
		if e := core.AsError(err); e == nil || e.Kind.Retried() || e.Sentence() == "" {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestNeedsSMTPUTF8(t *testing.T) {
	relay := startRelay(t, nil)
	g := start(t, map[string]any{"relay": "smtp://" + relay.addr}, nil)
	m := note("x")
	m.Peer = "jürgen@example.com"
	_, err := g.session(t).Send(t.Context(), m)
	if e := core.AsError(err); e == nil || e.Kind != core.Unsupported || e.Code != "550 5.6.7" {
		t.Errorf("%+v", e)
	}
}

func TestTooLargeForRelay(t *testing.T) {
	relay := startRelay(t, func(s *smtp.Server) { s.MaxMessageBytes = 2000 })
	g := start(t, map[string]any{"relay": "smtp://" + relay.addr}, nil)
	_, err := g.session(t).Send(t.Context(), note(strings.Repeat("x", 3000)))
	if e := core.AsError(err); e == nil || e.Kind != core.TooLarge {
		t.Errorf("%+v", e)
	}
}

func TestSubjectsAndThreads(t *testing.T) {
	relay := startRelay(t, nil)
	g := start(t, map[string]any{"relay": "smtp://" + relay.addr}, nil)
	s := g.session(t)
	send := func(change func(*core.Message)) (*mime.Part, *core.Message) {
		t.Helper()
		m := note("x")
		change(m)
		if _, err := s.Send(t.Context(), m); err != nil {
			t.Fatal(err)
		}
		got := <-relay.mails
		return mime.Parse([]byte(got.mail)).Root, m
	}
	check := func(what string, p *mime.Part, subject, inReplyTo, references string) {
		t.Helper()
		if got := p.Text("Subject"); got != subject {
			t.Errorf("%s: subject %q, want %q", what, got, subject)
		}
		if got := p.Header.Get("In-Reply-To"); got != inReplyTo {
			t.Errorf("%s: in reply to %q, want %q", what, got, inReplyTo)
		}
		if got := p.Header.Get("References"); got != references {
			t.Errorf("%s: references %q, want %q", what, got, references)
		}
	}
	first, m1 := send(func(*core.Message) {})
	id1 := first.Header.Get("Message-ID")
	check("first", first, "Message from Alice Doe", "", "")

	second, _ := send(func(*core.Message) {})
	id2 := second.Header.Get("Message-ID")
	check("goes on", second, "Re: Message from Alice Doe", id1, id1)

	own, _ := send(func(m *core.Message) { m.Subject = "Other things" })
	check("own subject", own, "Other things", "", "")

	reply, _ := send(func(m *core.Message) { m.ReplyTo = core.IDs{ID: m1.ID, Remote: core.RemoteID(id1)} })
	check("explicit reply", reply, "Re: Message from Alice Doe", id1, id1)

	changed, _ := send(func(m *core.Message) { m.ReplyTo.Remote, m.Subject = core.RemoteID(id1), "New topic" })
	check("reply with another subject", changed, "New topic", "", "")

	g.deliverMail(t, "bob@example.com", "alice@gw.example", "From: bob@example.com\r\nSubject: Re: Message from Alice Doe\r\n"+
		"Message-ID: <answer@example.com>\r\nIn-Reply-To: "+id2+"\r\nReferences: "+id1+" "+id2+"\r\n\r\nanswer")
	in := g.host.WaitMessage("answer")
	if in.ReplyTo.Remote != core.RemoteID(id2) || in.Thread != newThread(id1) {
		t.Errorf("the answer came as %+v", in)
	}
	back, _ := send(func(*core.Message) {})
	check("answer to the answer", back, "Re: Message from Alice Doe", "<answer@example.com>", id1+" "+id2+" <answer@example.com>")

	thread, _ := send(func(m *core.Message) { m.Thread = "chat-thread" })
	id := thread.Header.Get("Message-ID")
	g.deliverMail(t, "bob@example.com", "alice@gw.example", "From: bob@example.com\r\nMessage-ID: <t@example.com>\r\nIn-Reply-To: "+id+"\r\n\r\nin its thread")
	if in := g.host.WaitMessage("in its thread"); in.Thread != "chat-thread" {
		t.Errorf("thread %q", in.Thread)
	}
}

// A message that is sent again after a crash is the same mail, whatever has come in meanwhile.
func TestSentAgain(t *testing.T) {
	relay := startRelay(t, nil)
	g := start(t, map[string]any{"relay": "smtp://" + relay.addr}, nil)
	m := note("x")
	if _, err := g.session(t).Send(t.Context(), m); err != nil {
		t.Fatal(err)
	}
	first := (<-relay.mails).mail
	g.deliverMail(t, "bob@example.com", "alice@gw.example", mail)
	if _, err := g.session(t).Send(t.Context(), m); err != nil {
		t.Fatal(err)
	}
	if again := (<-relay.mails).mail; again != first {
		t.Errorf("first\n%s\nagain\n%s", first, again)
	}
}

func TestReferences(t *testing.T) {
	var many []string
	for i := range 50 {
		many = append(many, fmt.Sprintf("<%d@x>", i), "<0@x>")
	}
	got := references(many, "<last@x>")
	if len(got) != maxReferences || got[0] != "<0@x>" || got[1] != "<32@x>" || got[19] != "<last@x>" {
		t.Errorf("%v", got)
	}
}
