package email

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"github.com/emersion/go-smtp"

	"gangway/core"
)

// counting is a relay that counts its connections.
func counting(t *testing.T) (*relayDouble, *atomic.Int32) {
	t.Helper()
	n := new(atomic.Int32)
	relay := startRelay(t, func(s *smtp.Server) {
		inner := s.Backend
		s.Backend = smtp.BackendFunc(func(c *smtp.Conn) (smtp.Session, error) {
			n.Add(1)
			return inner.NewSession(c)
		})
	})
	return relay, n
}

func TestConnectionsAreUsedAgain(t *testing.T) {
	relay, conns := counting(t)
	g := start(t, map[string]any{"relay": "smtp://" + relay.addr}, nil)
	s := g.session(t)
	send := func(want core.Kind) {
		t.Helper()
		_, err := s.Send(t.Context(), note("hello"))
		if want == core.Internal && err != nil || want != core.Internal && core.KindOf(err) != want {
			t.Fatalf("%v, want %v", err, want)
		}
	}
	const fine = core.Internal // the zero Kind, which no test here expects
	for range 5 {
		send(fine)
	}
	relay.set("rcpt", &smtp.SMTPError{Code: 550, EnhancedCode: smtp.EnhancedCode{5, 1, 1}, Message: "no"})
	send(core.NotFound)
	relay.set("rcpt", nil)
	relay.set("data", &smtp.SMTPError{Code: 451, EnhancedCode: smtp.EnhancedCode{4, 3, 0}, Message: "later"})
	send(core.Unavailable)
	relay.set("data", nil)
	send(fine)
	if n := conns.Load(); n != 1 {
		t.Errorf("%d connections", n)
	}
	relay.set("mail", &smtp.SMTPError{Code: 421, EnhancedCode: smtp.EnhancedCode{4, 3, 2}, Message: "going down"})
	send(core.Unavailable)
	relay.set("mail", nil)
	send(fine)
	if n := conns.Load(); n != 2 {
		t.Errorf("%d connections after 421", n)
	}
	// One that has died while it waited is noticed before a mail is given to it.
	g.relay.mu.Lock()
	g.relay.idle[0].raw.Close()
	g.relay.mu.Unlock()
	send(fine)
	if n := conns.Load(); n != 3 {
		t.Errorf("%d connections after one died", n)
	}
	for range mailsAtOnce {
		send(fine)
		<-relay.mails
	}
	if n := conns.Load(); n != 4 {
		t.Errorf("%d connections for %d mails more", n, mailsAtOnce)
	}
	g.stop()
	send(fine) // what is in the queue is sent after the listeners have ended
	if len(g.relay.idle) != 0 {
		t.Error("a connection is kept beyond the end")
	}
}

func TestStoppedSendEndsItsConnection(t *testing.T) {
	relay, conns := counting(t)
	g := start(t, map[string]any{"relay": "smtp://" + relay.addr}, nil)
	if _, err := g.session(t).Send(t.Context(), note("one")); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := g.session(t).Send(ctx, note("two")); core.KindOf(err) != core.Unavailable {
		t.Errorf("%v", err)
	}
	if _, err := g.session(t).Send(t.Context(), note("three")); err != nil {
		t.Fatal(err)
	}
	if n := conns.Load(); n > 2 {
		t.Errorf("%d connections", n)
	}
}

func TestIdleConnectionsEnd(t *testing.T) {
	relay, _ := counting(t)
	g := start(t, map[string]any{"relay": "smtp://" + relay.addr}, nil)
	if _, err := g.session(t).Send(t.Context(), note("one")); err != nil {
		t.Fatal(err)
	}
	g.relay.mu.Lock()
	g.relay.idle[0].timer.Reset(time.Millisecond) // as if its time were over
	g.relay.mu.Unlock()
	if !waitFor(func() bool {
		g.relay.mu.Lock()
		defer g.relay.mu.Unlock()
		return len(g.relay.idle) == 0
	}) {
		t.Error("an idle connection is kept")
	}
}
