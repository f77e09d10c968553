package email

import (
	"errors"
	"io"
	"sync/atomic"

	"github.com/emersion/go-smtp"

	"gangway/core"
)

// maxInFlight bounds the bytes of all mails that are being received at once.
const maxInFlight = 256 << 20

// memory is a number of bytes that mails in hand share.
type memory struct{ free atomic.Int64 }

func newMemory(size int64) *memory {
	m := new(memory)
	m.free.Store(size)
	return m
}

func (m *memory) take(n int64) bool {
	if m.free.Add(-n) < 0 {
		m.free.Add(n)
		return false
	}
	return true
}

func (m *memory) give(n int64) { m.free.Add(n) }

// readMail reads a whole mail of at most limit bytes. The memory it took is given back by done, which is never nil.
func (m *memory) readMail(r io.Reader, limit int64) (raw []byte, done func(), err error) {
	raw, done, err = m.readAll(r, limit)
	if errors.Is(err, smtp.ErrDataTooLarge) || err != nil && core.KindOf(err) == core.TooLarge {
		err = tooLarge()
	}
	return raw, done, err
}

// readAll reads at most limit bytes: TooLarge if there are more, OverLimit if there is no room for them now.
func (m *memory) readAll(r io.Reader, limit int64) (b []byte, done func(), err error) {
	var held int64
	done = func() { m.give(held) }
	for {
		if len(b) == cap(b) {
			size := max(16<<10, min(2*int64(cap(b)), limit+1))
			if !m.take(size - held) {
				return nil, done, core.E(core.OverLimit, "email: memory", "")
			}
			held = size
			b = append(make([]byte, 0, size), b...)
		}
		n, err := r.Read(b[len(b):cap(b)])
		b = b[:len(b)+n]
		if int64(len(b)) > limit {
			return nil, done, tooMuch()
		}
		if errors.Is(err, io.EOF) {
			return b, done, nil
		}
		if err != nil {
			return nil, done, err
		}
	}
}
