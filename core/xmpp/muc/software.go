package muc

import (
	"context"
	"slices"
	"strings"

	"gangway/core"
	"gangway/core/xmpp"
	"gangway/core/xmpp/edge"
	"gangway/core/xmpp/query"
	"gangway/core/xmpp/stream"
)

var (
	_ edge.Inquirer = (*Rooms)(nil)
	_ query.Rooms   = (*Handler)(nil)
)

// Occupant implements query.Rooms. Who is not in a room has nobody there to ask.
func (h *Handler) Occupant(ctx context.Context, st *stream.Stanza, t core.Target) (a core.Account, peer core.Address, own bool, err error) {
	c, err := h.call(ctx, nil, st, t)
	if err != nil {
		return a, "", false, err
	}
	if !c.room.has(st.From) {
		return a, "", false, xmpp.NewError("cancel", "not-acceptable", "You are not in this room.")
	}
	if c.room.is(c.to.Resource()) {
		return c.account, "", true, nil
	}
	nick := h.nickOf(ctx, c, c.to.Resource())
	err = h.with(ctx, c.account, func(caps core.Caps) error {
		state, err := caps.Rooms.Snapshot(t.Address)
		if err != nil {
			return err
		}
		if !slices.ContainsFunc(state.Members, func(m core.Member) bool { return strings.EqualFold(m.Nick, nick) }) {
			return core.E(core.NotFound, "muc: occupant", nick+" is not in this room.")
		}
		peer = caps.Rooms.Occupant(t.Address, nick)
		return nil
	})
	return c.account, peer, false, err
}

// Software implements edge.Inquirer: a client that is in a room of the account is asked, in the name of who wants to know.
func (r *Rooms) Software(ctx context.Context, d *edge.Domain, a core.Account, by core.Address) (core.Software, error) {
	from, err := d.Contact(a.Realm, by)
	if err != nil {
		return core.Software{}, err
	}
	client := r.client(a.ID)
	if client == "" {
		return core.Software{}, core.E(core.NotFound, "muc: software", "There is no client to ask.")
	}
	st, err := d.Link.IQFrom(ctx, from, client, "get", func(enc *stream.Encoder) { enc.Empty("query", xmpp.NSVersion) })
	if err != nil {
		return core.Software{}, err
	}
	defer st.Release()
	told := st.Child(xmpp.NSVersion, "query")
	if told == nil {
		return core.Software{}, core.E(core.Unsupported, "muc: software", "The client does not say what it is.")
	}
	say := func(name string) string { return strings.Clone(told.ChildText("", name)) }
	return core.Software{Name: say("name"), Version: say("version"), OS: say("os")}, nil
}

// client is a resource of an account's user that is in one of its rooms: the one that is longest in the first of them.
// Empty if there is none.
func (r *Rooms) client(account core.AccountID) string {
	all := r.theirs(account)
	slices.SortFunc(all, func(a, b *room) int { return strings.Compare(a.jid, b.jid) })
	for _, rm := range all {
		if in, _ := rm.present(); len(in) > 0 {
			return in[0]
		}
	}
	return ""
}
