package core

import (
	"context"
	"errors"
)

// What an administrator may do to people. Whoever calls these has made sure that it is one (Gateway.Admin). People are
// told what was done; see notice.go.

// Person returns what is known of a user.
func (g *Gateway) Person(ctx context.Context, user UserID) (Person, error) {
	return g.cfg.People.Person(ctx, user)
}

// People lists those who have been let in, wait to be, or are suspended.
func (g *Gateway) People(ctx context.Context, f PeopleFilter) ([]Person, error) {
	return g.cfg.People.People(ctx, f)
}

// Approve lets somebody in, whether or not they have asked. Invalid, with a sentence, if they are suspended.
func (g *Gateway) Approve(ctx context.Context, user UserID) (Person, error) {
	var before Person
	p, err := g.cfg.People.ChangePerson(ctx, user, func(p *Person) error {
		before = *p
		if p.Standing == Suspended {
			return E(Invalid, "core: approve", string(user)+" is suspended. Resume them instead.")
		}
		p.Standing, p.Note = Registered, ""
		return nil
	})
	if err == nil && before.Standing == Pending {
		g.tell(ctx, before.Network, user, `You have been let in. Send "register" to go on.`)
	}
	return p, err
}

// Reject forgets a request to be let in. NotFound if there is none.
func (g *Gateway) Reject(ctx context.Context, user UserID) error {
	var before Person
	_, err := g.cfg.People.ChangePerson(ctx, user, func(p *Person) error {
		before = *p
		if p.Standing != Pending {
			return E(NotFound, "core: reject", string(user)+" has not asked to be let in.")
		}
		*p = Person{User: user}
		return nil
	})
	if err == nil {
		g.tell(ctx, before.Network, user, "Your request to be let in to this gateway was declined.")
	}
	return err
}

// Suspend shuts somebody out: their sessions stop, what they submit and what comes for them is refused, and what they
// have queued toward the networks fails when its turn comes. Nothing of theirs is removed. why is for them to read and
// may be empty. Invalid if they are an administrator.
func (g *Gateway) Suspend(ctx context.Context, user UserID, why string) (Person, error) {
	if g.Admin(user) {
		return Person{}, E(Invalid, "core: suspend",
			string(user)+" is an administrator. Take them from the configuration's admins first.")
	}
	accounts, err := g.cfg.People.AccountsOf(ctx, user)
	if err != nil {
		return Person{}, err
	}
	p, err := g.cfg.People.ChangePerson(ctx, user, func(p *Person) error {
		p.Standing, p.Note = Suspended, shorten(why, maxNote)
		return nil
	})
	if err != nil {
		return Person{}, err
	}
	for _, a := range accounts {
		g.stop(a.ID)
	}
	g.tell(ctx, home(accounts, p), user, suspended(p).Sentence())
	return p, nil
}

// Resume lets somebody in again who was suspended. Invalid if they are not.
func (g *Gateway) Resume(ctx context.Context, user UserID) (Person, error) {
	p, err := g.cfg.People.ChangePerson(ctx, user, func(p *Person) error {
		if p.Standing != Suspended {
			return E(Invalid, "core: resume", string(user)+" is not suspended.")
		}
		p.Standing, p.Note = Registered, ""
		return nil
	})
	if err != nil {
		return Person{}, err
	}
	accounts, err := g.cfg.People.AccountsOf(ctx, user)
	if err != nil {
		return p, err
	}
	g.reopen(ctx, accounts)
	g.tell(ctx, home(accounts, p), user, "Your access to this gateway is no longer suspended.")
	return p, nil
}

// Allow sets how many messages a user may send in a minute; 0: what the configuration says.
func (g *Gateway) Allow(ctx context.Context, user UserID, messages int) (Person, error) {
	return g.cfg.People.ChangePerson(ctx, user, func(p *Person) error {
		switch {
		case messages < 0:
			return E(Invalid, "core: limit", "A limit is a number of messages a minute, or 0 for the usual one.")
		case p.Standing == Stranger:
			return E(NotFound, "core: limit", string(user)+" is not known here.")
		}
		p.Messages = messages
		return nil
	})
}

