package xmpp_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"gangway/core/xmpp"
	"gangway/core/xmpp/stream"
	"gangway/core/xmpp/xmpptest"
)

// TestDrain stops a link in the midst of traffic: what the server hands over
// until it closes is still handled, and what was written before goes out.
func TestDrain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := xmpptest.New(t)
		handled := make(chan string, 1000)
		writes := make(chan error, 1000)
		r := xmpp.NewRouter(xmpp.RouterConfig{})
		r.Message(xmpp.HandlerFunc(func(ctx context.Context, w xmpp.Sender, st *stream.Stanza) error {
			handled <- st.ID
			writes <- echo(ctx, w, st)
			return ctx.Err()
		}))
		link, stop := xmpptest.Run(t, srv, domain, r, func(c *xmpp.Config) { c.Dial, c.Drain = srv.Dial, 2*time.Second })
		srv.Await(domain, 1)
		if err := link.Ready(t.Context()); err != nil {
			t.Fatal(err)
		}
		srv.HoldPings() // so that the link gives up waiting for what the server may have sent
		batch, err := link.Send(func(e *stream.Encoder) { e.Empty("message", "", "from", domain, "to", "a@b", "id", "batch") })
		if err != nil {
			t.Fatal(err)
		}
		srv.Expect(`<message id='batch'/>`)
		srv.Pause() // the server does not see our closing tag yet
		stopped := make(chan error, 1)
		go func() { stopped <- stop() }()
		for link.Status().State != xmpp.Stopping {
			time.Sleep(10 * time.Millisecond)
		}
		for i := range 100 {
			srv.Send(fmt.Sprintf(`<message from='a@b' to='x@irc.gw' id='%d'/>`, i))
		}
		for i := range 100 {
			if id := <-handled; id != fmt.Sprint(i) {
				t.Fatalf("handled %s, want %d", id, i)
			}
			if err := <-writes; !errors.Is(err, xmpp.ErrStopping) {
				t.Fatalf("write while stopping: %v", err)
			}
		}
		confirmed := make(chan error, 1)
		go func() { confirmed <- link.Confirm(t.Context(), batch) }()
		srv.ReleasePings()
		srv.Resume()
		if err := <-stopped; err != nil {
			t.Error(err)
		}
		if err := <-confirmed; err != nil && !errors.Is(err, xmpp.ErrLost) {
			t.Error(err)
		}
		if s := link.Status(); s.State != xmpp.Stopped {
			t.Errorf("state %v", s.State)
		}
	})
}

// TestAnsweredBeforeTheEnd stops a link over stanzas that the server has sent and nobody has looked at: they are
// answered before the stream is closed.
func TestAnsweredBeforeTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := xmpptest.New(t)
		stopping := make(chan struct{})
		r := xmpp.NewRouter(xmpp.RouterConfig{})
		r.Message(xmpp.HandlerFunc(func(ctx context.Context, w xmpp.Sender, st *stream.Stanza) error {
			<-stopping
			time.Sleep(time.Second)
			return echo(ctx, w, st)
		}))
		_, stop := xmpptest.Run(t, srv, domain, r, func(c *xmpp.Config) { c.Dial = srv.Dial })
		srv.Await(domain, 1)
		for i := range 3 {
			srv.Send(fmt.Sprintf(`<message from='a@b' to='x@irc.gw' id='%d'><body>x</body></message>`, i))
		}
		ended := make(chan error, 1)
		go func() { ended <- stop() }()
		synctest.Wait()
		close(stopping)
		for i := range 3 {
			srv.Expect(fmt.Sprintf(`<message to='a@b' from='x@irc.gw' id='%d'><body>x</body></message>`, i))
		}
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
}

// TestDrainBounded is a server that does not close, and a handler that does not
// return before its context ends.
func TestDrainBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := xmpptest.New(t)
		r := xmpp.NewRouter(xmpp.RouterConfig{})
		r.Message(xmpp.HandlerFunc(func(ctx context.Context, _ xmpp.Sender, _ *stream.Stanza) error {
			<-ctx.Done()
			return ctx.Err()
		}))
		_, stop := xmpptest.Run(t, srv, domain, r, func(c *xmpp.Config) { c.Dial = srv.Dial })
		srv.Await(domain, 1)
		srv.Send(`<message from='a@b' to='x@irc.gw'/>`)
		synctest.Wait()
		srv.Pause()
		began := time.Now()
		if err := stop(); err != nil {
			t.Error(err)
		}
		if d := time.Since(began); d > 45*time.Second {
			t.Errorf("stopped after %v", d)
		}
	})
}
