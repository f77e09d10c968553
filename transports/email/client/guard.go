package client

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/textproto"
	"strconv"
	"sync"
	"time"

	"github.com/emersion/go-smtp"
)

const (
	maxReply  = 64 << 10        // bytes that a server may answer to one command
	maxLine   = 2000            // bytes of one line of an answer, of which 512 are legal
	blockTime = 3 * time.Minute // for one block of content to be taken (RFC 5321 section 4.5.3.2.5)
)

var (
	errReplyTooLong = errors.New("the server's answer has no end")
	errInjected     = errors.New("the server went on speaking before TLS was started")
)

// guard is a connection as go-smtp's client sees it. It hands out one line of the server at a time.
type guard struct {
	net.Conn
	block time.Duration // for one Write
	in    *bufio.Reader
	line  []byte // what is left of the line in hand

	mu    sync.Mutex // above: Read and Write are two goroutines' when a connection is cut
	left  int        // bytes that may be read before something is written
	hello bool       // the server is answering to EHLO
}

func newGuard(c net.Conn) *guard {
	return &guard{Conn: c, block: blockTime, in: bufio.NewReaderSize(c, maxLine), left: maxReply}
}

// Read reads from the line in hand, or from the next one.
func (g *guard) Read(b []byte) (int, error) {
	if len(g.line) == 0 {
		if err := g.next(); err != nil {
			return 0, err
		}
	}
	n := copy(b, g.line)
	g.line = g.line[n:]
	return n, nil
}

// next takes the next line, within the budget. The names of extensions are the same in any case (RFC 5321 section
// 2.4); go-smtp looks for them in upper case.
func (g *guard) next() error {
	line, err := g.in.ReadSlice('\n')
	if errors.Is(err, bufio.ErrBufferFull) {
		return errReplyTooLong
	}
	if err != nil && len(line) == 0 {
		return err
	}
	line = bytes.Clone(line)
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.left -= len(line); g.left < 0 {
		return errReplyTooLong
	}
	if g.hello && len(line) > 4 {
		keyword, _, _ := bytes.Cut(line[4:], []byte{' '})
		copy(line[4:], bytes.ToUpper(keyword))
	}
	g.line = line
	return nil
}

// Write writes within a time and renews the budget: the server may answer again.
func (g *guard) Write(b []byte) (int, error) {
	g.mu.Lock()
	g.left = maxReply
	g.hello = len(b) >= 4 && bytes.EqualFold(b[:4], []byte("EHLO"))
	g.mu.Unlock()
	if err := g.SetWriteDeadline(time.Now().Add(g.block)); err != nil {
		return 0, err
	}
	return g.Conn.Write(b)
}

// startTLS says STARTTLS and goes on encrypted, within the time. What the server, or somebody in between, has said
// beyond its answer would count as said in secret, and ends the connection. go-smtp is to be started anew: it hears the
// greeting once more.
func (g *guard) startTLS(ctx context.Context, config *tls.Config, within time.Duration) error {
	code, text, err := g.ask("STARTTLS", within)
	if err != nil {
		return err
	}
	if code != 220 {
		return &smtp.SMTPError{Code: code, EnhancedCode: smtp.EnhancedCodeNotSet, Message: text}
	}
	if g.in.Buffered() > 0 {
		return errInjected
	}
	if err := g.secure(ctx, config, within); err != nil {
		return err
	}
	g.line = []byte("220 again\r\n")
	return nil
}

// ask says a command and reads the answer, within a time.
func (g *guard) ask(command string, within time.Duration) (int, string, error) {
	if _, err := io.WriteString(g, command+"\r\n"); err != nil {
		return 0, "", err
	}
	if err := g.SetReadDeadline(time.Now().Add(within)); err != nil {
		return 0, "", err
	}
	code, text, err := g.answer()
	return code, text, errors.Join(err, g.SetDeadline(time.Time{}))
}

// answer reads one answer, of any number of lines, and returns its last.
func (g *guard) answer() (int, string, error) {
	for {
		if err := g.next(); err != nil {
			return 0, "", err
		}
		line := string(bytes.TrimRight(g.line, "\r\n"))
		g.line = nil
		if len(line) < 3 {
			return 0, "", textproto.ProtocolError("short answer: " + strconv.Quote(line))
		}
		code, err := strconv.Atoi(line[:3])
		if err != nil || code < 200 || code > 599 {
			return 0, "", textproto.ProtocolError("not an answer: " + strconv.Quote(line))
		}
		if len(line) == 3 || line[3] != '-' {
			return code, line[min(4, len(line)):], nil
		}
	}
}

// handshakeError is a TLS handshake that failed: the server speaks SMTP, but no TLS that we take.
type handshakeError struct{ err error }

func (e *handshakeError) Error() string { return fmt.Sprintf("TLS handshake: %v", e.err) }
func (e *handshakeError) Unwrap() error { return e.err }

// secure goes on encrypted.
func (g *guard) secure(ctx context.Context, config *tls.Config, within time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	if err := g.SetDeadline(time.Time{}); err != nil {
		return err
	}
	c := tls.Client(g.Conn, config)
	if err := c.HandshakeContext(ctx); err != nil {
		return &handshakeError{err}
	}
	g.Conn, g.in, g.line = c, bufio.NewReaderSize(c, maxLine), nil
	g.mu.Lock()
	g.left = maxReply
	g.mu.Unlock()
	return nil
}
