package email

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/foxcpp/go-mockdns"

	"gangway/core"
	"gangway/core/transporttest"
	"gangway/transports/email/auth"
	"gangway/transports/email/mime"
)

// verifying is a gateway whose SMTP listener verifies, and whose DNS has these TXT records.
func verifying(t *testing.T, keys map[string]any, texts map[string]string) *gateway {
	t.Helper()
	zones := map[string]mockdns.Zone{}
	for name, text := range texts {
		if text == "" {
			zones[name+"."] = mockdns.Zone{Err: errors.New("no answer")}
			continue
		}
		zones[name+"."] = mockdns.Zone{TXT: []string{text}}
	}
	all := map[string]any{"verify": verifyReject}
	for k, v := range keys {
		all[k] = v
	}
	return start(t, all, func(tr *transport) {
		tr.verifier = &auth.Verifier{Resolver: &mockdns.Resolver{Zones: zones}}
	})
}

func TestVerification(t *testing.T) {
	const unverified = markUnverified + "\n*hi*\nhello"
	spf := "v=spf1 ip4:127.0.0.1 -all"
	for _, tt := range []struct {
		name  string
		keys  map[string]any
		dns   map[string]string
		raw   string
		want  string // answer
		shown string
	}{
		{"nothing known", nil, nil, mail, "250", unverified},
		{"it passes", nil, map[string]string{"example.com": spf}, mail, "250", "*hi*\nhello"},
		{"reject", nil, map[string]string{"_dmarc.example.com": "v=DMARC1; p=reject"}, mail, "550 5.7.1", ""},
		{"quarantine", nil, map[string]string{"_dmarc.example.com": "v=DMARC1; p=quarantine"}, mail, "250", unverified},
		{"DNS is away, and would decide", nil, map[string]string{"_dmarc.example.com": "v=DMARC1; p=reject", "example.com": ""}, mail, "451 4.7.0", ""},
		{"DNS is away, and would not", nil, map[string]string{"example.com": ""}, mail, "250", unverified},
		{"our own domain", nil, nil, strings.Replace(mail, "bob@example.com", "alice@gw.example", 1), "550 5.7.1", ""},
		{"two senders", nil, nil, "From: eve@evil.example\r\n" + mail, "550 5.7.1", ""},
		{"no sender", nil, nil, strings.Replace(mail, "From: bob@example.com\r\n", "", 1), "550 5.7.1", ""},
		{"broken signature", nil, nil, "DKIM-Signature: v=1; a=rsa-sha256; d=example.com; s=x; h=from; bh=AAAA; b=BBBB\r\n" + mail, "250", unverified},
		{"only marked", map[string]any{"verify": verifyMark}, map[string]string{"_dmarc.example.com": "v=DMARC1; p=reject"}, mail, "250", unverified},
		{"not even that", map[string]any{"show_unverified": false}, nil, mail, "250", "*hi*\nhello"},
		{"nobody looks", map[string]any{"verify": verifyOff}, map[string]string{"_dmarc.example.com": "v=DMARC1; p=reject"}, mail, "250", "*hi*\nhello"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			g := verifying(t, tt.keys, tt.dns)
			if got := g.deliverMail(t, "bob@example.com", "alice@gw.example", tt.raw); !strings.HasPrefix(got, tt.want) {
				t.Fatalf("answer %q, want %s", got, tt.want)
			}
			if tt.shown != "" {
				g.host.WaitMessage(tt.shown)
			} else if n := len(g.messages()); n != 0 {
				t.Errorf("%d messages of a refused mail", n)
			}
		})
	}
}

