package servers

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"time"
)

// maxGreeting bounds what a probe reads before it gives up on a server.
const maxGreeting = 64 << 10

// dial connects and makes the connection obey the context's deadline.
func dial(ctx context.Context, addr string) (net.Conn, error) {
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", addr)
	if err != nil {
		return nil, err
	}
	if deadline, ok := ctx.Deadline(); ok {
		if err := conn.SetDeadline(deadline); err != nil {
			return nil, errors.Join(err, conn.Close())
		}
	}
	return conn, nil
}

// probeStream opens an XMPP stream and succeeds when the answer holds want.
func probeStream(ctx context.Context, addr, namespace, domain, want string) error {
	conn, err := dial(ctx, addr)
	if err != nil {
		return err
	}
	defer conn.Close()
	_, err = fmt.Fprintf(conn, "<?xml version='1.0'?><stream:stream xmlns='%s' "+
		"xmlns:stream='http://etherx.jabber.org/streams' to='%s' version='1.0'>", namespace, domain)
	if err != nil {
		return err
	}
	var got strings.Builder
	buf := make([]byte, 4096)
	for got.Len() < maxGreeting {
		n, err := conn.Read(buf)
		got.Write(buf[:n])
		if strings.Contains(got.String(), want) {
			_, _ = io.WriteString(conn, "</stream:stream>")
			return nil
		}
		if err != nil {
			return fmt.Errorf("stream to %s at %s: no %q: %w", domain, addr, want, err)
		}
	}
	return fmt.Errorf("stream to %s at %s: no %q in %d bytes", domain, addr, want, maxGreeting)
}

// probeLine succeeds when the server's first line starts with want; then it says bye.
func probeLine(ctx context.Context, addr, want, bye string) error {
	conn, err := dial(ctx, addr)
	if err != nil {
		return err
	}
	defer conn.Close()
	line, err := bufio.NewReader(io.LimitReader(conn, maxGreeting)).ReadString('\n')
	if err != nil {
		return err
	}
	if !strings.HasPrefix(line, want) {
		return fmt.Errorf("%s greets with %q", addr, line)
	}
	_, err = io.WriteString(conn, bye+"\r\n")
	return err
}

// probeIRC registers with an IRC server and succeeds at its welcome (001).
func probeIRC(ctx context.Context, addr string, conf *tls.Config) error {
	conn, err := dial(ctx, addr)
	if err != nil {
		return err
	}
	if conf != nil {
		conn = tls.Client(conn, conf)
	}
	defer conn.Close()
	nick := fmt.Sprintf("p%d", time.Now().UnixNano()%1e8)
	if _, err := fmt.Fprintf(conn, "NICK %s\r\nUSER %s 0 * :probe\r\n", nick, nick); err != nil {
		return err
	}
	lines := bufio.NewScanner(io.LimitReader(conn, maxGreeting))
	last := ""
	for lines.Scan() {
		last = lines.Text()
		if token, ok := strings.CutPrefix(last, "PING "); ok {
			if _, err := fmt.Fprintf(conn, "PONG %s\r\n", token); err != nil {
				return err
			}
		}
		if f := strings.Fields(last); len(f) > 1 && f[1] == "001" {
			_, _ = io.WriteString(conn, "QUIT\r\n")
			return nil
		}
	}
	return fmt.Errorf("irc server at %s: no welcome, last line %q: %w", addr, last, errors.Join(lines.Err(), io.ErrUnexpectedEOF))
}
