package client

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"math/big"
	"net"
	"net/textproto"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/emersion/go-smtp"
)

// server plays the other end of each connection that is dialled.
func server(t *testing.T, play func(c *textproto.Conn, raw net.Conn)) func(context.Context, string, string) (net.Conn, error) {
	t.Helper()
	return func(context.Context, string, string) (net.Conn, error) {
		ours, theirs := net.Pipe()
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			defer theirs.Close()
			play(textproto.NewConn(theirs), theirs)
		}()
		t.Cleanup(func() {
			ours.Close()
			<-ended
		})
		return ours, nil
	}
}

// say answers each line with the next answer, after a greeting.
func say(c *textproto.Conn, answers ...string) (heard []string) {
	if c.PrintfLine("220 mx.example ESMTP") != nil {
		return nil
	}
	for _, a := range answers {
		line, err := c.ReadLine()
		if err != nil {
			return heard
		}
		heard = append(heard, line)
		if c.PrintfLine("%s", strings.ReplaceAll(a, "\n", "\r\n")) != nil {
			return heard
		}
	}
	return heard
}

func config(dial func(context.Context, string, string) (net.Conn, error)) Config {
	return Config{Hello: "gw.example", Mode: Never, Times: DefaultTimes(), Dial: dial, TLS: &tls.Config{ServerName: "mx.example"}}
}

func open(t *testing.T, c Config) *Conn {
	t.Helper()
	conn, err := Dial(t.Context(), "mx.example:25", c)
	if err != nil {
		t.Fatal(err)
	}
	return conn
}

var mail = []byte("Subject: x\r\n\r\n.dot\r\n")

// Whatever the server can, the mail goes through, and asks for what the server can do.
func TestSend(t *testing.T) {
	for _, tt := range []struct {
		name, ehlo string
		e          Envelope
		mail, rcpt string
	}{
		{"bare", "250 mx", Envelope{ID: "q1", From: "a@gw.example", To: "b@x.example"}, "MAIL FROM:<a@gw.example>", "RCPT TO:<b@x.example>"},
		{
			"keywords in any case", "250-mx\n250-size 1000\n250-Dsn\n250 8bitmime",
			Envelope{ID: "q+1", From: "a@gw.example", To: "b+c@x.example", Success: true},
			"MAIL FROM:<a@gw.example> BODY=8BITMIME SIZE=20 RET=HDRS ENVID=q+2B1",
			"RCPT TO:<b+c@x.example> NOTIFY=FAILURE,DELAY,SUCCESS ORCPT=RFC822;b+2Bc@x.example",
		},
		{
			"a report", "250-mx\n250 DSN", Envelope{ID: "q1", To: "b@x.example"},
			"MAIL FROM:<>", "RCPT TO:<b@x.example> NOTIFY=NEVER",
		},
		{
			"other letters", "250-mx\n250 SMTPUTF8", Envelope{From: "a@gw.example", To: "jürgen@x.example", UTF8: true},
			"MAIL FROM:<a@gw.example> SMTPUTF8", "RCPT TO:<jürgen@x.example>",
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var heard []string
			var body []byte
			ended := make(chan struct{})
			c := open(t, config(server(t, func(c *textproto.Conn, _ net.Conn) {
				defer close(ended)
				heard = say(c, tt.ehlo, "250 ok", "250 ok", "354 go")
				body, _ = c.ReadDotBytes()
				_ = c.PrintfLine("250 2.0.0 queued as 42")
			})))
			said, err := c.Send(t.Context(), tt.e, mail)
			if err != nil || !strings.Contains(said, "queued as 42") {
				t.Fatalf("%q, %v", said, err)
			}
			<-ended
			if heard[1] != tt.mail || !strings.EqualFold(heard[2], tt.rcpt) || string(body) != "Subject: x\n\n.dot\n" {
				t.Errorf("heard %q, mail %q", heard, body)
			}
		})
	}
}

