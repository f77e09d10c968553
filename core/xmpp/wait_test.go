package xmpp_test

import (
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

// bulk writes n messages of a thousand bytes and more, whose ids begin with a word.
func bulk(word string, n int) func(*stream.Encoder) {
	return func(e *stream.Encoder) {
		for i := range n {
			e.Start("message", "", "from", domain, "to", "a@b", "id", fmt.Sprint(word, i))
			e.Leaf("body", "", strings.Repeat("x", 1000))
			e.End()
		}
	}
}

// stuck is a link whose queue of 10,000 bytes is full, because its server does not read.
func stuck(t *testing.T, opts ...func(*xmpp.Config)) (srv *xmpptest.Server, link *xmpp.Link, queued int) {
	srv = xmpptest.New(t)
	srv.Patience = time.Hour
	opts = append(opts, func(c *xmpp.Config) { c.Dial, c.MaxQueue = srv.Dial, 10_000 })
	link = xmpptest.Start(t, srv, domain, echoRouter(), opts...)
	srv.Pause()
	synctest.Wait()
	for link.Write(bulk(fmt.Sprint("w", queued, "-"), 1)) == nil {
		queued++
		synctest.Wait()
	}
	return srv, link, queued
}

// TestWriteWait has two who can wait write more than a link can take that the server does not read: all of it comes
// when it does, also what is more than the queue may hold, and each in one piece.
func TestWriteWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv, link, queued := stuck(t)
		written := make(chan error, 2)
		for _, word := range []string{"a", "b"} {
			go func() { written <- link.WriteWait(bulk(word, 20)) }()
		}
		synctest.Wait()
		select {
		case err := <-written:
			t.Fatalf("it did not wait: %v", err)
		default:
		}
		srv.Resume()
		for range queued {
			srv.Next()
		}
		first := srv.Next().ID[:1]
		for i := 1; i < 40; i++ {
			word := first
			if i >= 20 {
				word = map[string]string{"a": "b", "b": "a"}[first]
			}
			if got, want := srv.Next().ID, fmt.Sprint(word, i%20); got != want {
				t.Fatalf("stanza %s, want %s", got, want)
			}
		}
		for range 2 {
			if err := <-written; err != nil {
				t.Error(err)
			}
		}
	})
}

// TestWriteWaitLost loses the link meanwhile: nobody waits for one that may never be back.
func TestWriteWaitLost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var changes chan xmpp.Status
		_, link, _ := stuck(t, func(c *xmpp.Config) {
			c.MaxHeld = 5000
			changes = traced(c)
		})
		written := make(chan error, 1)
		go func() { written <- link.WriteWait(bulk("a", 20)) }()
		awaitState(t, link, changes, xmpp.Waiting) // the flush has timed out
		if err := <-written; !errors.Is(err, xmpp.ErrDown) {
			t.Errorf("lost: %v", err)
		}
	})
}
