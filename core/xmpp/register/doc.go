// Package register is what a user can ask of the gateway itself: to register,
// to see how it stands, to find the JID of an address, to deal with what was not
// delivered.
//
// Each is a Command: plain data with a function of core.Step, which knows no
// stanza (commands.go and the files beside it). Doors render them. The door in
// this package is a chat with the gateway's bare JID, which works in every
// client (chat.go, talk.go, text.go); forms (XEP-0077) and ad-hoc commands
// (XEP-0050) take the same list.
//
// The package has no goroutines. The table of conversations is guarded by a
// mutex that is not held while a command runs; the router serves one sender's
// stanzas one after the other, so that a conversation has one turn at a time.
package register
