package muc

import (
	"context"

	"gangway/core"
	"gangway/core/xmpp/disco"
)

var _ disco.Answerer = (*Handler)(nil)

// Info answers disco#info about a room, under its own name, or about one of its occupants.
func (h *Handler) Info(_ context.Context, q disco.Query) (disco.Info, error) {
	if q.Nick != "" {
		return disco.Info{
			Identities: []disco.Identity{{Category: "client", Type: "pc", Name: q.Nick}},
			Features:   []string{disco.NSInfo},
		}, nil
	}
	if q.Node != "" && q.Node != "http://jabber.org/protocol/muc#traffic" {
		return disco.Info{}, core.E(core.NotFound, "muc: disco", "There is nothing of that name here.")
	}
	return disco.Info{
		Identities: []disco.Identity{{Category: "conference", Type: "text", Name: h.domain.Network.Transport.Format(q.To)}},
		Features: []string{
			disco.NSInfo, "http://jabber.org/protocol/muc", "http://jabber.org/protocol/muc#self-ping-optimization",
			"muc_persistent", "muc_open", "muc_public", "muc_nonanonymous", "muc_unmoderated",
			NSStanzaID, NSOccupant, "urn:xmpp:ping",
		},
		Forms: []disco.Form{{
			Type: "http://jabber.org/protocol/muc#roominfo",
			Fields: []disco.FormField{
				{Var: "muc#roominfo_description", Values: []string{h.domain.Network.Transport.Format(q.To)}},
			},
		}},
	}, nil
}

// Items answers disco#items. Who is in a room is seen by joining it; which rooms there are is the network's to list.
func (h *Handler) Items(context.Context, disco.Query) ([]disco.Item, error) { return nil, nil }
