package auth

import (
	"strings"
	"testing"
)

const ours = "mx.gw.example"

func field(value string) Field { return Field{"Authentication-Results", value} }

func TestTrusted(t *testing.T) {
	hop := Field{"Received", "from x by y"}
	for _, tt := range []struct {
		name   string
		header []Field
		want   Verdict
		spf    Value
	}{
		{"none", nil, Unknown, ""},
		{"dmarc", []Field{field(ours + "; dmarc=pass (p=reject) header.from=example.com")}, Verified, ""},
		{"dmarc of another", []Field{field(ours + "; dmarc=pass header.from=evil.example")}, Unverified, ""},
		{"dmarc fails", []Field{field(ours + "; spf=pass smtp.mailfrom=a@example.com; dmarc=fail header.from=example.com")}, Unverified, Pass},
		{"spf", []Field{field(ours + "; spf=pass smtp.mailfrom=bob@example.com")}, Verified, Pass},
		{"spf of another", []Field{field(ours + "; spf=pass smtp.mailfrom=bob@evil.example")}, Unverified, Pass},
		{"spf of helo", []Field{field(ours + "; spf=pass smtp.helo=mx.example.com")}, Verified, Pass},
		{"dkim", []Field{field(ours + "; dkim=pass (2048-bit key) header.d=example.com header.s=s")}, Verified, ""},
		{"dkim by identity", []Field{field(ours + "; dkim=pass header.i=@mail.example.com")}, Verified, ""},
		{"two of dkim", []Field{field(ours + "; dkim=fail header.d=example.com; dkim=pass header.d=example.com")}, Verified, ""},
		{"none of it", []Field{field(ours + "; none")}, Unknown, ""},
		{"another server", []Field{field("evil.example; dmarc=pass header.from=example.com")}, Unknown, ""},
		{"a server that begins like ours", []Field{field(ours + ".evil.example; dmarc=pass")}, Unknown, ""},
		{"ours in a comment", []Field{field("(" + ours + ") evil.example; dmarc=pass")}, Unknown, ""},
		{"another version", []Field{field(ours + " 2; dmarc=pass")}, Unknown, ""},
		{"version and case", []Field{field("MX.gw.EXAMPLE 1 ; DMARC = Pass ( comment (in (comment \\) ; spf=fail) ) ) ;")}, Verified, ""},
		{"hardfail", []Field{field(ours + "; spf=hardfail smtp.mailfrom=example.com")}, Unverified, Fail},
		{"a word that is no result", []Field{field(ours + "; dmarc=certainly")}, Unverified, ""},
		{"quoted", []Field{field(ours + `; spf=pass reason="a ; dmarc=pass b" smtp.mailfrom="b ob"@example.com`)}, Verified, Pass},
		{"forged below, same method", []Field{field(ours + "; dmarc=fail"), hop, field(ours + "; dmarc=pass")}, Unverified, ""},
		{"forged below, other method", []Field{hop, field(ours + "; spf=fail smtp.mailfrom=x.example"), hop, field(ours + "; dmarc=pass")}, Unverified, Fail},
		{"several of our own", []Field{field(ours + "; spf=fail"), hop, field(ours + "; dkim=pass header.d=example.com")}, Verified, Fail},
		{"below inner servers", []Field{hop, hop, field(ours + "; dmarc=pass"), hop}, Verified, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := Trusted(tt.header, ours, "example.com")
			if got.Verdict != tt.want || got.SPF.Value != tt.spf || got.Server != ours {
				t.Errorf("%+v, want %q, SPF %q", got, tt.want, tt.spf)
			}
		})
	}
}

func FuzzTrusted(f *testing.F) {
	f.Add("mx.gw.example; dmarc=pass header.from=example.com", "example.com")
	f.Add(`mx.gw.example 1; spf=pass (a (b) \) c) reason="x\"y" smtp.mailfrom="a b"@example.com; dkim/1=fail header.d=x`, "x")
	f.Add("((((((((((((((((((((((((", "")
	f.Add("mx.gw.example; dkim=pass header.i=@", ".")
	f.Fuzz(func(t *testing.T, value, from string) {
		r := Trusted([]Field{field(value)}, ours, from)
		if r.Verdict == Verified && !strings.Contains(strings.ToLower(value), "pass") {
			t.Errorf("%q is verified: %+v", value, r)
		}
		for _, c := range []Check{r.SPF, r.DKIM, r.DMARC, r.ARC} {
			if c.Value != "" && known(string(c.Value)) != c.Value || c.Domain != "" && !isHostname(c.Domain) || len(c.Reason) > maxReason {
				t.Errorf("%q: %+v", value, c)
			}
		}
	})
}

func FuzzVerify(f *testing.F) {
	f.Add([]byte("DKIM-Signature: v=1; a=rsa-sha256; d=example.com; s=s; h=from; bh=AAAA; b=AAAA\r\n" + letter))
	f.Add([]byte("DKIM-Signature: v=1; a=ed25519-sha256; c=relaxed/simple; d=example.com; i=@x.example.com; q=dns/txt:x; t=1; x=99999999999; s=s; h=from:from; bh=AAAA; b=AA AA\n\n" + letter))
	f.Add([]byte("From: a@example.com\n \n\r\nx"))
	k := ed25519Key(f)
	f.Add([]byte(k.sign(f, "example.com", letter)))
	z := zones{"s._domainkey.example.com.": text(k.record), "_dmarc.example.com.": text("v=DMARC1; p=reject")}
	f.Fuzz(func(t *testing.T, mail []byte) {
		r := verify(z, envelope, string(mail))
		if r.Verdict == Unknown || len(r.DKIM.Reason) > maxReason {
			t.Errorf("%+v", r)
		}
		if r.Verdict == Verified && !strings.Contains(strings.ToLower(string(mail)), "dkim-signature") {
			t.Errorf("verified without a signature: %+v", r)
		}
		if m := split(mail); len(m.fields) > maxFields {
			t.Errorf("%d fields", len(m.fields))
		}
	})
}

func FuzzPolicy(f *testing.F) {
	f.Add("v=DMARC1; p=reject; sp=none; pct=30; adkim=s; aspf=r; rua=mailto:x@example.com")
	f.Add("v=DMARC1;;p=;=;rua")
	f.Fuzz(func(t *testing.T, text string) {
		r := parseRecord(text)
		if r == nil {
			return
		}
		if r.percent < 0 || r.percent > 100 || policyWord(r.policy) == "" {
			t.Errorf("%q: %+v", text, r)
		}
		if got := r.asks("example.com", nil); policyWord(got) == "" {
			t.Errorf("%q asks for %q", text, got)
		}
	})
}
