package client

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"
)

// peer is the server's side of one connection, played by the test.
type peer struct {
	t    *testing.T
	conn net.Conn
	in   *reader
}

// accept listens and plays the server for the first connection.
func accept(t *testing.T, play func(*peer)) (addr string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		conn, err := l.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		_ = conn.SetDeadline(time.Now().Add(20 * time.Second))
		play(&peer{t, conn, newReader(conn)})
	}()
	t.Cleanup(func() {
		_ = l.Close()
		<-done
	})
	return l.Addr().String()
}

func (p *peer) send(format string, args ...any) {
	if _, err := fmt.Fprintf(p.conn, format, args...); err != nil {
		p.t.Error(err)
	}
}

// next is the client's next stanza, nil at the end.
func (p *peer) next() *Stanza {
	s, err := p.in.next()
	if err != nil {
		return nil
	}
	return s
}

func (p *peer) open(features string) {
	p.in.restart()
	if err := p.in.header(); err != nil {
		p.t.Error(err)
	}
	p.send("%s<stream:features>%s</stream:features>", opening, features)
}

const plain = "<mechanisms xmlns='" + nsSASL + "'><mechanism>SCRAM-SHA-1</mechanism><mechanism>PLAIN</mechanism></mechanisms>"

// login plays a whole log-in of alice@example.test/r.
func (p *peer) login() {
	p.open(plain)
	auth := p.next()
	want := base64.StdEncoding.EncodeToString([]byte("\x00alice\x00s<cret"))
	if auth == nil || auth.Text != want {
		p.t.Errorf("auth = %v", auth)
	}
	p.send("<success xmlns='%s'/>", nsSASL)
	p.open("<bind xmlns='" + nsBind + "'/><session xmlns='" + nsSession + "'/>")
	bind := p.next()
	if got := bind.Child(nsBind, "bind").Child(nsBind, "resource").Content(); got != "r" {
		p.t.Errorf("resource = %q", got)
	}
	p.send("<iq type='result' id='%s'><bind xmlns='%s'><jid>alice@example.test/r</jid></bind></iq>", bind.ID(), nsBind)
	p.send("<iq type='result' id='%s'/>", p.next().ID())
}

