package mailbox

import (
	"bytes"
	"fmt"
	"time"
)

const (
	idleFor     = 9 * time.Minute  // an IDLE lasts at most so long: routers forget connections, Gmail ends them
	idleTimeout = 30 * time.Second // for the server to begin and to end it
	idleBytes   = 1 << 20          // that may come meanwhile
)

// idle is one IDLE command (RFC 2177), beside go-imap.
type idle struct {
	tag     string
	begun   bool
	going   chan struct{} // closed when the server has begun
	over    chan struct{} // closed when it has ended, or refused
	refused bool          // set before over is closed
}

// answer takes a line that is not go-imap's.
func (i *idle) answer(line []byte, current **idle) error {
	if line[0] == '+' && !i.begun {
		i.begun = true
		close(i.going)
		return nil
	}
	rest, ok := bytes.CutPrefix(line, []byte(i.tag+" "))
	if !ok {
		return errBadIdle
	}
	word, _, _ := bytes.Cut(bytes.TrimRight(rest, "\r\n"), []byte(" "))
	i.refused = !bytes.EqualFold(word, []byte("OK"))
	*current = nil
	close(i.over)
	return nil
}

// isRefused says whether the server is done with it and did not want it.
func (i *idle) isRefused() bool {
	select {
	case <-i.over:
		return i.refused
	default:
		return false
	}
}

// startIdle begins an IDLE, and returns when the server has said whether it does so.
func (c *conn) startIdle() (*idle, error) {
	c.idles++
	i := &idle{tag: fmt.Sprintf("I%d", c.idles), going: make(chan struct{}), over: make(chan struct{})}
	c.wire.allow(bounds{bytes: idleBytes, literal: maxLine, silence: idleTimeout, total: idleTimeout})
	c.wire.expect(i)
	if _, err := fmt.Fprintf(c.wire, "%s IDLE\r\n", i.tag); err != nil {
		return nil, err
	}
	select {
	case <-i.going:
		c.wire.allow(bounds{bytes: idleBytes, literal: maxLine, total: idleFor + idleTimeout})
		return i, nil
	case <-i.over:
		c.wire.rest()
		return i, nil
	case <-c.client.Closed():
		return nil, c.lost()
	}
}

// stopIdle ends it. It returns when the server has said so, or was silent for too long.
func (c *conn) stopIdle(i *idle) error {
	select {
	case <-i.over: // by itself
		c.wire.rest()
		return nil
	default:
	}
	c.wire.allow(bounds{bytes: idleBytes, literal: maxLine, silence: idleTimeout, total: idleTimeout})
	if _, err := fmt.Fprint(c.wire, "DONE\r\n"); err != nil {
		return err
	}
	select {
	case <-i.over:
		c.wire.rest()
		return nil
	case <-c.client.Closed():
		return c.lost()
	}
}
