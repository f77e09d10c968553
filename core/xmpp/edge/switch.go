package edge

import (
	"context"
	"strings"

	"gangway/core"
	"gangway/core/xmpp"
	"gangway/core/xmpp/addr"
	"gangway/core/xmpp/stream"
)

// Handler handles stanzas to an address of a network: a correspondent, a room,
// or (with an empty Address) a network of the kind. See xmpp.Handler for what it
// may keep and what becomes of its error.
type Handler interface {
	ServeTarget(ctx context.Context, w xmpp.Sender, st *stream.Stanza, t core.Target) error
}

// Switch hands the stanzas of a domain to whoever serves what they are addressed
// to. Register one for messages and one for presence.
type Switch struct {
	Domain  *Domain
	Self    xmpp.Handler // the bare domain
	Contact Handler
	Room    Handler // nil: there are no rooms
}

var _ xmpp.Handler = (*Switch)(nil)

// Serve implements xmpp.Handler. What our own domain sent comes back from some
// servers; it is dropped.
func (s *Switch) Serve(ctx context.Context, w xmpp.Sender, st *stream.Stanza) error {
	if from, err := addr.Parse(st.From); err == nil && s.Domain.Owns(from) {
		return nil
	}
	to, err := addr.Parse(st.To)
	if err != nil {
		return xmpp.NewError("modify", "jid-malformed", "That address could not be read.")
	}
	if to.Local() == "" {
		return s.Self.Serve(ctx, w, st)
	}
	t, err := s.Domain.Target(to.Local())
	switch {
	case err != nil:
		return badAddress(err)
	case !t.Room:
		return s.Contact.ServeTarget(ctx, w, st, t)
	case s.Room != nil:
		return s.Room.ServeTarget(ctx, w, st, t)
	}
	return core.E(core.Unsupported, "xmpp: address", "There are no rooms here.")
}

// badAddress says what is wrong with an address in the words of XMPP.
func badAddress(err error) error {
	e := core.AsError(err)
	if e.Kind != core.Invalid {
		return err
	}
	return &xmpp.Error{Type: "modify", Condition: "jid-malformed", Text: e.Sentence(), Err: err}
}

// Canonical checks that the local part a user wrote is the one that t has. For
// another spelling of an address that is understood, it returns the error that
// sends them to the right one: answers would come from there.
func (d *Domain) Canonical(to addr.JID, t core.Target) error {
	jid, err := d.JID(t.Realm, t.Address, t.Room)
	if err != nil {
		return badAddress(err)
	}
	local := strings.TrimSuffix(jid, "@"+d.Name)
	if to.Local() == local {
		return nil
	}
	if written, err := canonicalLocal(to.Local()); err == nil && written == local {
		return nil // the sender's server wrote it so
	}
	return &xmpp.Error{
		Type: "cancel", Condition: "gone", Gone: URI(jid, ""),
		Text: "This address is written " + jid + " here. Please use that one.",
	}
}
