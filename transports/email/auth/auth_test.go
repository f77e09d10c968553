package auth

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"net"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/emersion/go-msgauth/dkim"
	"github.com/foxcpp/go-mockdns"
)

const letter = "From: Bob <bob@example.com>\r\nTo: alice@gw.example\r\nSubject: hello\r\nDate: Mon, 2 Nov 2026 03:04:05 +0000\r\n" +
	"Message-ID: <1@example.com>\r\n\r\nHello.\r\n"

// key is a signing key with its record.
type key struct {
	signer crypto.Signer
	record string
}

func ed25519Key(t testing.TB) key {
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key{private, "v=DKIM1; k=ed25519; p=" + base64.StdEncoding.EncodeToString(public)}
}

func rsaKey(t testing.TB, bits int) key {
	t.Setenv("GODEBUG", "rsa1024min=0") // to make one that is too short
	private, err := rsa.GenerateKey(rand.Reader, bits)
	if err != nil {
		t.Fatal(err)
	}
	public, err := x509.MarshalPKIXPublicKey(&private.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	return key{private, "v=DKIM1; k=rsa; p=" + base64.StdEncoding.EncodeToString(public)}
}

// sign puts a signature of a domain on a mail.
func (k key) sign(t testing.TB, domain, mail string) string {
	t.Helper()
	var b bytes.Buffer
	err := dkim.Sign(&b, strings.NewReader(mail), &dkim.SignOptions{
		Domain: domain, Selector: "s", Signer: k.signer,
		HeaderCanonicalization: dkim.CanonicalizationRelaxed, BodyCanonicalization: dkim.CanonicalizationRelaxed,
		HeaderKeys: []string{"From", "To", "Subject"},
	})
	if err != nil {
		t.Fatal(err)
	}
	return b.String()
}

type zones map[string]mockdns.Zone

func (z zones) verifier() *Verifier { return &Verifier{Resolver: &mockdns.Resolver{Zones: z}} }

func text(records ...string) mockdns.Zone { return mockdns.Zone{TXT: records} }

var envelope = Envelope{IP: netip.MustParseAddr("192.0.2.1"), Helo: "mx.example.com", From: "bob@example.com"}

func verify(z zones, e Envelope, mail string, from ...string) Result {
	if from == nil {
		from = []string{"example.com"}
	}
	return z.verifier().Verify(context.Background(), e, from, []byte(mail))
}

func TestSPF(t *testing.T) {
	broken := mockdns.Zone{Err: errors.New("no answer")}
	for _, tt := range []struct {
		name string
		z    zones
		e    Envelope
		want Value
		of   string
	}{
		{"no record", zones{}, envelope, None, "example.com"},
		{"pass", zones{"example.com.": text("v=spf1 ip4:192.0.2.0/24 -all")}, envelope, Pass, "example.com"},
		{"fail", zones{"example.com.": text("v=spf1 ip4:198.51.100.0/24 -all")}, envelope, Fail, "example.com"},
		{"softfail", zones{"example.com.": text("v=spf1 ~all")}, envelope, SoftFail, "example.com"},
		{"neutral", zones{"example.com.": text("v=spf1 ?all")}, envelope, Neutral, "example.com"},
		{"two records", zones{"example.com.": text("v=spf1 +all", "v=spf1 +all")}, envelope, PermError, "example.com"},
		{"no answer", zones{"example.com.": broken}, envelope, TempError, "example.com"},
		{
			"a bounce goes by HELO", zones{"mx.example.com.": text("v=spf1 ip4:192.0.2.1 -all")},
			Envelope{IP: envelope.IP, Helo: "mx.example.com"}, Pass, "mx.example.com",
		},
		{"HELO that is no name", zones{}, Envelope{IP: envelope.IP, Helo: "[192.0.2.1]"}, None, ""},
		{"HELO without a dot", zones{}, Envelope{IP: envelope.IP, Helo: "localhost"}, None, ""},
		{"quoted sender", zones{"example.com.": text("v=spf1 +all")}, Envelope{envelope.IP, "x.example", "a@evil.example@example.com"}, Pass, "example.com"},
		{"IPv4 in IPv6", zones{"example.com.": text("v=spf1 ip4:192.0.2.1 -all")}, Envelope{netip.MustParseAddr("::ffff:192.0.2.1"), "x.example", "b@example.com"}, Pass, "example.com"},
		{"endless include", zones{"example.com.": text("v=spf1 include:example.com -all")}, envelope, PermError, "example.com"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := verify(tt.z, tt.e, letter).SPF
			if got.Value != tt.want || got.Domain != tt.of {
				t.Errorf("%+v, want %s of %q", got, tt.want, tt.of)
			}
		})
	}
}

