package xmpp

import (
	"context"
	"crypto/sha1" //nolint:gosec // XEP-0114 section 3 names SHA-1
	"crypto/tls"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"time"

	"gangway/core"
	"gangway/core/xmpp/stream"
)

// dial connects, with TLS if configured, and makes sure that nothing has been
// said in the clear to another machine.
func (l *Link) dial(ctx context.Context) (net.Conn, error) {
	dial := l.cfg.Dial
	if dial == nil {
		d := net.Dialer{KeepAliveConfig: net.KeepAliveConfig{
			Enable: true, Idle: 30 * time.Second, Interval: 10 * time.Second, Count: 3,
		}}
		dial = d.DialContext
	}
	conn, err := dial(ctx, "tcp", l.cfg.Server)
	if err != nil {
		return nil, err
	}
	if err := l.mayTalk(conn.RemoteAddr()); err != nil {
		conn.Close()
		return nil, err
	}
	if l.cfg.TLS == nil {
		return conn, nil
	}
	return l.startTLS(ctx, conn)
}

// mayTalk refuses plain text to another machine, wherever the server's name led.
func (l *Link) mayTalk(to net.Addr) error {
	if tcp, ok := to.(*net.TCPAddr); l.cfg.plainAllowed() || ok && tcp.IP.IsLoopback() {
		return nil
	}
	return plaintextError(l.cfg.Server)
}

func (l *Link) startTLS(ctx context.Context, conn net.Conn) (net.Conn, error) {
	cfg := l.cfg.TLS.Clone()
	if cfg.ServerName == "" {
		cfg.ServerName, _, _ = net.SplitHostPort(l.cfg.Server) // New has split it
	}
	secure := tls.Client(conn, cfg)
	if err := secure.HandshakeContext(ctx); err != nil {
		conn.Close()
		return nil, fmt.Errorf("tls: %w", err)
	}
	return secure, nil
}

// login opens the stream and proves that we know the secret (XEP-0114 section 3).
func (l *Link) login(ctx context.Context, conn net.Conn, src io.Reader) (*stream.Reader, error) {
	deadline, _ := ctx.Deadline()
	_ = conn.SetDeadline(deadline)
	defer func() { _ = conn.SetDeadline(time.Time{}) }()

	if _, err := conn.Write(stream.OpenComponent(l.cfg.Domain)); err != nil {
		return nil, err
	}
	rd := stream.NewReader(src, l.cfg.Limits)
	h, err := rd.ReadHeader()
	if err != nil {
		return nil, fmt.Errorf("stream header: %w", err)
	}
	if h.ID == "" {
		return nil, l.firstAnswer(rd, "stream header without id")
	}
	sum := sha1.Sum([]byte(h.ID + l.cfg.Secret)) //nolint:gosec // as above
	if _, err := conn.Write([]byte("<handshake>" + hex.EncodeToString(sum[:]) + "</handshake>")); err != nil {
		return nil, err
	}
	if err := l.firstAnswer(rd, ""); err != nil {
		return nil, err
	}
	return rd, nil
}

// firstAnswer reads the <handshake/> that lets us in, or why it does not.
func (l *Link) firstAnswer(rd *stream.Reader, otherwise string) error {
	st, err := rd.Next()
	if err != nil {
		return fmt.Errorf("handshake: %w", err)
	}
	defer st.Release()
	switch {
	case st.Is(stream.NSStream, "error"):
		return l.refusal(streamError(st))
	case otherwise != "":
		return &stream.StreamError{Condition: "invalid-xml", Text: otherwise}
	case st.Local() != "handshake":
		return &stream.StreamError{Condition: "invalid-xml", Text: "not a handshake: " + st.Local()}
	}
	return nil
}

// streamError reads a <stream:error/>.
func streamError(st *stream.Stanza) *stream.StreamError {
	e := &stream.StreamError{Condition: "undefined-condition"}
	for c := range st.Children() {
		switch {
		case c.Is(stream.NSStreams, "text"):
			e.Text = c.Text()
		case c.Space() == stream.NSStreams:
			e.Condition = c.Local()
		}
	}
	return e
}

// refusal says in plain words why the server does not have us.
func (l *Link) refusal(e *stream.StreamError) error {
	r := &core.Error{Kind: core.Denied, Op: "component link", Code: e.Condition, Err: e}
	switch e.Condition {
	case "not-authorized":
		r.Text = "The server does not accept the secret for " + l.cfg.Domain +
			". It must be the component_secret (Prosody) or the password (ejabberd) of that component."
	case "host-unknown":
		r.Text = "The server has no component " + l.cfg.Domain + "."
	case "conflict":
		r.Kind = core.Unavailable
		r.Text = "Another connection serves " + l.cfg.Domain +
			" already. If it is a dead one, Prosody needs component_conflict_resolve = \"kick_old\"."
	default:
		return e
	}
	return r
}

// stateAfter returns the state that an error leads to.
func stateAfter(err error) State {
	var e *stream.StreamError
	if !errors.As(err, &e) {
		return Waiting
	}
	switch e.Condition {
	case "not-authorized", "host-unknown":
		return Refused
	case "conflict":
		return Conflict
	}
	return Waiting
}

// Check logs in and out again, for the operator: nil, or an error with a
// sentence. While another connection has the domain it is a conflict on some
// servers, and ends that connection on others.
func (l *Link) Check(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, l.cfg.Handshake)
	defer cancel()
	conn, err := l.dial(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	if _, err := l.login(ctx, conn, conn); err != nil {
		return err
	}
	_, err = conn.Write([]byte(stream.CloseTag))
	return err
}
