package xmpp_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"gangway/core"
	"gangway/core/xmpp"
	"gangway/core/xmpp/stream"
	"gangway/core/xmpp/xmpptest"
)

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
