package roster

import (
	"context"
	"time"

	"gangway/core"
	"gangway/mapping"
)

// wanted are the contacts that a user's list is to have, the gateway first.
// Nobody who is not registered has any.
func (h *house) wanted(ctx context.Context, user core.UserID) ([]contact, error) {
	accounts, err := h.accountsOf(ctx, user)
	if err != nil || len(accounts) == 0 {
		return nil, err
	}
	all := []contact{{jid: h.domain.Name, name: h.domain.Network.Driver.Title}}
	seen := map[string]int{}
	for _, a := range accounts {
		some, err := h.contactsOf(ctx, a)
		if err != nil {
			return nil, err
		}
		for _, c := range some {
			if _, dup := seen[c.jid]; !dup && len(all) < maxWanted {
				seen[c.jid] = len(all)
				all = append(all, c)
			}
		}
	}
	return all, nil
}

// contactsOf are the contacts that the user has listed for an account, and whom
// the network itself has on its list.
func (h *house) contactsOf(ctx context.Context, a core.Account) ([]contact, error) {
	if h.roster.cfg.Contacts == nil {
		return nil, nil
	}
	var all []contact
	blocked := map[string]bool{}
	after := core.Address("")
	for len(all) < maxWanted {
		some, err := h.roster.cfg.Contacts.Contacts(ctx, a.ID, after, 0)
		if err != nil {
			return nil, err
		}
		for _, c := range some {
			after = c.Address
			if k, ok := h.contact(a, c); ok && c.Listed && !c.Blocked {
				all = append(all, k)
			} else if ok && c.Blocked {
				blocked[k.jid] = true
			}
		}
		if len(some) == 0 {
			break
		}
	}
	for _, p := range h.listed(ctx, a) {
		k, ok := h.contact(a, mapping.Contact{Address: p.Peer, Name: p.Name})
		if !ok || blocked[k.jid] {
			continue
		}
		all = append(all, k)
		if h.roster.cfg.Cards != nil {
			h.roster.cfg.Cards.Learn(h.domain, a.User, k.jid, &p)
		}
	}
	return all, nil
}

// contact is how a contact stands on a list; rooms do not.
func (h *house) contact(a core.Account, c mapping.Contact) (contact, bool) {
	n := h.domain.Network.Transport
	text := n.Format(core.Target{Realm: a.Realm, Address: c.Address})
	t, err := n.Parse(text)
	if err != nil || t.Room || t.Address == "" {
		return contact{}, false
	}
	jid, err := h.domain.JID(t.Realm, t.Address, false)
	if err != nil {
		return contact{}, false
	}
	name := c.Alias
	if name == "" {
		name = c.Name
	}
	if name == "" {
		name = string(c.Address)
	}
	return contact{jid: jid, name: bounded(name, maxName), realm: t.Realm}, true
}

// listed asks a session that is connected whom it knows.
func (h *house) listed(ctx context.Context, a core.Account) (all []core.Profile) {
	sessions := h.roster.cfg.Sessions
	if sessions == nil || h.domain.Network.Caps.ContactLister == nil || h.accountStatus(a.ID).Link != core.Connected {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	err := sessions.With(ctx, a, func(s core.Session) (err error) {
		if c := core.CapsOf(s).ContactLister; c != nil {
			all, err = c.Contacts(ctx)
		}
		return err
	})
	if err != nil {
		h.roster.log.Debug("the network's contact list is not to be had", "account", a.ID, "err", err)
	}
	return all
}

func digestOf(contacts []contact) string {
	parts := make([]string, 0, 2*len(contacts))
	for _, c := range contacts {
		parts = append(parts, c.jid, c.name)
	}
	return core.Digest(parts...)
}
