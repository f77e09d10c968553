// Package core holds the words, the doors and the hall of Gangway.
//
// The words (ids.go, event.go, errors.go, step.go) name what passes through the house without knowing any
// protocol. The doors (transport.go, capability.go, edge.go, queue.go) are what a network, the XMPP side and the
// disk look like from inside. The hall is the Gateway: XMPP Submits, the gateway Sends; a network Delivers, the
// gateway Shows. No door waits for the door that called it.
//
// Goroutines: Gateway.Run owns one goroutine per transport and one per open session (a supervisor). The table of
// open sessions is the only shared state; its mutex is never held while a door is called.
//
// The package imports the standard library only: it knows no JID, no XML, no SQL and no legacy protocol.
package core
