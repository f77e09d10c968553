package chat

import (
	"context"

	"gangway/core"
	"gangway/core/xmpp"
	"gangway/core/xmpp/stream"
)

// receipt tells the client that sent a message what has become of it.
func (r *Renderer) receipt(ctx context.Context, p page, rc *core.Receipt) {
	if rc.Mine {
		r.readElsewhere(ctx, p, rc)
		return
	}
	to, asked := answered(rc.Origin)
	if to == "" || rc.Origin.ID == "" {
		return // it has no name there: nothing can be said of it
	}
	switch rc.State {
	case core.Delivered:
		if !asked {
			return
		}
		p.start(core.Digest("delivered", string(rc.ID)), to)
		p.enc.Empty("received", nsReceipts, "id", rc.Origin.ID)
		p.enc.Empty("store", nsHints)
		p.enc.End()
	case core.Read:
		p.start(core.Digest("read", string(rc.ID)), to)
		p.enc.Empty("displayed", nsMarkers, "id", rc.Origin.ID)
		p.enc.Empty("store", nsHints)
		p.enc.End()
	case core.Failed:
		r.failed(p, rc, to)
	case core.Queued, core.Accepted, core.Sent, core.Withdrawn: // not told: see the package comment
	}
}

// readElsewhere tells the user's clients that the user has read a message in
// another app of the network, as one of them would (XEP-0333): the server copies
// that to the others, which take the message for read. XEP-0490 would name the
// message by the id that the user's server has archived it under, which nobody
// here knows. Without the privilege nothing is said: a marker from the
// correspondent would mean that they have read something.
func (r *Renderer) readElsewhere(ctx context.Context, p page, rc *core.Receipt) {
	if rc.ID == "" || rc.State != core.Read {
		return
	}
	about, _ := r.named(ctx, p, rc.ID)
	p.asUser(core.Digest("read elsewhere", string(rc.ID)), func() {
		p.enc.Empty("displayed", nsMarkers, "id", about)
		p.enc.Empty("store", nsHints)
	})
}

// failed answers the message with an error. Servers keep no errors for a client
// that is away, so that one which comes late is followed by a plain message that
// they do keep.
func (r *Renderer) failed(p page, rc *core.Receipt, to string) {
	p.enc.Start("message", "", "type", "error", "from", bare(p.from), "to", to, "id", rc.Origin.ID)
	encodeError(p.enc, rc.Err)
	p.enc.End()
	if rc.Whole != "" {
		return // it is said once, of the message that it went within
	}
	name, what := rc.ID, "Your message was not delivered: "
	if !rc.Known() {
		name, what = asked(rc.Origin), "This was not done: " // a reaction, a retraction
	}
	if _, here := r.recent.get(name); here {
		return
	}
	id := core.Digest("failed", string(name))
	p.start(id, p.to)
	p.in(english)
	p.enc.Leaf("body", "", what+sentence(rc.Err))
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
	enc.Leaf(x.Condition, stream.NSStanzas, x.Gone)
	enc.Leaf("text", stream.NSStanzas, x.Text, "xml:lang", english)
	if e.Code != "" {
		enc.Leaf("network-code", nsErrors, e.Code, attrsOf(e)...)
	}
	enc.End()
}

// attrsOf are the attributes of the code: the server that said it, if that is known.
func attrsOf(e *core.Error) []string {
	if e.By == "" {
		return nil
	}
	return []string{"by", e.By}
}
