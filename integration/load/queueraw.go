package main

import (
	"os"
	"sync"
	"syscall"
)

// rawLog is what the queue is measured against: the same bytes appended to a file and fdatasync'ed, by the same
// producers, with everything that waits in one write and one sync.
type rawLog struct {
	f *os.File

	mu      sync.Mutex
	waiting []*rawAppend
	led     bool
	buf     []byte // the leader's
}

type rawAppend struct {
	b    []byte
	wake chan struct{}
	done bool
	err  error
}

func openRaw(path string) (*rawLog, error) {
	f, err := os.Create(path)
	if err != nil {
		return nil, err
	}
	return &rawLog{f: f}, nil
}

// append returns when b is on disk.
func (l *rawLog) append(b []byte) error {
	a := &rawAppend{b: b, wake: make(chan struct{}, 1)}
	l.mu.Lock()
	l.waiting = append(l.waiting, a)
	first := !l.led
	l.led = true
	l.mu.Unlock()
	if first {
		l.lead()
		return a.err
	}
	<-a.wake
	if !a.done {
		l.lead()
	}
	return a.err
}

// lead writes what waits and passes the lead on.
func (l *rawLog) lead() {
	l.mu.Lock()
	group := l.waiting
	l.waiting = nil
	l.mu.Unlock()
	l.buf = l.buf[:0]
	for _, a := range group {
		l.buf = append(l.buf, a.b...)
	}
	_, err := l.f.Write(l.buf)
	if err == nil {
		err = syscall.Fdatasync(int(l.f.Fd()))
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, a := range group {
		a.err, a.done = err, true
		a.wake <- struct{}{}
	}
	if len(l.waiting) == 0 {
		l.led = false
		return
	}
	l.waiting[0].wake <- struct{}{}
}
