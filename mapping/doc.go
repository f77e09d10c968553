// Package mapping keeps who is who: which person has which accounts on other networks, whom they know there, which
// own addresses are whose, and the names of messages, so that replies, receipts and duplicates are recognised.
//
// A Map implements core.Accounts and core.Ledger, and keeps the journal that the outbox writes in its own
// transactions (Put, Settle). Rows of one person are never shown to another.
//
// Secrets are sealed with a key that is not in the database; see Key and Sealer. Escape and LocalPart turn addresses
// into the local parts of JIDs (XEP-0106).
//
// Goroutines: none. The cache of accounts is the only shared state in memory; its mutex is never held while the
// database is used. It is not told of what another process writes: while a gateway runs, whoever else wants to change
// an account asks the gateway to.
package mapping
