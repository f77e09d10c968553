package roster

import (
	"context"
	"strings"

	"gangway/core"
	"gangway/core/xmpp"
	"gangway/core/xmpp/addr"
	"gangway/core/xmpp/disco"
	"gangway/core/xmpp/edge"
	"gangway/core/xmpp/stream"
	"gangway/mapping"
)

// Handler handles the presence that is sent to one domain (Serve) and to the
// contacts there (ServeTarget).
type Handler struct{ *house }

var (
	_ xmpp.Handler = (*Handler)(nil)
	_ edge.Handler = (*Handler)(nil)
)

// Serve implements xmpp.Handler, for the gateway itself. Whoever may use it may
// have it in the roster, registered or not: that is how it is written to.
func (h *Handler) Serve(ctx context.Context, w xmpp.Sender, st *stream.Stanza) error {
	user, from, err := h.domain.User(st.From)
	if !asks(st) {
		if err == nil {
			h.told(ctx, st, user, from, h.domain.Name)
		}
		return nil
	}
	if err != nil {
		return refuse(w, st, h.domain.Name, err)
	}
	registered, err := h.registered(ctx, user)
	switch {
	case err != nil:
		return err
	case st.Type == "unsubscribe":
		h.answered(ctx, user, h.domain.Name, declined)
		return w.Write(func(enc *stream.Encoder) {
			h.leave(enc, h.domain.Name, user)
			if registered {
				statusNotice(enc, h.domain, string(user), "You have removed this gateway from your contacts. "+
					`Your registration is kept; send "unregister" to delete it.`)
			}
		})
	case !registered && !h.roster.cfg.Gateway.Allowed(user):
		return w.Write(func(enc *stream.Encoder) { writeKind(enc, "unsubscribed", h.domain.Name, string(user)) })
	}
	if st.Type == "subscribe" {
		h.answered(ctx, user, h.domain.Name, subscribed)
	}
	return w.Write(func(enc *stream.Encoder) {
		h.welcome(enc, st, h.domain.Name, user, stateOf(h.roster.health.line(h.domain.Name, user)))
	})
}

// ServeTarget implements edge.Handler, for a contact.
func (h *Handler) ServeTarget(ctx context.Context, w xmpp.Sender, st *stream.Stanza, t core.Target) error {
	user, from, err := h.domain.User(st.From)
	to, badTo := addr.Parse(st.To)
	if badTo != nil {
		return xmpp.NewError("modify", "jid-malformed", "")
	}
	contact := strings.Clone(to.Bare())
	if !asks(st) {
		if err == nil {
			h.told(ctx, st, user, from, contact)
		}
		return nil
	}
	if err == nil && st.Type == "unsubscribe" {
		if err := h.remove(ctx, user, t); err != nil {
			return err
		}
		h.answered(ctx, user, contact, gone)
		return w.Write(func(enc *stream.Encoder) { h.leave(enc, contact, user) })
	}
	if err == nil {
		err = h.domain.Canonical(to, t)
	}
	var a core.Account
	var status core.Status
	if err == nil {
		a, status, err = h.standing(ctx, user, t)
	}
	if err != nil {
		return refuse(w, st, contact, err)
	}
	if st.Type == "subscribe" {
		h.answered(ctx, user, contact, subscribed)
		if err := h.list(ctx, a, t); err != nil {
			return err
		}
	}
	return w.Write(func(enc *stream.Encoder) {
		now := h.now(user, contact, &status)
		if t.Address == "" && t.Realm != "" {
			now = linked(&status)
		}
		h.welcome(enc, st, contact, user, now)
	})
}

// told takes what somebody says of themselves, or answers to what they were
// asked. It is never answered.
func (h *house) told(ctx context.Context, st *stream.Stanza, user core.UserID, from addr.JID, to string) {
	if !h.roster.cfg.Gateway.Allowed(user) {
		return // whom a server that grants us presence has in its rosters
	}
	switch st.Type {
	case "":
		came := h.arrive(user, from, clientOf(st, to == h.domain.Name))
		if came.owed {
			h.want(user, h.greeting(user, from))
		} else if came.news && h.notes != nil {
			h.want(user, job{ask: true})
		}
		if came.tell && h.roster.cfg.Cards != nil {
			h.want(user, job{tell: []string{strings.Clone(from.String())}, soon: greets})
		}
	case "unavailable":
		h.depart(user, from, to == h.domain.Name)
	case "subscribed":
		h.answered(ctx, user, to, subscribed)
	case "unsubscribed":
		h.answered(ctx, user, to, declined)
	}
}

