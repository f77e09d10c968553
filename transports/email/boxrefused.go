package email

import (
	"sync"

	"gangway/core"
)

// maxRefused is how often a login is tried that the server refuses: providers lock accounts for more.
const maxRefused = 3

// refusals count how often the servers of mailboxes refused a login in a row, across sessions: whoever uses the account
// again has it opened again. Another secret begins anew.
type refusals struct {
	mu  sync.Mutex
	all map[core.AccountID]refusedLogin
}

type refusedLogin struct {
	secret string // its digest
	n      int
}

func newRefusals() *refusals { return &refusals{all: map[core.AccountID]refusedLogin{}} }

// add counts one, and returns how many there were in a row.
func (r *refusals) add(a core.Account) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	digest := core.Digest(string(a.Secret))
	c := r.all[a.ID]
	if c.secret != digest {
		c = refusedLogin{secret: digest}
	}
	c.n++
	r.all[a.ID] = c
	return c.n
}

// clear forgets them.
func (r *refusals) clear(id core.AccountID) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.all, id)
}
