package email

import (
	"strings"
	"testing"
	"time"
)

// alarm has nothing that tells it from the next.
const alarm = "From: door@sensor.example\r\nSubject: alarm\r\n\r\nthe door is open"

// mail sends a mail over a connection and leaves it open.
func (d *dialogue) mail(raw string) {
	d.t.Helper()
	d.transaction("door@sensor.example", "alice@gw.example")
	d.send(raw, ".")
	d.expect("250")
}

func TestAlikeMailsAreDistinct(t *testing.T) {
	for _, listener := range []string{"smtp", "lmtp"} {
		g := start(t, nil, nil)
		d := g.hello(t, listener)
		d.mail(alarm)
		d.mail(alarm) // the client went on: it has heard of the first
		d.send("QUIT")
		d.expect("221")
		d.ended()
		d = g.hello(t, listener)
		d.mail(alarm)
		if n := len(g.messages()); n != 3 {
			t.Errorf("%s: %d messages of 3", listener, n)
		}
		seen := map[string]bool{}
		for _, m := range g.messages() {
			seen[string(m.Remote)] = true
		}
		if len(seen) != 3 {
			t.Errorf("%s: names %v", listener, seen)
		}
	}
}

// A client that did not hear the answer sends the same again.
func TestRepeatedTransaction(t *testing.T) {
	var now time.Time
	g := start(t, nil, func(tr *transport) { tr.now = func() time.Time { return now } })
	now = time.Date(2026, 11, 24, 8, 0, 0, 0, time.UTC)
	for range 3 {
		d := g.hello(t, "smtp")
		d.mail(alarm)
		d.Close()
		if !waitFor(func() bool { return connections(g.transport) == 0 }) {
			t.Fatal("the connection is still there")
		}
		now = now.Add(20 * time.Minute)
	}
	if n := len(g.messages()); n != 1 {
		t.Errorf("%d messages of 1", n)
	}
	now = now.Add(repeatWindow)
	d := g.hello(t, "smtp")
	d.mail(alarm)
	if n := len(g.messages()); n != 2 {
		t.Errorf("%d messages of 2", n)
	}
}

func connections(tr *transport) int {
	n := 0
	for _, s := range tr.servers {
		s.guard.mu.Lock()
		n += len(s.guard.conns)
		s.guard.mu.Unlock()
	}
	return n
}

// What a mail server passed on differs in what it wrote above; the same mail from it is the same.
func TestAlikeMailsFromAServer(t *testing.T) {
	g := start(t, nil, nil)
	for _, id := range []string{"A1", "A1", "B2"} {
		d := g.hello(t, "lmtp")
		d.mail("Received: from sensor.example by mx.example with ESMTP id " + id + "\r\n" + alarm)
		d.Close()
		if !waitFor(func() bool { return connections(g.transport) == 0 }) {
			t.Fatal("the connection is still there")
		}
	}
	if n := len(g.messages()); n != 2 {
		t.Errorf("%d messages of 2", n)
	}
}

// With a date, or a Message-ID, a mail is known whatever happens to the connection.
func TestNamedMailsRepeat(t *testing.T) {
	for _, field := range []string{"Date: Tue, 24 Nov 2026 08:00:00 +0000\r\n", "Message-ID: <1@sensor.example>\r\n"} {
		g := start(t, nil, nil)
		d := g.hello(t, "smtp")
		d.mail(field + alarm)
		d.mail("Received: from elsewhere\r\n" + field + alarm)
		if n := len(g.messages()); n != 1 {
			t.Errorf("%s: %d messages of 1", strings.TrimSpace(field), n)
		}
	}
}

func TestAnswersTo(t *testing.T) {
	for field, want := range map[string]string{
		"":                                "text",
		"Reply-To: Bob <BOB@example.com>": "text",
		"Reply-To: office@example.com":    "(answers to: office@example.com)\ntext",
		"Reply-To: a@x.example, b@x.example, bob@example.com, a@x.example": "(answers to: a@x.example, b@x.example)\ntext",
		"Reply-To: a@x.example, b@x.example, c@x.example, d@x.example":     "(answers to: a@x.example, b@x.example, c@x.example, ...)\ntext",
		"Reply-To: nonsense": "text",
	} {
		if field != "" {
			field += "\r\n"
		}
		l := readLetter([]byte("From: bob@example.com\r\n"+field+"\r\ntext"), "", today)
		if got := l.message("").Text; got != want {
			t.Errorf("%q: %q, want %q", field, got, want)
		}
	}
}
