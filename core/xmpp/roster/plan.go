package roster

import (
	"context"
	"errors"
	"slices"
	"strings"

	"gangway/core"
	"gangway/core/xmpp"
	"gangway/core/xmpp/addr"
	"gangway/core/xmpp/privilege"
	"gangway/mapping"
)

// contact is somebody whom a user's list is to have, or the gateway itself.
type contact struct {
	jid, name, realm string
}

// standing of a contact on a user's list, as far as we had to do with it.
const (
	set        = "set"        // written by privilege
	offered    = "offered"    // to a client, by roster item exchange
	asked      = "asked"      // by a subscription request that has no answer yet
	subscribed = "subscribed" // by the user
	declined   = "declined"   // by the user: not asked again
	gone       = ""           // forget it
)

// entry is what we did about one contact on a user's list.
type entry struct {
	Name  string `json:"name,omitempty"` // as we last wrote it
	State string `json:"state"`
}

// list is what we did about a user's whole list. It is kept.
type list struct {
	Digest  string           `json:"digest,omitempty"` // of what was wanted when it was last brought up to date
	Entries map[string]entry `json:"entries,omitempty"`
}

// plan is how a roster becomes what is wanted.
type plan struct {
	set     []privilege.Item
	entries map[string]entry
	removed []string // contacts that the user has taken off the list meanwhile
}

// planFor compares a user's roster with what is wanted on it. What the user has
// renamed or put into another group stays as it is; what the user has removed is
// not put back; nothing is removed that we have not put there, into our group.
func planFor(domain, group string, wanted []contact, have []privilege.Item, before map[string]entry) plan {
	p := plan{entries: map[string]entry{}}
	found := map[string]privilege.Item{}
	for _, it := range have {
		if j, err := addr.Parse(it.JID); err == nil && j.IsBare() && addr.Same(j.Domain(), domain) {
			found[j.Key()] = it
		}
	}
	// A roster without any of ours is new: somebody who removes us removes one by one.
	known := slices.ContainsFunc(wanted, func(c contact) bool { _, ok := found[addr.Key(c.jid)]; return ok })
	for _, c := range wanted {
		e, ours := before[c.jid]
		it, there := found[addr.Key(c.jid)]
		delete(found, addr.Key(c.jid))
		switch {
		case !there && ours && (e.State == set && known || e.State == declined):
			p.entries[c.jid] = entry{e.Name, declined}
			if e.State == set {
				p.removed = append(p.removed, c.jid)
			}
		case !there:
			p.set = append(p.set, privilege.Item{JID: c.jid, Name: c.name, Subscription: "both", Groups: []string{group}})
			p.entries[c.jid] = entry{c.name, set}
		default:
			p.keep(c, it, e)
		}
	}
	for _, it := range found {
		e, ours := before[it.JID]
		if ours && e.State == set && onlyIn(it, group) {
			p.set = append(p.set, privilege.Item{JID: it.JID, Subscription: "remove"})
		}
	}
	return p
}

// keep brings an item that is there up to date.
func (p *plan) keep(c contact, it privilege.Item, e entry) {
	next := it
	next.Subscription = "both"
	if c.name != "" && (it.Name == "" || it.Name == e.Name && e.State == set || e.State == gone && c.called(it.Name)) {
		next.Name = c.name
		e.Name = c.name
	}
	if next.Name != it.Name || next.Subscription != it.Subscription {
		p.set = append(p.set, next)
	}
	p.entries[c.jid] = entry{e.Name, set}
}

// called reports whether a name is none that a user has chosen, but what we would
// give, or the address, which clients put there.
func (c contact) called(name string) bool {
	local, _, _ := strings.Cut(c.jid, "@")
	return name == c.name || name == c.jid || name == local || name == mapping.AddressText(local)
}

func onlyIn(it privilege.Item, group string) bool {
	return len(it.Groups) == 0 || len(it.Groups) == 1 && it.Groups[0] == group
}

// carryOut changes a user's roster. An item that the server does not want is left out of the plan.
func (h *house) carryOut(ctx context.Context, user core.UserID, p plan) error {
	for _, it := range p.set {
		err := h.domain.Privileges.SetRoster(ctx, user, it)
		var refusal *xmpp.Error
		switch {
		case err == nil:
		case errors.As(err, &refusal) && h.domain.Privileges.For(user).Roster == privilege.Both &&
			(refusal.Condition == "bad-request" || refusal.Condition == "item-not-found" || refusal.Condition == "not-acceptable"):
			delete(p.entries, it.JID) // this one only
		default:
			return err
		}
	}
	return nil
}
