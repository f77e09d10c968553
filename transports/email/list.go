package email

import (
	"strings"

	"gangway/transports/email/mime"
)

// mailingList is the list that a mail came by (RFC 2369, RFC 2919).
type mailingList struct {
	id   string  // List-Id, without its brackets; may be empty
	name string  // what the list calls itself
	post address // where to write to all of it; zero if that is not allowed, or not said
}

// readList returns nil for a mail that came by none.
func readList(root *mime.Part) *mailingList {
	h := root.Header
	if !h.Has("List-Id") && !h.Has("List-Post") && !h.Has("List-Unsubscribe") {
		return nil
	}
	l := new(mailingList)
	id := root.Text("List-Id")
	if name, rest, ok := strings.Cut(id, "<"); ok {
		id, _, _ = strings.Cut(rest, ">")
		l.name = mime.Truncate(strings.Trim(strings.TrimSpace(name), `"`), 100)
	}
	l.id = mime.Truncate(strings.ToLower(strings.TrimSpace(id)), 255)
	for uri := range strings.SplitSeq(h.Get("List-Post"), ",") {
		uri = strings.TrimSpace(uri)
		if a, err := parseAddress(typed(strings.Trim(uri, "<> "))); err == nil && strings.Contains(strings.ToLower(uri), "mailto:") {
			l.post = a
			break
		}
	}
	return l
}

// isForum says whether people can write to the list: then its mails are one conversation, in which each names its
// author. Newsletters are the conversation of whom they are from.
func (l *mailingList) isForum() bool { return l != nil && l.post.local != "" }
