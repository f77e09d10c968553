// Package vcard is who a contact is, and what the gateway looks like: vCard-temp
// (XEP-0054), vCard4 (XEP-0292) and pictures (XEP-0153, XEP-0084), for whoever
// could write to the address.
//
// What is known comes from the network where a session can tell (core.Profiler),
// else from the table of contacts, else from the address itself. It is kept for a
// while, within bounds. Who watches is told what of it is news, and writes the
// events of personal eventing (XEP-0163) with Tell.
//
// The package has no goroutines; a mutex guards the cache.
package vcard

const (
	nsTemp     = "vcard-temp"
	ns4        = "urn:ietf:params:xml:ns:vcard-4.0"
	nsPubsub   = "http://jabber.org/protocol/pubsub"
	nsData     = "urn:xmpp:avatar:data"
	nsMetadata = "urn:xmpp:avatar:metadata"
	nsNick     = "http://jabber.org/protocol/nick"
	node4      = "urn:xmpp:vcard4"
)
