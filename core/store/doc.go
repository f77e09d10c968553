// Package store opens the database and runs transactions on it.
//
// SQLite is embedded: WAL with synchronous=FULL, so that what was committed survives a power cut. PostgreSQL will be
// the second dialect of the same code; see Dialect.
//
// Writes are group commits. There is no writer goroutine: the first caller of Write becomes the leader, puts
// everything that waits into one transaction, commits it, wakes those whose writes were in it, and passes the lead to
// the next one waiting. One transaction is open at a time, on one connection; a write that fails is undone by its
// savepoint and does not harm the others in the transaction.
//
// Reads run beside it, on a few connections of their own, each on a snapshot of what is committed.
//
// The only goroutine here is the one that database/sql keeps between Open and Close.
package store
