package roster

import (
	"context"
	"errors"
	"maps"
	"slices"
	"time"

	"gangway/core"
	"gangway/core/xmpp"
	"gangway/core/xmpp/addr"
	"gangway/core/xmpp/privilege"
	"gangway/core/xmpp/stream"
)

const (
	askPause  = 10 * time.Second // for an answer, before the next contact is asked about
	maxAsked  = 20               // unanswered requests; more would only bury the user
	maxWanted = 5_000            // contacts of one user on one network
)

// fill brings a user's list up to date. again says that it may have changed;
// otherwise what was begun goes on.
func (h *house) fill(ctx context.Context, user core.UserID, again bool) error {
	if h.notes == nil {
		return nil
	}
	contacts, err := h.wanted(ctx, user)
	if err != nil {
		return err
	}
	if len(contacts) == 0 { // not even the gateway itself
		if !again {
			if stays, err := h.mayComeYet(ctx, user); stays || err != nil {
				return err
			}
		}
		return h.takeBack(ctx, user)
	}
	h.mu.Lock()
	h.person(user).erased = nil // they are back
	h.mu.Unlock()
	l, err := h.load(ctx, user)
	if err != nil {
		return err
	}
	before := list{l.Digest, maps.Clone(l.Entries)}
	err = h.bring(ctx, user, contacts, &l, again)
	return errors.Join(err, h.change(ctx, user, func(now *list) { now.apply(before, l) }))
}

// mayComeYet says whether somebody without an account may have one as soon as they use it: what they have subscribed to
// before stays. Whose account has just been deleted is not among them: that is a change of the list.
func (h *house) mayComeYet(ctx context.Context, user core.UserID) (bool, error) {
	h.mu.Lock()
	erased := h.person(user).erased != nil
	h.mu.Unlock()
	if erased || !h.domain.Network.Driver.Implicit || !h.roster.cfg.Gateway.Allowed(user) {
		return false, nil
	}
	l, err := h.load(ctx, user)
	for jid, e := range l.Entries {
		if e.State != subscribed || jid != h.domain.Name && !h.isNetwork(jid) {
			return false, err
		}
	}
	return err == nil, err
}

// bring chooses the way. What one way is refused, the next one tries.
func (h *house) bring(ctx context.Context, user core.UserID, contacts []contact, l *list, again bool) error {
	if h.domain.Privileges.For(user).Roster == privilege.Both {
		digest := digestOf(contacts)
		if l.Digest == digest {
			return nil
		}
		err := h.fillByPrivilege(ctx, user, contacts, l)
		if err == nil {
			l.Digest = digest
			h.want(user, job{show: true})
		}
		if err == nil || h.domain.Privileges.For(user).Roster == privilege.Both && !refusedFor(err) {
			return err
		}
	}
	l.Digest = ""
	if again {
		h.dropUnwanted(user, contacts, l)
	}
	missing := slices.DeleteFunc(slices.Clone(contacts), func(c contact) bool { return l.Entries[c.jid].State != "" })
	missing = h.notThere(ctx, user, missing, l)
	if len(missing) == 0 {
		return nil
	}
	if to := h.exchanger(ctx, user); to != "" {
		return h.offer(to, missing, l)
	}
	return h.ask(user, missing[0], l)
}

// refusedFor reports whether a host server says that it does not do what was
// asked: then another way has to be found.
func refusedFor(err error) bool {
	var e *xmpp.Error
	return errors.As(err, &e) && e.Type != "wait"
}