// TestBounceIsNotVerified: a report about a mail of ours comes to an address that nobody else knows.
func TestBounceIsNotVerified(t *testing.T) {
	g := verifying(t, nil, map[string]string{"_dmarc.example.com": "v=DMARC1; p=reject"})
	v, err := g.envelopes(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	to := v.local(core.NewID(), time.Now()) + "@gw.example"
	if got := g.deliverMail(t, "", to, mail); !strings.HasPrefix(got, "250") {
		t.Error(got)
	}
}

// TestUserChoosesMarks: for everything, and for one conversation.
func TestUserChoosesMarks(t *testing.T) {
	g := verifying(t, nil, nil)
	for i, tt := range []struct {
		own  map[string]string
		want bool
	}{
		{nil, true},
		{map[string]string{"unverified": "false"}, false},
		{map[string]string{"unverified bob@example.com": "false"}, false},
		{map[string]string{"unverified": "false", "unverified bob@example.com": "true"}, true},
		{map[string]string{"unverified carol@example.com": "false"}, true},
	} {
		g.host.Choose(core.Preferences{Own: tt.own})
		raw := strings.Replace(mail, "<m1@", "<m"+string(rune('a'+i))+"@", 1)
		if got := g.deliverMail(t, "bob@example.com", "alice@gw.example", raw); !strings.HasPrefix(got, "250") {
			t.Fatal(got)
		}
		all := g.messages()
		if got := strings.Contains(all[len(all)-1].Text, markUnverified); len(all) != i+1 || got != tt.want {
			t.Errorf("%v: marked %v", tt.own, got)
		}
	}
}

// TestBehindAServer: there the server's Authentication-Results count, and nothing is refused, since it would bounce.
func TestBehindAServer(t *testing.T) {
	const ar = "Authentication-Results: "
	for _, tt := range []struct {
		name, server, header string
		marked               bool
	}{
		{"no server is believed", "", ar + "mx.gw.example; dmarc=fail\r\n", false},
		{"it passes", "mx.gw.example", ar + "mx.gw.example;\r\n dmarc=pass header.from=example.com\r\n", false},
		{"it fails", "mx.gw.example", ar + "mx.gw.example; dmarc=fail header.from=example.com\r\n", true},
		{"another says that it passes", "mx.gw.example", ar + "evil.example; dmarc=pass header.from=example.com\r\n", true},
		{"nobody says anything", "mx.gw.example", "", true},
		{"ours and then another", "mx.gw.example", ar + "mx.gw.example; dmarc=fail\r\nReceived: by mx\r\nReceived: by evil\r\n" + ar + "mx.gw.example; dmarc=pass\r\n", true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			g := start(t, map[string]any{"authserv_id": tt.server}, nil)
			d := g.hello(t, "lmtp")
			d.transaction("bob@example.com", "alice@gw.example")
			d.send(tt.header+mail, ".")
			d.expect("250")
			if got := strings.Contains(g.messages()[0].Text, markUnverified); got != tt.marked {
				t.Errorf("marked: %v", got)
			}
		})
	}
}

// TestForgedRetraction: a mail that may be from anybody takes nothing back, and changes nothing.
func TestForgedRetraction(t *testing.T) {
	for _, field := range []string{deleteField, editField} {
		g := verifying(t, nil, nil)
		forged := strings.Replace(mail, "<m1@example.com>", "<m2@example.com>\r\n"+field+": <m1@example.com>", 1)
		for _, raw := range []string{mail, forged} {
			if got := g.deliverMail(t, "bob@example.com", "alice@gw.example", raw); !strings.HasPrefix(got, "250") {
				t.Fatal(got)
			}
		}
		all := g.messages()
		if len(all) != 2 || all[1].Replaces.Known() {
			t.Errorf("%s: %d messages", field, len(all))
		}
		for _, e := range g.host.Events() {
			if _, ok := e.(*core.Retraction); ok {
				t.Errorf("%s: taken back", field)
			}
		}
	}
}

func TestTricks(t *testing.T) {
	for _, tt := range []struct{ from, name, trick string }{
		{"Bob Smith <bob@example.com>", "Bob Smith", ""},
		{"\"bob@example.com\" <bob@example.com>", "", ""},
		{"\"boss@bank.example\" <bob@example.com>", "", trickAddress},
		{"\"The Boss boss@bank.example\" <bob@example.com>", "", trickAddress},
		{"=?utf-8?B?Ym9zc++8oGJhbmsuZXhhbXBsZQ==?= <bob@example.com>", "", trickAddress}, // a wide @
		{"=?utf-8?Q?P=D0=B0yPal?= <bob@example.com>", "", trickAlphabet},                 // a Cyrillic a
		{"=?utf-8?Q?=D0=98=D0=B2=D0=B0=D0=BD?= Smith <bob@example.com>", "Иван Smith", ""},
		{"=?utf-8?Q?=E2=80=AEknab?= <bob@example.com>", "", trickOrder},
		{"=?utf-8?B?5bGx55Sw?= =?utf-8?Q?_Taro?= <bob@example.com>", "山田 Taro", ""},
		{"Bob <bob@p\u0430ypal.example>", "", trickDomain},
	} {
		l := readLetter([]byte("From: "+tt.from+"\r\nMessage-ID: <1@x.example>\r\n\r\nx"), "", today)
		if l.name != tt.name || strings.Join(l.tricks, " ") != tt.trick {
			t.Errorf("%s: name %q, tricks %q, want %q, %q", tt.from, l.name, l.tricks, tt.name, tt.trick)
		}
	}
}

