package email

import (
	"context"
	"crypto/x509"
	"encoding/pem"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-smtp"

	"gangway/core"
	"gangway/core/transporttest"
)

func TestSettings(t *testing.T) {
	for name, tt := range map[string]struct {
		keys map[string]any
		want string // in the error; empty: none
	}{
		"least":              {map[string]any{"domain": domain, "relay": "smtp://127.0.0.1:25"}, ""},
		"default port":       {map[string]any{"domain": domain, "relay": "smtp://localhost"}, ""},
		"no domain":          {map[string]any{"relay": "smtp://127.0.0.1:25"}, "domain is not set"},
		"bad domain":         {map[string]any{"domain": "not a domain", "relay": "smtp://127.0.0.1:25"}, "domain"},
		"no relay":           {map[string]any{"domain": domain}, ""},
		"hello":              {map[string]any{"domain": domain, "hello": "mx 1"}, "hello must be"},
		"direct port":        {map[string]any{"domain": domain, "direct_port": 70000}, "direct_port"},
		"lifetime":           {map[string]any{"domain": domain, "lifetime": 6 * 24 * time.Hour}, "lifetime"},
		"dns":                {map[string]any{"domain": domain, "dns": "9.9.9.9"}, "dns must be host:port"},
		"relay is no URL":    {map[string]any{"domain": domain, "relay": "smtp://u:secret@h h"}, "relay is not a URL"},
		"relay scheme":       {map[string]any{"domain": domain, "relay": "http://x"}, "smtp://host:port"},
		"relay path":         {map[string]any{"domain": domain, "relay": "smtp://x/y"}, "smtp://host:port"},
		"starttls":           {map[string]any{"domain": domain, "relay": "smtp://x", "starttls": "maybe"}, "starttls"},
		"open password":      {map[string]any{"domain": domain, "relay": "smtp://u:p@mail.example", "starttls": "offered"}, "without TLS"},
		"password":           {map[string]any{"domain": domain, "relay": "smtp://u:p@mail.example"}, ""},
		"receipt":            {map[string]any{"domain": domain, "relay": "smtp://x", "receipt": "sure"}, "receipt"},
		"size":               {map[string]any{"domain": domain, "relay": "smtp://x", "max_size": int64(1)}, "max_size"},
		"short key":          {map[string]any{"domain": domain, "relay": "smtp://x", "hmac_key": "x"}, "hmac_key"},
		"lmtp without port":  {map[string]any{"domain": domain, "relay": "smtp://x", "lmtp": "localhost"}, "lmtp"},
		"cert without key":   {map[string]any{"domain": domain, "relay": "smtp://x", "tls_cert": "x"}, "go together"},
		"cert that is a dir": {map[string]any{"domain": domain, "relay": "smtp://x", "tls_cert": "/", "tls_key": "/"}, "tls_cert"},
		"unknown key":        {map[string]any{"domain": domain, "relay": "smtp://x", "rely": "x"}, "unknown key"},
	} {
		_, err := Driver().New(transporttest.NewHost(t), decoder(tt.keys))
		if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want %q", name, err, tt.want)
		}
		if err != nil && strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: the password is in %v", name, err)
		}
	}
}

func TestOpen(t *testing.T) {
	g := start(t, nil, nil)
	for own, ok := range map[core.Address]bool{"alice@gw.example": true, "alice@GW.example": true, "alice@example.com": false, "alice": false, "": false} {
		a := alice
		a.Own = own
		if _, err := g.Open(a); (err == nil) != ok || err != nil && core.KindOf(err) != core.Invalid {
			t.Errorf("%q: %v", own, err)
		}
	}
}

