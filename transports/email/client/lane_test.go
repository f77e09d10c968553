package client

import (
	"context"
	"errors"
	"net"
	"net/textproto"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
)

// deliver sends a mail along a lane as carriers do.
func deliver(ctx context.Context, l *Lane, conf Config) error {
	c, err := l.Enter(ctx)
	if err != nil {
		return err
	}
	defer func() { l.Leave(c) }()
	if c == nil || !c.Renew(ctx) {
		if c, err = Dial(ctx, "mx.example:25", conf); err != nil {
			return err
		}
	}
	if _, err = c.Send(ctx, Envelope{To: "b@x.example"}, mail); !c.Usable(err) {
		c.Close()
		c = nil
	}
	return err
}

// patient is a server that takes mail until the connection ends, and counts.
func patient(conns, mails *atomic.Int32) func(*textproto.Conn, net.Conn) {
	return func(c *textproto.Conn, _ net.Conn) {
		conns.Add(1)
		_ = c.PrintfLine("220 mx")
		for {
			line, err := c.ReadLine()
			if err != nil {
				return
			}
			switch line {
			case "DATA":
				_ = c.PrintfLine("354 go")
				_, _ = c.ReadDotBytes()
				mails.Add(1)
				_ = c.PrintfLine("250 ok")
			case "QUIT":
				_ = c.PrintfLine("221 bye")
				return
			default:
				_ = c.PrintfLine("250 ok")
			}
		}
	}
}

// Mails that wait get the connections of those before them; afterwards none is left.
func TestLane(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var conns, mails atomic.Int32
		conf := config(server(t, patient(&conns, &mails)))
		l := NewLane(2, 1000)
		for range 2 {
			if _, err := l.Enter(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		var all sync.WaitGroup
		for range 150 {
			all.Go(func() {
				if err := deliver(t.Context(), l, conf); err != nil {
					t.Error(err)
				}
			})
		}
		synctest.Wait() // all stand in the lane: a connection ends with the last of them
		l.Leave(nil)
		l.Leave(nil)
		all.Wait()
		if c, m := conns.Load(), mails.Load(); m != 150 || c < 2 || c > 4 {
			t.Errorf("%d mails over %d connections", m, c)
		}
		if l.free != 2 || len(l.waiting) != 0 {
			t.Errorf("%d free, %d wait", l.free, len(l.waiting))
		}
	})
}

// Whoever stops waiting leaves no place behind that nobody can take.
func TestLaneCanceled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := NewLane(1, 2)
		if _, err := l.Enter(t.Context()); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		var all sync.WaitGroup
		for range 2 {
			all.Go(func() {
				if _, err := l.Enter(ctx); !errors.Is(err, context.Canceled) {
					t.Errorf("%v", err)
				}
			})
		}
		synctest.Wait()
		if _, err := l.Enter(t.Context()); !errors.Is(err, ErrBusy) {
			t.Errorf("%v", err)
		}
		cancel()
		all.Wait()
		l.Leave(nil)
		if _, err := l.Enter(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

// Places are neither lost nor made when waiting ends at the moment in which a place comes free.
func TestLaneRace(t *testing.T) {
	l := NewLane(3, 1000)
	var all sync.WaitGroup
	for i := range 300 {
		all.Go(func() {
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			if i%3 == 0 {
				go cancel()
			}
			if c, err := l.Enter(ctx); err == nil {
				l.Leave(c)
			}
		})
	}
	all.Wait()
	if l.free != 3 || len(l.waiting) != 0 {
		t.Errorf("%d free, %d wait", l.free, len(l.waiting))
	}
}
