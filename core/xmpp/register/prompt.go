package register

import (
	"context"

	"gangway/core"
	"gangway/core/xmpp"
	"gangway/core/xmpp/stream"
)

// promptDoor makes a JID of an address as people write it (jabber:iq:gateway,
// XEP-0100 section 6.3).
type promptDoor struct{ *Desk }

var _ xmpp.Handler = promptDoor{}

// Serve implements xmpp.Handler.
func (p promptDoor) Serve(ctx context.Context, w xmpp.Sender, st *stream.Stanza) error {
	user, err := p.request(st)
	if err != nil {
		return err
	}
	if err := p.Gateway.Admit(ctx, user); err != nil {
		return refusal(err)
	}
	if st.Type == "get" {
		return xmpp.Result(w, st, func(enc *stream.Encoder) {
			enc.Start("query", NSGateway)
			enc.Leaf("desc", "", "Enter the address of somebody on "+p.title()+".")
			enc.Leaf("prompt", "", orDefault(p.Domain.Network.Driver.Prompt, "Address"))
			enc.End()
		})
	}
	t, err := p.Domain.Understand(st.Only().ChildText("", "prompt"))
	if err != nil {
		return misunderstood(err)
	}
	jid, err := p.Domain.JID(t.Realm, t.Address, t.Room)
	if err != nil {
		return misunderstood(err)
	}
	if t.Address == "" {
		return notAcceptable("That is a network, and nobody's address on it.")
	}
	return xmpp.Result(w, st, func(enc *stream.Encoder) {
		enc.Start("query", NSGateway)
		enc.Leaf("jid", "", jid)
		enc.End()
	})
}

// misunderstood says what is wrong with an address.
func misunderstood(err error) error {
	if e := core.AsError(err); e.Kind == core.Invalid || e.Kind == core.NotFound {
		return &xmpp.Error{Type: "modify", Condition: "not-acceptable", Text: e.Sentence(), Err: err}
	}
	return err
}
