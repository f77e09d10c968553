package config

import "testing"

func TestAllowed(t *testing.T) {
	c := &Config{Admins: []string{"Admin@example.org"}, Access: Access{Allow: []string{"*@Example.org", "bob@other.example"}}}
	for jid, want := range map[string]bool{
		"alice@example.org":              true,
		"ALICE@EXAMPLE.ORG":              true,
		"bob@other.example":              true,
		"Bob@Other.Example":              true,
		"admin@example.org":              true,
		"eve@other.example":              false,
		"alice@sub.example.org":          false,
		"alice@notexample.org":           false,
		"alice@evil.net@example.org":     false,
		"alice@example.org/phone":        false,
		"bob@other.example/x":            false,
		"example.org":                    false,
		"@example.org":                   false,
		"*@example.org":                  true, // a legal local part
		"eve@evil.net/bob@other.example": false,
		"":                               false,
		"alice@":                         false,
	} {
		if got := c.Allowed(jid); got != want {
			t.Errorf("Allowed(%q) = %v", jid, got)
		}
	}
	everyone := Access{Allow: []string{"*"}}
	if !everyone.Allowed("a@b") || everyone.Allowed("b") || everyone.Allowed("a@b/c") {
		t.Error("\"*\" is every bare JID with a local part, and nothing else")
	}
	nobody := Config{Admins: []string{"admin@example.org"}}
	if nobody.Allowed("a@example.org") || !nobody.Allowed("admin@example.org") || nobody.Admin("a@example.org") {
		t.Error("closed by default, but for administrators")
	}
}
