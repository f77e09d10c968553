// Package outbox is the disk of the stored lanes: it implements core.Queue on core/store.
//
// # What happens to an event
//
// Put writes it as one row, in a group commit, before anybody is told that it was taken. The commit hands it to the
// scheduler in memory; nothing polls. The scheduler gives each lane's oldest items, once their time has come, to the
// handler of their direction, many lanes at once, never the same lane twice at once: an item that waits to be tried
// again holds back those behind it in its lane, and no others. The handler's verdicts are carried out in a group
// commit: Done deletes the row, Retry updates it, Dead moves it to the dead letters, and the items of Then and the
// rows of the Journal are part of the same transaction. The lane goes on after the commit.
//
// A row is in the table exactly as long as the event is unfinished, so that a crash at any moment loses nothing; what
// was being handled at that moment is handled again. Run reads the rows in order of seq before it starts anything,
// so that nothing new overtakes.
//
// When to try again and when to give up is the handler's decision, but for two things. An item over which the
// handler panics five times is a dead letter (it is tried alone, not in a batch, after the first time), and so is
// one that this program cannot decode.
//
// # What is held
//
// A row of the direction core.Window may be changed until its time has come: Amend, of which each is a transaction that
// takes its entry out of the scheduler, writes the row anew, or deletes it and puts what it becomes, and places it again.
// When its time has come it is handled like any other, and is replaced in the transaction that carries out the verdict;
// who wants to change it meanwhile waits for that. So nothing is ever both in what was let go and still to be changed.
//
// # Duplicates
//
// The digests of the keys that were taken are kept for a time that the Config says, longer than anybody repeats
// himself. See seen.go.
//
// # Memory
//
// A pending item costs about 160 bytes, and its event as well while there is room (Config.Resident); events that are
// not resident are read again when their turn comes.
//
// # Other processes
//
// The command line may list, retry and drop while the gateway runs, through store.OpenShared: dead letters directly,
// pending items by a row of orders, which the running queue looks for once a second, and once at its start.
//
// # Goroutines
//
// Run owns them all: Handler.Workers for each direction, which take turns from the scheduler and carry out verdicts;
// the clock, which wakes lanes whose time has come; and the keeper, which carries out orders, merges digests and
// forgets what is old. The scheduler's mutex guards what they share, and is never held during a database call.
// The transaction functions run on whichever goroutine leads the group commit, one at a time: what they alone touch
// (the next seq, the digests) needs no lock.
package outbox
