// Package chat carries what two people say to each other: message stanzas of a
// user to a correspondent become core events, and core events become stanzas.
//
// From XMPP: read.go finds the parts of a stanza, encrypted.go refuses what is
// not for us to read, file.go and fallback.go take text and files apart,
// handler.go submits what event.go and notify.go made of it, and multicast.go
// does so for several correspondents at once (XEP-0033). Toward XMPP: render.go,
// react.go and receipt.go write, own.go what the user said in another app.
// names.go and quote.go know messages by their names and by what they said.
//
// A receipt (XEP-0184) is written when the far side has the message and never
// before: that the gateway has taken it is nobody's business but the gateway's.
// See the contract in the README.
//
// Every message is to the user's bare JID, so that the host server can give it
// to all of their devices, and from a full one, because chat states and markers
// are ignored from any other.
//
// The package has no goroutines.
package chat

// Namespaces of what is carried.
const (
	nsAddress    = "http://jabber.org/protocol/address"    // XEP-0033
	nsOOB        = "jabber:x:oob"                          // XEP-0066
	nsActive     = "http://jabber.org/protocol/chatstates" // XEP-0085
	nsNick       = "http://jabber.org/protocol/nick"       // XEP-0172
	nsReceipts   = "urn:xmpp:receipts"                     // XEP-0184
	nsDelay      = "urn:xmpp:delay"                        // XEP-0203
	nsInvite     = "jabber:x:conference"                   // XEP-0249
	nsCorrect    = "urn:xmpp:message-correct:0"            // XEP-0308
	nsMarkers    = "urn:xmpp:chat-markers:0"               // XEP-0333
	nsHints      = "urn:xmpp:hints"                        // XEP-0334
	nsCall       = "urn:xmpp:jingle-message:0"             // XEP-0353
	nsID         = "urn:xmpp:sid:0"                        // XEP-0359
	nsEncryption = "urn:xmpp:eme:0"                        // XEP-0380
	nsFasten     = "urn:xmpp:fasten:0"                     // XEP-0422
	nsRetract    = "urn:xmpp:message-retract:1"            // XEP-0424
	nsRetract0   = "urn:xmpp:message-retract:0"            // XEP-0424 until 0.3
	nsFallback   = "urn:xmpp:fallback:0"                   // XEP-0428
	nsReactions  = "urn:xmpp:reactions:0"                  // XEP-0444
	nsFile       = "urn:xmpp:file:metadata:0"              // XEP-0446
	nsFiles      = "urn:xmpp:sfs:0"                        // XEP-0447
	nsReply      = "urn:xmpp:reply:0"                      // XEP-0461
	nsURL        = "http://jabber.org/protocol/url-data"   // XEP-0103
	nsErrors     = "urn:gangway:errors:0"                  // application conditions of our own
)
