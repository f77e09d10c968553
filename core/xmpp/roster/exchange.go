package roster

import (
	"context"
	"maps"
	"slices"
	"sync"
	"time"

	"gangway/core"
	"gangway/core/xmpp"
	"gangway/core/xmpp/disco"
	"gangway/core/xmpp/stream"
)

const (
	nsExchange = "http://jabber.org/protocol/rosterx" // XEP-0144

	perOffer   = 100              // contacts in one message
	askFor     = 10 * time.Second // that a client has to say what it can do
	maxCaps    = 2_000            // kinds of client that are remembered
	maxInfoLen = 500              // features of one
)

// offer sends a client the contacts that are missing, to be added.
func (h *house) offer(to string, missing []contact, l *list) error {
	for some := range slices.Chunk(missing, perOffer) {
		id := string(core.NewID())
		err := h.domain.Link.Write(func(enc *stream.Encoder) {
			enc.Start("message", "", "from", h.domain.Name, "to", to, "id", id)
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
		if c := clients[full]; c.ver != "" && h.caps.exchanges(ctx, h.domain.Link, full, c) {
			return full
		}
	}
	return ""
}

// capsTable knows which kinds of client take offers. What a client says is kept
// for all of its kind only if its hash proves that it speaks for them (XEP-0115
// section 5.4).
type capsTable struct {
	mu    *sync.Mutex
	known map[client]bool
}

func newCapsTable() capsTable { return capsTable{&sync.Mutex{}, map[client]bool{}} }

func (t capsTable) exchanges(ctx context.Context, link xmpp.Sender, full string, c client) bool {
	kind := client{ver: c.ver}
	t.mu.Lock()
	has, ok := t.known[kind]
	t.mu.Unlock()
	if ok {
		return has
	}
	ctx, cancel := context.WithTimeout(ctx, askFor)
	defer cancel()
	st, err := link.IQ(ctx, full, "get", func(enc *stream.Encoder) {
		enc.Empty("query", disco.NSInfo, "node", c.node+"#"+c.ver)
	})
	if err != nil {
		return false
	}
	defer st.Release()
	info := readInfo(st.Child(disco.NSInfo, "query"))
	has = slices.Contains(info.Features, nsExchange)
	if info.Ver() == c.ver {
		t.mu.Lock()
		if len(t.known) >= maxCaps {
			clear(t.known)
		}
		t.known[kind] = has
		t.mu.Unlock()
	}
	return has
}

// readInfo reads what is hashed of an answer to a disco#info request.
func readInfo(query *stream.Element) disco.Info {
	var info disco.Info
	for el := range query.Children() {
		switch {
		case len(info.Features)+len(info.Identities) > maxInfoLen:
			return disco.Info{}
		case el.Local() == "identity":
			info.Identities = append(info.Identities, disco.Identity{
				Category: el.Attr("category"), Type: el.Attr("type"), Name: el.Attr("name"), Lang: el.Lang(),
			})
		case el.Local() == "feature":
			info.Features = append(info.Features, el.Attr("var"))
		case el.Is("jabber:x:data", "x"):
			info.Forms = append(info.Forms, readForm(el))
		}
	}
	return info
}

func readForm(x *stream.Element) disco.Form {
	var f disco.Form
	for el := range x.Children() {
		var values []string
		for v := range el.Children() {
			values = append(values, v.Text())
		}
		if el.Attr("var") == "FORM_TYPE" && len(values) == 1 {
			f.Type = values[0]
			continue
		}
		f.Fields = append(f.Fields, disco.FormField{Var: el.Attr("var"), Values: values})
	}
	return f
}
