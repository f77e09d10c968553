package dkim_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	msgauth "github.com/emersion/go-msgauth/dkim"

	"gangway/transports/email/dkim"
)

const mail = "Date: Mon, 02 Nov 2026 03:04:05 +0000\r\nFrom: \"Alice Doe\" <alice@gw.example>\r\nTo: <bob@example.com>\r\n" +
	"Message-ID: <abc@gw.example>\r\nSubject: a subject that is\r\n folded\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n" +
	"Content-Transfer-Encoding: 7bit\r\n\r\nHello  there \r\n\r\n\r\n"

var today = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

func made(t *testing.T) (dkim.Keys, dkim.Generation) {
	t.Helper()
	k := dkim.Keys{Dir: t.TempDir(), Domain: "gw.example"}
	g, err := k.Make(today)
	if err != nil {
		t.Fatal(err)
	}
	return k, g
}

// zone publishes keys.
func zone(t *testing.T, all ...dkim.Generation) map[string]string {
	t.Helper()
	z := map[string]string{}
	for _, g := range all {
		for _, k := range g.Keys {
			record, err := dkim.Record(k.Signer.Public())
			if err != nil {
				t.Fatal(err)
			}
			z[dkim.Name(k.Selector, "gw.example")] = record
		}
	}
	return z
}

func verify(t *testing.T, mail []byte, z map[string]string) (good int, bad []error) {
	t.Helper()
	all, err := msgauth.VerifyWithOptions(bytes.NewReader(mail), &msgauth.VerifyOptions{LookupTXT: func(name string) ([]string, error) {
		if r, ok := z[name]; ok {
			return []string{r}, nil
		}
		return nil, fmt.Errorf("no such name %s", name)
	}})
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range all {
		if v.Err != nil {
			bad = append(bad, v.Err)
			continue
		}
		good++
		if v.Domain != "gw.example" {
			t.Errorf("signed by %s", v.Domain)
		}
	}
	return good, bad
}

func TestSign(t *testing.T) {
	_, g := made(t)
	z := zone(t, g)
	raw, err := dkim.Sign([]byte(mail), "gw.example", g.Keys)
	if err != nil {
		t.Fatal(err)
	}
	if good, bad := verify(t, raw, z); good != 2 || bad != nil {
		t.Fatalf("%d good signatures, %v\n%s", good, bad, raw)
	}
	for line := range strings.SplitSeq(strings.TrimSuffix(string(raw), mail), "\r\n") {
		// The list of fields is one word, which no server that keeps to the limit of 998 has a reason to fold.
		if len(line) > 82 && !strings.HasPrefix(line, " h=") || len(line) > 300 {
			t.Errorf("%d characters in %q", len(line), line)
		}
		if strings.HasPrefix(line, "DKIM-Signature") && !strings.Contains(line, "a=") || strings.Contains(line, " l=") {
			t.Errorf("%q", line)
		}
	}
	for name, change := range map[string]func(string) string{
		"nothing": func(s string) string { return s },
		"blanks": func(s string) string {
			return strings.Replace(s, "Subject: a subject that is\r\n folded", "SUBJECT:  a subject\r\n\tthat is folded", 1)
		},
		"a Received":        func(s string) string { return "Received: by relay\r\n" + s },
		"end of the body":   func(s string) string { return s + "\r\n" },
		"blanks in body":    func(s string) string { return strings.Replace(s, "Hello  there \r\n", "Hello there\t\r\n", 1) },
		"our trace":         func(s string) string { return "X-Gateway-Trace: gw.example x\r\n" + s },
		"!another subject":  func(s string) string { return strings.Replace(s, "folded", "other", 1) },
		"!a second subject": func(s string) string { return "Subject: pay\r\n" + s },
		"!a second From":    func(s string) string { return "From: eve@evil.example\r\n" + s },
		"!a Reply-To":       func(s string) string { return "Reply-To: eve@evil.example\r\n" + s },
		"!an In-Reply-To":   func(s string) string { return "In-Reply-To: <x@y>\r\n" + s },
		"!references":       func(s string) string { return "References: <x@y>\r\n" + s },
		"!a second type":    func(s string) string { return "Content-Type: text/html\r\n" + s },
		"!another date":     func(s string) string { return strings.Replace(s, "02 Nov", "03 Nov", 1) },
		"!more body":        func(s string) string { return s + "P.S. pay me\r\n" },
		"!another body":     func(s string) string { return strings.Replace(s, "Hello", "Hallo", 1) },
	} {
		good, _ := verify(t, []byte(change(string(raw))), z)
		if want := 2; strings.HasPrefix(name, "!") && good != 0 || !strings.HasPrefix(name, "!") && good != want {
			t.Errorf("%s: %d good signatures", name, good)
		}
	}
}

