// Package muc shows a network's rooms as XEP-0045 rooms.
//
// A room here belongs to one account: each user of the gateway sees a channel through a connection of their own. The
// transport's session owns the room's members and topic; this package knows only which of the user's resources are
// in and under which nick, and renders what the session reports. So a second resource, and one that joins again,
// gets the whole room from the session's snapshot.
//
// What is said goes into the Archive under the stanza-id that it is shown with, and is read from there for the history
// of a join, and to find what an answer, a reaction or a correction is about.
//
// Goroutines: Handlers run in the router's goroutines, Render in the session's, and Run shows by and by what was too
// much at once; a mutex per room guards the set of resources. Nothing is called while it is held.
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

	nsConfig     = "http://jabber.org/protocol/muc#roomconfig"
	nsInfo       = "http://jabber.org/protocol/muc#roominfo"
	nsTraffic    = "http://jabber.org/protocol/muc#traffic"
	nsRooms      = "http://jabber.org/protocol/muc#rooms"
	nsSelfPing   = "http://jabber.org/protocol/muc#self-ping-optimization"
	nsConference = "jabber:x:conference"                   // XEP-0249
	nsHats       = "urn:xmpp:hats:0"                       // XEP-0317
	nsStates     = "http://jabber.org/protocol/chatstates" // XEP-0085
	nsReceipts   = "urn:xmpp:receipts"                     // XEP-0184
	nsCorrect    = "urn:xmpp:message-correct:0"            // XEP-0308
	nsHints      = "urn:xmpp:hints"                        // XEP-0334
	nsRetract    = "urn:xmpp:message-retract:1"            // XEP-0424
	nsModerate   = "urn:xmpp:message-moderate:1"           // XEP-0425
	nsFallback   = "urn:xmpp:fallback:0"                   // XEP-0428
	nsReactions  = "urn:xmpp:reactions:0"                  // XEP-0444
	nsNick       = "http://jabber.org/protocol/nick"       // XEP-0172
	nsReply      = "urn:xmpp:reply:0"                      // XEP-0461
	nsOOB        = "jabber:x:oob"                          // XEP-0066
	nsBookmarks  = "urn:xmpp:bookmarks:1"                  // XEP-0402
	nsPubsub     = "http://jabber.org/protocol/pubsub"

	nodeNick = "x-roomuser-item" // XEP-0045 section 7.12
)
