package email

import (
	"context"
	"encoding/hex"
	"fmt"
	"strings"

	"gangway/core"
)

// A user has, beside the name they chose, an address that anybody can compute from their XMPP address: that of
// alice@example.org is "alice=example.org" here. Characters of the part before the @ that are not a-z, 0-9, dot, dash or
// underscore are written as = and two hexadecimal digits for each byte. Mail goes to who is registered only: an address
// for everybody would open all of XMPP to what comes by mail.
type computedSettings struct {
	Computed string `toml:"computed"`
}

// Who has a computed address.
const (
	computedRegistered = "registered"
	computedOff        = "off"
)

func defaultComputed() computedSettings { return computedSettings{Computed: computedRegistered} }

func (t *transport) configureComputed() error {
	switch t.settings.Computed {
	case computedRegistered, computedOff:
		return nil
	}
	return fmt.Errorf("computed must be %q or %q, not %q", computedRegistered, computedOff, t.settings.Computed)
}

// computed is the local part for a user; false if none has room for it.
func computed(user core.UserID) (string, bool) {
	name, host, ok := cutLast(string(user), '@')
	if !ok || name == "" || host == "" || !isComputedHost(host) {
		return "", false
	}
	var b strings.Builder
	for i := range len(name) {
		switch c := name[i]; {
		case isComputedByte(c):
			b.WriteByte(c)
		case 'A' <= c && c <= 'Z': // no user's: their names have no case
			return "", false
		default:
			fmt.Fprintf(&b, "=%02x", c)
		}
	}
	local := b.String() + "=" + host
	return local, len(local) <= maxLocal && !isVERP(local)
}

// uncomputed is the user that a local part is computed from. It is in the one form that computed writes, but for case.
func uncomputed(local string) (core.UserID, bool) {
	local = strings.ToLower(local)
	enc, host, ok := cutLast(local, '=')
	if !ok {
		return "", false
	}
	var b strings.Builder
	for i := 0; i < len(enc); i++ {
		if enc[i] != '=' {
			b.WriteByte(enc[i])
			continue
		}
		if i+3 > len(enc) {
			return "", false
		}
		c, err := hex.DecodeString(enc[i+1 : i+3])
		if err != nil {
			return "", false
		}
		b.Write(c)
		i += 2
	}
	user := core.UserID(b.String() + "@" + host)
	again, ok := computed(user)
	return user, ok && again == local
}

func cutLast(s string, sep byte) (before, after string, ok bool) {
	i := strings.LastIndexByte(s, sep)
	if i < 0 {
		return "", "", false
	}
	return s[:i], s[i+1:], true
}

func isComputedByte(c byte) bool {
	return 'a' <= c && c <= 'z' || '0' <= c && c <= '9' || c == '.' || c == '-' || c == '_'
}

func isComputedHost(host string) bool {
	for i := range len(host) {
		if !isComputedByte(host[i]) {
			return false
		}
	}
	return true
}

// computedOwner is whose computed address a local part is: of several accounts of theirs, the oldest of our domain.
// NotFound if it is nobody's.
func (t *transport) computedOwner(ctx context.Context, local string) (core.Account, error) {
	user, ok := uncomputed(local)
	if !ok || t.settings.Computed != computedRegistered {
		return core.Account{}, core.E(core.NotFound, "email: owner", "")
	}
	all, err := t.host.AccountsOf(ctx, user)
	if err != nil {
		return core.Account{}, err
	}
	for _, a := range all {
		if own, err := parseAddress(string(a.Own)); err == nil && own.domain == t.domain && !isBox(a.Realm) {
			return a, nil
		}
	}
	return core.Account{}, core.E(core.NotFound, "email: owner", "")
}