func TestWithoutKeys(t *testing.T) {
	k := dkim.Keys{Dir: t.TempDir(), Domain: "gw.example"}
	raw, err := dkim.NewRing(k, time.Now).Sign([]byte(mail))
	if err != nil || string(raw) != mail {
		t.Errorf("%q, %v", raw, err)
	}
	if all, signing, err := k.Generations(); all != nil || signing != "" || err != nil {
		t.Error(all, signing, err)
	}
}

// The second generation waits until it is in the DNS; the first goes on until then.
func TestRotation(t *testing.T) {
	k, first := made(t)
	now := today
	ring := dkim.NewRing(k, func() time.Time { return now })
	selectors := func() string {
		raw, err := ring.Sign([]byte(mail))
		if err != nil {
			t.Fatal(err)
		}
		good, bad := verify(t, raw, zone(t, first))
		return fmt.Sprint(good, " ", len(bad))
	}
	if got := selectors(); got != "2 0" {
		t.Errorf("signatures %s", got)
	}
	second, err := k.Make(today)
	if err != nil {
		t.Fatal(err)
	}
	if first.Name != "g20261124" || second.Name != "g20261124a" || second.Keys[0].Selector != "g20261124ar" || second.Keys[1].Selector != "g20261124ae" {
		t.Errorf("%v, %v", first, second)
	}
	lookup := func(z map[string]string) dkim.Lookup {
		return func(_ context.Context, name string) ([]string, error) {
			if r, ok := z[name]; ok {
				return []string{"another record", strings.ReplaceAll(r, "; ", ";")}, nil
			}
			return nil, errors.New("no such name")
		}
	}
	if err := dkim.Published(t.Context(), lookup(zone(t, first)), "gw.example", second.Keys); !errors.Is(err, dkim.ErrNotPublished) {
		t.Errorf("published: %v", err)
	}
	if err := dkim.Published(t.Context(), lookup(zone(t, first, second)), "gw.example", second.Keys); err != nil {
		t.Errorf("not published: %v", err)
	}
	if err := k.Use(second.Name); err != nil {
		t.Fatal(err)
	}
	if got := selectors(); got != "2 0" {
		t.Errorf("signatures %s at once", got)
	}
	now = now.Add(time.Minute)
	if got := selectors(); got != "0 2" {
		t.Errorf("signatures %s after a minute", got)
	}
	if err := k.Remove(first.Name); err != nil {
		t.Fatal(err)
	}
	if all, signing, err := k.Generations(); len(all) != 1 || signing != second.Name || err != nil {
		t.Error(all, signing, err)
	}
}

// A key that others can read is none.
func TestPrivate(t *testing.T) {
	k, g := made(t)
	path := filepath.Join(k.Dir, "gw.example", g.Name+".rsa.pem")
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Fatalf("%v, %v", info.Mode(), err)
	}
	if info, err := os.Stat(filepath.Dir(path)); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
	if err := os.Chmod(path, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := k.Signing(); err == nil || !strings.Contains(err.Error(), "chmod 600") {
		t.Errorf("read all the same: %v", err)
	}
	if _, err := dkim.NewRing(k, time.Now).Sign([]byte(mail)); err == nil {
		t.Error("signed all the same")
	}
}

func TestSameRecord(t *testing.T) {
	for _, tt := range []struct {
		a, b string
		want bool
	}{
		{"v=DKIM1; k=rsa; p=AB", "p=A B", true}, {"v=DKIM1; k=rsa; p=AB", "v=DKIM1;p=AC", false}, {"k=ed25519; p=AB", "p=AB", false},
		{"p=", "p=", false}, {"", "", false},
	} {
		if got := dkim.SameRecord(tt.a, tt.b); got != tt.want {
			t.Errorf("%q, %q: %v", tt.a, tt.b, got)
		}
	}
}
