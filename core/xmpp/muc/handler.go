package muc

import (
	"context"
	"strings"
	"time"

	"gangway/core"
	"gangway/core/xmpp"
	"gangway/core/xmpp/addr"
	"gangway/core/xmpp/edge"
	"gangway/core/xmpp/stream"
)

const (
	patience = 10 * time.Second // how long the network's answer to a moderator is waited for
	maxID    = 1023             // bytes of a stanza's id; a longer one was not made by a client
)

// Handler takes what clients say to the rooms of one domain.
type Handler struct {
	rooms  *Rooms
	domain *edge.Domain
}

// On returns the handler for a domain.
func (r *Rooms) On(d *edge.Domain) *Handler { return &Handler{rooms: r, domain: d} }

// call is a stanza to a room, with who sent it and what it is about.
type call struct {
	st      *stream.Stanza
	w       xmpp.Sender
	to      addr.JID
	user    core.UserID
	origin  core.Origin
	target  core.Target
	account core.Account
	ref     core.Ref
	room    *room // nil if nobody of the account is in
}

// call reads a stanza to a room. The room's JID is how it was written: rooms under another spelling are sent to it.
func (h *Handler) call(ctx context.Context, w xmpp.Sender, st *stream.Stanza, t core.Target) (*call, error) {
	c := &call{st: st, w: w, target: t}
	var err error
	if c.user, _, err = h.domain.User(st.From); err != nil {
		return nil, err
	}
	if c.to, err = addr.Parse(st.To); err != nil {
		return nil, xmpp.NewError("modify", "jid-malformed", "")
	}
	if err := h.domain.Canonical(c.to, t); err != nil {
		return nil, err
	}
	if c.origin, err = originOf(st); err != nil {
		return nil, err
	}
	c.account, err = h.rooms.gw.Account(ctx, c.user, h.domain.Network.Driver.Name, t.Realm)
	if err != nil {
		return nil, err
	}
	c.ref = core.Ref{Account: c.account.ID, Peer: t.Address}
	c.room = h.rooms.find(c.ref)
	return c, nil
}

// originOf is how a stanza is named to the network and by its answers: by its id, which reflections and errors
// repeat, or else its origin-id (XEP-0359). It outlives the stanza.
func originOf(st *stream.Stanza) (core.Origin, error) {
	id := st.ID
	if id == "" {
		id = st.Child(NSStanzaID, "origin-id").Attr("id")
	}
	if len(id) > maxID {
		return core.Origin{}, core.E(core.Invalid, "muc: id", "The stanza's id is too long.")
	}
	return core.Origin{ID: strings.Clone(id), From: strings.Clone(st.From)}, nil
}

// with calls fn with the room abilities of the account's session.
func (h *Handler) with(ctx context.Context, a core.Account, fn func(core.Caps) error) error {
	return h.rooms.gw.With(ctx, a, func(s core.Session) error {
		caps := core.CapsOf(s)
		if caps.Rooms == nil {
			return core.E(core.Unsupported, "muc", "This network has no rooms.")
		}
		return fn(caps)
	})
}

// handlerFunc is a function as an edge.Handler.
type handlerFunc func(ctx context.Context, w xmpp.Sender, st *stream.Stanza, t core.Target) error

func (f handlerFunc) ServeTarget(ctx context.Context, w xmpp.Sender, st *stream.Stanza, t core.Target) error {
	return f(ctx, w, st, t)
}
