package client

import (
	"context"
	"errors"
	"slices"
	"sync"
)

// ErrBusy is returned by Lane.Enter when there is no room to wait, either.
var ErrBusy = errors.New("too many mails wait for this server")

// Lane is the way to one server, or to those of one domain. It has room for a few mails at once; the others wait, in
// the order in which they came, and are handed the connections of those before them. No connection outlives the mails
// that wait for it. A Lane is safe for concurrent use.
type Lane struct {
	most int // mails that may wait

	mu      sync.Mutex
	free    int
	waiting []chan *Conn
}

// NewLane makes a lane for so many mails at once, and so many that wait.
func NewLane(atOnce, wait int) *Lane { return &Lane{free: atOnce, most: wait} }

// Enter waits for room. The connection is that of the mail before, or nil. Leave must follow, unless there is an error:
// ErrBusy, or ctx's.
func (l *Lane) Enter(ctx context.Context) (*Conn, error) {
	l.mu.Lock()
	if l.free > 0 {
		l.free--
		l.mu.Unlock()
		return nil, nil
	}
	if len(l.waiting) >= l.most {
		l.mu.Unlock()
		return nil, ErrBusy
	}
	turn := make(chan *Conn, 1)
	l.waiting = append(l.waiting, turn)
	l.mu.Unlock()
	select {
	case c := <-turn:
		return c, nil
	case <-ctx.Done():
	}
	l.mu.Lock()
	if i := slices.Index(l.waiting, turn); i >= 0 {
		l.waiting = slices.Delete(l.waiting, i, i+1)
		l.mu.Unlock()
		return nil, ctx.Err()
	}
	l.mu.Unlock()
	l.Leave(<-turn) // it came at the same moment
	return nil, ctx.Err()
}

// Leave makes room. A connection that can be used on, if there is one, goes to the mail that waits longest; if none
// does, it is ended.
func (l *Lane) Leave(c *Conn) {
	if l.pass(c) || c == nil {
		return
	}
	c.Quit()
	l.pass(nil)
}

// pass gives the place to who waits. Without anybody it is free again, unless a connection has to be ended first.
func (l *Lane) pass(c *Conn) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.waiting) > 0 {
		l.waiting[0] <- c
		l.waiting = l.waiting[1:]
		return true
	}
	if c == nil {
		l.free++
	}
	return false
}
