package core

import (
	"context"
	"fmt"
	"time"
)

// announcePace is the time between two users of an announcement.
const announcePace = 5 * time.Millisecond

// announceBatch is how many of an announcement are put on disk at once.
const announceBatch = 200

// notice is the stored form of something that the gateway says to a user, from the domain of a network. Under one id
// somebody is told once.
func notice(id MessageID, network string, user UserID, text string) *Item {
	return &Item{
		Direction: ToXMPP, Network: network, User: user, Queued: time.Now(),
		Lane: "notice " + string(user), Key: "notice " + string(id) + " " + string(user),
		Event: &Notice{ID: id, Text: text},
	}
}

// tell says something to a user. It is on disk when tell returns, and said when the link is up. That a disk does not
// take it is logged: what there was to tell has been done all the same.
func (g *Gateway) tell(ctx context.Context, network string, user UserID, text string) {
	if g.networks[network] == nil {
		return
	}
	if err := g.cfg.Queue.Put(ctx, notice(NewID(), network, user, text)); err != nil {
		g.log.Warn("a user cannot be told", "network", network, "err", err)
	}
}

// Report tells the admins what somebody has to say about a correspondent on a network. It is kept until it has been said.
func (g *Gateway) Report(ctx context.Context, network, text string) { g.tellAdmins(ctx, network, text) }

func (g *Gateway) tellAdmins(ctx context.Context, network, text string) {
	for _, admin := range g.access().Admins {
		g.tell(ctx, network, admin, text)
	}
}

// Announce says something to every user of a network who is not suspended, as the gateway itself, 200 of them a second,
// and returns how many will be told. All of it is on disk then: it is said when the link is up, also after a restart,
// and the host server keeps it for who is offline. With an error only the first told will be.
func (g *Gateway) Announce(ctx context.Context, network, text string) (told int, err error) {
	if g.networks[network] == nil {
		return 0, E(NotFound, "core: announce", "There is no such network here.")
	}
	accounts, err := g.cfg.Accounts.Accounts(ctx, network)
	if err != nil {
		return 0, err
	}
	id, now := NewID(), time.Now()
	seen := map[UserID]bool{}
	var batch []*Item
	for i, a := range accounts {
		if !seen[a.User] && g.active(ctx, a.User) == nil {
			it := notice(id, network, a.User, text)
			it.NotBefore = now.Add(time.Duration(told+len(batch)) * announcePace)
			batch = append(batch, it)
		}
		seen[a.User] = true
		if len(batch) == 0 || len(batch) < announceBatch && i < len(accounts)-1 {
			continue
		}
		if err := g.cfg.Queue.Put(ctx, batch...); err != nil {
			return told, fmt.Errorf("announce: %d will be told: %w", told, err)
		}
		told += len(batch)
		batch = nil
	}
	return told, nil
}
