//go:build integration

package integration

import (
	"net"
	"sync"
	"testing"
)

// relay passes connections on to a server, or keeps what it gets.
type relay struct {
	listener net.Listener
	mu       sync.Mutex
	changed  sync.Cond
	open     bool
	over     bool
}

func newRelay(t *testing.T, to string) *relay {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	r := &relay{listener: l, open: true}
	r.changed.L = &r.mu
	var running sync.WaitGroup
	running.Go(func() {
		for {
			near, err := l.Accept()
			if err != nil {
				return
			}
			running.Go(func() { r.carry(near, to) })
		}
	})
	t.Cleanup(func() {
		l.Close()
		r.mu.Lock()
		r.over = true
		r.changed.Broadcast()
		r.mu.Unlock()
		running.Wait()
	})
	return r
}

func (r *relay) set(open bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.open = open
	r.changed.Broadcast()
}

// passes waits while nothing passes; false at the test's end.
func (r *relay) passes() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	for !r.open && !r.over {
		r.changed.Wait()
	}
	return !r.over
}

func (r *relay) carry(near net.Conn, to string) {
	defer near.Close()
	if !r.passes() {
		return
	}
	far, err := net.Dial("tcp", to)
	if err != nil {
		return
	}
	defer far.Close()
	var both sync.WaitGroup
	both.Go(func() { r.copy(far, near) })
	both.Go(func() { r.copy(near, far) })
	both.Wait()
}

func (r *relay) copy(to, from net.Conn) {
	defer to.Close()
	buf := make([]byte, 16<<10)
	for {
		n, err := from.Read(buf)
		if !r.passes() {
			return
		}
		if n > 0 {
			if _, err := to.Write(buf[:n]); err != nil {
				return
			}
		}
		if err != nil {
			return
		}
	}
}