func TestRefusedBeforeAnythingIsSaid(t *testing.T) {
	for ehlo, tt := range map[string]struct {
		e    Envelope
		code smtp.EnhancedCode
	}{
		"250 mx":               {Envelope{To: "jürgen@x.example", UTF8: true}, smtp.EnhancedCode{5, 6, 7}},
		"250-mx\n250 SIZE 19":  {Envelope{To: "b@x.example"}, smtp.EnhancedCode{5, 3, 4}},
		"250-mx\n250 smtputf8": {},
	} {
		if tt.e.To == "" {
			continue
		}
		c := open(t, config(server(t, func(c *textproto.Conn, _ net.Conn) { say(c, ehlo) })))
		_, err := c.Send(t.Context(), tt.e, mail)
		var s *smtp.SMTPError
		if !errors.As(err, &s) || s.EnhancedCode != tt.code {
			t.Errorf("%q: %v", ehlo, err)
		}
	}
}

// Without the guard go-smtp keeps all that a server says: 2.4 GB within seconds were measured.
func TestEndlessAnswer(t *testing.T) {
	for name, line := range map[string]string{"lines": strings.Repeat("250-and more\r\n", 100), "one line": strings.Repeat("x", 1000)} {
		written := make(chan int, 1)
		_, err := Dial(t.Context(), "mx.example:25", config(server(t, func(c *textproto.Conn, raw net.Conn) {
			_ = c.PrintfLine("220 mx.example ESMTP")
			_, _ = c.ReadLine()
			total := 0
			for {
				n, err := io.WriteString(raw, line)
				if total += n; err != nil || total > 10*maxReply {
					raw.Close()
					written <- total
					return
				}
			}
		})))
		if !errors.Is(err, errReplyTooLong) || StageOf(err) != Connect {
			t.Errorf("%s: %v", name, err)
		}
		if n := <-written; n > 2*maxReply {
			t.Errorf("%s: %d bytes were taken", name, n)
		}
	}
}

// Without the guard a server that takes no content holds the mail up for ever: go-smtp sets no deadline for it.
func TestContentIsNotTaken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		stuck := make(chan struct{})
		c := open(t, config(server(t, func(c *textproto.Conn, _ net.Conn) {
			say(c, "250 mx", "250 ok", "250 ok", "354 go")
			<-stuck
		})))
		defer close(stuck)
		began := time.Now()
		_, err := c.Send(t.Context(), Envelope{To: "b@x.example"}, make([]byte, 1<<20))
		if StageOf(err) != Data || time.Since(began) != blockTime {
			t.Errorf("%v after %v", err, time.Since(began))
		}
	})
}

// A server that takes a little now and then does not keep the connection for weeks.
func TestContentIsTakenSlowly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := open(t, config(server(t, func(c *textproto.Conn, raw net.Conn) {
			say(c, "250 mx", "250 ok", "250 ok", "354 go")
			for b := make([]byte, 512); ; time.Sleep(blockTime - time.Second) {
				if _, err := raw.Read(b); err != nil {
					return
				}
			}
		})))
		began := time.Now()
		_, err := c.Send(t.Context(), Envelope{To: "b@x.example"}, make([]byte, 64<<10))
		if err == nil || time.Since(began) > time.Hour {
			t.Errorf("%v after %v", err, time.Since(began))
		}
	})
}

func TestSilence(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hush := make(chan struct{})
		defer close(hush)
		began := time.Now()
		_, err := Dial(t.Context(), "mx.example:25", config(server(t, func(*textproto.Conn, net.Conn) { <-hush })))
		if StageOf(err) != Connect || time.Since(began) != 5*time.Minute {
			t.Errorf("%v after %v", err, time.Since(began))
		}
	})
}

// After the last byte nobody knows whether the mail was taken.
func TestLostAfterDot(t *testing.T) {
	c := open(t, config(server(t, func(c *textproto.Conn, _ net.Conn) {
		say(c, "250 mx", "250 ok", "250 ok", "354 go")
		_, _ = c.ReadDotBytes()
	})))
	if _, err := c.Send(t.Context(), Envelope{To: "b@x.example"}, mail); StageOf(err) != Dot {
		t.Errorf("%v", err)
	}
}

func TestEndsWithContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	c := open(t, config(server(t, func(c *textproto.Conn, raw net.Conn) {
		say(c, "250 mx", "250 ok")
		_, _ = c.ReadLine()
		cancel()
		_, _ = io.Copy(io.Discard, raw)
	})))
	if _, err := c.Send(ctx, Envelope{To: "b@x.example"}, mail); StageOf(err) != Rcpt {
		t.Errorf("%v", err)
	}
	if _, err := Dial(ctx, "mx.example:25", config(server(t, func(c *textproto.Conn, _ net.Conn) { say(c, "250 mx") }))); err == nil {
		t.Error("dialled with a context that has ended")
	}
}

// A connection carries another mail after one that was refused.
func TestRenew(t *testing.T) {
	c := open(t, config(server(t, func(c *textproto.Conn, _ net.Conn) {
		say(c, "250 mx", "250 ok", "550 5.1.1 nobody", "250 reset", "250 ok", "250 ok", "354 go")
		_, _ = c.ReadDotBytes()
		_ = c.PrintfLine("250 taken")
		_, _ = c.ReadLine()
		_ = c.PrintfLine("421 4.4.2 idle for too long")
		_, _ = c.ReadLine()
	})))
	_, err := c.Send(t.Context(), Envelope{To: "b@x.example"}, mail)
	if StageOf(err) != Rcpt || !c.Usable(err) || !c.Renew(t.Context()) {
		t.Fatalf("%v", err)
	}
	if _, err := c.Send(t.Context(), Envelope{To: "c@x.example"}, mail); err != nil {
		t.Fatal(err)
	}
	if c.Renew(t.Context()) {
		t.Error("a connection that the server ends is used on")
	}
}

func certificate(t *testing.T) (tls.Certificate, *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), DNSNames: []string{"mx.example"}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(leaf)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, pool
}

// secured plays a server with STARTTLS, whose offers in the open and in secret differ.
func secured(cert tls.Certificate, open, secret string, beyond string) func(*textproto.Conn, net.Conn) {
	return func(c *textproto.Conn, raw net.Conn) {
		say(c, open)
		if line, _ := c.ReadLine(); line != "STARTTLS" {
			return
		}
		if _, err := io.WriteString(raw, "220 go\r\n"+beyond); err != nil {
			return
		}
		s := tls.Server(raw, &tls.Config{Certificates: []tls.Certificate{cert}})
		if s.Handshake() != nil {
			return
		}
		c = textproto.NewConn(s)
		if line, _ := c.ReadLine(); !strings.HasPrefix(line, "EHLO") {
			return
		}
		_ = c.PrintfLine("%s", strings.ReplaceAll(secret, "\n", "\r\n"))
		_, _ = c.ReadLine()
	}
}

