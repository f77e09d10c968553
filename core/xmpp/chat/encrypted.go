package chat

import (
	"strings"

	"gangway/core/xmpp"
	"gangway/core/xmpp/stream"
)

// RefuseEncrypted returns the stanza error for a message whose content only XMPP
// clients can read, and nil for any other. Its fallback body is never used.
func RefuseEncrypted(st *stream.Stanza) error {
	if !encrypted(st) {
		return nil
	}
	return xmpp.NewError("modify", "not-acceptable",
		"This message is encrypted for XMPP, and the other network could not read it. "+
			"Switch encryption off for this contact and send it again.")
}

// encrypted reports whether the content of a message is not for us to read:
// OMEMO of any age, OpenPGP (XEP-0373 and XEP-0027), OTR, a file that only its
// receiver's client can decipher, or whatever EME (XEP-0380) names.
func encrypted(st *stream.Stanza) bool {
	for c := range st.Children() {
		if isEncryption(c) {
			return true
		}
	}
	body := strings.TrimLeft(st.Body(), " \t\r\n")
	return strings.HasPrefix(body, "?OTR") || strings.HasPrefix(body, "aesgcm://")
}

// isEncryption goes by names that no protocol uses for anything else, so that a
// kind of encryption yet to come is refused as well.
func isEncryption(c *stream.Element) bool {
	switch c.Local() {
	case "encrypted", "openpgp", "pubkey-encrypted":
		return true
	case "encryption":
		return c.Space() == nsEncryption
	case "x":
		switch c.Space() {
		case "jabber:x:encrypted":
			return true
		case nsOOB:
			return strings.HasPrefix(strings.TrimSpace(c.ChildText(nsOOB, "url")), "aesgcm://")
		}
	case "file-sharing":
		return c.Child("", "sources").Child("urn:xmpp:esfs:0", "encrypted") != nil
	}
	return false
}
