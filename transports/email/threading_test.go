package email

import (
	"encoding/base64"
	"fmt"
	"strings"
	"testing"
	"time"

	"gangway/core"
)

// heardFrom has somebody write, and returns the message that is shown.
func (c *chat) heardFrom(who, header, text string) *core.Message {
	c.t.Helper()
	c.n++
	text = fmt.Sprintf("%s %d", text, c.n)
	c.deliverMail(c.t, who, "alice@gw.example", fmt.Sprintf("From: %s\r\nMessage-ID: <heard-%d@example.com>\r\n%s\r\n%s\r\n", who, c.n, header, text))
	for _, m := range c.messages() {
		if strings.HasSuffix(m.Text, text) {
			return m
		}
	}
	c.t.Fatalf("%q did not come", text)
	return nil
}

func subject(s string) string     { return "Subject: " + s + "\r\n" }
func inReplyTo(mid string) string { return "In-Reply-To: " + mid + "\r\n" }
func refs(mids ...string) string  { return "References: " + strings.Join(mids, " ") + "\r\n" }
func threadIndex(b byte, n int) string {
	return "Thread-Index: " + base64.StdEncoding.EncodeToString(append([]byte(strings.Repeat(string(b), 22)), make([]byte, n)...)) + "\r\n"
}

// TestThreadIn goes through the rules by which an incoming mail finds its thread, in their order.
func TestThreadIn(t *testing.T) {
	for name, tt := range map[string]struct {
		header func(first string) string
		same   bool // it is in the thread of the first mail
		answer bool // it is shown as an answer to it
	}{
		"In-Reply-To":                       {func(m string) string { return inReplyTo(m) + subject("Re: Lunch") }, true, true},
		"In-Reply-To, whatever the subject": {func(m string) string { return inReplyTo(m) + subject("Dinner") }, true, true},
		"In-Reply-To without brackets":      {func(m string) string { return inReplyTo(strings.Trim(m, "<>")) + subject("Re: Lunch") }, true, true},
		"In-Reply-To with words":            {func(m string) string { return inReplyTo("Your message of Monday "+m) + subject("Re: Lunch") }, true, true},
		"the second of several":             {func(m string) string { return inReplyTo("<unknown@x> "+m) + subject("Re: Lunch") }, true, true},
		"References":                        {func(m string) string { return refs("<unknown@x>", m, "<other@x>") + subject("Re: Lunch") }, true, true},
		"References under another subject":  {func(m string) string { return refs(m) + subject("Dinner") }, false, false},
		"more References than anybody needs": {func(m string) string {
			return refs(strings.Split(strings.Repeat("<u@x> ", 500)+m, " ")...) + subject("Re: Lunch")
		}, true, true},
		"an id too long for a line":            {func(m string) string { return inReplyTo("<"+strings.Repeat("x", 1200)+"@x> "+m) + subject("Re: Lunch") }, true, true},
		"the subject alone":                    {func(string) string { return subject("Re: Lunch") }, true, false},
		"the subject in German":                {func(string) string { return subject("AW: Lunch") }, true, false},
		"the subject in Chinese, by a list":    {func(string) string { return subject("=?utf-8?b?5Zue5aSN77ya?= [team] Re[2]: LUNCH") }, true, false},
		"the subject without a prefix":         {func(string) string { return subject("Lunch") }, false, false},
		"another subject":                      {func(string) string { return subject("Re: Dinner") }, false, false},
		"no subject":                           {func(string) string { return "" }, false, false},
		"Outlook's index, which is not known":  {func(string) string { return threadIndex('x', 5) + subject("Re: Lunch") }, true, false},
		"and under another subject":            {func(string) string { return threadIndex('x', 5) + subject("Dinner") }, false, false},
		"an index that is too short to be one": {func(string) string { return "Thread-Index: AAAA\r\n" + subject("Dinner") }, false, false},
		"nothing that is an id":                {func(string) string { return inReplyTo("<>") + refs("<", "> <", "<a b>") + subject("Dinner") }, false, false},
	} {
		c := startChat(t, nil)
		m, mail := c.say(func(m *core.Message) { m.Subject = "Lunch" })
		first := mail.Root.Header.Get("Message-ID")
		in := c.hear(tt.header(first), "well")
		thread := newThread(first)
		if same := in.Thread == thread; same != tt.same {
			t.Errorf("%s: in the thread: %v", name, same)
		}
		if answer := in.ReplyTo.Remote == m.Remote; answer != tt.answer {
			t.Errorf("%s: an answer to %q", name, in.ReplyTo.Remote)
		}
	}
}

// Outlook's own threads hold together by their index.
func TestOutlook(t *testing.T) {
	c := startChat(t, nil)
	one := c.hear(threadIndex('a', 0)+subject("Lunch"), "one")
	two := c.hear(threadIndex('a', 5)+subject("RE: Lunch"), "two")
	other := c.hear(threadIndex('b', 0)+subject("Lunch"), "three")
	if one.Thread != two.Thread || one.Thread == other.Thread || two.Subject != "" {
		t.Errorf("%q, %q, %q", one.Thread, two.Thread, other.Thread)
	}
}

