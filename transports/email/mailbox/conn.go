package mailbox

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"
)

// What the server may do while it answers a command.
var (
	loginBounds  = bounds{bytes: 256 << 10, literal: 4 << 10, silence: 60 * time.Second, total: 2 * time.Minute}
	answerBounds = bounds{bytes: 1 << 20, literal: 64 << 10, silence: 60 * time.Second, total: 5 * time.Minute}
	listBounds   = bounds{bytes: 64 << 20, literal: 64 << 10, silence: 60 * time.Second, total: 30 * time.Minute}
)

// conn is a connection that is logged in, as its one owner sees it.
type conn struct {
	client *imapclient.Client
	wire   *wire
	caps   imap.CapSet
	gmail  bool
	noIdle bool // it has none, or refused it
	idles  int

	// What go-imap's goroutine saw since it was last asked: see heard.
	wake    chan struct{} // has room for one
	mail    atomic.Bool   // there may be new mail in the open folder
	changes atomic.Bool   // there may be new flags
	doubt   atomic.Bool   // something is wrong with the open folder
}

// connect opens a connection and logs in.
func (b *Box) connect(ctx context.Context) (*conn, error) {
	raw, err := b.open(ctx)
	if err != nil {
		return nil, err
	}
	c := newConn(newWire(raw))
	stop := context.AfterFunc(ctx, func() { raw.Close() })
	defer stop()
	if err := b.greet(ctx, c); err != nil {
		c.close()
		return nil, err
	}
	return c, nil
}

func newConn(w *wire) *conn {
	c := &conn{wire: w, wake: make(chan struct{}, 1)}
	w.lines.warned = func() { c.hear(&c.doubt) }
	w.allow(loginBounds)
	c.client = imapclient.New(w, &imapclient.Options{UnilateralDataHandler: &imapclient.UnilateralDataHandler{
		Mailbox: func(d *imapclient.UnilateralDataMailbox) {
			if d.NumMessages != nil {
				c.hear(&c.mail)
			}
		},
		Fetch: func(m *imapclient.FetchMessageData) {
			for m.Next() != nil { // or go-imap reads no further
			}
			c.hear(&c.changes)
		},
	}})
	return c
}

// hear is called by go-imap's goroutines.
func (c *conn) hear(what *atomic.Bool) {
	what.Store(true)
	select {
	case c.wake <- struct{}{}:
	default:
	}
}

func (b *Box) greet(ctx context.Context, c *conn) error {
	if err := c.learn(); err != nil {
		return err
	}
	if err := b.login(ctx, c); err != nil {
		return err
	}
	if err := c.learn(); err != nil { // what it can may be more now
		return err
	}
	_, c.gmail = c.caps["X-GM-EXT-1"]
	c.noIdle = !c.caps.Has(imap.CapIdle)
	return nil
}

// learn learns what the server can do.
func (c *conn) learn() error {
	return c.do(loginBounds, func() error {
		if err := c.client.WaitGreeting(); err != nil {
			return err // perhaps a BYE, with the reason
		}
		if c.caps = c.client.Caps(); c.caps == nil { // it waits half a minute
			return c.wire.end(errSilent)
		}
		return nil
	})
}

// do has the server answer within bounds. Its NO is an *imap.Error; any other error is the connection's end.
func (c *conn) do(may bounds, command func() error) error {
	c.wire.allow(may)
	err := c.run(command)
	c.wire.rest()
	var said *imap.Error
	if errors.As(err, &said) {
		said.Code, said.Text = imap.ResponseCode(brief(string(said.Code))), brief(said.Text)
		return err
	}
	if err == nil {
		return nil
	}
	return c.wire.end(fmt.Errorf("%w: %s", errGarbage, brief(err.Error())))
}

// run runs a command of go-imap's, which may never return: it waits for leave to send a literal even if the server has
// answered the command out of turn.
func (c *conn) run(command func() error) error {
	done := make(chan error, 1)
	go func() { done <- command() }()
	select {
	case err := <-done:
		return err
	case <-c.client.Closed():
	}
	grace := time.NewTimer(time.Second)
	defer grace.Stop()
	select {
	case err := <-done:
		return err
	case <-grace.C:
		return errGarbage
	}
}

// lost is why the connection is at an end.
func (c *conn) lost() error { return c.wire.end(errGarbage) }

// close ends the connection, and waits for go-imap's goroutine.
func (c *conn) close() {
	_ = c.client.Close() // what was wrong with it was said before
	<-c.client.Closed()
}

// isAnswer says whether an error is only the server's answer: the connection goes on.
func isAnswer(err error) bool {
	var said *imap.Error
	return errors.As(err, &said)
}
