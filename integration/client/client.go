package client

import (
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"gangway/integration/client/journal"
)

// Client is one resource of one account, logged in. Its methods may be called from several goroutines.
type Client struct {
	conn net.Conn
	in   *reader
	jid  string

	receipts, carbons, mute bool

	journal journal.Journal[*Stanza]
	done    chan struct{} // closed when the reader has ended
	lastID  atomic.Uint64

	mu     sync.Mutex // held while writing
	closed bool
}

// JID is the full JID the server bound.
func (c *Client) JID() string { return c.jid }

// Bare is the account's bare JID.
func (c *Client) Bare() string { return Bare(c.jid) }

// NewID makes an id that this client has not used.
func (c *Client) NewID() string {
	return fmt.Sprintf("t%d-%x", c.lastID.Add(1), time.Now().UnixNano()&0xffffffff)
}

// read fills the journal until the stream ends.
func (c *Client) read() {
	defer close(c.done)
	for {
		s, err := c.in.next()
		if err != nil {
			c.journal.Close(fmt.Errorf("stream of %s: %w", c.jid, err))
			return
		}
		c.journal.Append(s)
		if err := c.reply(s); err != nil {
			c.journal.Close(fmt.Errorf("stream of %s: %w", c.jid, err))
			return
		}
	}
}

// Run returns when the stream has ended, and ends it when the context does. It is for those who keep a client among
// other long-lived things; the client works without it.
func (c *Client) Run(ctx context.Context) error {
	select {
	case <-c.done:
		_, err := c.journal.Wait(ctx, func(*Stanza) bool { return false })
		return err
	case <-ctx.Done():
		return errors.Join(context.Cause(ctx), c.Close())
	}
}

// Done is closed when the stream has ended.
func (c *Client) Done() <-chan struct{} { return c.done }

// Close ends the stream politely, closes the connection and waits for the reader.
func (c *Client) Close() error {
	_ = c.write("</stream:stream>", true) // the server may be gone
	select {
	case <-c.done:
	case <-time.After(closeTimeout):
	}
	return c.Abort()
}

// Abort closes the connection without a word, as a client that loses its network does.
func (c *Client) Abort() error {
	c.mu.Lock()
	c.closed = true
	c.mu.Unlock()
	err := c.conn.Close()
	<-c.done
	if errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}

// Send writes raw XML.
func (c *Client) Send(raw string) error { return c.write(raw, false) }

func (c *Client) write(raw string, last bool) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return net.ErrClosed
	}
	c.closed = last
	if err := c.conn.SetWriteDeadline(time.Now().Add(writeTimeout)); err != nil {
		return err
	}
	_, err := io.WriteString(c.conn, raw)
	return err
}

// Wait returns the oldest stanza that matches and that was not handed out before, whether it has come already or is
// still to come. Stanzas that do not match stay for later calls.
func (c *Client) Wait(ctx context.Context, match func(*Stanza) bool) (*Stanza, error) {
	s, err := c.journal.Wait(ctx, match)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", c.jid, err)
	}
	return s, nil
}

// Take is Wait for a stanza that must have come already.
func (c *Client) Take(match func(*Stanza) bool) (*Stanza, bool) { return c.journal.Take(match) }

// Log is everything that came in, in order, whether handed out or not.
func (c *Client) Log() []*Stanza { return c.journal.All() }

// IQ sends a request of type get or set and waits for its answer. An empty to means the account itself. An answer of
// type error comes back as *StanzaError.
func (c *Client) IQ(ctx context.Context, to, kind, payload string) (*Stanza, error) {
	id := c.NewID()
	if err := c.Send("<iq type='" + kind + "' id='" + id + "'" + attr("to", to) + ">" + payload + "</iq>"); err != nil {
		return nil, err
	}
	s, err := c.Wait(ctx, func(s *Stanza) bool {
		return s.Kind() == "iq" && s.ID() == id && (s.Type() == "result" || s.Type() == "error") && c.answers(s.From(), to)
	})
	if err != nil {
		return nil, fmt.Errorf("answer of %q: %w", to, err)
	}
	return s, s.Err()
}

// answers says whether an answer from there may belong to a request sent to to (RFC 6120, section 8.1.2.1). JIDs are
// compared without case, because servers prepare them.
func (c *Client) answers(from, to string) bool {
	if to == "" {
		return from == "" || strings.EqualFold(from, c.Bare()) || strings.EqualFold(from, c.jid)
	}
	return strings.EqualFold(from, to)
}

// Ping makes sure that whatever the server sent to this client before has arrived in its journal.
func (c *Client) Ping(ctx context.Context) error {
	_, domain, _ := strings.Cut(c.Bare(), "@")
	_, err := c.IQ(ctx, domain, "get", "<ping xmlns='"+NSPing+"'/>")
	return err
}

// Escape makes text fit for XML, attributes included.
func Escape(text string) string {
	var b strings.Builder
	_ = xml.EscapeText(&b, []byte(text)) // a strings.Builder does not fail
	return b.String()
}

// attr is an attribute, or nothing when its value is empty.
func attr(name, value string) string {
	if value == "" {
		return ""
	}
	return " " + name + "='" + Escape(value) + "'"
}
