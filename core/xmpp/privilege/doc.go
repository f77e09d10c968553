// Package privilege is what a host server lets its component do in the name of
// the server's users (XEP-0356, "urn:xmpp:privilege:2" and ":1"): see and change
// rosters, send messages from a user, send requests as a user, see who is online.
//
// Nothing is assumed. The server says what it grants in a message after each
// login, and may say it again; until then, and when the connection has gone,
// nothing is granted. What the server refuses in spite of what it said is not
// tried again before it says so anew. Only users of the host server's own domain
// can be spoken for: every question is asked per user.
//
// The package has no goroutines; a mutex guards what was granted.
package privilege
