package email

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"gangway/core"
	"gangway/transports/email/mime"
)

// chat is alice's session, with a relay that shows what goes out.
type chat struct {
	*gateway
	t     *testing.T
	s     core.Session
	relay *relayDouble
	n     int
}

func startChat(t *testing.T, chosen map[string]string) *chat {
	t.Helper()
	relay := startRelay(t, nil)
	g := start(t, map[string]any{"relay": "smtp://" + relay.addr}, nil)
	g.host.Chosen.Own = chosen
	return &chat{gateway: g, t: t, s: g.session(t), relay: relay}
}

// sent is the last mail that went out.
func (c *chat) sent() *mime.Message {
	c.t.Helper()
	select {
	case got := <-c.relay.mails:
		return mime.Parse([]byte(got.mail))
	default:
		c.t.Fatal("no mail went out")
		return nil
	}
}

func (c *chat) nothing(what string) {
	c.t.Helper()
	select {
	case got := <-c.relay.mails:
		c.t.Errorf("%s: sent\n%s", what, got.mail)
	default:
	}
}

// say sends a message, and returns it with the name that it has got.
func (c *chat) say(change func(*core.Message)) (*core.Message, *mime.Message) {
	c.t.Helper()
	m := note("hello")
	change(m)
	taken, err := c.s.Send(c.t.Context(), m)
	if err != nil {
		c.t.Fatal(err)
	}
	m.Remote = taken.Remote
	return m, c.sent()
}

// hear has bob write, and returns the message that is shown.
func (c *chat) hear(header, text string) *core.Message {
	c.t.Helper()
	c.n++
	text = fmt.Sprintf("%s %d", text, c.n)
	c.deliverMail(c.t, "bob@example.com", "alice@gw.example",
		fmt.Sprintf("From: Bob Roe <bob@example.com>\r\nMessage-ID: <heard-%d@example.com>\r\nDate: Mon, 02 Nov 2026 01:02:00 +0000\r\n%s\r\n%s\r\n", c.n, header, text))
	for _, m := range c.messages() {
		if strings.HasSuffix(m.Text, text) {
			return m
		}
	}
	c.t.Fatalf("%q did not come", text)
	return nil
}

func (c *chat) act(what string, err error) error {
	c.t.Helper()
	if e := new(core.Error); err != nil && (!errors.As(err, &e) || e.Sentence() == "") {
		c.t.Errorf("%s: %v", what, err)
	}
	return err
}

const delta = "Chat-Version: 1.0\r\n"

// A correction is an answer in the same thread that says what it is, and more to who can do more with it.
func TestCorrection(t *testing.T) {
	c := startChat(t, nil)
	m, first := c.say(func(m *core.Message) { m.Subject = "Lunch" })
	edit := func(lang string) *mime.Message {
		t.Helper()
		e := note("at *noon*")
		e.Replaces, e.Lang = core.IDs{ID: m.ID, Remote: m.Remote}, lang
		if _, err := c.s.(core.Editor).Edit(t.Context(), e); err != nil {
			t.Fatal(err)
		}
		return c.sent()
	}
	got := edit("de-AT")
	if h := got.Root.Header; h.Get("In-Reply-To") != first.Root.Header.Get("Message-ID") || h.Get("Subject") != "Re: Lunch" || h.Has(editField) || h.Has(chatField) {
		t.Errorf("%v", h)
	}
	if text := got.Body(1000).Text; text != "Korrektur: at *noon*" {
		t.Errorf("text %q", text)
	}
	c.hear(delta, "hi")
	got = edit("")
	if h := got.Root.Header; h.Get(editField) != string(m.Remote) || !h.Has(chatField) {
		t.Errorf("%v", h)
	}
	if text := got.Body(1000).Text; text != editMark+"at *noon*" {
		t.Errorf("text %q", text)
	}
	m.Remote = "" // it is not known yet whether the mail was taken
	if got := edit(""); got.Root.Header.Get("In-Reply-To") != first.Root.Header.Get("Message-ID") {
		t.Errorf("%v", got.Root.Header)
	}
}

