package mailbox

import (
	"bytes"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"time"
)

const (
	openTimeout   = 60 * time.Second // to connect, encrypt and greet
	maxGreeting   = 8 << 10          // bytes of a line before STARTTLS
	greetingLines = 20               // of them at most
)

func (s Server) address() string {
	port := s.Port
	switch {
	case port != 0:
	case s.Security == TLS:
		port = 993
	default:
		port = 143
	}
	return net.JoinHostPort(s.Host, strconv.Itoa(port))
}

// open connects and encrypts. The connection is closed when ctx ends before it is returned.
func (b *Box) open(ctx context.Context) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, openTimeout)
	defer cancel()
	s := b.config.Server
	raw, err := b.config.Dial(ctx, "tcp", s.address())
	if err != nil {
		return nil, fmt.Errorf("imap: connect: %w", err)
	}
	stop := context.AfterFunc(ctx, func() { raw.Close() })
	conn, err := b.encrypt(ctx, raw)
	if !stop() && err == nil {
		err = context.Cause(ctx)
	}
	if err != nil {
		raw.Close()
		return nil, fmt.Errorf("imap: connect: %w", err)
	}
	return conn, nil
}

func (b *Box) encrypt(ctx context.Context, raw net.Conn) (net.Conn, error) {
	switch b.config.Server.Security {
	case TLS:
		return b.handshake(ctx, raw)
	case StartTLS:
		if err := startTLS(raw); err != nil {
			return nil, err
		}
		secure, err := b.handshake(ctx, raw)
		if err != nil {
			return nil, err
		}
		return &greeted{Conn: secure, left: []byte("* OK again\r\n")}, nil
	default:
		if !isLocal(b.config.Server.Host, raw) {
			return nil, ErrInsecure
		}
		return raw, nil
	}
}

func (b *Box) handshake(ctx context.Context, raw net.Conn) (net.Conn, error) {
	config := &tls.Config{}
	if b.config.TLS != nil {
		config = b.config.TLS.Clone()
	}
	config.ServerName = b.config.Server.Host
	config.MinVersion = max(config.MinVersion, tls.VersionTLS12)
	secure := tls.Client(raw, config)
	if err := secure.HandshakeContext(ctx); err != nil {
		return nil, err
	}
	return secure, nil
}

// isLocal says whether what goes over the connection stays on this machine.
func isLocal(host string, conn net.Conn) bool {
	if a, ok := conn.RemoteAddr().(*net.TCPAddr); ok {
		return a.IP.IsLoopback()
	}
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.IsLoopback()
}

// startTLS asks for TLS in a greeting's place. Not a byte more than the answer is read: what somebody put after it
// comes to the handshake, which it breaks, and not to us (CVE-2011-0411).
func startTLS(raw net.Conn) error {
	greeting, err := line(raw)
	if err != nil {
		return err
	}
	if !strings.HasPrefix(strings.ToUpper(greeting), "* OK") { // PREAUTH, too: RFC 9051 section 7.1.4
		return fmt.Errorf("%w: greeted with %q", errGarbage, brief(greeting))
	}
	if _, err := io.WriteString(raw, "S1 STARTTLS\r\n"); err != nil {
		return err
	}
	for range greetingLines {
		answer, err := line(raw)
		if err != nil {
			return err
		}
		if strings.HasPrefix(answer, "* ") {
			continue
		}
		if strings.HasPrefix(strings.ToUpper(answer), "S1 OK") {
			return nil
		}
		return fmt.Errorf("%w: STARTTLS: %s", ErrInsecure, brief(answer))
	}
	return errTooMuch
}

// line reads a line, byte by byte.
func line(r io.Reader) (string, error) {
	var b bytes.Buffer
	var one [1]byte
	for b.Len() < maxGreeting {
		if _, err := io.ReadFull(r, one[:]); err != nil {
			return "", err
		}
		if one[0] == '\n' {
			return strings.TrimRight(b.String(), "\r"), nil
		}
		b.WriteByte(one[0])
	}
	return "", errLine
}

// greeted is a connection that was greeted already. go-imap wants to be greeted itself: it reads left first.
type greeted struct {
	net.Conn
	left []byte
}

// Read reads the greeting, then the connection.
func (g *greeted) Read(b []byte) (int, error) {
	if len(g.left) > 0 {
		n := copy(b, g.left)
		g.left = g.left[n:]
		return n, nil
	}
	return g.Conn.Read(b)
}

// brief is what a server said as it may stand in an error.
func brief(s string) string {
	const most = 200
	s = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r == '\uFFFD' {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s[:min(len(s), most)], ""))
	return strings.TrimSpace(s)
}
