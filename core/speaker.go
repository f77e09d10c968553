package core

import (
	"context"
	"slices"
)

// Routes is the mapping's table of which of a user's accounts each conversation goes through, on networks whose
// accounts are Shared.
type Routes interface {
	// Speaker returns the account that a user speaks to peer with: the one that the conversation went through last, else
	// the one that they chose to write from, else the oldest. Unenrolled if there is none.
	Speaker(ctx context.Context, user UserID, network string, peer Address) (Account, error)
	// Went notes that the conversation with peer goes through an account. It returns the one that spoke before; empty if
	// that is not known, or the user has one account only. It is cheap where nothing changes.
	Went(ctx context.Context, a Account, peer Address) (before AccountID, err error)
}

// Speaker returns the account with which a user speaks to a target. about are the edge's names of messages that are
// answered, read, changed, taken back or said again: an answer goes from the address that was written to. Otherwise the
// conversation stays with the account that it went through last; see Routes. Where accounts are not Shared it is the one
// in the target's realm, as Account has it.
func (g *Gateway) Speaker(ctx context.Context, user UserID, network string, t Target, about ...string) (Account, error) {
	n := g.networks[network]
	if n == nil || !n.Driver.Shared || g.cfg.Routes == nil {
		return g.Account(ctx, user, network, t.Realm)
	}
	all, err := g.on(ctx, user, network)
	switch {
	case err != nil:
		return Account{}, err
	case len(all) == 0:
		return g.Account(ctx, user, network, t.Realm) // an implicit one may be made
	case len(all) == 1:
		return all[0], nil
	}
	for _, id := range about {
		if a, ok := g.spoke(ctx, all, id); ok {
			return a, nil
		}
	}
	return g.cfg.Routes.Speaker(ctx, user, network, t.Address)
}

// on are a user's accounts on a network.
func (g *Gateway) on(ctx context.Context, user UserID, network string) ([]Account, error) {
	all, err := g.cfg.People.AccountsOf(ctx, user)
	return slices.DeleteFunc(all, func(a Account) bool { return a.Network != network }), err
}

// spoke is the one of a user's accounts that a message belongs to.
func (g *Gateway) spoke(ctx context.Context, all []Account, id string) (Account, bool) {
	if id == "" {
		return Account{}, false
	}
	entry, err := g.cfg.Ledger.Message(ctx, MessageID(id))
	for i := 0; err != nil && i < len(all); i++ {
		entry, err = g.cfg.Ledger.ByOrigin(ctx, all[i].ID, id)
	}
	at := slices.IndexFunc(all, func(a Account) bool { return err == nil && a.ID == entry.Account })
	if at < 0 {
		return Account{}, false
	}
	return all[at], true
}

// went notes which account a message goes through. That it could not be noted holds up nothing.
func (g *Gateway) went(ctx context.Context, a Account, e Event) (before AccountID) {
	m, ok := e.(*Message)
	n := g.networks[a.Network]
	if !ok || m.Room || m.Peer == "" || g.cfg.Routes == nil || !n.Driver.Shared {
		return ""
	}
	before, err := g.cfg.Routes.Went(ctx, a, m.Peer)
	if err != nil {
		g.log.Warn("not noted which account a conversation goes through", "account", a.ID, "err", err)
	}
	return before
}

// arrived notes which account a message from the network came to, and has the message say so where the user could not
// tell: when the conversation went through another one before.
func (g *Gateway) arrived(ctx context.Context, a Account, m *Message) {
	before := g.went(ctx, a, m)
	if before != "" && before != a.ID {
		m.Own = a.Own
	}
}

// AccountsOf implements Host.
func (h *host) AccountsOf(ctx context.Context, user UserID) ([]Account, error) {
	all, err := h.g.on(ctx, user, h.network)
	slices.SortStableFunc(all, func(a, b Account) int { return a.Created.Compare(b.Created) })
	return all, err
}

// Renew implements Host.
func (h *host) Renew(ctx context.Context, id AccountID, s Secret) error {
	a, err := h.Account(ctx, id)
	if err != nil {
		return err
	}
	a.Secret = s
	_, err = h.g.cfg.Accounts.Link(ctx, a)
	return err
}