func TestDKIM(t *testing.T) {
	good, other, short := rsaKey(t, 2048), ed25519Key(t), rsaKey(t, 768)
	signed := good.sign(t, "example.com", letter)
	keys := func(k key) zones { return zones{"s._domainkey.example.com.": text(k.record)} }
	huge := text("v=DKIM1; k=rsa; n=" + strings.Repeat("x", maxKeyText) + "; p=" + good.record[len("v=DKIM1; k=rsa; p="):])
	for _, tt := range []struct {
		name   string
		z      zones
		mail   string
		want   Value
		reason string
	}{
		{"unsigned", zones{}, letter, None, ""},
		{"rsa", keys(good), signed, Pass, ""},
		{"ed25519", keys(other), other.sign(t, "example.com", letter), Pass, ""},
		{"rsa of 768 bits", keys(short), short.sign(t, "example.com", letter), PermError, "too short"},
		{"sha1", keys(good), strings.Replace(signed, "a=rsa-sha256", "a=rsa-sha1", 1), PermError, "weak"},
		{"length", keys(good), strings.Replace(signed, "a=rsa-sha256;", "a=rsa-sha256; l=7;", 1), Fail, "body length"},
		{"text was changed", keys(good), strings.Replace(signed, "Hello.", "Hello!", 1), Fail, "body hash"},
		{"subject was changed", keys(good), strings.Replace(signed, "hello", "hullo", 1), Fail, "did not verify"},
		{"no key", zones{}, signed, PermError, "no key"},
		{"wrong key", keys(other), signed, PermError, "inappropriate key"},
		{"two keys", zones{"s._domainkey.example.com.": text(good.record, good.record)}, signed, PermError, "multiple"},
		{"huge key", zones{"s._domainkey.example.com.": huge}, signed, PermError, "no valid key"},
		{"no answer", zones{"s._domainkey.example.com.": {Err: errors.New("no answer")}}, signed, TempError, "unavailable"},
		{"selector that is no name", zones{}, strings.Replace(signed, " s=s;", " s=s/../x;", 1), PermError, "no key"},
		{"from not signed", keys(good), strings.Replace(signed, "h=From:", "h=Xrom:", 1), PermError, "From field not signed"},
		{"not a signature", zones{}, "DKIM-Signature: nonsense\r\n" + letter, PermError, "malformed"},
		{"signs signatures", keys(good), strings.Replace(signed, "h=From:", "h=DKIM-Signature:From:", 1), Policy, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := verify(tt.z, envelope, tt.mail).DKIM
			if got.Value != tt.want || !strings.Contains(got.Reason, tt.reason) {
				t.Errorf("%+v, want %s, %q", got, tt.want, tt.reason)
			}
		})
	}
}

// TestManySignatures: only five are looked at, and the ones that count are among them wherever they stand.
func TestManySignatures(t *testing.T) {
	k := ed25519Key(t)
	mail := k.sign(t, "example.com", letter)
	for range 50 {
		mail = strings.Replace(ed25519Key(t).sign(t, "evil.example", letter), letter, "", 1) + mail
	}
	var asked atomic.Int64
	z := zones{"s._domainkey.example.com.": text(k.record), "_dmarc.example.com.": text("v=DMARC1; p=reject")}
	v := &Verifier{Resolver: counting{&mockdns.Resolver{Zones: z}, &asked}}
	r := v.Verify(context.Background(), envelope, []string{"example.com"}, []byte(mail))
	if r.Verdict != Verified || r.DKIM.Domain != "example.com" {
		t.Errorf("%+v", r)
	}
	if n := asked.Load(); n > maxSignatures+3 {
		t.Errorf("%d questions to DNS", n)
	}
}

