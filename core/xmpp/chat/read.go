package chat

import (
	"strings"
	"time"

	"gangway/core"
	"gangway/core/xmpp"
	"gangway/core/xmpp/stream"
)

// Bounds of what clients put into attributes. What is longer was not made by one.
const (
	maxID     = 1023
	maxThread = 255
	maxEmoji  = 16
)

// originID is the name under which the sender's client knows a stanza: its id,
// which receipts and errors repeat, or else its origin-id (XEP-0359).
func originID(st *stream.Stanza) (string, error) {
	id := st.ID
	if id == "" {
		id = st.Child(nsID, "origin-id").Attr("id")
	}
	if len(id) > maxID {
		return "", core.E(core.Invalid, "chat: id", "The message's id is too long.")
	}
	return id, nil
}

// encrypted reports whether the content of a message is not for us to read:
// OMEMO, OpenPGP (XEP-0373 and XEP-0027), OTR, or whatever EME (XEP-0380) names.
func encrypted(st *stream.Stanza) bool {
	for c := range st.Children() {
		switch c.Local() {
		case "encrypted", "openpgp":
			return true
		case "encryption":
			if c.Space() == nsEncryption {
				return true
			}
		case "x":
			if c.Space() == "jabber:x:encrypted" {
				return true
			}
		}
	}
	return strings.HasPrefix(st.Body(), "?OTR")
}

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

// saidAt is when a message was said: by its <delay/> if a client sent it late,
// else now.
func saidAt(st *stream.Stanza, now time.Time) time.Time {
	stamp := st.Child(nsDelay, "delay").Attr("stamp")
	at, err := time.Parse(time.RFC3339Nano, stamp)
	if err != nil || at.After(now) || now.Sub(at) > oldest {
		return now
	}
	return at.UTC()
}

// text returns what a message says: its body, or the address of the file that it
// is about.
func text(st *stream.Stanza) string {
	if body := st.Body(); strings.TrimSpace(body) != "" {
		return body
	}
	return st.Child(nsOOB, "x").ChildText(nsOOB, "url")
}

// threadOf returns the thread that a message is in, if its name is a reasonable
// one: it only groups, nothing is lost without it.
func threadOf(st *stream.Stanza) core.ThreadID {
	t := st.ChildText("", "thread")
	if len(t) > maxThread {
		return ""
	}
	return core.ThreadID(strings.Clone(t))
}

// notification is what a message without text can be about.
type notification uint8

const (
	nothing notification = iota
	ignored              // known, and of no interest to any network
	typing
	paused
	displayed
)

// notificationOf reads a message without text. Nothing, if it holds none of what
// clients send so.
func notificationOf(st *stream.Stanza) (n notification, about string) {
	for c := range st.Children() {
		switch c.Space() {
		case nsActive:
			if c.Local() == "composing" {
				return typing, ""
			}
			return paused, ""
		case nsMarkers:
			if c.Local() == "displayed" {
				return displayed, c.Attr("id")
			}
			n = ignored
		case nsReceipts, nsHints, "jabber:x:event", "jabber:x:conference":
			n = ignored
		}
	}
	return n, ""
}

// emoji returns the set of reactions, bounded. An empty one takes them back.
func emoji(reactions *stream.Element) ([]string, error) {
	var set []string
	for c := range reactions.Children() {
		if !c.Is(nsReactions, "reaction") {
			continue
		}
		e := strings.TrimSpace(c.Text())
		if e == "" || len(e) > 64 || len(set) == maxEmoji {
			return nil, core.E(core.Invalid, "chat: reaction", "These reactions are not understood here.")
		}
		set = append(set, strings.Clone(e))
	}
	return set, nil
}

// isOurs reports whether a name could be one that core made (core.MessageID).
func isOurs(id string) bool {
	if len(id) != 26 {
		return false
	}
	for i := range len(id) {
		if c := id[i]; (c < 'a' || c > 'z') && (c < '2' || c > '7') {
			return false
		}
	}
	return true
}
