package core

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
)

// Requests are those who wait to be let in to an account, the oldest first.
func (g *Gateway) Requests(ctx context.Context, a Account) ([]Request, error) {
	if g.cfg.Requests == nil {
		return nil, nil
	}
	return g.cfg.Requests.Waiting(ctx, a.ID)
}

// Accept lets somebody in: what waits of theirs is delivered, in order, and they are no stranger from now on.
func (g *Gateway) Accept(ctx context.Context, a Account, peer Address) error {
	if g.cfg.Requests == nil {
		return E(Unsupported, "core: accept", "Everybody can write to you here.")
	}
	if _, err := g.cfg.Requests.Welcome(ctx, a.ID, peer); err != nil {
		return err
	}
	return g.admit(ctx, a, peer)
}

// Turned says that a user has blocked somebody: what waits of theirs is forgotten.
func (g *Gateway) Turned(ctx context.Context, a Account, peer Address) error {
	if g.cfg.Requests == nil {
		return nil
	}
	_, last, err := g.cfg.Requests.Waited(ctx, a.ID, peer)
	if err != nil || last == 0 {
		return err
	}
	return g.cfg.Requests.DropWaited(ctx, a.ID, peer, last)
}

// Denounce tells the admins of somebody, with what waits of theirs, if anything does.
func (g *Gateway) Denounce(ctx context.Context, a Account, peer Address, words string) error {
	n := g.networks[a.Network]
	if n == nil {
		return E(NotFound, "core: report", "There is no such network here.")
	}
	text := fmt.Sprintf("%s reports %s.", a.User, n.Transport.Format(Target{Realm: a.Realm, Address: peer}))
	if words = shorten(words, maxNote); words != "" {
		text += " They say: " + words
	}
	if g.cfg.Requests != nil {
		all, _, err := g.cfg.Requests.Waited(ctx, a.ID, peer)
		if err != nil {
			return err
		}
		for _, e := range all {
			if m, ok := e.(*Message); ok {
				text += "\nThe sender is" + m.Trust.verdict() + "." + excerpt(m)
				break
			}
		}
	}
	g.tellAdmins(ctx, a.Network, text)
	return nil
}

// Reconsider looks again at what waits for a user on a network, because their contacts have changed. It does not wait.
func (g *Gateway) Reconsider(user UserID, network string) {
	select {
	case g.met <- acquaintance{user, network}:
	default: // there is a lot to look at: all of it will be
	}
}

type acquaintance struct {
	user    UserID
	network string
}

// watchRequests settles what waits, until ctx ends.
func (g *Gateway) watchRequests(ctx context.Context) {
	if g.cfg.Requests == nil {
		return
	}
	every := time.NewTicker(sweepRequests)
	defer every.Stop()
	for {
		err := g.settleRequests(ctx, nil)
		for err == nil {
			var one acquaintance
			select {
			case <-ctx.Done():
				return
			case <-every.C:
				err = errAgain
			case one = <-g.met:
				err = g.settleRequests(ctx, &one)
			}
		}
		if ctx.Err() != nil {
			return
		}
		if !errors.Is(err, errAgain) {
			g.log.Warn("requests not looked at", "err", err)
			if !sleep(ctx, time.Minute) {
				return
			}
		}
	}
}

// errAgain says that it is time to look at all requests.
var errAgain = errors.New("core: again")

// settleRequests delivers what waits of those who are no strangers any more, forgets what waits of those who are blocked,
// and gives up on what has waited for too long. of: only what concerns that user.
func (g *Gateway) settleRequests(ctx context.Context, of *acquaintance) error {
	all, err := g.waiting(ctx, of)
	if err != nil {
		return err
	}
	lapsed := map[acquaintance][]string{}
	for _, r := range all {
		a, err := g.cfg.Accounts.Account(ctx, r.Account)
		if err != nil {
			if KindOf(err) == NotFound {
				continue
			}
			return err
		}
		key := acquaintance{a.User, a.Network}
		n := g.networks[a.Network]
		if n == nil {
			continue
		}
		if err := g.settleRequest(ctx, a, r, func() {
			lapsed[key] = append(lapsed[key], n.Transport.Format(Target{Realm: a.Realm, Address: r.Peer}))
		}); err != nil {
			return err
		}
	}
	for key, who := range lapsed {
		g.tell(ctx, key.network, key.user, summary(who))
	}
	return nil
}

// waiting are the requests of a user on a network, or all.
func (g *Gateway) waiting(ctx context.Context, of *acquaintance) ([]Request, error) {
	if of == nil {
		return g.cfg.Requests.Waiting(ctx, "")
	}
	accounts, err := g.cfg.People.AccountsOf(ctx, of.user)
	if err != nil {
		return nil, err
	}
	var all []Request
	for _, a := range accounts {
		if a.Network != of.network {
			continue
		}
		some, err := g.cfg.Requests.Waiting(ctx, a.ID)
		if err != nil {
			return nil, err
		}
		all = append(all, some...)
	}
	return all, nil
}

func (g *Gateway) settleRequest(ctx context.Context, a Account, r Request, lapsed func()) error {
	known, err := g.cfg.Requests.Welcomed(ctx, r.Account, r.Peer)
	if err != nil {
		return err
	}
	if known {
		return g.admit(ctx, a, r.Peer)
	}
	blocked := false
	if g.cfg.Choices != nil {
		if blocked, err = g.cfg.Choices.Blocked(ctx, r.Account, r.Peer); err != nil {
			return err
		}
	}
	over := time.Since(r.Since) > RequestLife
	if !blocked && !over {
		return nil
	}
	if err := g.Turned(ctx, a, r.Peer); err != nil {
		return err
	}
	if over && !blocked {
		lapsed()
	}
	return nil
}

// summary says who has waited in vain.
func summary(who []string) string {
	more := ""
	if n := len(who) - maxSummary; n > 0 {
		who, more = who[:maxSummary], fmt.Sprintf(" and %d more", n)
	}
	return fmt.Sprintf("These have wanted to write to you for %d days, and you have not let them in. What they wrote is forgotten: %s%s.",
		int(RequestLife/(24*time.Hour)), strings.Join(who, ", "), more)
}

// Trust says whether a network has found out that somebody is who they say.
type Trust uint8

// What is known.
const (
	TrustUnknown Trust = iota // nobody has looked
	Verified
	Unverified
)

// says is for the end of a sentence about somebody.
func (t Trust) says() string {
	if t == Unverified {
		return ", if it is really they: the sender is not verified"
	}
	if t == Verified {
		return " (the sender is verified)"
	}
	return ""
}

func (t Trust) verdict() string {
	switch t {
	case Verified:
		return " verified"
	case Unverified:
		return " not verified"
	}
	return " neither verified nor refuted"
}
