package mapping

import (
	"bytes"
	"maps"
	"sync"

	"gangway/core"
)

// cacheSize is the most accounts that are kept: about 1 KiB each.
const cacheSize = 16384

// userKey and ownKey are the other two ways to ask for an account.
type (
	userKey struct {
		user           core.UserID
		network, realm string
	}
	ownKey struct{ network, folded string }
)

// cache keeps accounts that were asked for. What is not in it may still exist.
//
// A reader that misses notes the generation before it looks into the database, and gives it back with what it found:
// if a write was committed in between, what it found may be old and is not kept.
type cache struct {
	size  int
	watch Watcher // nil: nobody

	mu         sync.RWMutex
	generation uint64
	byID       map[core.AccountID]core.Account
	byUser     map[userKey]core.AccountID
	byOwn      map[ownKey]core.AccountID
}

func newCache(size int) *cache {
	return &cache{size: size, byID: make(map[core.AccountID]core.Account),
		byUser: make(map[userKey]core.AccountID), byOwn: make(map[ownKey]core.AccountID)}
}

// account, of and owner return a copy, or the generation to fill in with.
func (c *cache) account(id core.AccountID) (a core.Account, ok bool, generation uint64) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return c.get(id)
}

func (c *cache) of(k userKey) (a core.Account, ok bool, generation uint64) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return c.get(c.byUser[k])
}

func (c *cache) owner(k ownKey) (a core.Account, ok bool, generation uint64) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return c.get(c.byOwn[k])
}

func (c *cache) get(id core.AccountID) (core.Account, bool, uint64) {
	a, ok := c.byID[id]
	return clone(a), ok, c.generation
}

// fill keeps an account that was found under id, and under u and o where they are set.
func (c *cache) fill(generation uint64, a core.Account, u userKey, o ownKey) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if generation != c.generation {
		return
	}
	shrink(c.byID, c.size)
	c.byID[a.ID] = clone(a)
	if u != (userKey{}) {
		shrink(c.byUser, c.size)
		c.byUser[u] = a.ID
	}
	if o != (ownKey{}) {
		shrink(c.byOwn, c.size)
		c.byOwn[o] = a.ID
	}
}

// shrink makes room in a full map. Which entries go is left to chance: an account that is in use comes back at the
// price of one query.
func shrink[K comparable, V any](m map[K]V, size int) {
	if len(m) < size {
		return
	}
	drop := size/8 + 1
	for k := range m {
		delete(m, k)
		if drop--; drop == 0 {
			return
		}
	}
}

// forget drops what a committed write has changed, the accounts as they were and as they are, and tells the watcher.
func (c *cache) forget(accounts ...core.Account) {
	defer c.tell(accounts...)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.generation++
	for _, a := range accounts {
		delete(c.byID, a.ID)
		delete(c.byUser, userKey{a.User, a.Network, a.Realm})
		if a.Own != "" {
			delete(c.byOwn, ownKey{a.Network, Fold(string(a.Own))})
		}
	}
}

func clone(a core.Account) core.Account {
	a.Secret = bytes.Clone(a.Secret)
	a.Options = maps.Clone(a.Options)
	return a
}
