//go:build integration

package integration

import (
	"bytes"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"gangway/integration/servers"
	"gangway/transports/email/dkim"
)

// keysOf makes a domain's keys, RSA and Ed25519, and publishes them.
func (h *mailHouse) keysOf(t *testing.T, domain string) []dkim.Key {
	t.Helper()
	made, err := dkim.Keys{Dir: filepath.Join(h.dir, "dkim"), Domain: domain}.Make(time.Now())
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range made.Keys {
		record, err := dkim.Record(k.Signer.Public())
		if err != nil {
			t.Fatal(err)
		}
		for rest := record; len(rest) > 200; rest = rest[200:] { // a string has at most 255 bytes (RFC 1035 section 3.3)
			record = strings.Replace(record, rest[:200], rest[:200]+`" "`, 1)
		}
		if err := h.names.Add(dkim.Name(k.Selector, domain) + `. 60 IN TXT "` + record + `"`); err != nil {
			t.Fatal(err)
		}
	}
	return made.Keys
}

// Section 3.10: what we send is signed twice, and OpenDKIM and OpenDMARC find that it holds, hold or no hold.
func signsMail(s *mailStage) {
	text := "signed by " + s.Var("alias")
	s.says(s.peer("frank"), "s1", "<body>"+text+"\n.\nFrom the gateway, with = and é</body>")
	raw := string(s.mailTo("frank", text))
	results := strings.Join(regexp.MustCompile(`(?m)^Authentication-Results:.*\n([ \t].*\n)*`).FindAllString(strings.ReplaceAll(raw, "\r\n", "\n"), -1), "")
	for _, want := range []string{`dkim=pass .*header\.d=post\.gw .*header\.a=rsa-sha256`, `dkim=pass .*header\.d=post\.gw .*header\.a=ed25519-sha256`, `dmarc=pass .*header\.from=post\.gw`} {
		if !regexp.MustCompile(want).MatchString(results) {
			s.Errorf("no %s in\n%s", want, raw)
		}
	}
	s.wellFormed([]byte(raw))
}

// unverifiedMark is what stands above a mail that may be from anybody.
const unverifiedMark = "unverified sender"

// Section 3.10: behind a mail server that judges, its word is believed, and nobody else's who claims to be it.
func believesItsServer(s *mailStage) {
	const boss = "boss@bank.test"
	mail := func(subject, more string) []byte {
		return plainMail(boss, s.Var("mail"), subject+" "+s.Var("alias"), more, "this is "+subject)
	}
	sign := func(raw []byte) []byte {
		s.Helper()
		signed, err := dkim.Sign(raw, "bank.test", s.bank)
		if err != nil {
			s.Fatal(err)
		}
		return signed
	}
	const claim = "Authentication-Results: mx.mail.test; dkim=pass header.d=bank.test; spf=pass smtp.mailfrom=bank.test;\r\n dmarc=pass header.from=bank.test\r\n"
	for text, c := range map[string]struct {
		raw  []byte
		mark bool
	}{
		"this is good":    {sign(mail("good", "")), false},
		"this is changed": {bytes.Replace(sign(mail("whole", "")), []byte("this is whole"), []byte("this is changed"), 1), true},
		"this is forged":  {mail("forged", ""), true},
		"this is claimed": {mail("claimed", claim), true},
		"this is on top":  {append([]byte(claim), mail("on top", "")...), true},
	} {
		s.submit(servers.Envelope{From: boss, To: []string{s.Var("mail")}}, c.raw)
		if st := s.hears(boss, text); strings.Contains(st.Body(), unverifiedMark) != c.mark {
			s.Errorf("%s is shown as %q", text, st.Body())
		}
	}
}

// Section 3.10: the MX judges for itself: a signature of the domain is as good as a server of it.
func judgesAsMX(s *mailStage) {
	const boss = "boss@bank.test"
	signed, err := dkim.Sign(plainMail(boss, s.Var("mail"), "money "+s.Var("alias"), "", "from the bank"), "bank.test", s.bank)
	if err != nil {
		s.Fatal(err)
	}
	e := servers.Envelope{From: "bounces@exim.test", To: []string{s.Var("mail")}}
	changed := strings.Replace(string(signed), "from the bank", "from a thief", 1)
	if err := servers.Submit(s.ctx, s.smtp, e, []byte(changed)); err == nil || !strings.Contains(err.Error(), "DMARC") {
		s.Errorf("a changed mail: %v", err)
	}
	if err := servers.Submit(s.ctx, s.smtp, e, signed); err != nil {
		s.Fatal(err)
	}
	if st := s.hears(boss, "from the bank"); strings.Contains(st.Body(), unverifiedMark) {
		s.Errorf("a signed mail is shown as %q", st.Body())
	}
}
