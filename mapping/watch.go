package mapping

import (
	"gangway/core"
	"gangway/core/store"
)

// Watcher is told whose accounts or contacts, on which network, have changed.
type Watcher func(user core.UserID, network string)

// Watch has fn told of each change after its commit; fn must be quick. It replaces the one before, and is called before
// anything is served.
func (m *Map) Watch(fn Watcher) { m.cache.watch = fn }

// changing tells the watcher of an account's contacts when the transaction is committed.
func (m *Map) changing(tx *store.Tx, a core.Account) {
	tx.OnCommit(func() { m.cache.tell(a) })
}

// tell is of accounts or what belongs to them.
func (c *cache) tell(accounts ...core.Account) {
	if c.watch == nil {
		return
	}
	for _, a := range accounts {
		if a.User != "" {
			c.watch(a.User, a.Network)
		}
	}
}
