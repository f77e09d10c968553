package xmpp_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"gangway/core/xmpp"
	"gangway/core/xmpp/stream"
	"gangway/core/xmpp/xmpptest"
)

const domain = "irc.gw"

// echo answers every message with its own body.
func echo(_ context.Context, w xmpp.Sender, st *stream.Stanza) error {
	if st.Type == "error" {
		return nil
	}
	return w.Write(func(e *stream.Encoder) {
		e.Start("message", "", "type", st.Type, "id", st.ID, "from", st.To, "to", st.From)
		e.Leaf("body", "", st.Body())
		e.End()
	})
}

func echoRouter() *xmpp.Router {
	r := xmpp.NewRouter(xmpp.RouterConfig{})
	r.Message(xmpp.HandlerFunc(echo))
	r.IQ("get", xmpp.NSPing, "ping", xmpp.Ping())
	r.IQ("get", xmpp.NSVersion, "query", xmpp.Version("gangway", "1.2"))
	return r
}

func TestLinkEcho(t *testing.T) {
	srv := xmpptest.New(t)
	xmpptest.Start(t, srv, domain, echoRouter())
	srv.Send(`<message from='alice@example.org/x' to='bob@irc.gw' id='1' type='chat'><body>hi &amp; bye</body></message>`)
	srv.Expect(`<message to='alice@example.org/x' from='bob@irc.gw' id='1' type='chat'><body>hi &amp; bye</body></message>`)
	srv.Send(`<iq type='get' from='a@b/c' to='irc.gw' id='v'><query xmlns='jabber:iq:version'/></iq>`)
	srv.Expect(`<iq type='result' from='irc.gw' to='a@b/c' id='v'><query xmlns='jabber:iq:version'>` +
		`<name>gangway</name><version>1.2</version><no><os/></no></query></iq>`)
	srv.Quiet("a@b/c", "irc.gw")
}

func TestLinkTwoComponents(t *testing.T) {
	srv := xmpptest.New(t)
	srv.SetSecret("sms.gw", "other")
	xmpptest.Start(t, srv, domain, echoRouter())
	xmpptest.Start(t, srv, "sms.gw", echoRouter(), func(c *xmpp.Config) { c.Secret = "other" })
	srv.Send(`<message from='a@b' to='+1@sms.gw' id='1'><body>x</body></message>`)
	srv.Expect(`<message from='+1@sms.gw' id='1' type='!'/>`)
	srv.Send(`<message from='a@b' to='n%c@irc.gw' id='2'><body>x</body></message>`)
	srv.Expect(`<message from='n%c@irc.gw' id='2'/>`)
}

// awaitState waits for a state of the link and returns the status.
func awaitState(t *testing.T, link *xmpp.Link, changes <-chan xmpp.Status, want xmpp.State) xmpp.Status {
	t.Helper()
	for {
		select {
		case s := <-changes:
			if s.State == want {
				return s
			}
		case <-time.After(10 * time.Minute):
			t.Fatalf("state %v, want %v", link.Status().State, want)
		}
	}
}

func traced(c *xmpp.Config) chan xmpp.Status {
	changes := make(chan xmpp.Status, 100)
	c.Trace = &xmpp.Trace{State: func(_ string, s xmpp.Status) { changes <- s }}
	return changes
}

// TestReconnect cuts the connection in every way and goes on.
func TestReconnect(t *testing.T) {
	for name, cut := range map[string]func(*xmpptest.Server){
		"reset":          func(s *xmpptest.Server) { s.Cut(domain) },
		"polite":         func(s *xmpptest.Server) { s.Close(domain) },
		"in mid-stanza":  func(s *xmpptest.Server) { s.Raw(domain, "<message from='a@b' to='x@irc.gw'><bo"); s.Cut(domain) },
		"broken framing": func(s *xmpptest.Server) { s.Raw(domain, "<!DOCTYPE x>"); s.AwaitGone(domain) },
		"stream error": func(s *xmpptest.Server) {
			s.Raw(domain, "<stream:error><system-shutdown xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error>")
			s.AwaitGone(domain)
		},
	} {
		t.Run(name, func(t *testing.T) {
			srv := xmpptest.New(t)
			xmpptest.Start(t, srv, domain, echoRouter())
			for n := range 2 {
				srv.Await(domain, n+1)
				srv.Send(`<message from='a@b' to='x@irc.gw' id='1'><body>x</body></message>`)
				srv.Expect(`<message to='a@b' id='1'/>`)
				cut(srv)
			}
		})
	}
}

