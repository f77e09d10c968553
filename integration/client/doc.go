// Package client is a small XMPP client over TCP: the judge of Gangway's tests, and the people in its demo.
//
// It shares no code with the gateway's own reading and writing of stanzas on purpose: what one of them gets wrong the
// other must not forgive. It speaks plain TCP to loopback addresses only, because it sends passwords in the clear.
//
// A Client has one goroutine, started by Dial and ended by Close, which reads stanzas into a journal. Wait takes them
// from there, so it cannot miss what came before the call, and never gives one stanza twice.
package client
