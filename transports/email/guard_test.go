package email

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"testing/iotest"
	"time"

	"github.com/emersion/go-smtp"

	"gangway/core"
)

const mail = "From: bob@example.com\r\nMessage-ID: <m1@example.com>\r\nSubject: hi\r\n\r\nhello\r\n"

func TestRunsOfCR(t *testing.T) {
	g := start(t, nil, nil)
	d := g.hello(t, "smtp")
	d.transaction("bob@example.com", "alice@gw.example")
	_, _ = io.WriteString(d, "Subject: x\r\n\r\nline\r\r\nlast\r\r\r\n.\r\n")
	d.expect("250")
	if got := g.messages(); len(got) != 1 || got[0].Text != "*x*\nline\nlast" {
		t.Errorf("delivered %+v", got)
	}
	d.transaction("bob@example.com", "alice@gw.example") // and the connection goes on
	d.send("Subject: y", "", "y", ".")
	d.expect("250")
}

// collapsing must see runs that are split between reads, and must not touch chunks, whose length counts.
func TestCollapseCR(t *testing.T) {
	in := "a\r\r\nb\r\r\r\r\n\r\nc\rd"
	for _, r := range []io.Reader{strings.NewReader(in), iotest.OneByteReader(strings.NewReader(in)), iotest.HalfReader(strings.NewReader(in))} {
		c := &guardConn{}
		c.collapse = true
		var out []byte
		b := make([]byte, 7)
		for {
			n, err := r.Read(b)
			if n > 0 {
				out = append(out, b[:c.collapseCR(b[:n])]...)
			}
			if err != nil {
				break
			}
		}
		if want := "a\r\nb\r\n\r\nc\rd"; string(out) != want {
			t.Errorf("got %q, want %q", out, want)
		}
	}
}

func TestChunks(t *testing.T) {
	for _, listener := range []string{"smtp", "lmtp"} {
		g := start(t, nil, func(tr *transport) { tr.limits.idle = 5 * time.Second })
		d := g.hello(t, listener)
		first, second := "Subject: x\r\n\r\na\r\r\nb\r\n.\r\n", "QUIT\r\r\nend\r\n"
		_, _ = fmt.Fprintf(d, "MAIL FROM:<bob@example.com>\r\nRCPT TO:<alice@gw.example>\r\nBDAT %d\r\n%s", len(first), first)
		for range 3 {
			d.expect("250")
		}
		_, _ = fmt.Fprintf(d, "BDAT %d LAST\r\n%s", len(second), second) // when a guard of DATA would be on
		d.expect("250")
		d.send("NOOP")
		d.expect("250")
		if got := g.messages(); len(got) != 1 || got[0].Text != "*x*\na\n\nb\n.\nQUIT\n\nend" {
			t.Errorf("delivered %+v", got)
		}
	}
}

// A chunk that never ends is no mail.
func TestBrokenChunk(t *testing.T) {
	for _, cut := range []string{"BDAT 20 LAST\r\nSubject: x", "BDAT 10\r\nSubject: x", "BDAT 10\r\nSubject: xRSET\r\n"} {
		g := start(t, nil, nil)
		d := g.hello(t, "smtp")
		_, _ = io.WriteString(d, "MAIL FROM:<bob@example.com>\r\nRCPT TO:<alice@gw.example>\r\n"+cut)
		if err := d.Conn.(*net.TCPConn).CloseWrite(); err != nil {
			t.Fatal(err)
		}
		d.ended()
		g.stop()
		if got := g.messages(); len(got) != 0 {
			t.Errorf("%q: delivered %+v", cut, got)
		}
	}
}

func TestDotsAndBareLineEnds(t *testing.T) { // SMTP smuggling (CVE-2023-51764)
	g := start(t, nil, nil)
	d := g.hello(t, "smtp")
	d.transaction("bob@example.com", "alice@gw.example")
	for _, end := range []string{"\n.\n", "\n.\r\n", "\r.\r", "\r\n.\n", "\r\n.\r", "\n..\r\n"} {
		_, _ = io.WriteString(d, "x"+end+"MAIL FROM:<eve@example.com>\r\n")
	}
	d.send("", ".")
	d.expect("250")
	d.send("NOOP")
	d.expect("250 2.0.0 I have")
	if got := g.messages(); len(got) != 1 {
		t.Errorf("%d messages", len(got))
	}
}

