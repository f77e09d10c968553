package roster

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"gangway/core"
	"gangway/core/xmpp"
	"gangway/core/xmpp/edge"
	"gangway/core/xmpp/privilege"
	"gangway/core/xmpp/stream"
)

const (
	perWrite  = 50                     // presences that are queued at once
	between   = 25 * time.Millisecond  // two writes: at most 2,000 a second
	whileFull = 100 * time.Millisecond // between attempts while the host server does not read
)

// greetAll tells every registered user, over a new connection, that the gateway
// is there, and finds out who of them is online.
func (h *house) greetAll(ctx context.Context) {
	if !sleep(ctx, greeted) {
		return
	}
	var err error
	if first := h.firstLink(); first {
		err = errors.Join(h.leftovers(ctx), h.roster.Announce(ctx, h.domain))
	} else {
		h.lost()
		err = h.toAll(ctx, h.probe)
	}
	if err != nil && ctx.Err() == nil {
		h.roster.log.Warn("presence not announced", "domain", h.domain.Name, "err", err)
	}
}

func (h *house) firstLink() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.online == 1
}

// Announce sends the gateway's presence to every registered user of a domain and
// asks where they are, so that those who are online see their contacts; lists
// are brought up to date. Run does it when the link is online for the first time.
func (r *Roster) Announce(ctx context.Context, d *edge.Domain) error {
	h := r.domains[d]
	return h.toAll(ctx, h.meet)
}

// meet sends the gateway's presence to a registered user, and asks where they are.
func (h *house) meet(enc *stream.Encoder, user core.UserID) {
	h.show(enc, user, h.domain.Name, stateOf(h.roster.health.line(h.domain.Name, user)))
	if h.notes == nil {
		return
	}
	h.mu.Lock()
	p := h.person(user)
	online := len(p.clients) > 0
	p.owed = !online
	h.mu.Unlock()
	if !online {
		h.probe(enc, user)
	}
	h.want(user, job{fill: true, show: online})
}

// probe asks the user's server whether they are online, unless it tells us by itself.
func (h *house) probe(enc *stream.Encoder, user core.UserID) {
	if h.domain.Privileges.For(user).Presence >= privilege.Users {
		return
	}
	writeKind(enc, "probe", h.domain.Name, string(user))
}

// Withdraw tells every user who was shown the gateway or a contact that these
// are gone, unless they are known to be offline. Call it before the link is
// stopped.
func (r *Roster) Withdraw(ctx context.Context, d *edge.Domain) error {
	h := r.domains[d]
	type farewell struct {
		user core.UserID
		from string
	}
	var all []farewell
	h.mu.Lock()
	for user, p := range h.people {
		for from, s := range p.shown {
			if s.available {
				all = append(all, farewell{user, from})
			}
		}
		p.shown = nil
	}
	h.mu.Unlock()
	slices.SortFunc(all, func(a, b farewell) int {
		return cmp.Or(cmp.Compare(a.user, b.user), cmp.Compare(a.from, b.from))
	})
	return h.paced(ctx, len(all), func(enc *stream.Encoder, i int) {
		writeKind(enc, "unavailable", all[i].from, string(all[i].user))
	})
}

// toAll calls fn for each user of the domain once.
func (h *house) toAll(ctx context.Context, fn func(*stream.Encoder, core.UserID)) error {
	accounts, err := h.roster.cfg.Accounts.Accounts(ctx, h.domain.Network.Driver.Name)
	if err != nil {
		return fmt.Errorf("roster: users of %s: %w", h.domain.Name, err)
	}
	var users []core.UserID
	seen := map[core.UserID]bool{}
	for _, a := range accounts {
		if !seen[a.User] {
			seen[a.User] = true
			users = append(users, a.User)
		}
	}
	return h.paced(ctx, len(users), func(enc *stream.Encoder, i int) { fn(enc, users[i]) })
}

// paced calls fn for each of n, a few at a time, no faster than the host server
// is to bear and than it takes it. fn is called once for each.
func (h *house) paced(ctx context.Context, n int, fn func(*stream.Encoder, int)) error {
	for i := 0; i < n; i += perWrite {
		if i > 0 && !sleep(ctx, between) {
			return ctx.Err()
		}
		e := stream.Encoder{Domain: h.domain.Link.Domain()}
		for j := i; j < min(i+perWrite, n); j++ {
			fn(&e, j)
		}
		if e.Err() != nil {
			e.Refuse()
			return fmt.Errorf("roster: presence: %w", e.Err())
		}
		if err := h.push(ctx, &e); err != nil {
			return err
		}
	}
	return nil
}

// push gives the link what was written, waiting while it is full.
func (h *house) push(ctx context.Context, from *stream.Encoder) error {
	if from.Count() == 0 {
		return nil
	}
	for {
		err := h.domain.Link.Write(func(enc *stream.Encoder) { enc.Append(from) })
		switch {
		case err == nil:
			return nil
		case !errors.Is(err, xmpp.ErrFull):
			from.Refuse()
			return fmt.Errorf("roster: presence: %w", err)
		case !sleep(ctx, whileFull):
			from.Refuse()
			return ctx.Err()
		}
	}
}

// showContacts brings the presence of a user's contacts up to date: on all
// devices, or on some that have seen none.
func (h *house) showContacts(ctx context.Context, user core.UserID, j job) error {
	h.mu.Lock()
	p := h.person(user)
	offline := p.offline()
	online := len(p.clients) > 0
	p.owed = !offline && !online
	shown := maps.Clone(p.shown)
	h.mu.Unlock()
	if offline {
		return nil
	}
	contacts, err := h.wanted(ctx, user)
	if err != nil {
		return err
	}
	states := make([]state, len(contacts))
	for i, c := range contacts {
		_, st, err := h.standing(ctx, user, core.Target{Realm: c.realm})
		if err != nil {
			return err
		}
		states[i] = h.now(user, c.jid, &st)
		if c.jid == h.domain.Name {
			states[i] = stateOf(h.roster.health.line(h.domain.Name, user))
		}
	}
	return h.paced(ctx, len(contacts), func(enc *stream.Encoder, i int) {
		if j.show {
			if _, seen := shown[contacts[i].jid]; online || seen { // seen by a user of whom we know nothing else
				h.show(enc, user, contacts[i].jid, states[i])
			}
			return
		}
		for _, to := range j.to {
			if states[i].available {
				h.write(enc, contacts[i].jid, to, h.dress(user, contacts[i].jid, states[i]))
			}
		}
	})
}

func sleep(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}
