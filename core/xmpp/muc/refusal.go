package muc

import (
	"errors"

	"gangway/core"
	"gangway/core/xmpp"
	"gangway/core/xmpp/stream"
)

// failed tells the resource that asked for something why the network did not do it.
func (rm *room) failed(enc *stream.Encoder, r *core.Receipt) {
	if r.State != core.Failed || r.Origin.From == "" {
		return
	}
	asked := rm.answered(r.Origin)
	if asked.done != nil {
		asked.done <- refusal(r.Err, true)
		return
	}
	kind, from := "message", rm.jid
	if asked.asked != "" {
		kind, from = "presence", rm.jid+"/"+asked.asked
	}
	enc.Start(kind, "", "from", from, "to", r.Origin.From, "type", "error", "id", r.Origin.ID)
	if asked.asked != "" {
		enc.Empty("x", NSMuc)
	}
	refusal(r.Err, asked.asked != "").Encode(enc)
	enc.End()
}

// notJoined answers a join with an error (XEP-0045 section 7.2), from the occupant that was to be. Who has left while
// it waited is told nothing more.
func (rm *room) notJoined(enc *stream.Encoder, e *core.RoomLeft) {
	asked := rm.unexpected(e.Origin)
	if asked == "" {
		return
	}
	enc.Start("presence", "", "from", rm.jid+"/"+asked, "to", e.Origin.From, "type", "error", "id", e.Origin.ID)
	enc.Empty("x", NSMuc)
	refusal(e.Err, true).Encode(enc)
	enc.End()
}

// refusal is the stanza error for what a room would not do. The IRC numerics name the conditions of XEP-0045 more
// exactly than a Kind can. entering says that it is about a nick in the room.
func refusal(e *core.Error, entering bool) *xmpp.Error {
	if e == nil {
		e = core.E(core.Unavailable, "muc: refused", "")
	}
	typ, condition := "", ""
	switch e.Code {
	case "475": // wrong key
		typ, condition = "auth", "not-authorized"
	case "473", "477": // invited or registered only
		typ, condition = "auth", "registration-required"
	case "474", "482", "404": // banned; not an operator; not allowed to speak
		typ, condition = "auth", "forbidden"
	case "471": // full
		typ, condition = "wait", "service-unavailable"
	case "433", "436", "437": // nick in use
		typ, condition = "cancel", "conflict"
	case "405": // too many channels
		typ, condition = "wait", "resource-constraint"
	}
	if condition == "" || !entering && condition == "conflict" {
		return xmpp.ErrorOf(e)
	}
	return &xmpp.Error{Type: typ, Condition: condition, Text: e.Sentence(), Err: e}
}

// refusalOf is refusal for an error that may be a stanza error already.
func refusalOf(err error, entering bool) *xmpp.Error {
	var e *xmpp.Error
	if errors.As(err, &e) {
		return e
	}
	return refusal(core.AsError(err), entering)
}

// refused is the error to return from a handler for what a session would not do; nil for nil.
func refused(err error) error {
	if err == nil {
		return nil
	}
	return refusalOf(err, false)
}