func TestLongLines(t *testing.T) {
	g := start(t, nil, nil)
	d := g.hello(t, "smtp")
	d.transaction("bob@example.com", "alice@gw.example")
	d.send("Subject: x", "", strings.Repeat("x", 100_000), ".") // over RFC 5322, and sent all the same
	d.expect("250")
	d.transaction("bob@example.com", "alice@gw.example")
	go func() { _, _ = io.WriteString(d, strings.Repeat("x", maxLine+10)+"\r\n.\r\n") }()
	d.expect("554 5.6.0")
	d.ended()
}

func TestSizeLimit(t *testing.T) {
	g := start(t, map[string]any{"max_size": int64(leastMaxSize)}, nil)
	d := g.hello(t, "smtp")
	exact := "Subject: x\r\n\r\n"
	exact += strings.Repeat(strings.Repeat("x", 62)+"\r\n", (leastMaxSize-len(exact))/64)
	exact += strings.Repeat("y", leastMaxSize-len(exact)-2) + "\r\n"
	d.send(fmt.Sprintf("MAIL FROM:<bob@example.com> SIZE=%d", len(exact)))
	d.expect("250")
	d.send("RCPT TO:<alice@gw.example>")
	d.expect("250")
	d.send("DATA")
	d.expect("354")
	_, _ = io.WriteString(d, exact+".\r\n")
	d.expect("250")
	d.transaction("bob@example.com", "alice@gw.example")
	_, _ = io.WriteString(d, exact+"z\r\n.\r\n")
	d.expect("552 5.3.4")
	d.transaction("bob@example.com", "alice@gw.example") // it is the mail that was refused, not the sender
	d.send("", ".")
	d.expect("250")
	d.send(fmt.Sprintf("MAIL FROM:<bob@example.com> SIZE=%d", leastMaxSize+2))
	d.expect("552")
}

func TestConnectionLimits(t *testing.T) {
	g := start(t, nil, func(tr *transport) { tr.limits.conns, tr.limits.perHost = 5, 2 })
	for range 2 {
		g.dial(t, "smtp").expect("220")
	}
	third := g.dial(t, "smtp")
	third.expect("421 4.7.0")
	third.ended()
	var open []*dialogue
	for range 5 { // one mail server may have many connections
		d := g.dial(t, "lmtp")
		d.expect("220")
		open = append(open, d)
	}
	g.dial(t, "lmtp").expect("421")
	open[0].send("QUIT")
	open[0].expect("221")
	open[0].ended()
	freed := waitFor(func() bool { // when the server has seen the end
		got, err := g.dial(t, "lmtp").reply()
		return err == nil && strings.HasPrefix(got, "220")
	})
	if !freed {
		t.Error("a connection that ended still counts")
	}
}

func TestHostOf(t *testing.T) {
	for in, want := range map[string]string{
		"192.0.2.1:25": "192.0.2.1/32", "[::ffff:192.0.2.1]:25": "192.0.2.1/32", "[2001:db8::1:2]:25": "2001:db8::/64", "[fe80::1%eth0]:25": "fe80::/64",
	} {
		addr := fakeAddr(in)
		if got := hostOf(addr).String(); got != want {
			t.Errorf("%s: %s, want %s", in, got, want)
		}
	}
}

type fakeAddr string

func (fakeAddr) Network() string  { return "tcp" }
func (a fakeAddr) String() string { return string(a) }

func TestRecipientLimit(t *testing.T) {
	g := start(t, nil, nil)
	d := g.hello(t, "smtp")
	d.send("MAIL FROM:<bob@example.com>")
	d.expect("250")
	for i := range maxRecipients {
		d.send(fmt.Sprintf("RCPT TO:<alice+%d@gw.example>", i))
		d.expect("250")
	}
	d.send("RCPT TO:<alice@gw.example>")
	d.expect("452 4.5.3")
}

func TestDirectoryHarvest(t *testing.T) {
	g := start(t, nil, nil)
	d := g.hello(t, "smtp")
	d.send("MAIL FROM:<bob@example.com>")
	d.expect("250")
	for i := range 5 {
		d.send(fmt.Sprintf("RCPT TO:<nobody%d@gw.example>", i))
		d.expect("550 5.1.1")
		d.send("RSET") // which must not start the count anew
		d.expect("250")
		d.send("MAIL FROM:<bob@example.com>")
		d.expect("250")
	}
	d.send("RCPT TO:<nobody@gw.example>")
	d.expect("421 4.7.0")
	d.ended()
	l := g.hello(t, "lmtp") // the site's own server asks for what it was asked for
	l.send("MAIL FROM:<bob@example.com>")
	l.expect("250")
	for i := range 20 {
		l.send(fmt.Sprintf("RCPT TO:<nobody%d@gw.example>", i))
		l.expect("550 5.1.1")
	}
}

