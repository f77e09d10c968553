// Package muc shows a network's rooms as XEP-0045 rooms.
//
// A room here belongs to one account: each user of the gateway sees a channel through a connection of their own. The
// transport's session owns the room's members and topic; this package knows only which of the user's resources are
// in and under which nick, and renders what the session reports. So a second resource, and one that joins again,
// gets the whole room from the session's snapshot.
//
// Goroutines: none of its own. Handlers run in the router's goroutines, Render in the session's; a mutex per room
// guards the set of resources. Nothing is called while it is held.
package muc

// Namespaces of XEP-0045 and of what goes with it.
const (
	NSMuc      = "http://jabber.org/protocol/muc"
	NSUser     = "http://jabber.org/protocol/muc#user"
	NSAdmin    = "http://jabber.org/protocol/muc#admin"
	NSOwner    = "http://jabber.org/protocol/muc#owner"
	NSStanzaID = "urn:xmpp:sid:0"
	NSOccupant = "urn:xmpp:occupant-id:0"
	NSDelay    = "urn:xmpp:delay"
)
