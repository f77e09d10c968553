// Package mailaddress holds e-mail and the mapping together to what neither promises alone: a mail address and its JID
// name each other.
package mailaddress

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/pelletier/go-toml/v2"

	"gangway/core"
	"gangway/core/store"
	"gangway/core/transporttest"
	"gangway/mapping"
	"gangway/transports/email"
)

func transport(t testing.TB) core.Transport {
	t.Helper()
	tr, err := email.Driver().New(transporttest.NewHost(t), func(settings any) error {
		return toml.Unmarshal([]byte(`domain = "gw.example"`+"\n"+`relay = "smtp://127.0.0.1:1"`), settings)
	})
	if err != nil {
		t.Fatal(err)
	}
	return tr
}

// aliases are those of a new table.
func aliases(t testing.TB) *mapping.Aliases {
	t.Helper()
	db, err := store.Open(t.Context(), store.Config{URL: "sqlite:" + filepath.Join(t.TempDir(), "gangway.db")})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	key, err := mapping.ParseKey(strings.Repeat("5a", 32))
	if err != nil {
		t.Fatal(err)
	}
	m, err := mapping.Open(t.Context(), db, mapping.NewSealer(key), mapping.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return m.Aliases("email")
}

// FuzzBijection: an address is found again from its JID, up to case, which servers do not keep; and the same JID from
// that.
func FuzzBijection(f *testing.F) {
	for _, s := range []string{
		"علي@example.com", "דוד1@x.example", "Aعلي@X.example", `" a"@x.example`, "bob@example.com", "Bob.B+x@Example.COM", `"a b@c"@x.example`, `"a\\40b"@x.example`, `a\40b@x.example`, "o'neill@x.example", "a/b&c@x.example",
		"a%b=c!d@x.example", "bob@bücher.example", "bob@xn--bcher-kva.example", "jürgen@x.example", "<bob@x.example>", "mailto:bob%2Bx@x.example",
		`"\\5c"@x.example`, `"\\\\"@x.example`, `"ß"@ß.example`, "ﬃ@x.example", "a@b", `" "@x.example`,
	} {
		f.Add(s)
	}
	tr, names := transport(f), aliases(f)
	f.Fuzz(func(t *testing.T, s string) {
		target, err := tr.Parse(s)
		if err != nil {
			return
		}
		local, err := names.LocalPart(string(target.Address))
		if err != nil {
			t.Fatalf("%q has no JID: %v", target.Address, err)
		}
		text, err := names.Text(local)
		if err != nil || mapping.Fold(text) != mapping.Fold(string(target.Address)) {
			t.Fatalf("%q is %q, which is %q, %v", target.Address, local, text, err)
		}
		back, err := tr.Parse(text)
		if err != nil {
			t.Fatalf("%q is %q, which is no address: %v", target.Address, local, err)
		}
		if mapping.Fold(string(back.Address)) != mapping.Fold(text) {
			t.Fatalf("%q is %q, which is %q", target.Address, local, back.Address)
		}
		if again, err := names.LocalPart(string(back.Address)); err != nil || again != local {
			t.Fatalf("%q is %q, and then %q, %v", target.Address, local, again, err)
		}
	})
}
