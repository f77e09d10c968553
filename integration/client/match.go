package client

import "strings"

// MessageFrom matches a message from a JID, bare or full, that is no error and has that body; an empty body stands for
// any message that has one.
func MessageFrom(jid, body string) func(*Stanza) bool {
	return func(s *Stanza) bool {
		return s.Kind() == "message" && s.Type() != "error" && isFrom(s, jid) && s.Body() != "" && (body == "" || s.Body() == body)
	}
}

// ReceiptOf matches the XEP-0184 receipt for the message of that id.
func ReceiptOf(id string) func(*Stanza) bool {
	return func(s *Stanza) bool { return s.Kind() == "message" && s.Type() != "error" && s.Receipt() == id }
}

// ErrorOf matches the error that answers the stanza of that id.
func ErrorOf(id string) func(*Stanza) bool {
	return func(s *Stanza) bool { return s.Type() == "error" && s.ID() == id }
}

// PresenceFrom matches presence of that type ("" is available) from a JID, bare or full.
func PresenceFrom(jid, kind string) func(*Stanza) bool {
	return func(s *Stanza) bool { return s.Kind() == "presence" && s.Type() == kind && isFrom(s, jid) }
}

// Either matches what any of the matchers does.
func Either(matchers ...func(*Stanza) bool) func(*Stanza) bool {
	return func(s *Stanza) bool {
		for _, m := range matchers {
			if m(s) {
				return true
			}
		}
		return false
	}
}

func isFrom(s *Stanza, jid string) bool {
	return strings.EqualFold(s.From(), jid) || strings.EqualFold(Bare(s.From()), jid)
}
