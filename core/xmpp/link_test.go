package xmpp_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"gangway/core"
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

func TestLinkRefusedAndTaken(t *testing.T) {
	for _, c := range []struct {
		name, secret, condition string
		state                   xmpp.State
		text                    string
	}{
		{"wrong secret", "wrong", "", xmpp.Refused, "does not accept the secret"},
		{"unknown component", xmpptest.Secret, "host-unknown", xmpp.Refused, "no component"},
		{"taken component", xmpptest.Secret, "conflict", xmpp.Conflict, "kick_old"},
		{"a fault of the server", xmpptest.Secret, "internal-server-error", xmpp.Waiting, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				srv := xmpptest.New(t)
				srv.Patience = time.Hour
				srv.Refuse(domain, c.condition)
				var changes chan xmpp.Status
				link, _ := xmpptest.Run(t, srv, domain, echoRouter(), func(cfg *xmpp.Config) {
					cfg.Dial, cfg.Secret = srv.Dial, c.secret
					changes = traced(cfg)
				})
				s := awaitState(t, link, changes, c.state)
				var ce *core.Error
				if c.text != "" && (!errors.As(s.Err, &ce) || !strings.Contains(ce.Text, c.text)) {
					t.Errorf("error %v", s.Err)
				}
				before := time.Now()
				s = awaitState(t, link, changes, c.state)
				if wait := time.Since(before); c.state != xmpp.Waiting && wait < 10*time.Second {
					t.Errorf("tried again after %v", wait)
				}
				if s.Attempts < 2 {
					t.Errorf("%d attempts", s.Attempts)
				}
				if err := link.Write(func(e *stream.Encoder) { e.Empty("message", "", "from", domain, "to", "a@b") }); err != nil {
					t.Errorf("a little is kept while the link is down: %v", err)
				}
				srv.Refuse(domain, "")
				srv.SetSecret(domain, c.secret)
				srv.Await(domain, 1) // it comes back by itself
				srv.Expect(`<message to='a@b'/>`)
			})
		})
	}
}

func TestLinkCheck(t *testing.T) {
	srv := xmpptest.New(t)
	cfg := xmpp.Config{Server: srv.Addr(), Domain: domain, Secret: xmpptest.Secret, Router: echoRouter()}
	link, err := xmpp.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	if err := link.Check(t.Context()); err != nil {
		t.Error(err)
	}
	srv.AwaitGone(domain)
	cfg.Secret = "wrong"
	if link, err = xmpp.New(cfg); err != nil {
		t.Fatal(err)
	}
	if err := link.Check(t.Context()); core.KindOf(err) != core.Denied {
		t.Errorf("wrong secret: %v", err)
	}
}

func TestLinkKickedOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := xmpptest.New(t)
		srv.Patience = time.Hour
		srv.KickOld()
		var changes chan xmpp.Status
		link := xmpptest.Start(t, srv, domain, echoRouter(), func(c *xmpp.Config) {
			c.Dial = srv.Dial
			changes = traced(c)
		})
		other := xmpptest.Start(t, srv, domain, echoRouter(), func(c *xmpp.Config) { c.Dial = srv.Dial })
		awaitState(t, link, changes, xmpp.Conflict)
		if other.Status().State != xmpp.Online {
			t.Error("the new connection is gone")
		}
	})
}

