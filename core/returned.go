package core

import "context"

// Returned tells the network that a message from it was not taken by its user's server. Nothing is done about one that
// is not known, is not the user's, or comes from a network that has no use for it.
func (g *Gateway) Returned(ctx context.Context, user UserID, network string, id MessageID, because Kind, reason Reason) error {
	n := g.networks[network]
	if n == nil || n.TransportCaps.Returner == nil {
		return nil
	}
	entry, err := g.cfg.Ledger.Message(ctx, id)
	if err != nil {
		if KindOf(err) == NotFound {
			return nil
		}
		return err
	}
	if entry.Mine || entry.Remote == "" {
		return nil
	}
	a, err := g.cfg.Accounts.Account(ctx, entry.Account)
	if err != nil {
		if KindOf(err) == NotFound {
			return nil
		}
		return err
	}
	if a.User != user || a.Network != network {
		return nil
	}
	return n.TransportCaps.Returner.Returned(ctx, a, entry.Peer, entry.Remote, because, reason)
}
