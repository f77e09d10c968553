package roster

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"gangway/core"
	"gangway/core/xmpp/edge"
	"gangway/core/xmpp/privilege"
	"gangway/core/xmpp/stream"
)

// What becomes of the list of a user who is nobody here any more: who has been moved to another name, has
// unregistered, or was erased. What we did about a list is kept until that has been taken back, so that a link
// which is down, or a gateway which is, only puts it off.

var (
	_ edge.Mover  = (*Roster)(nil)
	_ core.Keeper = (*Roster)(nil)
)

// Moved implements edge.Mover: the old name's list is taken back, and the new one's filled. Whom the user has
// declined to have on the list is not asked about again.
func (r *Roster) Moved(ctx context.Context, d *edge.Domain, from core.UserID, moved []core.Account) error {
	h := r.domains[d]
	if h == nil || len(moved) == 0 {
		return nil
	}
	to := moved[0].User
	r.health.forget(d.Name, from)
	err := h.inherit(ctx, from, to)
	h.want(from, job{fill: true})
	// A link that is down greets everybody when it is back.
	_ = d.Link.Write(func(enc *stream.Encoder) { h.meet(enc, to) })
	return err
}

// inherit carries over what a user has declined.
func (h *house) inherit(ctx context.Context, from, to core.UserID) error {
	if h.notes == nil {
		return nil
	}
	old, err := h.load(ctx, from)
	if err != nil {
		return err
	}
	return h.change(ctx, to, func(l *list) {
		for jid, e := range old.Entries {
			if _, known := l.Entries[jid]; !known && e.State == declined {
				l.note(jid, e)
			}
		}
	})
}

// Move implements core.Keeper. There is nothing to do beside Moved.
func (r *Roster) Move(context.Context, core.UserID, core.UserID) error { return nil }

// Erase implements core.Keeper: what is kept about a user's list is forgotten on disk at once, and the list is taken
// back as soon as that can be.
func (r *Roster) Erase(ctx context.Context, user core.UserID) error {
	var errs []error
	for d, h := range r.domains {
		r.health.forget(d.Name, user)
		if h.notes == nil {
			continue
		}
		l, err := h.load(ctx, user)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		h.mu.Lock()
		h.person(user).erased = &l
		h.mu.Unlock()
		errs = append(errs, h.notes.Delete(ctx, string(user)))
		h.want(user, job{fill: true})
	}
	return errors.Join(errs...)
}

// Forget removes what is kept about a user's list on a network, where no Roster runs that could take it back.
func Forget(ctx context.Context, notes func(network string) core.Notes, network string, user core.UserID) error {
	return notes(notesName(network)).Delete(ctx, string(user))
}

// takeBack undoes what was done about the list of somebody who is not registered: what we put there by privilege is
// removed, unless the user has put it elsewhere; the other subscriptions are ended; and nothing of ours is online
// there.
func (h *house) takeBack(ctx context.Context, user core.UserID) error {
	l, err := h.load(ctx, user)
	if err != nil {
		return err
	}
	h.mu.Lock()
	if erased := h.person(user).erased; erased != nil {
		l = *erased
	}
	h.mu.Unlock()
	removed, err := h.removeByPrivilege(ctx, user, l.Entries)
	if err != nil {
		return err
	}
	if err := h.end(ctx, user, l.Entries, removed); err != nil {
		return fmt.Errorf("roster: take back: %w", err)
	}
	h.mu.Lock()
	if p := h.people[user]; p != nil {
		p.shown, p.said, p.erased = nil, nil, nil
	}
	h.mu.Unlock()
	return h.notes.Delete(ctx, string(user))
}

// removeByPrivilege takes off a user's list what we have put there, where the host server lets us: it ends the
// subscriptions then. Who is shown as online is shown as gone before: afterwards the server may keep it to itself.
func (h *house) removeByPrivilege(ctx context.Context, user core.UserID, entries map[string]entry) (removed map[string]bool, err error) {
	if len(entries) == 0 || h.domain.Privileges.For(user).Roster != privilege.Both {
		return nil, nil
	}
	have, err := h.domain.Privileges.Roster(ctx, user)
	if err == nil {
		p := planFor(h.domain.Name, h.group(), nil, have, entries)
		removed = map[string]bool{}
		for _, it := range p.set {
			removed[it.JID] = true
		}
		if err = h.gone(ctx, user, removed); err == nil {
			err = h.carryOut(ctx, user, p)
		}
	}
	if err != nil && (refusedFor(err) || h.domain.Privileges.For(user).Roster != privilege.Both) {
		return nil, nil // then it is done without
	}
	return removed, err
}

// gone shows those as gone that are online and among some.
func (h *house) gone(ctx context.Context, user core.UserID, some map[string]bool) error {
	online := h.seen(user)
	var all []string
	for jid := range some {
		if online[jid] {
			all = append(all, jid)
		}
	}
	slices.Sort(all)
	return h.paced(ctx, len(all), func(enc *stream.Encoder, i int) { h.write(enc, all[i], string(user), state{}) })
}

// seen are the contacts, and the gateway itself, that a user sees online.
func (h *house) seen(user core.UserID) map[string]bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	online := map[string]bool{}
	if p := h.people[user]; p != nil {
		for jid, s := range p.shown {
			online[jid] = s.available
		}
	}
	return online
}

// end takes leave of a user: it shows their contacts as gone, and ends the subscriptions, but for some (XEP-0100 section
// 4.3).
func (h *house) end(ctx context.Context, user core.UserID, entries map[string]entry, but map[string]bool) error {
	online := h.seen(user)
	var all []string
	for jid, e := range entries {
		if e.State != declined {
			all = append(all, jid)
		}
	}
	subscribed := len(all)
	for jid, is := range online {
		if e, known := entries[jid]; is && (!known || e.State == declined) {
			all = append(all, jid)
		}
	}
	slices.Sort(all[:subscribed])
	slices.Sort(all[subscribed:])
	return h.paced(ctx, len(all), func(enc *stream.Encoder, i int) {
		switch {
		case but[all[i]]:
		case i < subscribed: // while the server still passes that on
			writeKind(enc, "unavailable", all[i], string(user))
			writeKind(enc, "unsubscribe", all[i], string(user))
			writeKind(enc, "unsubscribed", all[i], string(user))
		default:
			writeKind(enc, "unavailable", all[i], string(user))
		}
	})
}

// leftovers has the lists taken back of those who are not registered any more: who went while the gateway was down.
func (h *house) leftovers(ctx context.Context) error {
	rows, ok := h.notes.(interface {
		Keys(ctx context.Context, after string, limit int) ([]string, error)
	})
	if !ok {
		return nil
	}
	accounts, err := h.roster.cfg.Accounts.Accounts(ctx, h.domain.Network.Driver.Name)
	if err != nil {
		return fmt.Errorf("roster: users of %s: %w", h.domain.Name, err)
	}
	registered := map[core.UserID]bool{}
	for _, a := range accounts {
		registered[a.User] = true
	}
	for after := ""; ; {
		keys, err := rows.Keys(ctx, after, keysPerRead)
		if err != nil {
			return fmt.Errorf("roster: lists of %s: %w", h.domain.Name, err)
		}
		for _, key := range keys {
			if !registered[core.UserID(key)] {
				h.want(core.UserID(key), job{ask: true})
			}
			after = key
		}
		if len(keys) < keysPerRead {
			return nil
		}
	}
}

// keysPerRead is how many users' rows are looked at in one read.
const keysPerRead = 500
