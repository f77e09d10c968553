package roster

import (
	"strings"

	"gangway/core"
	"gangway/core/xmpp/disco"
	"gangway/core/xmpp/edge"
	"gangway/core/xmpp/stream"
)

const (
	nsNick  = "http://jabber.org/protocol/nick" // XEP-0172
	nsPhoto = "vcard-temp:x:update"             // XEP-0153
)

// writeKind writes a presence that has only a type, such as "subscribed".
func writeKind(enc *stream.Encoder, kind, from, to string) {
	enc.Empty("presence", "", "type", kind, "from", from, "to", to)
}

// write writes the presence of the gateway's domain or of a contact, by its bare
// JID: what is available has capabilities, and a contact has them at a full JID.
func (h *house) write(enc *stream.Encoder, from, to string, s state) {
	ver := h.disco.GatewayVer()
	if from != h.domain.Name {
		ver = h.disco.ContactVer()
		from += "/" + edge.Resource
	}
	if !s.available {
		enc.Start("presence", "", "type", "unavailable", "from", from, "to", to)
	} else {
		enc.Start("presence", "", "from", from, "to", to, "xml:lang", s.lang)
	}
	if s.show != "" {
		enc.Leaf("show", "", s.show)
	}
	if s.text != "" {
		enc.Leaf("status", "", s.text)
	}
	if s.available {
		disco.WriteCaps(enc, ver)
		if s.photo != "" { // XEP-0153 section 3.1
			enc.Start("x", nsPhoto)
			enc.Leaf("photo", "", s.photo)
			enc.End()
		}
	}
	enc.End()
}

// Bounds of what a network says of somebody, in bytes. A client shows a line of it.
const (
	maxStatus = 1000
	maxName   = 250
)

// bounded cuts a text to at most n bytes, between two characters. It is a copy.
func bounded(s string, n int) string {
	if len(s) <= n {
		return strings.ToValidUTF8(s, "")
	}
	return strings.Clone(strings.ToValidUTF8(s[:n], ""))
}

// showOf is an availability as RFC 6121 section 4.7.2.1 writes it, and whether
// there is one.
func showOf(s core.Show) (show string, available bool) {
	switch s {
	case core.Online:
		return "", true
	case core.Away:
		return "away", true
	case core.ExtendedAway:
		return "xa", true
	case core.Busy:
		return "dnd", true
	case core.Offline:
	}
	return "", false
}

// statusNotice is the plain message about an account that needs its user.
func statusNotice(enc *stream.Encoder, d *edge.Domain, user, text string) {
	id := string(core.NewID())
	enc.Start("message", "", "type", "chat", "from", d.Name, "to", user, "id", id, "xml:lang", "en")
	enc.Leaf("body", "", text)
	enc.Empty("origin-id", "urn:xmpp:sid:0", "id", id)
	enc.End()
}
