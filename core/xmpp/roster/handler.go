package roster

import (
	"context"
	"slices"

	"gangway/core"
	"gangway/core/xmpp"
	"gangway/core/xmpp/addr"
	"gangway/core/xmpp/disco"
	"gangway/core/xmpp/edge"
	"gangway/core/xmpp/stream"
)

// Handler handles the presence that is sent to one domain (Serve) and to the
// contacts there (ServeTarget).
type Handler struct {
	r      *Roster
	domain *edge.Domain
	disco  *disco.Handler
}

var (
	_ xmpp.Handler = (*Handler)(nil)
	_ edge.Handler = (*Handler)(nil)
)

// Serve implements xmpp.Handler, for the gateway itself. Whoever may use it may
// have it in the roster, registered or not: that is how it is written to.
func (h *Handler) Serve(ctx context.Context, w xmpp.Sender, st *stream.Stanza) error {
	if !asks(st) {
		return nil
	}
	user, _, err := h.domain.User(st.From)
	if err != nil {
		return refuse(w, st, h.domain.Name, err)
	}
	registered, err := h.registered(ctx, user)
	switch {
	case err != nil:
		return err
	case st.Type == "unsubscribe":
		return w.Write(func(enc *stream.Encoder) {
			h.leave(enc, h.domain.Name, user)
			if registered {
				statusNotice(enc, h.domain, string(user), "You have removed this gateway from your contacts. "+
					`Your registration is kept; send "unregister" to delete it.`)
			}
		})
	case !registered && !h.r.gateway.Allowed(user):
		return w.Write(func(enc *stream.Encoder) { writeKind(enc, "unsubscribed", h.domain.Name, string(user)) })
	}
	return w.Write(func(enc *stream.Encoder) {
		to := h.welcome(enc, st, h.domain.Name, user)
		writeGateway(enc, h.domain, h.disco, to, h.r.health.line(h.domain.Name, user))
		h.back(enc, st, h.domain.Name, user)
	})
}

// ServeTarget implements edge.Handler, for a contact.
func (h *Handler) ServeTarget(ctx context.Context, w xmpp.Sender, st *stream.Stanza, t core.Target) error {
	if !asks(st) {
		return nil
	}
	to, err := addr.Parse(st.To)
	if err != nil {
		return xmpp.NewError("modify", "jid-malformed", "")
	}
	contact := to.Bare()
	user, _, err := h.domain.User(st.From)
	if err == nil && st.Type == "unsubscribe" {
		return w.Write(func(enc *stream.Encoder) { h.leave(enc, contact, user) })
	}
	if err == nil {
		err = h.domain.Canonical(to, t)
	}
	var status core.Status
	if err == nil {
		status, err = h.standing(ctx, user, t.Realm)
	}
	if err != nil {
		return refuse(w, st, contact, err)
	}
	trouble, _ := troubleOf(core.Account{}, &status)
	show := ""
	if trouble != "" {
		show = "xa"
	}
	return w.Write(func(enc *stream.Encoder) {
		to := h.welcome(enc, st, contact, user)
		writePresence(enc, contact+"/"+edge.Resource, to, show, trouble, h.disco.ContactVer())
		h.back(enc, st, contact, user)
	})
}

// registered reports whether the user has any account on the network.
func (h *Handler) registered(ctx context.Context, user core.UserID) (bool, error) {
	all, err := h.r.accounts.AccountsOf(ctx, user)
	return slices.ContainsFunc(all, func(a core.Account) bool { return a.Network == h.domain.Network.Driver.Name }), err
}

// asks reports whether a presence wants an answer. What somebody's availability
// is, and what became of what we asked, does not.
func asks(st *stream.Stanza) bool {
	return st.Type == "subscribe" || st.Type == "unsubscribe" || st.Type == "probe"
}

// standing is how the account that reaches a contact is. It makes none: where
// accounts are implicit, one that is not there yet is as good as one at rest.
func (h *Handler) standing(ctx context.Context, user core.UserID, realm string) (core.Status, error) {
	d := h.domain.Network.Driver
	a, err := h.r.accounts.AccountOf(ctx, user, d.Name, realm)
	switch {
	case err == nil:
		return h.r.gateway.Status(a.ID), nil
	case core.KindOf(err) == core.Unenrolled && d.Implicit && h.r.gateway.Allowed(user):
		return core.Status{Link: core.Closed}, nil
	}
	return core.Status{}, err
}

// welcome accepts a subscription, and returns to whom presence is to go: the one
// who probed, or all devices of the one who subscribed.
func (h *Handler) welcome(enc *stream.Encoder, st *stream.Stanza, from string, user core.UserID) string {
	if st.Type == "probe" {
		return st.From
	}
	writeKind(enc, "subscribed", from, string(user))
	return string(user)
}

// back asks a subscriber for their presence: clients trust a contact who has it,
// and show their pictures.
func (h *Handler) back(enc *stream.Encoder, st *stream.Stanza, from string, user core.UserID) {
	if st.Type == "subscribe" {
		writeKind(enc, "subscribe", from, string(user))
	}
}

// leave ends a subscription.
func (h *Handler) leave(enc *stream.Encoder, from string, user core.UserID) {
	writeKind(enc, "unsubscribed", from, string(user))
	writeKind(enc, "unavailable", from, string(user))
}

// refuse answers a probe as RFC 6121 section 4.3.2 wants it, and a subscription
// with the error.
func refuse(w xmpp.Sender, st *stream.Stanza, from string, err error) error {
	if st.Type != "probe" || xmpp.ErrorOf(err).Condition == "internal-server-error" {
		return err
	}
	return w.Write(func(enc *stream.Encoder) { writeKind(enc, "unsubscribed", from, st.From) })
}
