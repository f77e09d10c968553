// Package ircv3 is an IRC server for tests that has what Debian's servers have not: history, multiline messages,
// redaction, read markers and a bouncer's networks, with all of IRCv3 around them. It is written from the
// specifications of ircv3.net and checked against their examples; it shares no code with the gateway.
//
// A Server outlives its listener: Start and Stop may be called in turn, and history, markers and topics stay, as they do
// on a real network. People without a connection are played by a Person. Faults are asked for by nick.
//
// Goroutines: each connection has one that reads and one that writes; all state is under the server's mutex.
package ircv3