type counting struct {
	Resolver
	n *atomic.Int64
}

func (c counting) LookupTXT(ctx context.Context, name string) ([]string, error) {
	c.n.Add(1)
	return c.Resolver.LookupTXT(ctx, name)
}

// TestLongHeader: a field beyond those that are looked at might be the one that is signed.
func TestLongHeader(t *testing.T) {
	k := ed25519Key(t)
	signed := k.sign(t, "example.com", letter)
	mail := "From: The Boss <boss@example.com>\r\n" + strings.Repeat("X: y\r\n", maxFields) + signed
	r := verify(zones{"s._domainkey.example.com.": text(k.record), "_dmarc.example.com.": text("v=DMARC1; p=reject")}, envelope, mail)
	if r.Verdict != Rejected {
		t.Errorf("%+v", r)
	}
}

func TestDMARC(t *testing.T) {
	k := ed25519Key(t)
	const pass = "v=spf1 ip4:192.0.2.1 -all"
	for _, tt := range []struct {
		name    string
		z       zones
		from    string // domain of From; example.com if empty
		by      string // domain of the signature; none if empty
		verdict Verdict
		dmarc   Value
		policy  string
	}{
		{"nothing at all", zones{}, "", "", Unverified, None, ""},
		{"no policy, SPF", zones{"example.com.": text(pass)}, "", "", Verified, None, ""},
		{"no policy, signature", zones{}, "", "example.com", Verified, None, ""},
		{"no policy, signature of another", zones{}, "", "evil.example", Unverified, None, ""},
		{"reject", zones{"_dmarc.example.com.": text("v=DMARC1; p=reject")}, "", "", Rejected, Fail, "reject"},
		{"quarantine", zones{"_dmarc.example.com.": text("v=DMARC1; p=quarantine")}, "", "", Unverified, Fail, "quarantine"},
		{"none", zones{"_dmarc.example.com.": text("v=DMARC1; p=none")}, "", "", Unverified, Fail, "none"},
		{"pass by SPF", zones{"example.com.": text(pass), "_dmarc.example.com.": text("v=DMARC1; p=reject")}, "", "", Verified, Pass, "reject"},
		{"pass by DKIM", zones{"_dmarc.example.com.": text("v=DMARC1; p=reject")}, "", "example.com", Verified, Pass, "reject"},
		{"signed by another", zones{"_dmarc.example.com.": text("v=DMARC1; p=reject")}, "", "evil.example", Rejected, Fail, "reject"},
		{"subdomain signs, relaxed", zones{"_dmarc.example.com.": text("v=DMARC1; p=reject")}, "", "mail.example.com", Verified, Pass, "reject"},
		{"subdomain signs, strict", zones{"_dmarc.example.com.": text("v=DMARC1; p=reject; adkim=s")}, "", "mail.example.com", Rejected, Fail, "reject"},
		{"SPF of organisation, relaxed", zones{"example.com.": text(pass), "_dmarc.example.com.": text("v=DMARC1; p=reject")}, "news.example.com", "", Verified, Pass, "reject"},
		{"SPF of organisation, strict", zones{"example.com.": text(pass), "_dmarc.example.com.": text("v=DMARC1; p=reject; aspf=s")}, "news.example.com", "", Rejected, Fail, "reject"},
		{"policy of organisation", zones{"_dmarc.example.com.": text("v=DMARC1; p=reject")}, "news.example.com", "", Rejected, Fail, "reject"},
		{"policy for subdomains", zones{"_dmarc.example.com.": text("v=DMARC1; p=reject; sp=none")}, "news.example.com", "", Unverified, Fail, "none"},
		{"policy of the subdomain itself", zones{"_dmarc.news.example.com.": text("v=DMARC1; p=none; sp=reject")}, "news.example.com", "", Unverified, Fail, "none"},
		{"public suffix is no organisation", zones{"_dmarc.co.uk.": text("v=DMARC1; p=reject")}, "a.co.uk", "b.co.uk", Unverified, None, ""},
		{"other public suffixes", zones{"_dmarc.a.github.io.": text("v=DMARC1; p=reject")}, "a.github.io", "b.github.io", Rejected, Fail, "reject"},
		{"two records are none", zones{"_dmarc.example.com.": text("v=DMARC1; p=reject", "v=DMARC1; p=reject")}, "", "", Unverified, None, ""},
		{"other text beside it", zones{"_dmarc.example.com.": text("verification=1", "v=DMARC1; p=reject")}, "", "", Rejected, Fail, "reject"},
		{"broken policy with reports", zones{"_dmarc.example.com.": text("v=DMARC1; p=rejct; rua=mailto:x@example.com")}, "", "", Unverified, Fail, "none"},
		{"broken policy", zones{"_dmarc.example.com.": text("v=DMARC1; p=rejct")}, "", "", Unverified, None, ""},
		{"nonsense in it", zones{"_dmarc.example.com.": text("v=DMARC1 ; ;; fo ; rf=x; p = Reject; pct=200; adkim")}, "", "", Rejected, Fail, "reject"},
		{"pct=0 of reject", zones{"_dmarc.example.com.": text("v=DMARC1; p=reject; pct=0")}, "", "", Unverified, Fail, "quarantine"},
		{"pct=0 of quarantine", zones{"_dmarc.example.com.": text("v=DMARC1; p=quarantine; pct=0")}, "", "", Unverified, Fail, "none"},
		{"no answer about the policy", zones{"_dmarc.example.com.": {Err: errors.New("x")}}, "", "", Unverified, TempError, ""},
		{"no answer about the policy, but signed", zones{"_dmarc.example.com.": {Err: errors.New("x")}}, "", "example.com", Verified, TempError, ""},
		{"no answer that would decide", zones{"example.com.": {Err: errors.New("x")}, "_dmarc.example.com.": text("v=DMARC1; p=reject")}, "", "", Deferred, TempError, "reject"},
		{"no answer that would not", zones{"example.com.": {Err: errors.New("x")}, "_dmarc.example.com.": text("v=DMARC1; p=none")}, "", "", Unverified, TempError, "none"},
		{"no answer, but signed", zones{"example.com.": {Err: errors.New("x")}, "_dmarc.example.com.": text("v=DMARC1; p=reject")}, "", "example.com", Verified, Pass, "reject"},
		{
			"no answer about another's signature",
			zones{"s._domainkey.evil.example.": {Err: errors.New("x")}, "_dmarc.example.com.": text("v=DMARC1; p=reject")},
			"", "evil.example", Rejected, Fail, "reject",
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			mail, from := letter, tt.from
			if from == "" {
				from = "example.com"
			}
			mail = strings.Replace(mail, "bob@example.com", "bob@"+from, 1)
			if tt.by != "" {
				mail = k.sign(t, tt.by, mail)
				if name := "s._domainkey." + tt.by + "."; tt.z[name].Err == nil {
					tt.z[name] = text(k.record)
				}
			}
			r := verify(tt.z, envelope, mail, from)
			if r.Verdict != tt.verdict || r.DMARC.Value != tt.dmarc || r.Policy != tt.policy {
				t.Errorf("%+v, want %s %s %q", r, tt.verdict, tt.dmarc, tt.policy)
			}
		})
	}
}