// fillByPrivilege writes what is missing or different, one item after the other.
func (h *house) fillByPrivilege(ctx context.Context, user core.UserID, contacts []contact, l *list) error {
	have, err := h.domain.Privileges.Roster(ctx, user)
	if err != nil {
		return err
	}
	p := planFor(h.domain.Name, h.group(), contacts, have, l.Entries)
	if err := h.carryOut(ctx, user, p); err != nil {
		return err
	}
	for jid, e := range l.Entries {
		if h.isNetwork(jid) {
			p.entries[jid] = e
		}
	}
	l.Entries = p.entries
	for _, jid := range p.removed {
		if j, err := addr.Parse(jid); err == nil && j.Local() != "" {
			if t, err := h.domain.Target(j.Local()); err == nil {
				if err := h.remove(ctx, user, t); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// group is the group that our contacts are put into.
func (h *house) group() string { return h.domain.Network.Driver.Title }

// notThere leaves out the contacts that the user has already, where it can be seen.
func (h *house) notThere(ctx context.Context, user core.UserID, missing []contact, l *list) []contact {
	if len(missing) == 0 || h.domain.Privileges.For(user).Roster&privilege.Get == 0 {
		return missing
	}
	have, err := h.domain.Privileges.Roster(ctx, user)
	if err != nil {
		return missing // then it cannot be seen
	}
	for _, it := range have {
		if it.Subscription != "both" && it.Subscription != "to" {
			continue
		}
		missing = slices.DeleteFunc(missing, func(c contact) bool {
			is := addr.Same(c.jid, it.JID)
			if is {
				l.note(c.jid, entry{State: subscribed})
			}
			return is
		})
	}
	return missing
}

func (l *list) note(jid string, e entry) {
	if l.Entries == nil {
		l.Entries = map[string]entry{}
	}
	l.Entries[jid] = e
	if e.State == gone {
		delete(l.Entries, jid)
	}
}

// ask sends a subscription request (with the name, XEP-0172), and comes back for
// the next one when it is answered or was not for a while.
func (h *house) ask(user core.UserID, c contact, l *list) error {
	open := 0
	for _, e := range l.Entries {
		if e.State == asked {
			open++
		}
	}
	if open >= maxAsked {
		return nil
	}
	if wait := h.askable(user, c.jid); wait > 0 {
		h.want(user, job{ask: true, soon: wait})
		return nil
	}
	h.want(user, job{ask: true, soon: askPause}) // before they can answer, which calls for the next one at once
	err := h.domain.Link.Write(func(enc *stream.Encoder) {
		enc.Start("presence", "", "type", "subscribe", "from", c.jid, "to", string(user))
		if c.name != "" {
			enc.Leaf("nick", nsNick, c.name)
		}
		enc.End()
	})
	if err != nil {
		return err
	}
	l.note(c.jid, entry{c.name, asked})
	return nil
}

// askable makes a contact the one that the user is being asked about, or returns
// how long the one before still has.
func (h *house) askable(user core.UserID, jid string) time.Duration {
	h.mu.Lock()
	defer h.mu.Unlock()
	p := h.person(user)
	if wait := askPause - time.Since(p.since); p.asking != "" && wait > 0 {
		return wait
	}
	p.asking, p.since = jid, time.Now()
	return 0
}

// isNetwork says whether an address is that of a network itself, which a user may have on their list, or not, as they
// like.
func (h *house) isNetwork(jid string) bool {
	j, err := addr.Parse(jid)
	if err != nil || j.Local() == "" {
		return false
	}
	t, err := h.domain.Target(j.Local())
	return err == nil && t.Address == "" && t.Realm != ""
}

// dropUnwanted tells the user that contacts which we have put on the list, or
// asked about, are contacts no more.
func (h *house) dropUnwanted(user core.UserID, contacts []contact, l *list) {
	wanted := map[string]bool{}
	for _, c := range contacts {
		wanted[c.jid] = true
	}
	var drop []string
	for jid := range l.Entries {
		if !wanted[jid] && !h.isNetwork(jid) {
			drop = append(drop, jid)
		}
	}
	slices.Sort(drop)
	for _, jid := range drop {
		state := l.Entries[jid].State
		l.note(jid, entry{State: gone})
		if state == declined {
			continue
		}
		err := h.domain.Link.Write(func(enc *stream.Encoder) {
			writeKind(enc, "unsubscribe", jid, string(user))
			h.leave(enc, jid, user)
		})
		if err != nil {
			l.note(jid, entry{State: state})
			return
		}
	}
}

// answered notes what a user has said to a subscription, or did by themselves.
func (h *house) answered(ctx context.Context, user core.UserID, jid, state string) {
	if h.notes == nil {
		return
	}
	news := false
	err := h.change(ctx, user, func(l *list) {
		e, known := l.Entries[jid]
		switch {
		case e.State == state, !known && state != subscribed, e.State == set && state == subscribed:
		case e.State == subscribed && state == declined && jid != h.domain.Name:
		default:
			news = true
			l.note(jid, entry{e.Name, state})
		}
	})
	if err != nil {
		h.roster.log.Warn("answer to a subscription not noted", "domain", h.domain.Name, "err", err)
	}
	if !news {
		return
	}
	h.mu.Lock()
	p := h.person(user)
	next := p.asking == jid
	if next {
		p.asking = ""
	}
	h.mu.Unlock()
	if next {
		h.want(user, job{ask: true})
	}
}