// Nobody gets a mail for a thumb, but who has sent one.
func TestReactionSent(t *testing.T) {
	for name, tt := range map[string]struct {
		header string
		shown  bool
	}{
		"a mail program":          {"", false},
		"Delta Chat":              {delta, true},
		"a list of chatters":      {delta + "List-Id: <l.example.com>\r\nList-Post: <mailto:l@example.com>\r\n", false},
		"a program that is a bot": {delta + "Auto-Submitted: auto-replied\r\n", false},
	} {
		c := startChat(t, nil)
		in := c.hear(tt.header+"Subject: Lunch\r\n", "shall we?")
		react := func(emoji ...string) error {
			return c.act(name, c.s.(core.Reactor).React(t.Context(), &core.Reaction{
				Ref: core.Ref{Account: alice.ID, Peer: "bob@example.com"}, IDs: core.IDs{Remote: in.Remote}, Emoji: emoji, At: in.At,
			}))
		}
		if err := react("👍", "🎉"); err != nil {
			t.Fatal(err)
		}
		if !tt.shown {
			c.nothing(name)
			continue
		}
		got := c.sent()
		if r := got.Reaction(); fmt.Sprint(r) != "[👍 🎉]" {
			t.Errorf("reaction %v", r)
		}
		if h := got.Root.Header; h.Get("In-Reply-To") != string(in.Remote) || h.Get("Subject") != "Re: Lunch" {
			t.Errorf("%v", h)
		}
		for range 2 { // taken back, which cannot be said; and what nobody knows any more
			in.Remote = "<forgotten@example.com>"
			if err := react(); err != nil {
				t.Fatal(err)
			}
		}
		c.nothing(name)
	}
}

// Who reacts can show reactions.
func TestReactionAnswered(t *testing.T) {
	c := startChat(t, nil)
	m, _ := c.say(func(*core.Message) {})
	c.deliverMail(t, "bob@example.com", "alice@gw.example", "From: bob@example.com\r\nMessage-ID: <r@example.com>\r\nIn-Reply-To: "+string(m.Remote)+
		"\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Disposition: reaction\r\n\r\n👍\r\n")
	in := c.hear("", "and you?")
	err := c.s.(core.Reactor).React(t.Context(), &core.Reaction{
		Ref: core.Ref{Account: alice.ID, Peer: "bob@example.com"}, IDs: core.IDs{Remote: in.Remote}, Emoji: []string{"❤️"}, At: in.At,
	})
	if got := c.sent().Reaction(); err != nil || fmt.Sprint(got) != "[❤️]" {
		t.Errorf("%v, %v", got, err)
	}
}

// A mail cannot be taken back, but at who takes back mails in this way.
func TestRetractionSent(t *testing.T) {
	c := startChat(t, nil)
	m, _ := c.say(func(*core.Message) {})
	retract := func() error {
		return c.act("retract", c.s.(core.Retractor).Retract(t.Context(), &core.Retraction{Ref: m.Ref, IDs: core.IDs{ID: m.ID, Remote: m.Remote}, At: m.At}))
	}
	for _, header := range []string{"", delta} {
		in := c.hear(header, "hi")
		if err := retract(); core.KindOf(err) != core.Unsupported {
			t.Errorf("%q: %v", header, err)
		}
		c.nothing(header)
		if header != "" {
			c.deliverMail(t, "bob@example.com", "alice@gw.example", "From: bob@example.com\r\nMessage-ID: <d@example.com>\r\n"+delta+
				"Chat-Delete: "+string(in.Remote)+"\r\n\r\n🗑\r\n")
		}
	}
	if err := retract(); err != nil {
		t.Fatal(err)
	}
	if h := c.sent().Root.Header; h.Get(deleteField) != string(m.Remote) || h.Get("In-Reply-To") != string(m.Remote) {
		t.Errorf("%v", h)
	}
}

