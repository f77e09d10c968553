package roster

import (
	"context"
	"slices"
	"sync"
	"time"

	"gangway/core/xmpp"
	"gangway/core/xmpp/disco"
	"gangway/core/xmpp/stream"
	"gangway/core/xmpp/vcard"
)

const (
	askFor     = 10 * time.Second // that a client has to say what it can do
	maxCaps    = 2_000            // kinds of client that are remembered
	maxInfoLen = 500              // features of one
)

// likes is what a client takes, as far as it matters here.
type likes struct {
	offers bool        // of contacts (XEP-0144)
	events vcard.Parts // of cards (XEP-0163)
}

// capsTable knows what which kinds of client take. What a client says is kept
// for all of its kind only if its hash proves that it speaks for them (XEP-0115
// section 5.4).
type capsTable struct {
	mu    *sync.Mutex
	known map[string]likes // by hash
}

func newCapsTable() capsTable { return capsTable{&sync.Mutex{}, map[string]likes{}} }

// of finds out what a device takes; nothing, if it does not say.
func (t capsTable) of(ctx context.Context, link xmpp.Sender, full string, c client) likes {
	if c.ver == "" {
		return likes{}
	}
	t.mu.Lock()
	have, ok := t.known[c.ver]
	t.mu.Unlock()
	if ok {
		return have
	}
	ctx, cancel := context.WithTimeout(ctx, askFor)
	defer cancel()
	st, err := link.IQ(ctx, full, "get", func(enc *stream.Encoder) {
		enc.Empty("query", disco.NSInfo, "node", c.node+"#"+c.ver)
	})
	if err != nil {
		return likes{}
	}
	defer st.Release()
	info := readInfo(st.Child(disco.NSInfo, "query"))
	have = likes{slices.Contains(info.Features, nsExchange), vcard.Wanted(info.Features)}
	if info.Ver() == c.ver {
		t.mu.Lock()
		if len(t.known) >= maxCaps {
			clear(t.known)
		}
		t.known[c.ver] = have
		t.mu.Unlock()
	}
	return have
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
