package mailbox

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/emersion/go-imap/v2"
)

func TestLoginError(t *testing.T) {
	for _, test := range []struct {
		kind imap.StatusResponseType
		code imap.ResponseCode
		text string
		want bool // refused for good
	}{
		{"NO", "AUTHENTICATIONFAILED", "Invalid credentials (Failure)", true},
		{"NO", "AUTHORIZATIONFAILED", "no", true},
		{"NO", "EXPIRED", "your password", true},
		{"NO", "CONTACTADMIN", "locked", true},
		{"NO", "ALERT", "Application-specific password required", true},
		{"NO", "", "LOGIN failed.", true},
		{"NO", "", "AUTHENTICATE failed.", true},
		{"NO", "UNAVAILABLE", "Temporary authentication failure.", false},
		{"NO", "unavailable", "later", false},
		{"NO", "INUSE", "mailbox is locked", false},
		{"NO", "LIMIT", "too many connections", false},
		{"NO", "SERVERBUG", "oops", false},
		{"NO", "", "Too many simultaneous connections. (Failure)", false},
		{"NO", "ALERT", "Account is temporarily unavailable", false},
		{"BAD", "", "Command unknown", false},
	} {
		err := loginError(&imap.Error{Type: test.kind, Code: test.code, Text: test.text}, "secret")
		if errors.Is(err, ErrLogin) != test.want || !strings.Contains(err.Error(), test.text) {
			t.Errorf("%s [%s] %s: %v", test.kind, test.code, test.text, err)
		}
	}
	err := loginError(&imap.Error{Type: "NO", Text: "cannot log in with alice secret c2VjcmV0\r\n" + strings.Repeat("x", 9999)}, "secret", "c2VjcmV0")
	if s := err.Error(); strings.Contains(s, "secret") || strings.Contains(s, "c2Vj") || len(s) > 400 || strings.Contains(s, "\n") {
		t.Errorf("error: %q", s)
	}
	if err := loginError(io.ErrUnexpectedEOF); errors.Is(err, ErrLogin) || !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("a lost connection: %v", err)
	}
}

// The best way that the server offers is taken, and none that it does not.
func TestWaysToLogIn(t *testing.T) {
	plain := base64.StdEncoding.EncodeToString([]byte("\x00alice\x00" + password))
	oauth := base64.StdEncoding.EncodeToString([]byte("n,a=alice,\x01host=localhost\x01auth=Bearer token\x01\x01"))
	xoauth := base64.StdEncoding.EncodeToString([]byte("user=alice\x01auth=Bearer token\x01\x01"))
	for _, test := range []struct {
		name, caps string
		token      bool
		want       string // what is said to log in
		err        error
	}{
		{"PLAIN at once", "IMAP4rev1 SASL-IR AUTH=PLAIN", false, "AUTHENTICATE PLAIN " + plain, nil},
		{"PLAIN when asked", "IMAP4rev1 AUTH=PLAIN LOGINDISABLED", false, "AUTHENTICATE PLAIN " + plain, nil},
		{"LOGIN", "IMAP4rev1 AUTH=CRAM-MD5", false, `LOGIN "alice" "correct horse"`, nil},
		{"LOGINDISABLED", "IMAP4rev1 LOGINDISABLED AUTH=GSSAPI", false, "", ErrInsecure},
		{"OAUTHBEARER", "IMAP4rev1 SASL-IR AUTH=XOAUTH2 AUTH=OAUTHBEARER AUTH=PLAIN", true, "AUTHENTICATE OAUTHBEARER " + oauth, nil},
		{"XOAUTH2", "IMAP4rev1 SASL-IR AUTH=XOAUTH2 AUTH=PLAIN", true, "AUTHENTICATE XOAUTH2 " + xoauth, nil},
		{"no tokens", "IMAP4rev1 SASL-IR AUTH=PLAIN", true, "", ErrInsecure},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				s := &scripted{caps: test.caps}
				w.scriptedServer(s)
				said := ""
				s.answer = func(p *peer, tag, command string) bool {
					switch {
					case strings.HasPrefix(command, "LOGIN "):
						said = command
					case strings.HasPrefix(command, "AUTHENTICATE "):
						if said = command; strings.Count(command, " ") == 1 {
							p.say("+ ")
							line, _ := p.in.ReadString('\n')
							said += " " + strings.TrimSpace(line)
						}
					default:
						return false
					}
					p.say("%s OK in", tag)
					return true
				}
				ready := false
				w.run(func(c *Config) {
					c.Ready = func(context.Context) { ready = true }
					if test.token {
						c.Login.Token = func(context.Context) (string, error) { return "token", nil }
					}
				})
				if said != test.want || ready != (test.err == nil) {
					t.Errorf("said %q, want %q; ready: %v", said, test.want, ready)
				}
				if err := w.stop(); test.err != nil {
					wantErr(t, err, test.err)
				}
			})
		})
	}
}

