// Package mam answers queries for the history of rooms: XEP-0313 version 0.7 (urn:xmpp:mam:2) with result sets
// (XEP-0059). Everybody is shown their own account's history, and nothing else.
//
// A page is bounded in messages and in bytes, and the next request of the same user is read only when the host server
// has processed the page before: so one reader cannot fill the link. Few pages are under way at once on a domain.
//
// Goroutines: none of its own. Handlers run in the router's.
package mam

// Namespaces of XEP-0313 and of what goes with it.
const (
	NS         = "urn:xmpp:mam:2"
	NSExtended = "urn:xmpp:mam:2#extended"
	NSForward  = "urn:xmpp:forward:0"
	NSResults  = "http://jabber.org/protocol/rsm"
	NSDelay    = "urn:xmpp:delay"
)

// Features are what disco#info of a room with a history lists.
func Features() []string { return []string{NS, NSExtended} }
