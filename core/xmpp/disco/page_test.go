package disco

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"gangway/core"
	"gangway/core/xmpp"
	"gangway/core/xmpp/edge/edgetest"
	"gangway/core/xmpp/xmpptest"
)

// many is a list of rooms, "r0" and on.
type many int

func (many) Info(context.Context, Query) (Info, error) { return Info{}, nil }

func (n many) Items(context.Context, Query) ([]Item, error) {
	all := make([]Item, int(n))
	for i := range all {
		all[i].JID = fmt.Sprint("r", i)
	}
	return all, nil
}

func (n many) List(ctx context.Context, q Query) ([]Item, bool, error) {
	items, err := n.Items(ctx, q)
	return items, false, err
}

// Behaviour 3: a long list comes in pages, and is never too long.
func TestPages3(t *testing.T) {
	const total = maxPage + 10
	srv, _ := stage(t, Config{Rooms: many(total)}, (*edgetest.Full)(nil))
	for _, c := range []struct{ name, set, want string }{
		{"no page asked for", "", "r0 r499 500 0 510"},
		{"the first", "<max>10</max>", "r0 r9 10 0 510"},
		{"after", "<max>10</max><after>r9</after>", "r10 r19 10 10 510"},
		{"after the last but two", "<max>10</max><after>r507</after>", "r508 r509 2 508 510"},
		{"after the last", "<max>10</max><after>r509</after>", "- - 0  510"},
		{"before", "<max>10</max><before>r10</before>", "r0 r9 10 0 510"},
		{"before the third", "<max>10</max><before>r2</before>", "r0 r1 2 0 510"},
		{"the last", "<max>10</max><before/>", "r500 r509 10 500 510"},
		{"at an index", "<max>2</max><index>4</index>", "r4 r5 2 4 510"},
		{"only the count", "<max>0</max>", "- - 0  510"},
		{"too many at once", "<max>100000</max>", "r0 r499 500 0 510"},
		{"after what is not there", "<after>x</after>", "cancel item-not-found"},
		{"before what is not there", "<before>x</before>", "cancel item-not-found"},
		{"behind the end", "<index>511</index>", "cancel item-not-found"},
		{"at a negative index", "<index>-1</index>", "cancel item-not-found"},
		{"a max that is none", "<max>x</max>", "modify bad-request"},
		{"a negative max", "<max>-1</max>", "modify bad-request"},
	} {
		if got := part(t, srv, "email.gw", c.set); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
}

// A list that is still being told has no count, and nothing is said of its end.
func TestUnfinishedList3(t *testing.T) {
	srv, _ := stage(t, Config{Rooms: many(12)}, (*edgetest.Full)(nil))
	for _, c := range []struct{ name, set, want string }{
		{"no page asked for", "", "r0 r11 12 0 "},
		{"the first", "<max>10</max>", "r0 r9 10 0 "},
		{"what is there of the next", "<max>10</max><after>r9</after>", "r10 r11 2 10 "},
		{"what is not there yet", "<max>10</max><after>r11</after>", "wait remote-server-timeout"},
		{"the page before", "<max>3</max><before>r5</before>", "r2 r4 3 2 "},
		{"only the count", "<max>0</max>", "- - 0  "},
	} {
		if got := part(t, srv, "%net@email.gw", c.set); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
}

// part asks for a part of a list, and says in short what came: the first and the last item, how many, the index of the
// first, and the count.
func part(t *testing.T, srv *xmpptest.Server, to, rsm string) string {
	t.Helper()
	query := itemQuery
	if rsm != "" {
		query = strings.Replace(itemQuery, "/>", "><set xmlns='http://jabber.org/protocol/rsm'>"+rsm+"</set></query>", 1)
	}
	ask(srv, alice, to, query)
	st := srv.Next()
	if st.Type == "error" {
		e := xmpp.ParseError(st)
		return e.Type + " " + e.Condition
	}
	answer := st.Child(NSItems, "query")
	first, last, n := "-", "-", 0
	for item := range answer.Children() {
		if item.Local() != "item" {
			continue
		}
		if last = item.Attr("jid"); n == 0 {
			first = last
		}
		n++
	}
	set := answer.Child(NSPages, "set")
	if n > 0 && (set.ChildText("", "first") != first || set.ChildText("", "last") != last) {
		t.Errorf("%s: ends of %s", rsm, st)
	}
	return fmt.Sprint(first, " ", last, " ", n, " ", set.Child("", "first").Attr("index"), " ", set.ChildText("", "count"))
}

// A short list that nobody wants in parts is a plain one.
func TestShortList(t *testing.T) {
	srv, _ := stage(t, Config{Rooms: many(2)}, (*edgetest.Full)(nil))
	ask(srv, alice, "email.gw", itemQuery)
	srv.Expect(`<iq type='result'><query xmlns='http://jabber.org/protocol/disco#items'><item jid='r0'/><item jid='r1'/><no><set xmlns='http://jabber.org/protocol/rsm'/></no></query></iq>`)
	if !strings.Contains(strings.Join(features(gatewayTable(core.CapsOf((*edgetest.Full)(nil)))), " "), NSPages) {
		t.Error("not announced")
	}
}
