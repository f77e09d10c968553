package mailbox

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// A mailbox that waits has two goroutines: Run's, and the one of go-imap that reads.
func TestGoroutines(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		s := &scripted{}
		w.scriptedServer(s)
		w.run()
		time.Sleep(time.Minute)
		stacks := make([]byte, 1<<20)
		stacks = stacks[:runtime.Stack(stacks, true)]
		n := 0
		for stack := range strings.SplitSeq(string(stacks), "\n\n") {
			if strings.Contains(stack, "imapclient.") || strings.Contains(stack, "(*Box).") || strings.Contains(stack, "(*conn).") {
				n++
			}
		}
		if n != 2 {
			t.Errorf("%d goroutines:\n%s", n, stacks)
		}
	})
}

// BenchmarkIdleMailbox says what a mailbox that waits costs, TLS and the kernel apart.
func BenchmarkIdleMailbox(b *testing.B) {
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	ctx, cancel := context.WithCancel(b.Context())
	var ready, running sync.WaitGroup
	for b.Loop() {
		conn := newDouble()
		ready.Add(1)
		box := New(Config{
			Server: Server{Host: "localhost", Security: Plain}, Login: Login{User: "a", Password: "b"},
			Dial:    func(context.Context, string, string) (net.Conn, error) { return conn, nil },
			Cursor:  &memory{rows: map[string][]byte{}},
			Deliver: func(context.Context, Mail) error { return nil },
		})
		conn.idling = ready.Done
		running.Go(func() { _ = box.Run(ctx) })
	}
	ready.Wait()
	runtime.GC()
	runtime.ReadMemStats(&after)
	used := after.HeapInuse + after.StackInuse - before.HeapInuse - before.StackInuse
	b.ReportMetric(float64(used)/float64(b.N), "B/mailbox")
	b.ReportMetric(float64(runtime.NumGoroutine())/float64(b.N), "goroutines/mailbox")
	cancel()
	running.Wait()
}

// double is a connection to a server that needs no goroutine.
type double struct {
	mu     sync.Mutex
	change sync.Cond
	out    bytes.Buffer
	closed bool
	idling func()
}

func newDouble() *double {
	d := &double{}
	d.change.L = &d.mu
	d.out.WriteString("* OK [CAPABILITY IMAP4rev1 IDLE] hello\r\n")
	return d
}

func (d *double) Write(b []byte) (int, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		return 0, net.ErrClosed
	}
	tag, command, _ := strings.Cut(strings.TrimSpace(string(b)), " ")
	switch verb, _, _ := strings.Cut(command, " "); verb {
	case "IDLE":
		d.out.WriteString("+ idling\r\n")
		d.idling()
	case "CAPABILITY":
		d.out.WriteString("* CAPABILITY IMAP4rev1 IDLE\r\n" + tag + " OK\r\n")
	case "SELECT":
		d.out.WriteString("* 0 EXISTS\r\n* OK [UIDVALIDITY 1] x\r\n* OK [UIDNEXT 1] x\r\n" + tag + " OK\r\n")
	default:
		fmt.Fprintf(&d.out, "%s OK\r\n", tag)
	}
	d.change.Broadcast()
	return len(b), nil
}

func (d *double) Read(b []byte) (int, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for d.out.Len() == 0 {
		if d.closed {
			return 0, io.EOF
		}
		d.change.Wait()
	}
	n, err := d.out.Read(b)
	if d.out.Len() == 0 {
		d.out = bytes.Buffer{}
	}
	return n, err
}

func (d *double) Close() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.closed = true
	d.change.Broadcast()
	return nil
}

func (d *double) LocalAddr() net.Addr              { return &net.UnixAddr{} }
func (d *double) RemoteAddr() net.Addr             { return &net.UnixAddr{} }
func (d *double) SetDeadline(time.Time) error      { return os.ErrNoDeadline }
func (d *double) SetReadDeadline(time.Time) error  { return os.ErrNoDeadline }
func (d *double) SetWriteDeadline(time.Time) error { return os.ErrNoDeadline }
