package chat

import (
	"gangway/core"
	"gangway/core/xmpp"
	"gangway/core/xmpp/edge"
	"gangway/core/xmpp/stream"
)

// receipt tells the client that sent a message what has become of it.
func (r *Renderer) receipt(p page, rc *core.Receipt) {
	if rc.Origin.From == "" || rc.Origin.ID == "" {
		return // it has no name there: nothing can be said of it
	}
	switch rc.State {
	case core.Delivered:
		p.start(core.Digest("delivered", string(rc.ID)), rc.Origin.From)
		p.enc.Empty("received", nsReceipts, "id", rc.Origin.ID)
		p.enc.Empty("store", nsHints)
		p.enc.End()
	case core.Read:
		p.start(core.Digest("read", string(rc.ID)), rc.Origin.From)
		p.enc.Empty("displayed", nsMarkers, "id", rc.Origin.ID)
		p.enc.Empty("store", nsHints)
		p.enc.End()
	case core.Failed:
		r.failed(p, rc)
	case core.Queued, core.Accepted, core.Sent: // not told: see the package comment
	}
}

// failed answers the message with an error. Servers keep no errors for a client
// that is away, so that one which comes late is followed by a plain message that
// they do keep.
func (r *Renderer) failed(p page, rc *core.Receipt) {
	p.enc.Start("message", "", "type", "error", "from", bare(p.from), "to", rc.Origin.From, "id", rc.Origin.ID)
	encodeError(p.enc, rc.Err)
	p.enc.End()
	if _, here := r.recent.get(rc.ID); here {
		return
	}
	id := core.Digest("failed", string(rc.ID))
	p.start(id, p.to)
	p.enc.Leaf("body", "", "Your message was not delivered: "+sentence(rc.Err))
	p.enc.Empty("reply", nsReply, "to", p.to, "id", rc.Origin.ID)
	p.enc.Empty("origin-id", nsID, "id", id)
	p.enc.End()
}

func sentence(e *core.Error) string {
	if e == nil {
		return (&core.Error{}).Sentence()
	}
	return e.Sentence()
}

// encodeError writes <error/>: the condition that the kind of e stands for, the
// sentence, and the network's own code for those who look it up.
func encodeError(enc *stream.Encoder, e *core.Error) {
	if e == nil {
		e = &core.Error{}
	}
	x := xmpp.ErrorOf(e)
	enc.Start("error", "", "type", x.Type)
	enc.Empty(x.Condition, stream.NSStanzas)
	enc.Leaf("text", stream.NSStanzas, x.Text, "xml:lang", "en")
	if e.Code != "" {
		enc.Leaf("network-code", nsErrors, e.Code)
	}
	enc.End()
}

// bare cuts the resource off a contact's JID: the error comes from where the
// message was sent to, and clients write to the bare one.
func bare(contact string) string {
	if n := len(contact) - len(edge.Resource) - 1; n > 0 && contact[n] == '/' {
		return contact[:n]
	}
	return contact
}