func TestCertificateFiles(t *testing.T) {
	cert := certificate(t)
	key, err := x509.MarshalPKCS8PrivateKey(cert.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	files := map[string]*pem.Block{"cert": {Type: "CERTIFICATE", Bytes: cert.Certificate[0]}, "key": {Type: "PRIVATE KEY", Bytes: key}}
	for name, block := range files {
		if err := os.WriteFile(filepath.Join(dir, name), pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	g := start(t, map[string]any{"tls_cert": filepath.Join(dir, "cert"), "tls_key": filepath.Join(dir, "key")}, nil)
	d := g.dial(t, "smtp")
	d.expect("220")
	d.send("EHLO me")
	if got := d.expect("250"); !strings.Contains(got, "STARTTLS") {
		t.Error(got)
	}
}

func TestEnrol(t *testing.T) {
	g := start(t, nil, nil)
	e := core.TransportCapsOf(g.transport).Enroller
	ask := func(user core.UserID, current *core.Account, answers map[string]string) core.Step {
		t.Helper()
		step, err := e.Enroll(t.Context(), user, current, answers)
		if err != nil {
			t.Fatal(err)
		}
		return step
	}
	if step := ask("Carol.D@example.org", nil, nil); step.Done || step.Fields[0].Value != "carol.d" {
		t.Errorf("first step %+v", step)
	}
	if step := ask("zoë@example.org", nil, nil); step.Fields[0].Value != "" {
		t.Errorf("proposal %q", step.Fields[0].Value)
	}
	for _, bad := range []string{
		"", ".x", "x.", "a..b", "a b", "ä", "a@b", "a+b", "b=x", "postmaster", "Root", "noreply", "mailer-daemon", "alice", "ALICE",
		strings.Repeat("x", 64),
	} {
		if step := ask("carol@example.org", nil, map[string]string{"alias": bad}); step.Done || step.Text == "" || len(step.Fields) != 1 {
			t.Errorf("%q: %+v", bad, step)
		}
	}
	for _, good := range []string{"carol", "Carol", " carol@gw.example "} {
		step := ask("carol@example.org", nil, map[string]string{"alias": good})
		if !step.Done || step.Link == nil || step.Link.Own != "carol@gw.example" {
			t.Errorf("%q: %+v", good, step)
		}
	}
	if step := ask(alice.User, &alice, nil); step.Fields[0].Value != "alice" {
		t.Errorf("present alias %q", step.Fields[0].Value)
	}
	if step := ask(alice.User, &alice, map[string]string{"alias": "alice"}); !step.Done || step.Link.Name != alice.Name {
		t.Errorf("kept alias %+v", step)
	}
}

func TestCheck(t *testing.T) {
	relay := startRelay(t, func(s *smtp.Server) { s.MaxMessageBytes = 1000 })
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	go func() {
		for {
			c, err := taken.Accept()
			if err != nil {
				return
			}
			_, _ = c.Write([]byte("220 other.example ESMTP\r\n"))
			c.Close()
		}
	}()
	g := start(t, map[string]any{"relay": "smtp://" + relay.addr}, nil)
	find := func(name string) core.Finding {
		t.Helper()
		for _, f := range core.TransportCapsOf(g.transport).Checker.Check(context.Background()) {
			if f.Name == name {
				return f
			}
		}
		t.Fatalf("no finding %q", name)
		return core.Finding{}
	}
	if f := find("lmtp"); f.Err != nil || !strings.Contains(f.Text, "free") { // port 0
		t.Errorf("%+v", f)
	}
	g.settings.LMTP = g.bound["lmtp"].String()
	if f := find("lmtp"); f.Err != nil || !strings.Contains(f.Text, "gangway already") {
		t.Errorf("%+v", f)
	}
	g.settings.LMTP = taken.Addr().String()
	if f := find("lmtp"); f.Err == nil || f.Text == "" {
		t.Errorf("%+v", f)
	}
	if f := find("smtp tls"); !f.Warn {
		t.Errorf("%+v", f)
	}
	if f := find("relay"); f.Err != nil || !strings.Contains(f.Text, "DSN") || !strings.Contains(f.Text, "SIZE 1000") {
		t.Errorf("%+v", f)
	}
	relay.server.Close()
	if f := find("relay"); f.Err == nil || f.Text == "" {
		t.Errorf("%+v", f)
	}
	g.settings.LMTP, g.settings.SMTP = "", ""
	if f := find("listeners"); !f.Warn {
		t.Errorf("%+v", f)
	}
}