// TestPercent: which mails a policy is used on depends on the mail only, and their share is right.
func TestPercent(t *testing.T) {
	r := &record{domain: "example.com", policy: askReject, percent: 30}
	rejected := 0
	for i := range 1000 {
		mail := []byte(strings.Repeat("x", i))
		first := r.asks("example.com", mail)
		if first != r.asks("example.com", mail) {
			t.Fatal("a mail that is tried again meets with something else")
		}
		if first == askReject {
			rejected++
		}
	}
	if rejected < 230 || rejected > 370 {
		t.Errorf("%d of 1000 are rejected, of 30 %%", rejected)
	}
}

// TestOneFrom: RFC 7489 section 6.6.1.
func TestOneFrom(t *testing.T) {
	for _, tt := range []struct {
		name, mail string
		from       []string
		want       Verdict
	}{
		{"none", strings.Replace(letter, "From:", "X-From:", 1), nil, Rejected},
		{"two", "From: eve@evil.example\r\n" + letter, []string{"evil.example", "example.com"}, Rejected},
		{"two, one with a blank", "From : eve@evil.example\r\n" + letter, []string{"evil.example", "example.com"}, Rejected},
		{"two domains in one", letter, []string{"example.com", "evil.example"}, Rejected},
		{"two of a domain", letter, []string{"example.com", "example.com"}, Unverified},
		{"no sender in it", letter, []string{}, Rejected},
	} {
		if got := verify(zones{}, envelope, tt.mail, tt.from...); got.Verdict != tt.want && (tt.from != nil || tt.name != "none") {
			t.Errorf("%s: %+v, want %s", tt.name, got, tt.want)
		}
	}
	if got := verify(zones{}, envelope, strings.Replace(letter, "From:", "X-From:", 1)); got.Verdict != Rejected {
		t.Errorf("without From: %+v", got)
	}
}

