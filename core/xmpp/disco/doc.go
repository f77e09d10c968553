// Package disco answers what an address of the gateway is and can do: service
// discovery (XEP-0030), entity capabilities (XEP-0115) and the minimal vCard
// (XEP-0054) that gives every address its own name.
//
// What is said follows from what the network's sessions can do (core.Caps), in
// one table (features.go). The package has no goroutines and no state that
// changes after New.
package disco

// Namespaces of what is answered here.
const (
	NSInfo  = "http://jabber.org/protocol/disco#info"
	NSItems = "http://jabber.org/protocol/disco#items"
	NSCaps  = "http://jabber.org/protocol/caps"
	NSVCard = "vcard-temp"

	nsVCard4 = "urn:ietf:params:xml:ns:vcard-4.0"
	nsPubsub = "http://jabber.org/protocol/pubsub"
)

// Node names this software in entity capabilities (XEP-0115 section 4).
const Node = "urn:gangway"
