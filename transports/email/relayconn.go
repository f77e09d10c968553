package email

import (
	"errors"
	"net"
	"sync"
	"time"
)

const (
	maxReply    = 64 << 10        // bytes that a server may answer to one command
	dataTimeout = 3 * time.Minute // for one block of content to be taken (RFC 5321 section 4.5.3.2.5)
)

var errReplyTooLong = errors.New("the server's answer has no end")

// relayConn is a connection as go-smtp's client sees it. The client keeps whatever a server says, without bound, and
// writes content without a deadline.
type relayConn struct {
	net.Conn

	mu   sync.Mutex
	left int // bytes that may be read before something is written
}

func newRelayConn(c net.Conn) *relayConn { return &relayConn{Conn: c, left: maxReply} }

// Read reads within the budget.
func (c *relayConn) Read(b []byte) (int, error) {
	c.mu.Lock()
	left := c.left
	c.mu.Unlock()
	if left <= 0 {
		return 0, errReplyTooLong
	}
	n, err := c.Conn.Read(b[:min(len(b), left)])
	c.mu.Lock()
	c.left -= n
	c.mu.Unlock()
	return n, err
}

// Write writes within a time and renews the budget: the server may answer again.
func (c *relayConn) Write(b []byte) (int, error) {
	c.mu.Lock()
	c.left = maxReply
	c.mu.Unlock()
	c.SetWriteDeadline(time.Now().Add(dataTimeout))
	return c.Conn.Write(b)
}