// stuck never answers.
type stuck struct{ asked atomic.Int64 }

func (s *stuck) wait(ctx context.Context) error {
	s.asked.Add(1)
	<-ctx.Done()
	return ctx.Err()
}

func (s *stuck) LookupTXT(ctx context.Context, _ string) ([]string, error) { return nil, s.wait(ctx) }
func (s *stuck) LookupMX(ctx context.Context, _ string) ([]*net.MX, error) { return nil, s.wait(ctx) }
func (s *stuck) LookupIPAddr(ctx context.Context, _ string) ([]net.IPAddr, error) {
	return nil, s.wait(ctx)
}
func (s *stuck) LookupAddr(ctx context.Context, _ string) ([]string, error) { return nil, s.wait(ctx) }

func TestStuckDNS(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		mail := letter
		for range 20 {
			mail = "DKIM-Signature: v=1; a=rsa-sha256; d=example.com; s=s; h=from; bh=AAAA; b=AAAA\r\n" + mail
		}
		began := time.Now()
		v := &Verifier{Resolver: new(stuck)}
		r := v.Verify(t.Context(), envelope, []string{"example.com"}, []byte(mail))
		if r.SPF.Value != TempError || r.DKIM.Value != TempError || r.DMARC.Value != TempError || r.Verdict != Unverified {
			t.Errorf("%+v", r)
		}
		if d := time.Since(began); d > verifyTime+time.Second {
			t.Errorf("took %s", d)
		}
	})
}

// hostile answers everything with too much of everything, and leads on.
type hostile struct{ asked atomic.Int64 }

func (h *hostile) LookupTXT(context.Context, string) ([]string, error) {
	n := h.asked.Add(1)
	var all []string
	for range 5000 {
		all = append(all, strings.Repeat("z", 10_000))
	}
	next := "a" + strings.Repeat("b", int(n%50)) + ".example"
	return append([]string{"v=spf1 include:" + next + " mx ptr exists:%{l}.%{d}." + next + " redirect=" + next}, all...), nil
}

func (h *hostile) LookupMX(context.Context, string) ([]*net.MX, error) {
	h.asked.Add(1)
	all := make([]*net.MX, 10_000)
	for i := range all {
		all[i] = &net.MX{Host: strings.Repeat("m", 300), Pref: 1}
	}
	return all, nil
}

func (h *hostile) LookupIPAddr(context.Context, string) ([]net.IPAddr, error) {
	h.asked.Add(1)
	return make([]net.IPAddr, 10_000), nil
}

func (h *hostile) LookupAddr(context.Context, string) ([]string, error) {
	h.asked.Add(1)
	return make([]string, 10_000), nil
}

func TestHostileDNS(t *testing.T) {
	dns := new(hostile)
	v := &Verifier{Resolver: dns}
	r := v.Verify(context.Background(), envelope, []string{"example.com"}, []byte(letter))
	if n := dns.asked.Load(); n > maxLookups {
		t.Errorf("%d questions", n)
	}
	if r.Verdict != Unverified || len(r.SPF.Reason) > maxReason {
		t.Errorf("%+v", r)
	}
}
