// Package edge is the XMPP side as the gateway sees it: core.Edge over any
// number of component domains, one for each network.
//
// It knows which domain belongs to which network, how the network's addresses
// are written as JIDs there, and when the host server has confirmed what was
// handed to it. What an event looks like in stanzas is the business of the
// function packages (chat, roster, muc), which render it.
//
// Goroutines: none of its own. Show and Hand run in their callers; a mutex per
// domain keeps the order of what waits for confirmation.
package edge