// TestHalfOpenPeer is a server that is gone without a word.
func TestHalfOpenPeer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := xmpptest.New(t)
		srv.Patience = time.Hour
		srv.HoldPings()
		xmpptest.Start(t, srv, domain, echoRouter(), func(c *xmpp.Config) { c.Dial = srv.Dial })
		began := time.Now()
		srv.AwaitPings(1)
		if since := time.Since(began); since != time.Minute {
			t.Errorf("pinged after %v", since)
		}
		srv.AwaitGone(domain)
		if since := time.Since(began); since != 90*time.Second {
			t.Errorf("given up after %v", since)
		}
		srv.Await(domain, 2)
	})
}

func TestKeepaliveAnswered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := xmpptest.New(t)
		srv.Patience = 24 * time.Hour
		link := xmpptest.Start(t, srv, domain, echoRouter(), func(c *xmpp.Config) { c.Dial = srv.Dial })
		since := link.Status().Since
		srv.AwaitPings(60)
		if link.Status().Since != since {
			t.Error("the connection was lost")
		}
	})
}

// TestStuckServer reads nothing: the queue fills to its bound, the flush times
// out, and what was queued and not written comes with the next connection.
func TestStuckServer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := xmpptest.New(t)
		srv.Patience = time.Hour
		var changes chan xmpp.Status
		link := xmpptest.Start(t, srv, domain, echoRouter(), func(c *xmpp.Config) {
			c.Dial, c.MaxQueue = srv.Dial, 10_000
			changes = traced(c)
		})
		srv.Pause()
		synctest.Wait()
		write := func(i int) error {
			return link.Write(func(e *stream.Encoder) {
				e.Start("message", "", "from", domain, "to", "a@b", "id", fmt.Sprint(i))
				e.Leaf("body", "", strings.Repeat("x", 1000))
				e.End()
			})
		}
		n := 0
		for write(n) == nil {
			n++
			synctest.Wait()
		}
		if err := write(n); !errors.Is(err, xmpp.ErrFull) {
			t.Errorf("full: %v", err)
		}
		awaitState(t, link, changes, xmpp.Waiting)
		srv.Resume()
		first := ""
		for i := range n {
			st := srv.Next()
			if first == "" {
				first = st.ID
			}
			if st.ID != fmt.Sprint(i) {
				t.Fatalf("stanza %s, want %d", st.ID, i)
			}
		}
	})
}

func TestDown(t *testing.T) {
	srv := xmpptest.New(t)
	srv.Refuse(domain, "host-unknown")
	link, stop := xmpptest.Run(t, srv, domain, echoRouter(), func(c *xmpp.Config) { c.MaxHeld = 1000 })
	write := func(e *stream.Encoder) { e.Empty("message", "", "from", domain, "to", "a@b") }
	if _, err := link.Send(write); !errors.Is(err, xmpp.ErrDown) {
		t.Errorf("Send: %v", err)
	}
	if _, err := link.IQ(t.Context(), "a@b", "get", write); !errors.Is(err, xmpp.ErrDown) {
		t.Errorf("IQ: %v", err)
	}
	n := 0
	for link.Write(write) == nil {
		n++
	}
	if err := link.Write(write); !errors.Is(err, xmpp.ErrDown) || n == 0 || n > 1000/20 {
		t.Errorf("kept %d, then %v", n, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := link.Ready(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("Ready: %v", err)
	}
	if err := stop(); err != nil {
		t.Error(err)
	}
	if err := link.Write(write); !errors.Is(err, xmpp.ErrStopping) {
		t.Errorf("after the end: %v", err)
	}
	if err := link.Ready(t.Context()); !errors.Is(err, xmpp.ErrStopping) {
		t.Errorf("Ready after the end: %v", err)
	}
}

func TestBadWriteLeavesNothing(t *testing.T) {
	srv := xmpptest.New(t)
	link := xmpptest.Start(t, srv, domain, echoRouter())
	for name, fn := range map[string]func(*stream.Encoder){
		"unfinished": func(e *stream.Encoder) { e.Start("message", "", "from", domain, "to", "a@b") },
		"foreign":    func(e *stream.Encoder) { e.Empty("message", "", "from", "x@evil", "to", "a@b") },
		"too large": func(e *stream.Encoder) {
			e.Start("message", "", "from", domain, "to", "a@b")
			e.Leaf("body", "", strings.Repeat("x", 600<<10))
			e.End()
		},
		"the second of two": func(e *stream.Encoder) {
			e.Empty("message", "", "from", domain, "to", "a@b")
			e.Empty("message", "", "from", domain)
		},
	} {
		if err := link.Write(fn); err == nil {
			t.Errorf("%s: accepted", name)
		}
		if _, err := link.Send(fn); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	func() {
		defer func() { _ = recover() }()
		_ = link.Write(func(e *stream.Encoder) { e.Start("message", ""); panic("x") })
	}()
	srv.Send(`<message from='a@b' to='x@irc.gw' id='1'><body>x</body></message>`)
	srv.Expect(`<message to='a@b' id='1'/>`)
}
