package xmpp

import (
	"gangway/core/xmpp/addr"
	"gangway/core/xmpp/stream"
)

// Result answers an IQ request. payload writes what is inside and may be nil.
func Result(w Sender, st *stream.Stanza, payload func(*stream.Encoder)) error {
	return w.Write(func(e *stream.Encoder) {
		e.Start("iq", "", "type", "result", "from", ownAddress(w, st.To), "to", st.From)
		e.Attr("id", st.ID)
		if payload != nil {
			payload(e)
		}
		e.End()
	})
}

// Refuse answers a stanza with the stanza error that err stands for. To a stanza
// that is itself an error or a result, or that is from nobody, it says nothing.
func Refuse(w Sender, st *stream.Stanza, err error) error {
	return refuse(w, st.Kind, st.ID, st.From, st.To, st.Type, ErrorOf(err))
}

func refuse(w Sender, kind stream.Kind, id, from, to, typ string, e *Error) error {
	if kind == stream.Other || typ == "error" || from == "" || kind == stream.IQ && typ == "result" {
		return nil
	}
	return w.Write(func(enc *stream.Encoder) {
		enc.Start(kind.String(), "", "type", "error", "id", id, "from", ownAddress(w, to), "to", from)
		e.Encode(enc)
		enc.End()
	})
}

// ownAddress returns the address a stanza was sent to if it is one of ours, else
// our domain.
func ownAddress(w Sender, to string) string {
	if to == w.Domain() {
		return to
	}
	if j, err := addr.Parse(to); err == nil && addr.Same(j.Domain(), w.Domain()) {
		return to
	}
	return w.Domain()
}