func TestStartTLS(t *testing.T) {
	cert, pool := certificate(t)
	const offer = "250-mx\n250-DSN\n250 starttls"
	for _, tt := range []struct {
		name   string
		mode   Mode
		roots  *x509.CertPool
		open   string
		beyond string
		stage  Stage // of the error; 0: it goes well
		secure bool
	}{
		{"required", Require, pool, offer, "", 0, true},
		{"nobody vouches for it", Require, nil, offer, "", Secure, false},
		{"not there", Require, pool, "250 mx", "", Secure, false},
		{"taken as it is", Offered, nil, offer, "", 0, true},
		{"not there, and not needed", Offered, nil, "250 mx", "", 0, false},
		{"not wanted", Never, nil, offer, "", 0, false},
		{"said before TLS", Require, pool, offer, "250-mx\r\n250 AUTH PLAIN\r\n", Secure, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			conf := config(server(t, secured(cert, tt.open, "250-mx\n250 SIZE 9", tt.beyond)))
			conf.Mode, conf.TLS.RootCAs = tt.mode, tt.roots
			c, err := Dial(t.Context(), "mx.example:25", conf)
			if tt.stage != 0 {
				if StageOf(err) != tt.stage || tt.beyond != "" && !errors.Is(err, errInjected) {
					t.Errorf("%v", err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			size, _ := c.Extension("SIZE")
			dsn, _ := c.Extension("DSN")
			if (c.TLS() != nil) != tt.secure || size != tt.secure || tt.secure && dsn {
				t.Errorf("TLS %v, SIZE %v, DSN %v", c.TLS() != nil, size, dsn)
			}
		})
	}
}

func TestHandshakeFails(t *testing.T) {
	conf := config(server(t, func(c *textproto.Conn, raw net.Conn) {
		say(c, "250-mx\n250 STARTTLS", "220 go")
		_, _ = raw.Read(make([]byte, 10))
		go func() { _, _ = io.Copy(io.Discard, raw) }()
		_, _ = raw.Write([]byte("this is no TLS\r\n"))
	}))
	conf.Mode = Offered
	if _, err := Dial(t.Context(), "mx.example:25", conf); !IsHandshake(err) || StageOf(err) != Secure {
		t.Errorf("%v", err)
	}
	conf.Dial = server(t, func(c *textproto.Conn, _ net.Conn) { say(c, "250-mx\n250 STARTTLS", "454 4.7.0 not now") })
	if _, err := Dial(t.Context(), "mx.example:25", conf); IsHandshake(err) || StageOf(err) != Secure {
		t.Errorf("%v", err)
	}
}

func TestPassword(t *testing.T) {
	for offer, want := range map[string]string{
		"250-mx\n250 AUTH LOGIN PLAIN": "AUTH PLAIN AHVzZXIAcGFzcw==", "250-mx\n250 auth login": "AUTH LOGIN dXNlcg==", "250-mx\n250 AUTH CRAM-MD5": "",
	} {
		heard := make(chan []string, 1)
		conf := config(server(t, func(c *textproto.Conn, _ net.Conn) {
			first := "235 ok"
			if strings.Contains(offer, "login") {
				first = "334 UGFzc3dvcmQ6"
			}
			heard <- say(c, offer, first, "235 ok")
		}))
		conf.Login = Password("user", "pass")
		c, err := Dial(t.Context(), "mx.example:25", conf)
		if (err == nil) != (want != "") || err != nil && StageOf(err) != Auth {
			t.Errorf("%s: %v", offer, err)
		}
		if err == nil {
			c.Close()
		}
		if got := <-heard; want != "" && (len(got) < 2 || got[1] != want) {
			t.Errorf("%s: heard %q", offer, got)
		}
	}
	conf := config(server(t, func(c *textproto.Conn, _ net.Conn) { say(c, "250-mx\n250 AUTH PLAIN", "535 5.7.8 no") }))
	conf.Login = Password("user", "pass")
	if _, err := Dial(t.Context(), "mx.example:25", conf); StageOf(err) != Auth || strings.Contains(err.Error(), "pass") {
		t.Errorf("%v", err)
	}
}

func FuzzAnswer(f *testing.F) {
	f.Add("220 mx\r\n250-mx\r\n250 STARTTLS\r\n220 go\r\n")
	f.Add("220-a\r\n220 b\r\n250 ok\r\n354\r\n")
	f.Add("xyz\r\n")
	f.Add("250-")
	f.Fuzz(func(t *testing.T, said string) {
		ours, theirs := net.Pipe()
		go func() { _, _ = io.Copy(io.Discard, theirs) }()
		go func() {
			_, _ = io.WriteString(theirs, said)
			theirs.Close()
		}()
		conf := config(func(context.Context, string, string) (net.Conn, error) { return ours, nil })
		conf.Mode = Offered
		if c, err := Dial(t.Context(), "mx.example:25", conf); err == nil {
			_, _ = c.Send(t.Context(), Envelope{To: "b@x.example"}, mail)
			c.Close()
		}
		theirs.Close()
	})
}
