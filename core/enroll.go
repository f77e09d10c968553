package core

import "context"

// Enroll takes a user one step further in linking an account on a network; see Enroller. When the step is Done its
// account has been written and its session opened.
func (g *Gateway) Enroll(ctx context.Context, user UserID, network string, answers map[string]string) (Step, error) {
	n := g.networks[network]
	if n == nil {
		return Step{}, E(NotFound, "core: enrol", "There is no such network here.")
	}
	if !g.cfg.Allowed(user) {
		return Step{}, notAllowed()
	}
	if n.TransportCaps.Enroller == nil {
		return Step{}, E(Unsupported, "core: enrol", "Accounts on this network are made by the administrator.")
	}
	var current *Account
	a, err := g.cfg.Accounts.AccountOf(ctx, user, network, "")
	switch {
	case err == nil:
		current = &a
	case KindOf(err) != Unenrolled:
		return Step{}, err
	}
	step, err := n.TransportCaps.Enroller.Enroll(ctx, user, current, answers)
	if err != nil || !step.Done || step.Link == nil {
		return step, err
	}
	link := *step.Link
	link.User, link.Network = user, network
	if current != nil && link.Realm == current.Realm {
		link.ID = current.ID
	}
	linked, err := g.Link(ctx, link)
	if err != nil {
		return Step{}, err
	}
	step.Link = &linked
	return step, nil
}

// Link writes an account, whoever asks for it, and (re)opens its session.
func (g *Gateway) Link(ctx context.Context, a Account) (Account, error) {
	linked, err := g.cfg.Accounts.Link(ctx, a)
	if err != nil {
		return Account{}, err
	}
	g.stop(linked.ID)
	if n := g.networks[linked.Network]; n != nil && n.Driver.Lane == Stored {
		err = g.With(ctx, linked, func(Session) error { return nil })
	}
	return linked, err
}

// Unenroll removes all of a user's accounts on a network, with everything kept for them. Unenrolled if there is none.
func (g *Gateway) Unenroll(ctx context.Context, user UserID, network string) error {
	all, err := g.cfg.Accounts.Accounts(ctx, network)
	if err != nil {
		return err
	}
	found := false
	for _, a := range all {
		if a.User != user {
			continue
		}
		found = true
		g.stop(a.ID)
		err := g.cfg.Accounts.Unlink(ctx, a.ID)
		g.stop(a.ID) // an attempt in between may have opened it again
		if err != nil {
			return err
		}
	}
	if !found {
		return E(Unenrolled, "core: unenrol", "You are not registered here.")
	}
	return nil
}