func login(t *testing.T, addr string, opts ...Option) *Client {
	t.Helper()
	c, err := Dial(t.Context(), addr, "alice@example.test/r", "s<cret", opts...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
	return c
}

func TestDialLogsInAndReceives(t *testing.T) {
	addr := accept(t, func(p *peer) {
		p.login()
		p.send("<message from='bob@example.test/x'><body>early</body></message>")
		if s := p.next(); s.Body() != "hello" || s.To() != "bob@example.test" {
			p.t.Errorf("sent %v", s)
		}
		p.send("<message from='bob@example.test/x'><body>late</body></message></stream:stream>")
		if s := p.next(); s != nil {
			p.t.Errorf("after the end: %v", s)
		}
	})
	c := login(t, addr)
	if c.JID() != "alice@example.test/r" || c.Bare() != "alice@example.test" {
		t.Fatalf("JID = %s", c.JID())
	}
	if _, err := c.Say("bob@example.test", "hello"); err != nil {
		t.Fatal(err)
	}
	for _, body := range []string{"late", "early"} {
		if _, err := c.Wait(t.Context(), MessageFrom("bob@example.test", body)); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := c.Wait(t.Context(), MessageFrom("bob@example.test", "")); err == nil || !strings.Contains(err.Error(), "nothing more will come") {
		t.Fatalf("after the end: %v", err)
	}
	if err := c.Run(t.Context()); err == nil {
		t.Fatal("Run of an ended stream gives no reason")
	}
	if n := len(c.Log()); n != 2 {
		t.Fatalf("%d stanzas in the log", n)
	}
}

func TestDialRefused(t *testing.T) {
	addr := accept(t, func(p *peer) {
		p.open(plain)
		p.next()
		p.send("<failure xmlns='%s'><not-authorized/></failure>", nsSASL)
		p.next()
	})
	if _, err := Dial(t.Context(), addr, "alice@example.test", "wrong"); !errors.Is(err, ErrNotAuthorized) {
		t.Fatalf("err = %v", err)
	}
}

func TestDialObeysItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	addr := accept(t, func(p *peer) {
		_ = p.in.header()
		cancel()
		p.next() // silent until the client goes
	})
	if _, err := Dial(ctx, addr, "alice@example.test", "x"); err == nil {
		t.Fatal("Dial succeeds")
	}
}

func TestDialStaysOnLoopback(t *testing.T) {
	for _, addr := range []string{"192.0.2.1:5222", "example.org:5222", "localhost"} {
		if _, err := Dial(t.Context(), addr, "alice@example.test", "x"); err == nil {
			t.Fatalf("%s is dialled", addr)
		}
	}
}

func TestIQ(t *testing.T) {
	addr := accept(t, func(p *peer) {
		p.login()
		id := p.next().ID()
		p.send("<iq type='result' from='evil@example.test' id='%s'><no/></iq>", id)
		p.send("<iq type='result' from='gw.example.test' id='%s'><yes/></iq>", id)
		p.send("<iq type='error' from='gw.example.test' id='%s'><error type='auth'><forbidden xmlns='%s'/></error></iq>", p.next().ID(), NSStanzas)
		p.next()
	})
	c := login(t, addr)
	s, err := c.IQ(t.Context(), "gw.example.test", "get", "<query xmlns='x'/>")
	if err != nil || s.Child("", "yes") == nil {
		t.Fatalf("answer %v, %v", s, err)
	}
	if _, err := c.IQ(t.Context(), "gw.example.test", "get", "<query xmlns='x'/>"); !IsCondition(err, "forbidden") {
		t.Fatalf("err = %v", err)
	}
}

func TestReplies(t *testing.T) {
	addr := accept(t, func(p *peer) {
		p.login()
		p.send("<iq type='get' id='p' from='gw.example.test'><ping xmlns='%s'/></iq>", NSPing)
		if s := p.next(); s.ID() != "p" || s.Type() != "result" || s.To() != "gw.example.test" {
			p.t.Errorf("ping is answered with %v", s)
		}
		p.send("<iq type='set' id='q' from='gw.example.test'><query xmlns='urn:unknown'/></iq>")
		if s := p.next(); s.ID() != "q" || !IsCondition(s.Err(), "service-unavailable") {
			p.t.Errorf("the unknown is answered with %v", s)
		}
		p.send("<message id='m' type='chat' from='bob@x/1'><body>?</body><request xmlns='%s'/></message>", NSReceipts)
		if s := p.next(); !ReceiptOf("m")(s) || s.To() != "bob@x/1" {
			p.t.Errorf("the request is answered with %v", s)
		}
		p.send("</stream:stream>")
		p.next()
	})
	c := login(t, addr, WithReceipts())
	<-c.Done()
}

func TestJoin(t *testing.T) {
	const self = "<presence from='#c%%irc@gw/al'><x xmlns='" + NSMUCUser + "'>%s</x></presence>"
	addr := accept(t, func(p *peer) {
		p.login()
		if s := p.next(); s.To() != "#c%irc@gw/al" || s.Child(NSMUC, "x") == nil {
			p.t.Errorf("join is %v", s)
		}
		p.send("<presence from='#c%%irc@gw/other'><x xmlns='" + NSMUCUser + "'/></presence>")
		p.send(self, "<status code='100'/><status code='110'/>")
		p.next()
		p.send("<presence type='error' from='#c%%irc@gw/al'><error type='cancel'><conflict xmlns='" + NSStanzas + "'/></error></presence>")
		p.next()
	})
	c := login(t, addr)
	if s, err := c.Join(t.Context(), "#c%irc@gw", "al"); err != nil || s.From() != "#c%irc@gw/al" {
		t.Fatalf("Join = %v, %v", s, err)
	}
	if _, err := c.Join(t.Context(), "#c%irc@gw", "al"); !IsCondition(err, "conflict") {
		t.Fatalf("err = %v", err)
	}
	if _, ok := c.Take(PresenceFrom("#c%irc@gw/other", "")); !ok {
		t.Fatal("the other's presence is not in the journal")
	}
}

func TestSendAfterClose(t *testing.T) {
	addr := accept(t, func(p *peer) {
		p.login()
		p.next()
		p.send("</stream:stream>")
	})
	c := login(t, addr)
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	if err := c.Send("<presence/>"); !errors.Is(err, net.ErrClosed) {
		t.Fatalf("err = %v", err)
	}
}
