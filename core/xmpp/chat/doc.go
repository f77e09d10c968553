// Package chat carries what two people say to each other: message stanzas of a
// user to a correspondent become core events, and core events become stanzas.
//
// read.go and fallback.go take stanzas apart, handler.go submits what they
// found, render.go and receipt.go write. All of it is pure but for the ledger,
// which is asked for the names of messages that are answered or changed.
//
// A receipt (XEP-0184) is written when the far side has the message and never
// before: that the gateway has taken it is nobody's business but the gateway's.
// See the contract in the README.
//
// The package has no goroutines.
package chat

// Namespaces of what is carried.
const (
	nsActive     = "http://jabber.org/protocol/chatstates" // XEP-0085
	nsReceipts   = "urn:xmpp:receipts"                     // XEP-0184
	nsDelay      = "urn:xmpp:delay"                        // XEP-0203
	nsCorrect    = "urn:xmpp:message-correct:0"            // XEP-0308
	nsMarkers    = "urn:xmpp:chat-markers:0"               // XEP-0333
	nsHints      = "urn:xmpp:hints"                        // XEP-0334
	nsID         = "urn:xmpp:sid:0"                        // XEP-0359
	nsRetract    = "urn:xmpp:message-retract:1"            // XEP-0424
	nsFallback   = "urn:xmpp:fallback:0"                   // XEP-0428
	nsReactions  = "urn:xmpp:reactions:0"                  // XEP-0444
	nsReply      = "urn:xmpp:reply:0"                      // XEP-0461
	nsOOB        = "jabber:x:oob"                          // XEP-0066
	nsErrors     = "urn:gangway:errors:0"                  // application conditions of our own
	nsEncryption = "urn:xmpp:eme:0"                        // XEP-0380
)
