package email

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"time"
)

var errInjected = errors.New("commands were sent before STARTTLS was answered")

// tlsHandshake is how long a client may take for it.
const tlsHandshake = 30 * time.Second

// command reads the next command line for go-smtp, doing STARTTLS itself. The first command that begins a mail ends
// that: from then on lines can be content.
func (c *guardConn) command() error {
	line, err := c.in.ReadSlice('\n')
	if len(line) == 0 && err != nil {
		return err
	}
	verb, _, _ := bytes.Cut(bytes.ToUpper(bytes.TrimRight(line, "\r\n")), []byte{' '})
	switch string(verb) {
	case "STARTTLS":
		return c.startTLS()
	case "EHLO", "HELO", "NOOP", "RSET", "QUIT", "VRFY", "HELP":
	default:
		c.front = false
	}
	if err != nil {
		c.front = false // longer than a command can be, or the last
	}
	c.line = bytes.Clone(line)
	return nil
}

// startTLS answers the command and goes on encrypted. Whatever the client sent in the same breath could have been put
// there by somebody else, and ends the connection (CVE-2011-0411).
func (c *guardConn) startTLS() error {
	if c.in.Buffered() > 0 {
		_, _ = io.WriteString(c.Conn, "554 5.5.1 Commands after STARTTLS, closing\r\n")
		c.fail(errInjected)
		return errInjected
	}
	if _, err := io.WriteString(c.Conn, "220 2.0.0 Ready to start TLS\r\n"); err != nil {
		c.fail(err)
		return err
	}
	secure := tls.Server(c.Conn, c.guard.tls)
	ctx, cancel := context.WithTimeout(context.Background(), tlsHandshake)
	defer cancel()
	c.Conn.SetReadDeadline(time.Time{}) // the last command's
	if err := secure.HandshakeContext(ctx); err != nil {
		c.fail(err)
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.Conn, c.front = secure, false
	return nil
}

// Write writes go-smtp's answers. The list of extensions gets STARTTLS while that is possible.
func (c *guardConn) Write(b []byte) (int, error) {
	const first = "250-PIPELINING\r\n"
	if !c.front || string(b) != first {
		return c.Conn.Write(b)
	}
	if _, err := io.WriteString(c.Conn, first+"250-STARTTLS\r\n"); err != nil {
		return 0, err
	}
	return len(b), nil
}