// The subject is enough for a month, and also when something else was spoken of meanwhile.
func TestSubjectWindow(t *testing.T) {
	at := func(day int) string {
		return time.Date(2026, 10, 1+day, 12, 0, 0, 0, time.UTC).Format("Date: Mon, 02 Jan 2006 15:04:05 -0700\r\n")
	}
	for day, want := range map[int]bool{1: true, 29: true, 31: false} {
		c := startChat(t, nil)
		one := c.heardFrom("bob@example.com", at(0)+subject("Lunch"), "one")
		c.heardFrom("bob@example.com", at(0)+subject("Something else"), "two")
		three := c.heardFrom("bob@example.com", at(day)+subject("Re: Lunch"), "three")
		if got := one.Thread == three.Thread; got != want {
			t.Errorf("after %d days: %v", day, got)
		}
	}
	c := startChat(t, nil)
	one := c.heardFrom("bob@example.com", subject("Lunch"), "one")
	if two := c.heardFrom("carol@example.com", subject("Re: Lunch"), "two"); one.Thread == two.Thread {
		t.Error("somebody else's subject is the same thread")
	}
}

// Who answers a mail that went to somebody else keeps its thread, but not its conversation.
func TestPrivateReply(t *testing.T) {
	c := startChat(t, nil)
	m, mail := c.say(func(m *core.Message) { m.Subject = "Lunch" })
	in := c.heardFrom("carol@example.com", inReplyTo(mail.Root.Header.Get("Message-ID"))+subject("Re: Lunch"), "I heard of it")
	if in.Peer != "carol@example.com" || in.Thread != newThread(string(m.Remote)) {
		t.Errorf("%+v", in)
	}
	_, back := c.say(func(m *core.Message) { m.Peer = "carol@example.com" })
	if h := back.Root.Header; h.Get("In-Reply-To") != string(in.Remote) || h.Get("To") != "<carol@example.com>" {
		t.Errorf("%v", h)
	}
}

// TestThreadOut goes through the rules by which an own message finds what it answers.
func TestThreadOut(t *testing.T) {
	c := startChat(t, nil)
	now := time.Date(2026, 11, 2, 12, 0, 0, 0, time.UTC)
	c.now = func() time.Time { return now }
	hear := func(header string) *core.Message {
		return c.heardFrom("bob@example.com", now.Format("Date: Mon, 02 Jan 2006 15:04:05 -0700\r\n")+header, "hi")
	}
	one, two := hear(subject("Lunch")), hear(subject("Dinner"))
	for _, tt := range []struct {
		name    string
		change  func(*core.Message)
		parent  core.RemoteID
		subject string
	}{
		{"what is answered", func(m *core.Message) { m.ReplyTo.Remote = one.Remote }, one.Remote, "Re: Lunch"},
		{"what is answered, under its subject", func(m *core.Message) { m.ReplyTo.Remote, m.Subject = one.Remote, "Re: lunch" }, one.Remote, "Re: Lunch"},
		{"what is answered, under another", func(m *core.Message) { m.ReplyTo.Remote, m.Subject = one.Remote, "Supper" }, "", "Supper"},
		{"something else", func(m *core.Message) { m.Subject = "Breakfast" }, "", "Breakfast"},
		{"Re: without anything", func(m *core.Message) { m.Subject = "Re: Tea" }, "", "Re: Tea"},
		{"the thread, though it is not the newest", func(m *core.Message) { m.Thread = two.Thread }, two.Remote, "Re: Dinner"},
	} {
		_, got := c.say(tt.change)
		if h := got.Root.Header; h.Get("In-Reply-To") != string(tt.parent) || h.Get("Subject") != tt.subject || h.Get("References") != string(tt.parent) {
			t.Errorf("%s: %v", tt.name, h)
		}
	}
	newest := hear(subject("Supper"))
	now = now.Add(13 * 24 * time.Hour)
	if _, got := c.say(func(*core.Message) {}); got.Root.Header.Get("In-Reply-To") != string(newest.Remote) {
		t.Errorf("after 13 days: %v", got.Root.Header)
	}
	now = now.Add(15 * 24 * time.Hour)
	if _, got := c.say(func(*core.Message) {}); got.Root.Header.Has("In-Reply-To") || got.Root.Header.Get("Subject") != "Message from Alice Doe" {
		t.Errorf("after 15 days of silence: %v", got.Root.Header)
	}
}

// A thread may be as long as people like: its header does not.
func TestLongThread(t *testing.T) {
	c := startChat(t, nil)
	_, mail := c.say(func(m *core.Message) { m.Subject = "Lunch" })
	first := mail.Root.Header.Get("Message-ID")
	last := first
	for range 25 {
		_, mail = c.say(func(*core.Message) {})
		h := mail.Root.Header
		if h.Get("In-Reply-To") != last || h.Get("Subject") != "Re: Lunch" {
			t.Fatalf("%v", h)
		}
		last = h.Get("Message-ID")
	}
	all := strings.Fields(mail.Root.Header.Get("References"))
	if len(all) != maxReferences || all[0] != first {
		t.Errorf("%d references, the first is %s", len(all), all[0])
	}
}

// A group's mails go on with one another, and with nothing that was said to one of them alone.
func TestGroupThread(t *testing.T) {
	c := startChat(t, nil)
	c.now = func() time.Time { return time.Date(2026, 11, 2, 12, 0, 0, 0, time.UTC) }
	c.hear(subject("A secret"), "psst")
	group := func(m *core.Message) { m.Also = []core.Address{"carol@example.com"} }
	_, one := c.say(group)
	if h := one.Root.Header; h.Has("In-Reply-To") || h.Get("Subject") != "Message from Alice Doe" {
		t.Errorf("%v", h)
	}
	_, two := c.say(func(m *core.Message) {
		m.Peer, m.Also, m.Text = "carol@example.com", []core.Address{"bob@example.com"}, "and more"
	})
	if h := two.Root.Header; h.Get("In-Reply-To") != one.Root.Header.Get("Message-ID") {
		t.Errorf("%v", h)
	}
	_, alone := c.say(func(*core.Message) {})
	if h := alone.Root.Header; h.Get("Subject") != "Re: A secret" {
		t.Errorf("%v", h)
	}
}
