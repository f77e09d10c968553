package email

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"regexp"
	"time"
)

var errInjected = errors.New("commands were sent before STARTTLS was answered")

// tlsHandshake is how long a client may take for it.
const tlsHandshake = 30 * time.Second

// command reads the next command line for go-smtp, doing STARTTLS itself until the first mail begins. With the command
// that brings content the looking ends until the mail is answered: lines may be content then. A client that sends the
// next mail's commands in the same breath as content is not looked at either.
func (c *guardConn) command() error {
	line, err := c.in.ReadSlice('\n')
	if len(line) == 0 && err != nil {
		return err
	}
	verb, _, _ := bytes.Cut(bytes.ToUpper(bytes.TrimRight(line, "\r\n")), []byte{' '})
	switch string(verb) {
	case "STARTTLS":
		if c.front {
			return c.startTLS()
		}
	case "EHLO", "HELO", "LHLO", "NOOP", "RSET", "QUIT", "VRFY", "HELP":
	case "MAIL":
		c.front = false
	case "RCPT":
		line = c.withDomain(line)
	default:
		c.front, c.lines = false, false
	}
	if err != nil { // longer than a command can be, or the last
		c.front, c.lines = false, false
	}
	c.line = bytes.Clone(line)
	return nil
}

// postmaster is the one recipient that needs no domain.
var postmaster = regexp.MustCompile(`(?i)^(RCPT TO: *<postmaster)>`)

// withDomain gives a postmaster without a domain ours.
func (c *guardConn) withDomain(line []byte) []byte {
	if c.guard.domain == "" {
		return line
	}
	return postmaster.ReplaceAll(line, []byte("${1}@"+c.guard.domain+">"))
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
