package email

import (
	"sync"
	"time"

	"gangway/core"
	"gangway/transports/email/oauth"
)

const (
	maxGrants = 1000             // on their way at once
	keepGrant = 15 * time.Minute // that came to something, or to nothing
	patience  = 15 * time.Second // for a person to allow it, while a form waits
)

// grants are the allowances that people are about to give, by user and address.
type grants struct {
	now func() time.Time

	mu  sync.Mutex
	all map[grantKey]*grant
}

type grantKey struct {
	user core.UserID
	box  string
}

// grant is one of them. mu is held while the provider is asked: of two turns at once the second waits.
type grant struct {
	mu    sync.Mutex
	asked *oauth.Grant
	token oauth.Token // what came of it; empty: nothing yet
	end   time.Time
}

func newGrants(now func() time.Time) *grants { return &grants{now: now, all: map[grantKey]*grant{}} }

// of returns the grant of a user for an address, which may be new. nil if there are too many.
func (g *grants) of(k grantKey) *grant {
	now := g.now()
	g.mu.Lock()
	defer g.mu.Unlock()
	for key, old := range g.all {
		if !now.Before(old.end) {
			delete(g.all, key)
		}
	}
	found := g.all[k]
	if found == nil && len(g.all) < maxGrants {
		found = &grant{end: now.Add(keepGrant)}
		g.all[k] = found
	}
	return found
}

func (g *grants) drop(k grantKey) {
	g.mu.Lock()
	defer g.mu.Unlock()
	delete(g.all, k)
}
