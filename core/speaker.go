package core

import "context"

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

// Speaker returns the account with which a user speaks to a target. about are the names of messages that are answered,
// read, changed or taken back, as far as they are known: an answer goes from the address that was written to. Otherwise
// the conversation stays with the account that it went through last; see Routes. Where accounts are not Shared it is the
// one in the target's realm, as Account has it.
func (g *Gateway) Speaker(ctx context.Context, user UserID, network string, t Target, about ...MessageID) (Account, error) {
	n := g.networks[network]
	if n == nil || !n.Driver.Shared || g.cfg.Routes == nil {
		return g.Account(ctx, user, network, t.Realm)
	}
	for _, id := range about {
		if a, ok := g.spoke(ctx, user, network, id); ok {
			return a, nil
		}
	}
	a, err := g.cfg.Routes.Speaker(ctx, user, network, t.Address)
	if err != nil && KindOf(err) == Unenrolled {
		return g.Account(ctx, user, network, t.Realm) // an implicit one may be made
	}
	return a, err
}

// spoke is the account of the user's that a message belongs to.
func (g *Gateway) spoke(ctx context.Context, user UserID, network string, id MessageID) (Account, bool) {
	if id == "" {
		return Account{}, false
	}
	entry, err := g.cfg.Ledger.Message(ctx, id)
	if err != nil {
		return Account{}, false
	}
	a, err := g.cfg.Accounts.Account(ctx, entry.Account)
	return a, err == nil && a.User == user && a.Network == network
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
