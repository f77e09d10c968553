// Package irc is the transport for IRC (RFC 1459, RFC 2812, the "modern" client protocol and IRCv3).
//
// One session is one connection: of one user to one network. It alone knows the user's nick, rooms, members, topics
// and modes there; whoever asks to join a room that it is in already gets all of that as a snapshot. After a loss it
// keeps the rooms that are wanted and enters them again by itself.
//
// Goroutines: session.Run reads and handles lines, in its caller's goroutine. A writer lives only while there is
// something to write, and waits for the flood control. A courier lives only while events are to be delivered that a
// call of the edge caused, so that no call waits for its own answer. One mutex guards a session; it is never held
// while the host or the network is called. Events leave in the order in which they were made, by one deliverer at a
// time.
//
// What waits for the host (where a history ends, notes) is a chore, done by the same deliverer between events, without
// the mutex: a room is entered behind the chore that asks where its history ends, and what fills the gap has its place
// among the events.
//
// Everything that is written is a wire.Command; everything that is read goes through wire.Reader and wire.Parse.
// They bound and validate. Package isupport knows what a network says of itself, package format how text looks on IRC.
package irc