// clientOf reads what a device says that it can do; toDomain says that it told
// the gateway itself.
func clientOf(st *stream.Stanza, toDomain bool) client {
	c := st.Child(disco.NSCaps, "c")
	node, ver := c.Attr("node"), c.Attr("ver")
	if c.Attr("hash") != "sha-1" || len(node)+len(ver) > 1024 {
		return client{domain: toDomain}
	}
	return client{node: strings.Clone(node), ver: strings.Clone(ver), domain: toDomain}
}

// greeting is what is to be done for a device that was found online.
func (h *house) greeting(user core.UserID, from addr.JID) job {
	h.mu.Lock()
	defer h.mu.Unlock()
	if p := h.person(user); p.before != nil {
		return job{ask: true, to: []string{from.String()}}
	}
	return job{ask: true, show: true}
}

// asks reports whether a presence wants an answer. What somebody's availability
// is, and what became of what we asked, does not.
func asks(st *stream.Stanza) bool {
	return st.Type == "subscribe" || st.Type == "unsubscribe" || st.Type == "probe"
}

// welcome answers a probe to the one who probed; it accepts a subscription, shows
// all devices of the subscriber what there is to see, and asks for theirs in
// return: clients trust a contact who has it, and show their pictures.
func (h *house) welcome(enc *stream.Encoder, st *stream.Stanza, from string, user core.UserID, s state) {
	to := string(user)
	if st.Type == "probe" {
		to = st.From
	} else {
		enc.Empty("presence", "", "type", "subscribed", "from", from, "to", to, "id", st.ID)
	}
	s = h.dress(user, from, s)
	h.mu.Lock()
	h.noteShown(enc, user, h.person(user), from, s)
	h.mu.Unlock()
	h.write(enc, from, to, s)
	if st.Type == "subscribe" {
		writeKind(enc, "subscribe", from, string(user))
	}
}

// leave ends a subscription.
func (h *house) leave(enc *stream.Encoder, from string, user core.UserID) {
	h.mu.Lock()
	if p := h.people[user]; p != nil {
		delete(p.shown, from)
	}
	h.mu.Unlock()
	writeKind(enc, "unsubscribed", from, string(user))
	writeKind(enc, "unavailable", from, string(user))
}

// list notes that a user has put a contact on their list.
func (h *house) list(ctx context.Context, a core.Account, t core.Target) error {
	if h.roster.cfg.Contacts == nil || a.ID == "" {
		return nil
	}
	c, err := h.roster.cfg.Contacts.Contact(ctx, a.ID, t.Address)
	switch {
	case err == nil && c.Listed:
		return nil
	case err != nil && core.KindOf(err) != core.NotFound:
		return err
	case err != nil:
		c = mapping.Contact{Account: a.ID, Address: t.Address}
	}
	return h.roster.cfg.Contacts.PutContact(ctx, c)
}

// remove forgets a contact that a user has taken off their list. Whom the user
// has blocked stays so.
func (h *house) remove(ctx context.Context, user core.UserID, t core.Target) error {
	if h.roster.cfg.Contacts == nil {
		return nil
	}
	accounts, err := h.reaching(ctx, user, t)
	if err != nil {
		return err
	}
	for _, a := range accounts {
		c, err := h.roster.cfg.Contacts.Contact(ctx, a.ID, t.Address)
		if err == nil && !c.Blocked {
			err = h.roster.cfg.Contacts.RemoveContact(ctx, a.ID, t.Address)
		}
		if err != nil && core.KindOf(err) != core.NotFound {
			return err
		}
	}
	return nil
}

// reaching are the accounts of a user that reach a contact; nothing is kept without one.
func (h *house) reaching(ctx context.Context, user core.UserID, t core.Target) ([]core.Account, error) {
	d := h.domain.Network.Driver
	if d.Shared {
		return h.accountsOf(ctx, user)
	}
	a, err := h.roster.cfg.Accounts.AccountOf(ctx, user, d.Name, t.Realm)
	if err != nil && core.KindOf(err) == core.Unenrolled {
		return nil, nil
	}
	return []core.Account{a}, err
}

// refuse answers a probe as RFC 6121 section 4.3.2 wants it, and a subscription
// with the error.
func refuse(w xmpp.Sender, st *stream.Stanza, from string, err error) error {
	if st.Type != "probe" || xmpp.ErrorOf(err).Condition == "internal-server-error" {
		return err
	}
	return w.Write(func(enc *stream.Encoder) { writeKind(enc, "unsubscribed", from, st.From) })
}
