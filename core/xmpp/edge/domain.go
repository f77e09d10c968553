package edge

import (
	"net/url"
	"strings"

	"gangway/core"
	"gangway/core/xmpp"
	"gangway/core/xmpp/addr"
	"gangway/core/xmpp/privilege"
	"gangway/mapping"
)

// Resource is the resource of every contact. A full JID is what carries caps,
// and without caps clients send neither chat states nor markers.
const Resource = "gateway"

// Domain is one component domain: a network and the link it is reached over.
type Domain struct {
	Name    string // in lower case, as the host server has it
	Network *core.Network
	Link    xmpp.Sender

	Privileges *privilege.Entity // what the host server lets us do for its users; nil: nothing
	Aliases    Aliases           // of addresses that no local part can hold; nil: they are refused

	turns turns
}

// Aliases turns the addresses of a network into local parts, and back: see mapping.Aliases.
type Aliases interface {
	LocalPart(text string) (string, error)
	Text(local string) (string, error)
}

// JID returns the bare JID of an address on the network; the domain itself for
// the network as a whole. It fails, with a sentence, for an address that no
// local part can hold, if there are no aliases.
func (d *Domain) JID(realm string, peer core.Address, room bool) (string, error) {
	text := d.Network.Transport.Format(core.Target{Realm: realm, Address: peer, Room: room})
	if text == "" {
		return d.Name, nil
	}
	if d.Aliases == nil {
		return mapping.JID(text, d.Name)
	}
	local, err := d.Aliases.LocalPart(text)
	if err != nil {
		return "", err
	}
	return local + "@" + d.Name, nil
}

// Contact returns the full JID that a correspondent speaks from.
func (d *Domain) Contact(realm string, peer core.Address) (string, error) {
	jid, err := d.JID(realm, peer, false)
	if err != nil || jid == d.Name {
		return jid, err
	}
	return jid + "/" + Resource, nil
}

// Target returns what the local part of a JID at this domain stands for. Its
// error has a sentence that says what would be right.
func (d *Domain) Target(local string) (core.Target, error) {
	if d.Aliases == nil {
		return d.parse(mapping.AddressText(local))
	}
	text, err := d.Aliases.Text(local)
	if err != nil {
		return core.Target{}, err
	}
	return d.parse(text)
}

// parse reads an address. Where one needs an @, "name%domain" is understood, too: gateways
// wrote it so before there was XEP-0106.
func (d *Domain) parse(text string) (core.Target, error) {
	t, err := d.Network.Transport.Parse(text)
	i := strings.LastIndexByte(text, '%')
	if err == nil || i <= 0 || strings.Contains(text, "@") {
		return t, err
	}
	if t, old := d.Network.Transport.Parse(text[:i] + "@" + text[i+1:]); old == nil {
		return t, nil
	}
	return t, err
}

// canonicalLocal writes a local part the one way that escaping has, whatever its
// sender's server did to it.
func canonicalLocal(local string) (string, error) {
	return mapping.LocalPart(mapping.AddressText(local))
}

// isRoom says whether an address is a room's, where the event does not say so itself.
func (d *Domain) isRoom(realm string, peer core.Address) bool {
	if d.Network.Caps.Rooms == nil || peer == "" {
		return false
	}
	t, err := d.Network.Transport.Parse(d.Network.Transport.Format(core.Target{Realm: realm, Address: peer}))
	return err == nil && t.Room
}

// Understand returns what a person wrote as an address: in the network's own
// form, as a JID of this domain, escaped or not, or as a link to one.
func (d *Domain) Understand(text string) (core.Target, error) {
	text = strings.TrimSpace(text)
	if link, ok := strings.CutPrefix(text, "xmpp:"); ok {
		link, _, _ = strings.Cut(link, "?")
		if plain, err := url.PathUnescape(link); err == nil {
			link = plain
		}
		text = link
	}
	if i := strings.LastIndexByte(text, '@'); i > 0 && strings.EqualFold(withoutResource(text[i+1:]), d.Name) {
		return d.Target(text[:i])
	}
	return d.parse(text)
}

func withoutResource(domain string) string {
	domain, _, _ = strings.Cut(domain, "/")
	return domain
}

// Owns reports whether an address is at this domain.
func (d *Domain) Owns(j addr.JID) bool { return strings.EqualFold(j.Domain(), d.Name) }

// User returns the person who a stanza is from, and the address itself. Only a
// person's account can use the gateway: Denied for a server, a component, or an
// address at the gateway's own domain.
func (d *Domain) User(from string) (core.UserID, addr.JID, error) {
	j, err := addr.Parse(from)
	if err != nil {
		return "", addr.JID{}, xmpp.NewError("modify", "jid-malformed", "Your own address could not be read.")
	}
	if j.Local() == "" || d.Owns(j) {
		return "", j, core.E(core.Denied, "xmpp: sender", "Only a person's own account can use this gateway.")
	}
	return core.UserID(strings.Clone(j.Key())), j, nil
}

// URI returns the link to a JID that clients make tappable (RFC 5122), with an
// action such as "message" or "join".
func URI(jid, action string) string {
	var b strings.Builder
	b.WriteString("xmpp:")
	for i := 0; i < len(jid); i++ {
		if c := jid[i]; unreserved(c) || c == '@' || c == '/' {
			b.WriteByte(c)
		} else {
			const hex = "0123456789ABCDEF"
			b.WriteByte('%')
			b.WriteByte(hex[c>>4])
			b.WriteByte(hex[c&15])
		}
	}
	if action != "" {
		b.WriteByte('?')
		b.WriteString(action)
	}
	return b.String()
}

// unreserved is what RFC 5122 section 2.2 lets a node identifier hold as it is
// (unreserved and nodeallow), but for parentheses, where clients end a link.
func unreserved(c byte) bool {
	switch {
	case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9':
		return true
	}
	return strings.IndexByte("-._~!$*+,;=", c) >= 0
}
