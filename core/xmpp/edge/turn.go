package edge

import (
	"sync"

	"gangway/core"
	"gangway/core/xmpp/stream"
)

// turns are what those who write for one account take one after the other. Many accounts share one of them.
type turns [64]sync.Mutex

func (t *turns) of(a core.AccountID) *sync.Mutex {
	h := uint32(2166136261) // FNV-1a
	for i := range len(a) {
		h = (h ^ uint32(a[i])) * 16777619
	}
	return &t[h%uint32(len(t))]
}

// InTurn writes what an account is shown. What is written so arrives in the order in which it was encoded, which
// Link.Write alone does not promise to two who write at once. It waits where the host server does not read: what is live
// is shown late rather than not at all. fn must not write in turn itself.
func (d *Domain) InTurn(a core.AccountID, fn func(*stream.Encoder)) error {
	turn := d.turns.of(a)
	turn.Lock()
	defer turn.Unlock()
	return d.Link.WriteWait(fn)
}
