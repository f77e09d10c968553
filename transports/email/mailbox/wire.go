package mailbox

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"sync"
	"time"
)

const (
	maxLine      = 64 << 10         // bytes of a line of an answer; 5,000 UIDs of a search fit
	writeBlock   = 32 << 10         // bytes that must go out within writeTimeout
	writeTimeout = 30 * time.Second // for the server to take a block
)

// What a server did that ends the connection.
var (
	errTooMuch  = errors.New("the server says more than it was asked for")
	errLine     = errors.New("the server sends a line without end")
	errLiteral  = errors.New("the server announces more than may come")
	errSilent   = errors.New("the server does not answer")
	errSlow     = errors.New("the server does not come to an end")
	errBadIdle  = errors.New("the server answers something else than IDLE")
	errGone     = errors.New("the server closed the connection")
	errGarbage  = errors.New("the server does not speak IMAP")
	errNoOutput = errors.New("the server does not take what is sent to it")
)

// bounds are what the server may do until the owner of the connection says otherwise.
type bounds struct {
	bytes   int64         // in all
	literal int64         // in one literal
	silence time.Duration // between two bytes; 0: as long as it likes
	total   time.Duration // until the end of the answer; 0: no matter
}

// wire is a connection as go-imap sees it. The library keeps whatever comes, without bound, and waits for ever; so it
// sees only what is within bounds, and an error from then on. The deadlines that it sets are not heeded.
//
// IDLE is done here, too: go-imap would need a goroutine for it, and waits for ever to be let in and out.
type wire struct {
	net.Conn

	mu    sync.Mutex
	may   bounds
	left  int64     // of may.bytes
	until time.Time // the end of may.total; zero: none
	err   error     // what went wrong first
	idle  *idle     // nil: none
	lines lines
}

func newWire(c net.Conn) *wire { return &wire{Conn: c} }

// allow sets new bounds, from now on.
func (w *wire) allow(b bounds) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.may, w.left, w.until = b, b.bytes, time.Time{}
	if b.total > 0 {
		w.until = time.Now().Add(b.total)
	}
	w.Conn.SetReadDeadline(w.deadline())
}

// rest lets the server be silent, and say no more than what is left of its bounds.
func (w *wire) rest() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.may.silence, w.until = 0, time.Time{}
	w.Conn.SetReadDeadline(time.Time{})
}

// expect has the answers to an IDLE taken out of what go-imap sees.
func (w *wire) expect(i *idle) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.idle = i
}

func (w *wire) deadline() time.Time {
	var t time.Time
	if w.may.silence > 0 {
		t = time.Now().Add(w.may.silence)
	}
	if t.IsZero() || !w.until.IsZero() && w.until.Before(t) {
		t = w.until
	}
	return t
}

// Read reads within the bounds.
func (w *wire) Read(b []byte) (int, error) {
	for {
		room, err := w.room(len(b))
		if err != nil {
			return 0, err
		}
		n, err := w.Conn.Read(b[:room])
		kept, bad := w.take(b[:n])
		switch {
		case bad != nil:
			return 0, bad
		case err != nil:
			return kept, w.fail(err)
		case kept > 0:
			return kept, nil
		}
	}
}

// room says how much may be read next, and sets the deadline for it.
func (w *wire) room(most int) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.err != nil {
		return 0, w.err
	}
	if w.left <= 0 {
		return 0, w.broke(errTooMuch)
	}
	w.Conn.SetReadDeadline(w.deadline())
	return int(min(int64(most), w.left)), nil
}

// take looks at what was read, and returns how much of it is for go-imap: the first so many bytes of b.
func (w *wire) take(b []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.left -= int64(len(b))
	kept, err := w.lines.take(b, w.may.literal, &w.idle)
	if err != nil {
		return 0, w.broke(err)
	}
	return kept, nil
}

// Write writes all of b, as long as the server goes on taking it.
func (w *wire) Write(b []byte) (int, error) {
	done := 0
	for {
		block := b[done:min(len(b), done+writeBlock)]
		w.Conn.SetWriteDeadline(time.Now().Add(writeTimeout))
		n, err := w.Conn.Write(block)
		done += n
		if err != nil {
			if errors.Is(err, os.ErrDeadlineExceeded) {
				err = errNoOutput
			}
			return done, w.fail(err)
		}
		if done == len(b) {
			return done, nil
		}
	}
}

// SetDeadline does nothing: see allow.
func (w *wire) SetDeadline(time.Time) error { return nil }

// SetReadDeadline does nothing: see allow.
func (w *wire) SetReadDeadline(time.Time) error { return nil }

// SetWriteDeadline does nothing: see Write.
func (w *wire) SetWriteDeadline(time.Time) error { return nil }

// fail keeps why the connection broke, unless it had already.
func (w *wire) fail(err error) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch {
	case errors.Is(err, io.EOF):
		err = errGone
	case !errors.Is(err, os.ErrDeadlineExceeded):
	case w.left < w.may.bytes && !w.until.IsZero() && !time.Now().Before(w.until):
		err = errSlow
	default:
		err = errSilent
	}
	return w.broke(err)
}

func (w *wire) broke(err error) error {
	if w.err == nil {
		w.err = fmt.Errorf("imap: %w", err)
		w.Close()
	}
	return w.err
}

// end ends the connection, and is why: err, if nothing else was wrong before.
func (w *wire) end(err error) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.broke(err)
}

// cause is what went wrong with the connection; nil if nothing did yet.
func (w *wire) cause() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.err
}
