package roster

import (
	"context"
	"maps"
	"slices"

	"gangway/core"
	"gangway/core/xmpp/stream"
)

const (
	nsExchange = "http://jabber.org/protocol/rosterx" // XEP-0144

	perOffer = 100 // contacts in one message
)

// offer sends a client the contacts that are missing, to be added.
func (h *house) offer(to string, missing []contact, l *list) error {
	for some := range slices.Chunk(missing, perOffer) {
		id := string(core.NewID())
		err := h.domain.Link.Write(func(enc *stream.Encoder) {
			enc.Start("message", "", "from", h.domain.Name, "to", to, "id", id, "xml:lang", "en")
			enc.Leaf("body", "", "Here are your contacts of "+h.domain.Network.Driver.Title+".")
			enc.Start("x", nsExchange)
			for _, c := range some {
				enc.Start("item", "", "action", "add", "jid", c.jid, "name", c.name)
				enc.Leaf("group", "", h.group())
				enc.End()
			}
			enc.End()
			enc.End()
		})
		if err != nil {
			return err
		}
		for _, c := range some {
			l.note(c.jid, entry{c.name, offered})
		}
	}
	return nil
}

// exchanger returns a device of the user that takes offers, or "".
func (h *house) exchanger(ctx context.Context, user core.UserID) string {
	h.mu.Lock()
	var clients map[string]client
	if p := h.people[user]; p != nil {
		clients = maps.Clone(p.clients)
	}
	h.mu.Unlock()
	for _, full := range slices.Sorted(maps.Keys(clients)) {
		if h.caps.of(ctx, h.domain.Link, full, clients[full]).offers {
			return full
		}
	}
	return ""
}