func TestMemoryIsShared(t *testing.T) {
	g := start(t, nil, func(tr *transport) { tr.memory = newMemory(64 << 10) })
	d := g.hello(t, "smtp")
	for range 3 { // what was taken is given back
		d.transaction("bob@example.com", "alice@gw.example")
		d.send("Subject: x", "", strings.Repeat(strings.Repeat("x", 70)+"\r\n", 1500), ".")
		d.expect("452 4.3.1")
		d.transaction("bob@example.com", "alice@gw.example")
		d.send("Subject: x", "", "small", ".")
		d.expect("250")
	}
	if free := g.memory.free.Load(); free != 64<<10 {
		t.Errorf("%d bytes are free", free)
	}
}

func TestReadMail(t *testing.T) {
	m := newMemory(1 << 20)
	raw, done, err := m.readMail(iotest.HalfReader(strings.NewReader(strings.Repeat("x", 100_000))), 100_000)
	if err != nil || len(raw) != 100_000 || m.free.Load() != 1<<20-100_001 {
		t.Errorf("%d bytes, %v, %d free", len(raw), err, m.free.Load())
	}
	done()
	broken := errors.New("broken")
	if _, done, err = m.readMail(iotest.ErrReader(broken), 10); !errors.Is(err, broken) {
		t.Errorf("err = %v", err)
	}
	done()
	if m.free.Load() != 1<<20 {
		t.Errorf("%d free", m.free.Load())
	}
}

// TestReply holds the one way out to its promise, for every kind.
func TestReply(t *testing.T) {
	if err := reply(nil); err != nil {
		t.Errorf("reply(nil) = %v", err)
	}
	want := map[core.Kind]int{
		core.Internal: 451, core.Invalid: 550, core.NotFound: 550, core.Denied: 550, core.Unenrolled: 550, core.Unsupported: 554,
		core.Unavailable: 451, core.TooLarge: 552, core.OverLimit: 452, core.Uncertain: 451,
	}
	for kind, code := range want {
		err := fmt.Errorf("wrapped: %w", &core.Error{Kind: kind, Text: "secret", Err: errors.New("/var/spool")})
		got, ok := reply(err).(*smtp.SMTPError) //nolint:errorlint // bare is the point
		if !ok || got.Code != code || strings.Contains(got.Message, "secret") || strings.Contains(got.Message, "spool") {
			t.Errorf("%v: %v", kind, reply(err))
		}
	}
	if got, ok := reply(errors.New("disk /x full")).(*smtp.SMTPError); !ok || got.Code != 451 { //nolint:errorlint // as above
		t.Errorf("foreign error: %v", got)
	}
	if got, ok := reply(fmt.Errorf("w: %w", noMailbox())).(*smtp.SMTPError); !ok || got.Code != 550 { //nolint:errorlint // as above
		t.Errorf("wrapped reply: %v", got)
	}
}

// A gateway that stops answers for the mail in hand, and ends connections that have none.
func TestStop(t *testing.T) {
	g := start(t, nil, nil)
	idle := g.hello(t, "smtp")
	busy := g.hello(t, "smtp")
	busy.transaction("bob@example.com", "alice@gw.example")
	busy.send("Subject: x", "", "in hand")
	if !waitFor(func() bool { return inMail(g.transport) }) {
		t.Fatal("DATA is not seen")
	}
	var stopped sync.WaitGroup
	stopped.Go(g.stop)
	idle.ended()
	busy.send(".")
	busy.expect("250")
	busy.ended()
	stopped.Wait()
	g.host.WaitMessage("*x*\nin hand")
	if c, err := net.Dial("tcp", g.bound["smtp"].String()); err == nil {
		c.Close()
		t.Error("still listening")
	}
}

func TestStopDoesNotWaitForEver(t *testing.T) {
	g := start(t, nil, func(tr *transport) { tr.limits.grace = 50 * time.Millisecond })
	d := g.hello(t, "smtp")
	d.transaction("bob@example.com", "alice@gw.example")
	d.send("Subject: never ends")
	g.stop()
	d.ended()
	if got := g.messages(); len(got) != 0 {
		t.Errorf("delivered %+v", got)
	}
}

func TestPortTaken(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	g := start(t, nil, nil)
	g.stop()
	g.settings.SMTP = l.Addr().String()
	if err := g.Run(context.Background()); err == nil || !strings.Contains(err.Error(), "listen for smtp") {
		t.Errorf("Run = %v", err)
	}
}
