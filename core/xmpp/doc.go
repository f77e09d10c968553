// Package xmpp is the gateway's connection to its host server: one [Link] per
// component domain (XEP-0114), a [Router] that hands stanzas to their handlers,
// and the one place where an error becomes a stanza error.
//
// Goroutines. Link.Run reads the stream and owns the connection; it starts one
// writer per connection and waits for it. Whoever has something to say appends
// whole stanzas to the link's bounded buffer and goes on; the writer flushes all
// that is there at each wake-up. The router keeps a bounded queue per sender and
// runs a goroutine for it while it is not empty, so that one user's slow or
// broken handler delays nobody else. Link.Run returns when all of these have
// ended.
package xmpp

import (
	"context"

	"gangway/core/xmpp/stream"
)

// Sender is what a handler writes with. *Link is one. All methods may be called
// from any goroutine. The functions they take are called at once, before the
// method returns, and write whole stanzas (several, if they like): either all of
// them are accepted, or none and the error says why.
type Sender interface {
	// Domain returns the component's domain, the from of everything written.
	Domain() string
	// Write queues live traffic. It does not wait. While the link is down a
	// little is kept for the next connection; beyond that it is ErrDown, and
	// ErrFull when the server does not read.
	Write(fn func(*stream.Encoder)) error
	// WriteWait is Write for whoever can wait: where the server does not read, it
	// waits until there is room or the link is lost, and is never ErrFull,
	// however much fn has written. It must not be called from where the link is
	// read.
	WriteWait(fn func(*stream.Encoder)) error
	// Send queues stanzas that will be confirmed. ErrDown while there is no
	// connection. What a lost connection did not take is dropped, not kept: the
	// caller writes it again after Confirm failed.
	Send(fn func(*stream.Encoder)) (Batch, error)
	// Confirm waits until the host server has processed everything in the
	// batch, and all before it. ErrLost if the connection went first: then
	// nobody knows, and the caller sends again, with the same ids.
	Confirm(ctx context.Context, b Batch) error
	// IQ sends a request of type "get" or "set" and waits for its answer, which
	// belongs to the caller. An answer of type error is returned as an *Error.
	// Without a deadline in ctx it waits a minute.
	IQ(ctx context.Context, to, typ string, payload func(*stream.Encoder)) (*stream.Stanza, error)
	// IQFrom is IQ from an address at the domain.
	IQFrom(ctx context.Context, from, to, typ string, payload func(*stream.Encoder)) (*stream.Stanza, error)
}

// Batch names the last of some stanzas sent on one connection. The zero Batch is
// always confirmed.
type Batch struct {
	epoch uint64 // which connection
	seq   uint64 // how many stanzas had been queued on it by then
}

// WriteConfirm sends and waits for the confirmation. To finish many messages
// with one, Send each and Confirm the last Batch.
func WriteConfirm(ctx context.Context, s Sender, fn func(*stream.Encoder)) error {
	b, err := s.Send(fn)
	if err != nil {
		return err
	}
	return s.Confirm(ctx, b)
}

// Handler handles the stanzas it was registered for.
type Handler interface {
	// Serve handles one stanza. Stanzas of one sender come one after the other,
	// in order; those of different senders at the same time. ctx lives until the
	// link has stopped.
	//
	// st belongs to the router and is reused after Serve has returned: Clone
	// what is to be kept. (Strings taken from it may be kept as they are.)
	//
	// A handler answers an IQ request itself (see Result) or returns an error.
	// A returned error becomes a stanza error to the sender, see ErrorOf,
	// unless st is itself an error or a result.
	Serve(ctx context.Context, w Sender, st *stream.Stanza) error
}

// HandlerFunc is a function as a Handler.
type HandlerFunc func(ctx context.Context, w Sender, st *stream.Stanza) error

// Serve calls f.
func (f HandlerFunc) Serve(ctx context.Context, w Sender, st *stream.Stanza) error {
	return f(ctx, w, st)
}