// A token that is refused is answered as the mechanism wants, so that the refusal comes.
func TestTokenRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		s := &scripted{caps: "IMAP4rev1 SASL-IR AUTH=XOAUTH2"}
		w.scriptedServer(s)
		s.answer = func(p *peer, tag, command string) bool {
			if !strings.HasPrefix(command, "AUTHENTICATE") {
				return false
			}
			p.say("+ %s", base64.StdEncoding.EncodeToString([]byte(`{"status":"401"}`)))
			line, _ := p.in.ReadString('\n')
			p.say("%s BAD %s", tag, strings.TrimSpace(line))
			return true
		}
		w.run(func(c *Config) { c.Login.Token = func(context.Context) (string, error) { return "token", nil } })
		wantErr(t, w.stop(), ErrLogin)

		w.run(func(c *Config) {
			c.Login.Token = func(context.Context) (string, error) { return "", io.ErrUnexpectedEOF }
		})
		wantErr(t, w.stop(), io.ErrUnexpectedEOF)
	})
}

// Nothing of a session is logged but ids, at any level.
func TestNothingSecretIsLogged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.memServer()
		var out strings.Builder
		w.run(func(c *Config) {
			c.Logger = slog.New(slog.NewTextHandler(&out, &slog.HandlerOptions{Level: slog.LevelDebug - 10}))
		})
		w.put("INBOX", "1@x")
		w.want("1@x")
		_ = w.stop()
		for _, secret := range []string{password, "text of", "bob@", "1@x", base64.StdEncoding.EncodeToString([]byte("\x00alice\x00" + password))} {
			if strings.Contains(out.String(), secret) {
				t.Errorf("logged: %s", out.String())
			}
		}
	})
}

// encrypted is a server behind TLS.
func (w *world) encrypted(before func(c *bufio.ReadWriter) bool, s *scripted) (change func(*Config)) {
	front := httptest.NewTLSServer(nil) // for its certificate, of example.com
	front.Close()
	pool := x509.NewCertPool()
	pool.AddCert(front.Certificate())
	behind := newPipes()
	w.scriptedServerOn(behind, s)
	served := make(chan struct{})
	go func() {
		defer close(served)
		for {
			raw, err := w.pipes.Accept()
			if err != nil {
				return
			}
			if before != nil && !before(bufio.NewReadWriter(bufio.NewReader(raw), bufio.NewWriterSize(raw, 0))) {
				raw.Close()
				continue
			}
			secure := tls.Server(raw, &tls.Config{Certificates: front.TLS.Certificates})
			if secure.Handshake() != nil {
				raw.Close()
				continue
			}
			select {
			case behind.conns <- secure:
			case <-behind.done:
				secure.Close()
			}
		}
	}()
	w.t.Cleanup(func() {
		w.pipes.Close()
		<-served
	})
	return func(c *Config) {
		c.Server = Server{Host: "example.com"}
		c.TLS = &tls.Config{RootCAs: pool}
	}
}

