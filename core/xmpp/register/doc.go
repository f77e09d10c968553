// Package register is what a user can ask of the gateway itself: to register, to
// see how it stands, to keep contacts, to deal with what was not delivered, to
// take everything along or have it erased; and what an administrator can.
//
// Each is a Command: plain data with a function of core.Step, which knows no
// stanza (commands.go and the files beside it). A Desk has the list of a domain's
// commands behind three doors:
//
//   - a chat with the gateway's bare JID, which works in every client (chat.go);
//   - ad-hoc commands, XEP-0050 (adhoc.go, sessions.go);
//   - in-band registration, XEP-0077, for what it knows (ibr.go, legacy.go).
//
// A dialog (dialog.go) is a command in the middle of its steps, whatever the door;
// a registration by form that asks for more goes on in the chat. Beside them is
// the prompt of jabber:iq:gateway (prompt.go), which makes JIDs of addresses.
//
// The package has no goroutines. Its tables are guarded by mutexes that are not
// held while a command runs; the router serves one sender's stanzas one after the
// other, so that a dialog has one turn at a time.
package register
