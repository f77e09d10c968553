package xmpp

import (
	"context"
	"crypto/rand"
	"strconv"
	"sync"
	"time"

	"gangway/core"
	"gangway/core/xmpp/addr"
	"gangway/core/xmpp/stream"
)

// iqTimeout bounds a request whose context has no deadline.
const iqTimeout = time.Minute

// calls is the table of IQ requests that wait for an answer.
type calls struct {
	prefix string // of the ids, so that answers of an earlier run match nothing

	mu      sync.Mutex
	n       uint64
	waiting map[string]*call
}

type call struct {
	to     string
	answer chan answer // capacity 1
}

type answer struct {
	st  *stream.Stanza
	err error
}

func (c *calls) init() {
	c.prefix = rand.Text()[:8] + "-"
	c.waiting = make(map[string]*call)
}

func (c *calls) add(to string) (string, *call) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.n++
	id := c.prefix + strconv.FormatUint(c.n, 36)
	w := &call{to: to, answer: make(chan answer, 1)}
	c.waiting[id] = w
	return id, w
}

func (c *calls) remove(id string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.waiting, id)
}

// take gives an answer to who waits for it and reports whether somebody did. An
// answer counts only from the address that was asked (RFC 6120 section 8.1.2.1:
// an empty from is the server's own).
func (c *calls) take(st *stream.Stanza, host string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	w := c.waiting[st.ID]
	if w == nil {
		return false
	}
	from := st.From
	if from == "" {
		from = host
	}
	if !addr.Same(from, w.to) {
		return false
	}
	delete(c.waiting, st.ID)
	w.answer <- answer{st: st}
	return true
}

// fail ends all waiting.
func (c *calls) fail(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for id, w := range c.waiting {
		w.answer <- answer{err: err}
		delete(c.waiting, id)
	}
}

// IQ implements Sender.
func (l *Link) IQ(ctx context.Context, to, typ string, payload func(*stream.Encoder)) (*stream.Stanza, error) {
	return l.IQFrom(ctx, l.cfg.Domain, to, typ, payload)
}

// IQFrom implements Sender.
func (l *Link) IQFrom(ctx context.Context, from, to, typ string, payload func(*stream.Encoder)) (*stream.Stanza, error) {
	if _, ok := ctx.Deadline(); !ok {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, iqTimeout)
		defer cancel()
	}
	id, w := l.calls.add(to)
	defer l.calls.remove(id)
	_, err := l.Send(func(e *stream.Encoder) {
		e.Start("iq", "", "type", typ, "id", id, "from", from, "to", to)
		if payload != nil {
			payload(e)
		}
		e.End()
	})
	if err != nil {
		return nil, err
	}
	select {
	case a := <-w.answer:
		if a.err != nil {
			return nil, a.err
		}
		if a.st.Type == "error" {
			defer a.st.Release()
			return nil, ParseError(a.st)
		}
		return a.st, nil
	case <-ctx.Done():
		return nil, core.Wrap(core.Unavailable, "component link: iq", ctx.Err())
	}
}
