// Package archive keeps what is said in rooms, for each account by itself: nobody reads what they were not there to
// hear. It is what the history of a join, XEP-0313 and a user's export are made from.
//
// An event is queued by whoever shows it, within bounds and without waiting for the disk, and written by the one
// goroutine that runs Run, many in one transaction. What does not fit into the queue is shown all the same: the
// history then has a hole, which is counted and logged. Reading waits for what was queued before it.
//
// Within a room events are in order of the time they were said, and, at the same millisecond, in that of their coming.
// So what a network tells later, of a time when the gateway was away, finds its place (core.History); what is known
// already is not kept twice, whether the network names its messages or not.
//
// A message that is taken back is emptied where it stands, and so is what corrected it. Nothing is kept for longer
// than Config.Keep, nor more than Config.Limit events of a room.
package archive
