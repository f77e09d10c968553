package vcard

import (
	"slices"

	"gangway/core"
	"gangway/core/xmpp/addr"
	"gangway/core/xmpp/edge"
	"gangway/core/xmpp/stream"
)

const nsEvent = "http://jabber.org/protocol/pubsub#event"

// Wanted returns which parts of cards a client wants to be told of, by the
// features that its capabilities stand for (XEP-0163 section 4.3.2).
func Wanted(features []string) (some Parts) {
	for what, node := range eventNodes() {
		if slices.Contains(features, node+"+notify") {
			some |= what
		}
	}
	return some
}

// eventNodes are the nodes that tell the parts of a card.
func eventNodes() map[Parts]string {
	return map[Parts]string{Name: nsNick, Picture: nsMetadata, Rest: node4}
}

// Tell writes to one device what the own account of a contact, or of the gateway,
// by bare JID, would tell it of parts of the card (XEP-0163): a name only where
// the network has told one, and of a picture that is gone that it is (XEP-0084
// section 4.2.2).
func (c *Cards) Tell(enc *stream.Encoder, d *edge.Domain, user core.UserID, jid, to string, what Parts) {
	card := c.gateway(d)
	if jid != d.Name {
		c.mu.Lock()
		card = c.known[key{user, addr.Key(jid)}].card
		c.mu.Unlock()
	}
	nodes := eventNodes()
	for _, part := range []Parts{Name, Picture, Rest} {
		if what&part != 0 && (part != Name || card.said != "") && (part != Rest || card.Name != "") {
			card.event(enc, jid, to, nodes[part])
		}
	}
}

// event writes the event of one node.
func (c Card) event(enc *stream.Encoder, from, to, node string) {
	id, write := c.item(node)
	if write == nil { // no picture any more
		id, write = "current", func(enc *stream.Encoder) { enc.Empty("metadata", nsMetadata) }
	}
	enc.Start("message", "", "type", "headline", "from", from, "to", to)
	enc.Start("event", nsEvent)
	enc.Start("items", "", "node", node)
	enc.Start("item", "", "id", id)
	write(enc)
	enc.End()
	enc.End()
	enc.End()
	enc.End()
}
