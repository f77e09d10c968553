//go:build integration

package serverstest_test

import (
	"bytes"
	"crypto"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-msgauth/dkim"
	"github.com/emersion/go-smtp"

	"gangway/integration/servers"
	"gangway/integration/servers/serverstest"
)

// signed signs a message as a domain's, with a key of its own that is published.
func signed(t *testing.T, names *servers.DNS, raw []byte, domain, selector string, key crypto.Signer) []byte {
	t.Helper()
	var kind string
	var public []byte
	switch k := key.Public().(type) {
	case ed25519.PublicKey:
		kind, public = "ed25519", k
	default:
		var err error
		if public, err = x509.MarshalPKIXPublicKey(k); err != nil {
			t.Fatal(err)
		}
		kind = "rsa"
	}
	text := "v=DKIM1; k=" + kind + "; p=" + base64.StdEncoding.EncodeToString(public)
	half := len(text) / 2
	if err := names.Add(selector + "._domainkey." + domain + `. 60 IN TXT "` + text[:half] + `" "` + text[half:] + `"`); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	err := dkim.Sign(&out, bytes.NewReader(raw), &dkim.SignOptions{
		Domain: domain, Selector: selector, Signer: key, Hash: crypto.SHA256, HeaderCanonicalization: dkim.CanonicalizationRelaxed,
		BodyCanonicalization: dkim.CanonicalizationRelaxed,
	})
	if err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// TestJudges: a Postfix with OpenDKIM and OpenDMARC writes down whose mail it is.
func TestJudges(t *testing.T) {
	names := serverstest.DNS(t,
		`_dmarc.example.test. 60 IN TXT "v=DMARC1; p=reject"`,
		`_dmarc.forged.test. 60 IN TXT "v=DMARC1; p=reject"`)
	m := judged(t, names)
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	_, edKey, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	to := m.Address("bob")
	for name, c := range map[string]struct {
		from string
		raw  []byte
		want []string
	}{
		"rsa":     {"al@example.test", signed(t, names, note("al@example.test", to, "rsa"), "example.test", "r", rsaKey), []string{"dkim=pass", "dmarc=pass"}},
		"ed25519": {"al@example.test", signed(t, names, note("al@example.test", to, "ed25519"), "example.test", "e", edKey), []string{"dkim=pass", "dmarc=pass"}},
		"forged":  {"al@forged.test", note("al@forged.test", to, "forged"), []string{"dkim=none", "dmarc=fail"}},
		"changed": {"al@example.test", bytes.Replace(signed(t, names, note("al@example.test", to, "changed"), "example.test", "c", rsaKey), []byte("first"), []byte("other"), 1),
			[]string{"dkim=fail", "dmarc=fail"}},
	} {
		if err := m.Send(deadline(t), c.from, to, c.raw); err != nil {
			t.Fatal(err)
		}
		raw, err := m.WaitMessage(deadline(t), "bob", servers.Contains("Subject: "+name))
		if err != nil {
			t.Fatal(err)
		}
		for _, want := range c.want {
			if !strings.Contains(string(raw), want) {
				t.Errorf("%s: no %s in\n%s", name, want, raw)
			}
		}
	}
}

// judged is a mail system with both filters.
func judged(t *testing.T, names *servers.DNS) *servers.Mail {
	t.Helper()
	conf := servers.MilterConfig{Dir: serverstest.Dir(t), DNS: names, Name: "mx.mail.test"}
	openDKIM := serverstest.Start(t, servers.NewOpenDKIM, conf)
	conf.Dir = serverstest.Dir(t)
	openDMARC := serverstest.Start(t, servers.NewOpenDMARC, conf)
	return serverstest.Start(t, servers.NewMail, servers.MailConfig{
		Dir: serverstest.Dir(t), Users: people, Milters: []string{openDKIM.Addr(), openDMARC.Addr()},
	})
}

// TestPostgrey: who is unknown is put off, and let in when they come again.
func TestPostgrey(t *testing.T) {
	grey := serverstest.Start(t, servers.NewPostgrey, servers.PostgreyConfig{Dir: serverstest.Dir(t), Delay: 2 * time.Second})
	m := serverstest.Start(t, servers.NewMail, servers.MailConfig{Dir: serverstest.Dir(t), Users: people, Policy: grey.Addr()})
	from, to := "al@example.test", m.Address("bob")
	begun, refused := time.Now(), 0
	for {
		err := m.Send(deadline(t), from, to, note(from, to, "patience"))
		if err == nil {
			break
		}
		if se, ok := errors.AsType[*smtp.SMTPError](err); !ok || se.Code != 450 {
			t.Fatal(err)
		}
		if refused++; time.Since(begun) > time.Minute {
			t.Fatal("it is never let in")
		}
		time.Sleep(100 * time.Millisecond)
	}
	if refused == 0 || time.Since(begun) < time.Second { // it counts whole seconds
		t.Errorf("let in after %d times and %v", refused, time.Since(begun))
	}
}