// What the user's client quotes stands below the answer, unless they do not want that.
func TestQuotation(t *testing.T) {
	const intro = "On 2026-11-02 01:02 UTC, Bob Roe <bob@example.com> wrote:"
	for want, tt := range map[string]struct {
		chosen string
		change func(*core.Message)
	}{
		"Yes\n\n" + intro + "\n> shall we?\n> > now": {"", func(*core.Message) {}},
		"Yes":           {historyOff, func(*core.Message) {}},
		"Yes, we shall": {"", func(m *core.Message) { m.Subject, m.Text = "Another thing", "Yes, we shall" }},
		"Yes, yes":      {"", func(m *core.Message) { m.ReplyTo, m.Text = core.IDs{}, "Yes, yes" }},
		"Sim\n\nEm 2026-11-02 01:02 UTC, Bob Roe <bob@example.com> escreveu:\n> shall we?\n> > now": {"", func(m *core.Message) { m.Lang, m.Text = "pt-BR", "Sim" }},
	} {
		chosen := map[string]string{}
		if tt.chosen != "" {
			chosen[historyChoice] = tt.chosen
		}
		c := startChat(t, chosen)
		in := c.hear("", "shall we?")
		_, got := c.say(func(m *core.Message) {
			m.Text, m.Quoted, m.ReplyTo = "Yes", "shall we?\n> now", core.IDs{Remote: in.Remote}
			tt.change(m)
		})
		if text := got.Body(1000).Text; text != want {
			t.Errorf("%q, want %q", text, want)
		}
	}
}

func TestSubjectLine(t *testing.T) {
	for text, want := range map[string]string{
		"Subject: Lunch\nat noon":           "Lunch|at noon",
		"subject:Lunch\n\n at noon":         "Lunch| at noon",
		"Subject: Lunch":                    "Lunch|",
		"Subject:\nat noon":                 "Message from Alice Doe|Subject:\nat noon",
		"The subject: lunch":                "Message from Alice Doe|The subject: lunch",
		"hello\nSubject: Lunch":             "Message from Alice Doe|hello\nSubject: Lunch",
		"Subject: x\x00y\u2028Bcc: z@x\nhi": "xy Bcc: z@x|hi",
	} {
		c := startChat(t, nil)
		_, got := c.say(func(m *core.Message) { m.Text = text })
		if s := got.Root.Text("Subject") + "|" + got.Body(1000).Text; s != want {
			t.Errorf("%q: %q, want %q", text, s, want)
		}
	}
}

// What a user does not want known is in no header.
func TestSaysNothingMore(t *testing.T) {
	for chosen, want := range map[string]bool{"": false, "false": false, "true": true} {
		c := startChat(t, map[string]string{jabberChoice: chosen})
		_, got := c.say(func(m *core.Message) { m.Origin = core.Origin{ID: "stanza", From: "alice@example.org/phone"} })
		if h := got.Root.Header; h.Has("Jabber-ID") != want || want && h.Get("Jabber-ID") != "alice@example.org" {
			t.Errorf("%q: %v", chosen, h)
		}
		for _, f := range got.Root.Header {
			if v := f.Value(); f.Name != "Jabber-ID" && (strings.Contains(v, "example.org") || strings.Contains(v, "phone") || strings.Contains(v, "stanza")) {
				t.Errorf("%s: %s", f.Name, v)
			}
		}
	}
}

// The Message-ID is the same for the same message, here and after a restart, and another for every other.
func TestMessageID(t *testing.T) {
	one := start(t, nil, nil).session(t).(*session)
	two := start(t, map[string]any{"hmac_key": "another key of ours"}, nil).session(t).(*session)
	seen := map[string]bool{}
	m := note("x")
	for _, change := range []func(m *core.Message){
		func(*core.Message) {}, func(m *core.Message) { m.ID = core.NewID() },
		func(m *core.Message) { m.Also = []core.Address{"c@x.example"} },
		func(m *core.Message) { m.Also, m.Text = []core.Address{"c@x.example"}, "y" },
		func(m *core.Message) { m.Also, m.At = []core.Address{"c@x.example"}, m.At.Add(time.Nanosecond) },
		func(m *core.Message) { m.Also, m.Origin.ID = []core.Address{"c@x.example"}, "y" },
	} {
		other := *m
		change(&other)
		for _, s := range []*session{one, two} {
			mid, err := s.messageID(t.Context(), &other)
			again, _ := s.messageID(t.Context(), &other)
			if err != nil || mid != again || seen[mid] || mime.MessageID(mid) != mid || len(mid) != 26+len("<@gw.example>") {
				t.Errorf("%s, %s, %v", mid, again, err)
			}
			seen[mid] = true
		}
	}
}
