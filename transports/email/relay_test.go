package email

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"io"
	"net"
	"net/textproto"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"

	"gangway/core"
)

// scripted is a relay that says what it was told to, one answer to each line.
func scripted(t *testing.T, talk func(*textproto.Conn, net.Conn)) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			talk(textproto.NewConn(c), c)
			c.Close()
		}
	}()
	t.Cleanup(func() {
		l.Close()
		<-ended
	})
	return l.Addr().String()
}

// untilDot plays a relay up to the end of the mail.
func untilDot(c *textproto.Conn) {
	_ = c.PrintfLine("220 relay.example ESMTP")
	for _, answer := range []string{"250 relay.example", "250 ok", "250 ok", "354 go"} {
		if _, err := c.ReadLine(); err != nil {
			return
		}
		_ = c.PrintfLine("%s", answer)
	}
	_, _ = c.ReadDotBytes()
}

func TestConnectionLostAfterDot(t *testing.T) {
	addr := scripted(t, func(c *textproto.Conn, _ net.Conn) { untilDot(c) })
	g := start(t, map[string]any{"relay": "smtp://" + addr}, nil)
	_, err := g.session(t).Send(t.Context(), note("x"))
	if e := core.AsError(err); e == nil || e.Kind != core.Unavailable || e.Text == "" {
		t.Errorf("%+v", e)
	}
}

// A relay whose answer has no end is cut off: go-smtp's client would keep all of it.
func TestEndlessAnswer(t *testing.T) {
	written := make(chan int, 1)
	addr := scripted(t, func(c *textproto.Conn, raw net.Conn) {
		_ = c.PrintfLine("220 relay.example ESMTP")
		_, _ = c.ReadLine()
		line := []byte(strings.Repeat("250-and another\r\n", 1000))
		total := 0
		for {
			n, err := raw.Write(line)
			if total += n; err != nil || total > 200<<20 {
				written <- total
				return
			}
		}
	})
	g := start(t, map[string]any{"relay": "smtp://" + addr}, nil)
	_, err := g.session(t).Send(t.Context(), note("x"))
	if e := core.AsError(err); e == nil || e.Kind != core.Unavailable || !strings.Contains(e.Error(), "no end") {
		t.Errorf("%+v", e)
	}
	if n := <-written; n > 100<<20 {
		t.Errorf("%d bytes were taken", n)
	}
}

func TestCancel(t *testing.T) {
	reached := make(chan struct{})
	addr := scripted(t, func(c *textproto.Conn, raw net.Conn) {
		close(reached)
		_, _ = io.Copy(io.Discard, raw) // says nothing
	})
	g := start(t, map[string]any{"relay": "smtp://" + addr}, nil)
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		<-reached
		cancel()
	}()
	_, err := g.session(t).Send(ctx, note("x"))
	if e := core.AsError(err); e == nil || e.Kind != core.Unavailable {
		t.Errorf("%+v", e)
	}
}

func TestRelayIsAway(t *testing.T) {
	g := start(t, nil, nil) // its relay is a port that nobody has
	_, err := g.session(t).Send(t.Context(), note("x"))
	if e := core.AsError(err); e == nil || e.Kind != core.Unavailable || e.Text == "" {
		t.Errorf("%+v", e)
	}
}

// secured starts a relay with TLS, and a pool that trusts it.
func secured(t *testing.T, change func(*smtp.Server)) (*relayDouble, *x509.CertPool) {
	t.Helper()
	cert := certificate(t)
	leaf, err := x509.ParseCertificate(cert.Certificate[0])
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(leaf)
	return startRelay(t, func(s *smtp.Server) {
		s.TLSConfig = &tls.Config{Certificates: []tls.Certificate{cert}}
		if change != nil {
			change(s)
		}
	}), pool
}

// trust makes the relay of tr one whose certificate is in the pool.
func trust(tr *transport, pool *x509.CertPool) { tr.carrier.(*relay).config.TLS.RootCAs = pool }

