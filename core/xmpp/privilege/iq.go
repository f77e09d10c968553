package privilege

import (
	"context"

	"gangway/core"
	"gangway/core/xmpp"
	"gangway/core/xmpp/stream"
)

// MayIQ reports whether requests of a type, "get" or "set", with a payload of a
// namespace may be sent as a user.
func (e *Entity) MayIQ(user core.UserID, ns, typ string) bool {
	if !e.Hosts(user) {
		return false
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	a := e.grants.IQ[ns] & access(typ)
	return a == Get || a == Set
}

// IQ sends a request as a user (XEP-0356 section 6; NS2 only), to the user's own
// account where to is empty, and returns its answer: the result, which is the
// caller's, or an error as xmpp.Sender.IQ has it. ns is the namespace of the
// payload, which it is granted by. Denied without the privilege.
func (e *Entity) IQ(ctx context.Context, user core.UserID, to, typ, ns string, payload func(*stream.Encoder)) (*stream.Stanza, error) {
	if !e.MayIQ(user, ns, typ) {
		return nil, denied("iq", "The server does not let the gateway ask that in a user's name.")
	}
	if to == "" {
		to = string(user)
	}
	st, err := e.link.IQ(ctx, string(user), typ, func(enc *stream.Encoder) { privileged(enc, to, typ, payload) })
	if err != nil {
		if refused(err) {
			e.withdraw("iq "+ns, func(g *Grants) { g.IQ = without(g.IQ, ns, access(typ)) })
		}
		return nil, err
	}
	defer st.Release()
	return answer(st)
}

// Ask writes what IQ would send to the user's own account, for whom nobody waits to
// hear what became of it, and reports whether it has: not without the privilege.
func (e *Entity) Ask(enc *stream.Encoder, user core.UserID, typ, ns string, payload func(*stream.Encoder)) bool {
	if !e.MayIQ(user, ns, typ) {
		return false
	}
	enc.Start("iq", "", "from", e.domain, "to", string(user), "type", typ, "id", string(core.NewID()))
	privileged(enc, string(user), typ, payload)
	enc.End()
	return true
}

// privileged writes a request as a user makes it.
func privileged(enc *stream.Encoder, to, typ string, payload func(*stream.Encoder)) {
	enc.Start("privileged_iq", NS2)
	enc.Start("iq", stream.NSClient, "type", typ, "id", string(core.NewID()), "to", to)
	payload(enc)
	enc.End()
	enc.End()
}

// without is a copy: Grants that were handed out are not changed.
func without(all map[string]Access, ns string, a Access) map[string]Access {
	some := make(map[string]Access, len(all))
	for name, have := range all {
		if name == ns {
			have &^= a
		}
		if have != 0 {
			some[name] = have
		}
	}
	return some
}

// answer unwraps what the server forwarded.
func answer(st *stream.Stanza) (*stream.Stanza, error) {
	inner := st.Child(NS2, "privilege").Child(nsForward, "forwarded").Child(stream.NSClient, "iq")
	if inner == nil {
		return nil, xmpp.NewError("cancel", "undefined-condition", "The server's answer could not be read.")
	}
	iq, err := stream.Parse(inner.String())
	if err != nil {
		return nil, core.Wrap(core.Internal, "privilege: answer", err)
	}
	if iq.Type == "error" {
		return nil, xmpp.ParseError(iq)
	}
	return iq, nil
}