func TestImplicitTLS(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		s := &scripted{}
		w.run(w.encrypted(nil, s))
		s.add(1, "1@x")
		time.Sleep(20 * time.Minute)
		w.want("1@x")
		_ = w.stop()

		w.run(func(c *Config) { c.Server = Server{Host: "example.com"} }) // a certificate that nobody vouches for
		var bad *tls.CertificateVerificationError
		if err := w.stop(); !errors.As(err, &bad) {
			t.Errorf("error: %v", err)
		}
		if n := s.asked("LOGIN"); n != 1 {
			t.Errorf("logged in %d times", n)
		}
	})
}

func startTLSAs(answer string) func(*bufio.ReadWriter) bool {
	return func(c *bufio.ReadWriter) bool {
		fmt.Fprintf(c, "* OK [CAPABILITY IMAP4rev1 STARTTLS LOGINDISABLED] hello\r\n")
		c.Flush()
		line, err := c.ReadString('\n')
		tag, command, _ := strings.Cut(strings.TrimSpace(line), " ")
		if err != nil || command != "STARTTLS" {
			return false
		}
		fmt.Fprintf(c, answer, tag)
		go c.Flush() // what comes too much is read only with the handshake
		return true
	}
}

func TestStartTLS(t *testing.T) {
	for _, test := range []struct {
		name, answer string
		err          error // nil: it works
	}{
		{"offered", "* OK by the way\r\n%s OK begin\r\n", nil},
		{"refused", "%s BAD what?\r\n", ErrInsecure},
		// What comes after the answer in the clear must not be taken for something that came through TLS (CVE-2011-0411).
		{"injected", "%s OK begin\r\n* OK [CAPABILITY IMAP4rev1 AUTH=PLAIN] injected\r\n", tls.RecordHeaderError{}},
		{"endless", "* OK %s" + strings.Repeat("x", maxGreeting) + "\r\n", errLine},
		{"many lines", "* OK %s\r\n" + strings.Repeat("* OK x\r\n", greetingLines), errTooMuch},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				s := &scripted{caps: "IMAP4rev1 IDLE AUTH=PLAIN SASL-IR"}
				change := w.encrypted(startTLSAs(test.answer), s)
				w.run(change, func(c *Config) { c.Server.Security = StartTLS })
				if test.err == nil {
					s.add(1, "1@x")
					time.Sleep(20 * time.Minute)
					w.want("1@x")
					return
				}
				err := w.stop()
				if header := (tls.RecordHeaderError{}); errors.As(test.err, &header) {
					if !errors.As(err, &header) {
						t.Fatalf("error: %v", err)
					}
				} else {
					wantErr(t, err, test.err)
				}
				if len(s.log) != 0 {
					t.Errorf("commands: %q", s.log)
				}
			})
		})
	}
}

// PREAUTH in the clear would skip both TLS and the login.
func TestStartTLSPreauth(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		s := &scripted{greeting: "* PREAUTH welcome"}
		w.scriptedServer(s)
		w.run(func(c *Config) { c.Server.Security = StartTLS })
		wantErr(t, w.stop(), errGarbage)
	})
}

func TestPlainOnlyHere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, host := range []string{"imap.example.org", "192.0.2.1", "localhost.example.org", "::2"} {
			w := newWorld(t)
			s := &scripted{}
			w.scriptedServer(s)
			w.run(func(c *Config) { c.Server.Host = host })
			wantErr(t, w.stop(), ErrInsecure)
			if len(s.log) > 0 {
				t.Errorf("%s: %q", host, s.log)
			}
		}
	})
}

func TestAddress(t *testing.T) {
	for want, s := range map[string]Server{
		"h:993":      {Host: "h"},
		"h:143":      {Host: "h", Security: StartTLS},
		"[::1]:1143": {Host: "::1", Port: 1143, Security: Plain},
	} {
		if got := s.address(); got != want {
			t.Errorf("%+v: %s", s, got)
		}
	}
}