// Move gives everything of a user to a new name of theirs: their sessions stop, the rows of all Keepers are moved, and
// the sessions begin again under the new name. Both names are told. Invalid, with a sentence, if the new name has
// something already; NotFound if the old one has nothing.
func (g *Gateway) Move(ctx context.Context, from, to UserID) error {
	accounts, err := g.cfg.People.AccountsOf(ctx, from)
	if err != nil {
		return err
	}
	g.stopAll(accounts)
	if err := g.cfg.People.Move(ctx, from, to); err != nil {
		g.reopen(ctx, accounts)
		return err
	}
	g.stopAll(accounts) // an attempt in between may have opened one again under the old name
	var errs []error
	for _, k := range g.cfg.Keepers {
		errs = append(errs, k.Move(ctx, from, to))
	}
	moved, err := g.cfg.People.AccountsOf(ctx, to)
	errs = append(errs, err)
	g.reopen(ctx, moved)
	if m, ok := g.voice().(Mover); ok && len(moved) > 0 {
		errs = append(errs, m.Moved(ctx, from, moved))
	}
	for _, network := range networksOf(moved) {
		g.tell(ctx, network, from, "Your registration here belongs to "+string(to)+" now.")
		g.tell(ctx, network, to, "What was registered here for "+string(from)+" belongs to you now.")
	}
	return errors.Join(errs...)
}

// Mover is an Edge that keeps something by user, such as a contact list.
type Mover interface {
	// Moved is told that accounts are another user's now, who is their User: what was shown to the old name is to be
	// taken back, and shown to the new one. It does not wait for the host server. While the gateway does not run
	// nobody is told: an Edge finds out when it begins.
	Moved(ctx context.Context, from UserID, moved []Account) error
}

// Erase forgets everything of a user: accounts, with their sessions, what all Keepers have, and that they were let in.
// Only that somebody is suspended is remembered. NotFound if nothing is kept about them.
func (g *Gateway) Erase(ctx context.Context, user UserID) error {
	accounts, err := g.cfg.People.AccountsOf(ctx, user)
	if err != nil {
		return err
	}
	g.stopAll(accounts)
	err = g.cfg.People.Erase(ctx, user)
	g.stopAll(accounts)
	if err != nil && KindOf(err) != NotFound {
		return err
	}
	errs := []error{err}
	for _, k := range g.cfg.Keepers {
		errs = append(errs, k.Erase(ctx, user))
	}
	return errors.Join(errs...)
}

func (g *Gateway) stopAll(accounts []Account) {
	for _, a := range accounts {
		g.stop(a.ID)
	}
}

// reopen opens the sessions of stored networks, which must be there to receive. Before Run nothing is opened: it does
// so itself.
func (g *Gateway) reopen(ctx context.Context, accounts []Account) {
	if g.voice() == nil {
		return
	}
	for _, a := range accounts {
		if n := g.networks[a.Network]; n == nil || n.Driver.Lane != Stored {
			continue
		}
		if err := g.With(ctx, a, func(Session) error { return nil }); err != nil {
			g.log.Warn("session not opened", "network", a.Network, "account", a.ID, "err", err)
		}
	}
}

// home is the network on which to speak to somebody: where they are, or where they asked to be.
func home(accounts []Account, p Person) string {
	if len(accounts) > 0 {
		return accounts[0].Network
	}
	return p.Network
}

// networksOf are the networks of accounts, each once.
func networksOf(accounts []Account) []string {
	var all []string
	seen := map[string]bool{}
	for _, a := range accounts {
		if !seen[a.Network] {
			seen[a.Network] = true
			all = append(all, a.Network)
		}
	}
	return all
}

// voice is the edge, once Run has begun; nil before.
func (g *Gateway) voice() Edge {
	if e := g.running.Load(); e != nil {
		return *e
	}
	return nil
}
