package email

import (
	"bytes"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	msgauth "github.com/emersion/go-msgauth/dkim"

	"gangway/core"
	"gangway/transports/email/dkim"
)

// What goes out is signed by both keys, the trace above the signed fields does not matter, and the relay gets it so.
func TestSignedOnItsWay(t *testing.T) {
	relay := startRelay(t, nil)
	dir := t.TempDir()
	keys := dkim.Keys{Dir: dir, Domain: domain}
	g, err := keys.Make(time.Now())
	if err != nil {
		t.Fatal(err)
	}
	records := map[string]string{}
	for _, k := range g.Keys {
		if records[dkim.Name(k.Selector, domain)], err = dkim.Record(k.Signer.Public()); err != nil {
			t.Fatal(err)
		}
	}
	gw := start(t, map[string]any{"relay": "smtp://" + relay.addr, "dkim_keys": dir}, nil)
	for _, change := range []func(*core.Message){
		func(*core.Message) {}, func(m *core.Message) { m.Text = "*Grüße* " + strings.Repeat("lang ", 100) + "\n\n\n.\nFrom here" },
		func(m *core.Message) { m.Subject = strings.Repeat("Wörter ", 60) },
	} {
		m := note("hello")
		change(m)
		if _, err := gw.session(t).Send(t.Context(), m); err != nil {
			t.Fatal(err)
		}
		got := <-relay.mails
		all, err := msgauth.VerifyWithOptions(strings.NewReader(got.mail), &msgauth.VerifyOptions{LookupTXT: func(name string) ([]string, error) {
			if r, ok := records[name]; ok {
				return []string{r}, nil
			}
			return nil, fmt.Errorf("no such name %s", name)
		}})
		if err != nil || len(all) != 2 || all[0].Err != nil || all[1].Err != nil || all[0].Domain != domain {
			t.Errorf("%+v, %v in\n%s", all, err, got.mail)
		}
		if !gw.traced(t.Context(), []byte(got.mail)) {
			t.Errorf("no trace in\n%s", got.mail)
		}
	}
	if f := gw.checkDKIM(); f.Err != nil || !strings.Contains(f.Text, g.Keys[0].Selector+" and "+g.Keys[1].Selector) {
		t.Errorf("%+v", f)
	}
}

// Mail that cannot be signed waits; where nothing is to be signed it goes.
func TestKeysThatCannotBeRead(t *testing.T) {
	relay := startRelay(t, nil)
	dir := t.TempDir()
	if err := os.MkdirAll(dir+"/"+domain, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(dir+"/"+domain+"/signing", []byte("g20261124\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	g := start(t, map[string]any{"relay": "smtp://" + relay.addr, "dkim_keys": dir}, nil)
	_, err := g.session(t).Send(t.Context(), note("hello"))
	if e := core.AsError(err); e == nil || !e.Kind.Retried() || e.Sentence() == "" {
		t.Errorf("%v", err)
	}
	if f := g.checkDKIM(); f.Err == nil || f.Warn {
		t.Errorf("%+v", f)
	}
	for _, keys := range []string{noDKIM, t.TempDir()} {
		g = start(t, map[string]any{"relay": "smtp://" + relay.addr, "dkim_keys": keys}, nil)
		if _, err := g.session(t).Send(t.Context(), note("hello")); err != nil {
			t.Error(err)
		}
		if got := <-relay.mails; bytes.Contains([]byte(got.mail), []byte("DKIM-Signature")) {
			t.Errorf("signed:\n%s", got.mail)
		}
		if f := g.checkDKIM(); f.Warn != (keys != noDKIM) {
			t.Errorf("%+v", f)
		}
	}
}