// TestNamesake: somebody who comes by the name of a person that is known is not called by it.
func TestNamesake(t *testing.T) {
	g := start(t, nil, nil)
	for _, raw := range []string{
		"From: Bob Smith <bob@example.com>\r\nMessage-ID: <1@x.example>\r\n\r\none\r\n",
		"From: BOB  smith <eve@evil.example>\r\nMessage-ID: <2@x.example>\r\n\r\ntwo\r\n",
		"From: Bob Smith <bob@example.com>\r\nMessage-ID: <3@x.example>\r\n\r\nthree\r\n",
	} {
		if got := g.deliverMail(t, "", "alice@gw.example", "Subject: \r\n"+raw); !strings.HasPrefix(got, "250") {
			t.Fatal(got)
		}
	}
	all := g.messages()
	if len(all) != 3 || !strings.Contains(all[1].Text, "⚠ somebody else is known to you as BOB smith: bob@example.com") {
		t.Fatalf("%d messages, %q", len(all), all[1].Text)
	}
	if strings.Contains(all[0].Text+all[2].Text, "⚠") {
		t.Error("the person themselves is marked")
	}
	for _, e := range g.host.Events() {
		if p, ok := e.(*core.Profile); ok && p.Peer != "bob@example.com" {
			t.Errorf("%s is called %q", p.Peer, p.Name)
		}
	}
}

// TestOurOwnMailComesBack: one that went out to another user of ours and comes in again is known, and nobody can make
// another look like it.
func TestOurOwnMailComesBack(t *testing.T) {
	g := verifying(t, nil, nil)
	out, err := g.trace(t.Context(), []byte(strings.Replace(mail, "bob@example.com", "bella@gw.example", 1)))
	if err != nil {
		t.Fatal(err)
	}
	wrapped := strings.Replace(string(out), "hello", "  hello ", 1)
	for _, tt := range []struct{ name, raw, want string }{
		{"as it went out", string(out), "250"},
		{"with other blanks", "Received: by relay.example\r\n" + wrapped, "250"},
		{"with another text", strings.Replace(string(out), "hello", "hullo", 1), "550 5.7.1"},
		{"from another", strings.Replace(string(out), "bella@", "carol@", 1), "550 5.7.1"},
		{"with another id", strings.Replace(string(out), "<m1@", "<m2@", 1), "550 5.7.1"},
		{"with two ids", strings.Replace(string(out), "Message-ID", "Message-ID: <m2@example.com>\r\nMessage-ID", 1), "550 5.7.1"},
		{"without a trace", mime.Truncate(string(out[strings.Index(string(out), "From:"):]), 1000), "550 5.7.1"},
	} {
		if got := g.deliverMail(t, "b=x@gw.example", "alice@gw.example", tt.raw); !strings.HasPrefix(got, tt.want) {
			t.Errorf("%s: %s", tt.name, got)
		}
	}
	if n := len(g.messages()); n != 1 && n != 2 {
		t.Errorf("%d messages", n)
	}
}

// TestTraces: the third time that a mail of ours comes back it is in a loop.
func TestTraces(t *testing.T) {
	g := start(t, nil, nil)
	out := []byte(mail)
	for i := range maxLoops {
		var err error
		if out, err = g.trace(t.Context(), out); err != nil {
			t.Fatal(err)
		}
		got := g.deliverMail(t, "bob@example.com", "alice@gw.example", string(out))
		if want := map[bool]string{true: "554 5.4.6", false: "250"}[i+1 == maxLoops]; !strings.HasPrefix(got, want) {
			t.Errorf("passage %d: %s", i+1, got)
		}
	}
}

func TestTrustSettings(t *testing.T) {
	for _, keys := range []map[string]any{
		{"verify": "maybe"}, {"dns": "localhost"},
	} {
		keys["domain"], keys["relay"] = domain, "smtp://127.0.0.1:1"
		if _, err := Driver().New(transporttest.NewHost(t, alice), decoder(keys)); err == nil {
			t.Errorf("%v is accepted", keys)
		}
	}
}