func TestNewRefuses(t *testing.T) {
	good := xmpp.Config{Server: "127.0.0.1:5347", Domain: domain, Secret: "s", Router: echoRouter()}
	for name, change := range map[string]func(*xmpp.Config){
		"plain text to elsewhere":  func(c *xmpp.Config) { c.Server = "192.0.2.1:5347" },
		"plain text to elsewhere6": func(c *xmpp.Config) { c.Server = "[2001:db8::1]:5347" },
		"no port":                  func(c *xmpp.Config) { c.Server = "localhost" },
		"no domain":                func(c *xmpp.Config) { c.Domain = "" },
		"not a domain":             func(c *xmpp.Config) { c.Domain = "a@b" },
		"upper case":               func(c *xmpp.Config) { c.Domain = "IRC.gw" },
		"a resource":               func(c *xmpp.Config) { c.Domain = "irc.gw/x" },
		"no secret":                func(c *xmpp.Config) { c.Secret = "" },
		"no router":                func(c *xmpp.Config) { c.Router = nil },
	} {
		c := good
		change(&c)
		if _, err := xmpp.New(c); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	elsewhere := good
	elsewhere.Server, elsewhere.Insecure = "192.0.2.1:5347", true
	for _, c := range []xmpp.Config{good, elsewhere} {
		if _, err := xmpp.New(c); err != nil {
			t.Errorf("%s: %v", c.Server, err)
		}
	}
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

func TestConfirm(t *testing.T) {
	srv := xmpptest.New(t)
	link := xmpptest.Start(t, srv, domain, echoRouter())
	srv.HoldPings()
	var batch xmpp.Batch
	for i := range 3 {
		b, err := link.Send(func(e *stream.Encoder) { e.Empty("message", "", "from", domain, "to", "a@b", "id", fmt.Sprint(i)) })
		if err != nil {
			t.Fatal(err)
		}
		batch = b
	}
	done := make(chan error, 1)
	go func() { done <- link.Confirm(t.Context(), batch) }()
	for i := range 3 {
		srv.Expect(fmt.Sprintf(`<message id='%d'/>`, i))
	}
	srv.AwaitPings(1)
	select {
	case err := <-done:
		t.Fatalf("confirmed before the answer: %v", err)
	default:
	}
	srv.ReleasePings()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if err := link.Confirm(t.Context(), batch); err != nil {
		t.Errorf("a second time: %v", err)
	}
	if err := link.Confirm(t.Context(), xmpp.Batch{}); err != nil {
		t.Errorf("nothing: %v", err)
	}
	if n := srv.AwaitPings(1); n != 1 {
		t.Errorf("%d pings", n)
	}
}

// TestConfirmShared lets many wait for few pings.
func TestConfirmShared(t *testing.T) {
	srv := xmpptest.New(t)
	link := xmpptest.Start(t, srv, domain, echoRouter())
	const writers, each = 50, 20
	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() {
			for i := range each {
				err := xmpp.WriteConfirm(t.Context(), link, func(e *stream.Encoder) {
					e.Empty("message", "", "from", domain, "to", "a@b", "id", fmt.Sprintf("%d-%d", w, i))
				})
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	seen := map[string]bool{}
	for range writers * each {
		seen[srv.Next().ID] = true
	}
	if len(seen) != writers*each {
		t.Errorf("%d stanzas", len(seen))
	}
	n := srv.AwaitPings(1)
	t.Logf("%d pings for %d messages", n, writers*each)
	if n > writers*each/2 {
		t.Errorf("%d pings for %d messages", n, writers*each)
	}
}

// TestConfirmPace is the rule for when a ping is sent.
func TestConfirmPace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := xmpptest.New(t)
		srv.Patience = time.Hour
		link := xmpptest.Start(t, srv, domain, echoRouter(), func(c *xmpp.Config) { c.Dial = srv.Dial })
		srv.HoldPings()
		var wg sync.WaitGroup
		confirm := func(n int) {
			for range n {
				wg.Go(func() {
					err := xmpp.WriteConfirm(t.Context(), link, func(e *stream.Encoder) { e.Empty("message", "", "from", domain, "to", "a@b") })
					if err != nil {
						t.Error(err)
					}
				})
			}
			synctest.Wait()
		}
		began := time.Now()
		confirm(1)
		if n := srv.AwaitPings(0); n != 1 {
			t.Errorf("nothing else is pending: %d pings", n)
		}
		confirm(50)
		if n := srv.AwaitPings(0); n != 1 {
			t.Errorf("a second ping at once: %d", n)
		}
		srv.AwaitPings(2)
		if d := time.Since(began); d != 10*time.Millisecond {
			t.Errorf("the second ping after %v", d)
		}
		confirm(99)
		before := srv.AwaitPings(0)
		confirm(1)
		if n := srv.AwaitPings(0); before != 2 || n != 3 {
			t.Errorf("a full batch waits: %d, then %d pings", before, n)
		}
		srv.ReleasePings()
		wg.Wait()
	})
}

func TestConfirmLost(t *testing.T) {
	srv := xmpptest.New(t)
	link := xmpptest.Start(t, srv, domain, echoRouter())
	srv.HoldPings()
	batch, err := link.Send(func(e *stream.Encoder) { e.Empty("message", "", "from", domain, "to", "a@b", "id", "1") })
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- link.Confirm(t.Context(), batch) }()
	srv.Expect(`<message id='1'/>`)
	srv.AwaitPings(1)
	srv.Cut(domain)
	if err := <-done; !errors.Is(err, xmpp.ErrLost) || core.KindOf(err) != core.Unavailable {
		t.Errorf("lost: %v", err)
	}
	srv.Await(domain, 2)
	if err := link.Confirm(t.Context(), batch); !errors.Is(err, xmpp.ErrLost) {
		t.Errorf("on another connection: %v", err)
	}
}

func TestConfirmUnanswered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := xmpptest.New(t)
		srv.Patience = time.Hour
		link := xmpptest.Start(t, srv, domain, echoRouter(), func(c *xmpp.Config) { c.Dial, c.Idle = srv.Dial, time.Hour })
		srv.HoldPings()
		err := xmpp.WriteConfirm(t.Context(), link, func(e *stream.Encoder) { e.Empty("message", "", "from", domain, "to", "a@b") })
		if core.KindOf(err) != core.Unavailable || errors.Is(err, xmpp.ErrLost) {
			t.Errorf("unanswered: %v", err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		err = xmpp.WriteConfirm(ctx, link, func(e *stream.Encoder) { e.Empty("message", "", "from", domain, "to", "a@b") })
		if !errors.Is(err, context.DeadlineExceeded) || core.KindOf(err) != core.Unavailable {
			t.Errorf("context: %v", err)
		}
	})
}

func TestConfirmWithoutHost(t *testing.T) {
	srv := xmpptest.New(t)
	link := xmpptest.Start(t, srv, domain, echoRouter(), func(c *xmpp.Config) { c.HostDomain = "" })
	for range 3 {
		err := xmpp.WriteConfirm(t.Context(), link, func(e *stream.Encoder) { e.Empty("message", "", "from", domain, "to", "a@b") })
		if err != nil {
			t.Fatal(err)
		}
		srv.Expect(`<message/>`)
	}
	if n := srv.AwaitPings(0); n != 0 {
		t.Errorf("%d pings", n)
	}
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
