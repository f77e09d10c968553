package privilege

import (
	"context"
	"errors"
	"strings"

	"gangway/core"
	"gangway/core/xmpp"
	"gangway/core/xmpp/stream"
)

const nsRoster = "jabber:iq:roster"

// Item is an entry of a user's roster (RFC 6121 section 2.1.2).
type Item struct {
	JID          string
	Name         string
	Subscription string // "both", "to", "from", "none"; "remove" only in SetRoster
	Ask          bool   // a subscription request of the user's is pending
	Groups       []string
}

// maxItems bounds what is read of a roster.
const maxItems = 20_000

// Roster returns a user's roster. Denied without the privilege.
func (e *Entity) Roster(ctx context.Context, user core.UserID) ([]Item, error) {
	if e.For(user).Roster&Get == 0 {
		return nil, denied("roster", "The server does not let the gateway see that roster.")
	}
	st, err := e.link.IQ(ctx, string(user), "get", func(enc *stream.Encoder) { enc.Empty("query", nsRoster) })
	if err != nil {
		if refused(err) {
			e.withdraw("roster get", func(g *Grants) { g.Roster = 0 })
		}
		return nil, err
	}
	defer st.Release()
	var items []Item
	for el := range st.Child(nsRoster, "query").Children() {
		if el.Is(nsRoster, "item") && len(items) < maxItems {
			items = append(items, itemOf(el))
		}
	}
	return items, nil
}

func itemOf(el *stream.Element) Item {
	it := Item{
		JID: strings.Clone(el.Attr("jid")), Name: strings.Clone(el.Attr("name")),
		Subscription: strings.Clone(el.Attr("subscription")), Ask: el.Attr("ask") == "subscribe",
	}
	for g := range el.Children() {
		if text := g.Text(); g.Local() == "group" && text != "" {
			it.Groups = append(it.Groups, strings.Clone(text))
		}
	}
	return it
}

// SetRoster writes one item of a user's roster as it is given, or removes it.
// Denied without the privilege.
func (e *Entity) SetRoster(ctx context.Context, user core.UserID, it Item) error {
	if e.For(user).Roster&Set == 0 {
		return denied("roster", "The server does not let the gateway change that roster.")
	}
	st, err := e.link.IQ(ctx, string(user), "set", func(enc *stream.Encoder) {
		enc.Start("query", nsRoster)
		enc.Start("item", "", "jid", it.JID, "subscription", it.Subscription)
		if it.Subscription != "remove" {
			if it.Name != "" {
				enc.Attr("name", it.Name)
			}
			for _, g := range it.Groups {
				enc.Leaf("group", "", g)
			}
		}
		enc.End()
		enc.End()
	})
	if err != nil {
		// ejabberd to 23.01 grants it and then fails: mod_roster looks for its own
		// options under the component's domain.
		if refused(err) || failed(err) {
			e.withdraw("roster set", func(g *Grants) { g.Roster &^= Set })
		}
		return err
	}
	st.Release()
	return nil
}

// refused reports whether an error says that the server does not grant what was
// asked, rather than that this one request was wrong.
func refused(err error) bool {
	var e *xmpp.Error
	return errors.As(err, &e) && (e.Condition == "forbidden" || e.Condition == "not-authorized")
}

func failed(err error) bool {
	var e *xmpp.Error
	return errors.As(err, &e) && e.Condition == "internal-server-error"
}
