package vcard

import (
	"context"
	"encoding/base64"
	"strconv"

	"gangway/core"
	"gangway/core/xmpp"
	"gangway/core/xmpp/addr"
	"gangway/core/xmpp/edge"
	"gangway/core/xmpp/stream"
)

// Handler answers requests for the cards of a domain and of the contacts there.
type Handler struct {
	cards  *Cards
	domain *edge.Domain
}

var _ xmpp.Handler = (*Handler)(nil)

// On returns the handler of a domain.
func (c *Cards) On(d *edge.Domain) *Handler { return &Handler{c, d} }

// Register registers the requests that a Handler answers, but for vCard-temp,
// which the domain's disco handler hands on.
func (h *Handler) Register(r *xmpp.Router) {
	r.IQ("get", ns4, "vcard", h)
	r.IQ("get", nsPubsub, "pubsub", h)
}

// Serve answers a request.
func (h *Handler) Serve(ctx context.Context, w xmpp.Sender, st *stream.Stanza) error {
	payload := st.Only()
	if st.Type != "get" || payload == nil {
		return core.E(core.Unsupported, "vcard: request", "")
	}
	items := payload.Child(nsPubsub, "items")
	if payload.Space() == nsPubsub && items == nil {
		return core.E(core.Unsupported, "vcard: request", "")
	}
	card, err := h.card(ctx, st)
	if err != nil {
		return err
	}
	switch payload.Space() {
	case nsTemp:
		return xmpp.Result(w, st, card.writeTemp)
	case ns4:
		return xmpp.Result(w, st, card.write4)
	}
	node := items.Attr("node")
	id, write := card.item(node)
	asked := items.Child("", "item").Attr("id")
	if write == nil || asked != "" && asked != id {
		return core.E(core.NotFound, "vcard: item", "There is nothing of that name here.")
	}
	return xmpp.Result(w, st, func(enc *stream.Encoder) {
		enc.Start("pubsub", nsPubsub)
		enc.Start("items", "", "node", node)
		enc.Start("item", "", "id", id)
		write(enc)
		enc.End()
		enc.End()
		enc.End()
	})
}

// card is that of whom a request is addressed to.
func (h *Handler) card(ctx context.Context, st *stream.Stanza) (Card, error) {
	to, err := addr.Parse(st.To)
	if err != nil {
		return Card{}, xmpp.NewError("modify", "jid-malformed", "")
	}
	if to.Local() == "" {
		return h.cards.gateway(h.domain), nil
	}
	t, err := h.domain.Target(to.Local())
	if err != nil {
		return Card{}, err
	}
	if t.Room || t.Address == "" {
		return Card{}, core.E(core.NotFound, "vcard: room", "Rooms have no card here.")
	}
	user, _, err := h.domain.User(st.From)
	if err != nil {
		return Card{}, core.E(core.Unenrolled, "vcard: contact", "")
	}
	return h.cards.contact(ctx, h.domain, user, t)
}

// writeTemp writes the card as XEP-0054 has it.
func (c Card) writeTemp(enc *stream.Encoder) {
	enc.Start("vCard", nsTemp)
	enc.Leaf("FN", "", c.Name)
	enc.Leaf("NICKNAME", "", c.Name)
	if c.Note != "" {
		enc.Leaf("DESC", "", c.Note)
	}
	if c.photo.sum != "" {
		enc.Start("PHOTO", "")
		enc.Leaf("TYPE", "", c.photo.typ)
		enc.Leaf("BINVAL", "", c.photo.base64())
		enc.End()
	}
	enc.End()
}

// write4 writes the card as XEP-0292 has it.
func (c Card) write4(enc *stream.Encoder) {
	enc.Start("vcard", ns4)
	property := func(name, kind, value string) {
		if value != "" {
			enc.Start(name, "")
			enc.Leaf(kind, "", value)
			enc.End()
		}
	}
	property("fn", "text", c.Name)
	property("nickname", "text", c.Name)
	property("note", "text", c.Note)
	if c.photo.sum != "" {
		property("photo", "uri", "data:"+c.photo.typ+";base64,"+c.photo.base64())
	}
	enc.End()
}

// item returns the only item of a node of personal eventing, and nil if there is
// no such node or nothing in it.
func (c Card) item(node string) (id string, write func(*stream.Encoder)) {
	switch {
	case node == node4:
		return "current", c.write4
	case node == nsNick && c.Name != "":
		return "current", func(enc *stream.Encoder) { enc.Leaf("nick", nsNick, c.Name) }
	case node == nsData && c.photo.sum != "":
		return c.photo.sum, func(enc *stream.Encoder) { enc.Leaf("data", nsData, c.photo.base64()) }
	case node == nsMetadata && c.photo.sum != "":
		return c.photo.sum, func(enc *stream.Encoder) {
			enc.Start("metadata", nsMetadata)
			enc.Empty("info", "", "id", c.photo.sum, "type", c.photo.typ, "bytes", strconv.Itoa(len(c.photo.data)))
			enc.End()
		}
	}
	return "", nil
}

// Nodes returns the nodes of personal eventing in which there is something about
// an address, or about the gateway, for a user who could write to it.
func (h *Handler) Nodes(ctx context.Context, user core.UserID, t core.Target) ([]string, error) {
	card := h.cards.gateway(h.domain)
	if t != (core.Target{}) {
		var err error
		if card, err = h.cards.contact(ctx, h.domain, user, t); err != nil {
			return nil, err
		}
	}
	var some []string
	for _, node := range []string{nsNick, nsData, nsMetadata, node4} {
		if _, write := card.item(node); write != nil {
			some = append(some, node)
		}
	}
	return some, nil
}

func (p picture) base64() string { return base64.StdEncoding.EncodeToString(p.data) }
