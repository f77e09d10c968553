// Package addr splits and compares XMPP addresses as they come off the wire.
//
// Servers forward addresses that RFC 7622 no longer allows (emoji localparts,
// resources with soft hyphens), so nothing here refuses one for its characters:
// an address is split by its separators only, answered with the very bytes it
// came with, and compared by a normalised key.
package addr

import (
	"errors"
	"strings"

	"mellium.im/xmpp/jid"
)

// ErrMalformed says that a string cannot be split into an address.
var ErrMalformed = errors.New("malformed address")

// maxPart is the limit of each part in bytes (RFC 7622 section 3).
const maxPart = 1023

// JID is an address, split. The zero JID is no address.
type JID struct {
	s     string
	at    int // position of the @, -1 without localpart
	slash int // position of the first /, len(s) without resource
}

// Parse splits an address (RFC 7622 section 3.2). It refuses one with an empty
// or an overlong part, and nothing else; it does not allocate.
func Parse(s string) (JID, error) {
	j := JID{s: s, at: -1, slash: len(s)}
	if i := strings.IndexByte(s, '/'); i >= 0 {
		j.slash = i
		if n := len(s) - i - 1; n == 0 || n > maxPart {
			return JID{}, ErrMalformed
		}
	}
	j.at = strings.IndexByte(s[:j.slash], '@')
	if j.at == 0 || j.at > maxPart {
		return JID{}, ErrMalformed
	}
	if n := j.slash - j.at - 1; n == 0 || n > maxPart || strings.IndexByte(j.Domain(), '@') >= 0 {
		return JID{}, ErrMalformed
	}
	return j, nil
}

// Make joins parts into an address; local and resource may be empty.
func Make(local, domain, resource string) (JID, error) {
	s := domain
	if local != "" {
		s = local + "@" + domain
	}
	if resource != "" {
		s += "/" + resource
	}
	j, err := Parse(s)
	if err != nil || j.Local() != local || j.Domain() != domain || j.Resource() != resource {
		return JID{}, ErrMalformed
	}
	return j, nil
}

// String returns the address as it came.
func (j JID) String() string { return j.s }

// Local returns the part before the @, or "".
func (j JID) Local() string { return j.s[:max(j.at, 0)] }

// Domain returns the domain as it came.
func (j JID) Domain() string {
	if j.s == "" {
		return ""
	}
	return j.s[j.at+1 : j.slash]
}

// Resource returns the part after the first /, or "".
func (j JID) Resource() string {
	if j.slash == len(j.s) {
		return ""
	}
	return j.s[j.slash+1:]
}

// Bare returns the address without resource, as it came.
func (j JID) Bare() string { return j.s[:j.slash] }

// IsBare reports whether there is no resource.
func (j JID) IsBare() bool { return j.slash == len(j.s) }

// IsZero reports whether this is the zero JID.
func (j JID) IsZero() bool { return j.s == "" }

// Key returns the normalised bare address: two keys are equal if the addresses
// are the same to a server. For ASCII in lower case it is a part of the
// address, without a copy.
func (j JID) Key() string {
	if plain(j.Bare()) {
		return j.Bare()
	}
	domain := normalDomain(j.Domain())
	if j.at < 0 {
		return domain
	}
	return normalLocal(j.Local()) + "@" + domain
}

// FullKey is Key with the resource, which compares byte for byte.
func (j JID) FullKey() string {
	if j.IsBare() {
		return j.Key()
	}
	if plain(j.Bare()) {
		return j.s
	}
	return j.Key() + "/" + j.Resource()
}

// Mellium returns the address as mellium's type, normalised and checked by RFC
// 7622. It fails for addresses that are in use out there: not for the hot path,
// nor for anything that must answer everyone.
func (j JID) Mellium() (jid.JID, error) { return jid.Parse(j.s) }

// Key returns the key of an address, or "" for what is not one.
func Key(s string) string {
	j, err := Parse(s)
	if err != nil {
		return ""
	}
	return j.Key()
}

// Same reports whether two addresses are the same, resources included.
func Same(a, b string) bool {
	if a == b {
		return true
	}
	x, errx := Parse(a)
	y, erry := Parse(b)
	return errx == nil && erry == nil && x.Resource() == y.Resource() && x.Key() == y.Key()
}