func TestRelayStartTLS(t *testing.T) {
	var encrypted atomic.Bool // the last session
	relay, pool := secured(t, nil)
	relay.server.Backend = smtp.BackendFunc(func(c *smtp.Conn) (smtp.Session, error) {
		_, is := c.TLSConnectionState()
		encrypted.Store(is)
		return &relaySession{r: relay}, nil
	})
	for _, tt := range []struct {
		mode    string
		trusted bool
		ok      bool
		secure  bool
	}{
		{"require", true, true, true}, {"require", false, false, false}, {"offered", false, true, true}, {"never", false, true, false}, {"", false, true, false},
	} {
		g := start(t, map[string]any{"relay": "smtp://" + relay.addr, "starttls": tt.mode}, func(tr *transport) {
			if tt.trusted {
				trust(tr, pool)
			}
		})
		_, err := g.session(t).Send(t.Context(), note("x"))
		if (err == nil) != tt.ok {
			t.Errorf("%+v: %v", tt, err)
		}
		if tt.ok && encrypted.Load() != tt.secure {
			t.Errorf("%+v: encrypted %v", tt, encrypted.Load())
		}
	}
	plain := startRelay(t, nil)
	for mode, ok := range map[string]bool{"require": false, "offered": true} {
		g := start(t, map[string]any{"relay": "smtp://" + plain.addr, "starttls": mode}, nil)
		if _, err := g.session(t).Send(t.Context(), note("x")); (err == nil) != ok {
			t.Errorf("%s without STARTTLS there: %v", mode, err)
		}
	}
}

func TestRelayImplicitTLS(t *testing.T) {
	relay, pool := secured(t, nil)
	inner, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go func() { _ = relay.server.Serve(tls.NewListener(inner, relay.server.TLSConfig)) }()
	g := start(t, map[string]any{"relay": "smtps://" + inner.Addr().String()}, func(tr *transport) { trust(tr, pool) })
	if _, err := g.session(t).Send(t.Context(), note("x")); err != nil {
		t.Error(err)
	}
	g = start(t, map[string]any{"relay": "smtps://" + inner.Addr().String()}, nil)
	if _, err := g.session(t).Send(t.Context(), note("x")); err == nil {
		t.Error("an unknown certificate is trusted")
	}
}

// authSession wants a password.
type authSession struct {
	relaySession
	in bool
}

func (s *authSession) AuthMechanisms() []string { return []string{sasl.Plain} }

func (s *authSession) Auth(string) (sasl.Server, error) {
	return sasl.NewPlainServer(func(_, user, password string) error {
		if user != "gw" || password != "s3cret%" {
			return smtp.ErrAuthFailed
		}
		s.in = true
		return nil
	}), nil
}

func (s *authSession) Mail(from string, o *smtp.MailOptions) error {
	if !s.in {
		return smtp.ErrAuthRequired
	}
	return s.relaySession.Mail(from, o)
}

func TestRelayLogin(t *testing.T) {
	relay := startRelay(t, func(s *smtp.Server) { s.AllowInsecureAuth = true })
	relay.server.Backend = smtp.BackendFunc(func(*smtp.Conn) (smtp.Session, error) {
		return &authSession{relaySession: relaySession{r: relay}}, nil
	})
	for _, tt := range []struct {
		keys map[string]any
		kind core.Kind
		ok   bool
	}{
		{map[string]any{"relay": "smtp://gw:s3cret%25@" + relay.addr}, 0, true},
		{map[string]any{"relay": "smtp://" + relay.addr, "user": "gw", "password": "s3cret%"}, 0, true},
		{map[string]any{"relay": "smtp://" + relay.addr, "user": "gw", "password": "wrong"}, core.Internal, false},
	} {
		g := start(t, tt.keys, nil)
		_, err := g.session(t).Send(t.Context(), note("x"))
		if (err == nil) != tt.ok || err != nil && core.KindOf(err) != tt.kind {
			t.Errorf("%v: %v", tt.keys, err)
		}
		if err != nil && strings.Contains(err.Error(), "wrong") {
			t.Errorf("the password is in %v", err)
		}
	}
}
