package roster

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"gangway/core/xmpp/privilege"
)

func TestPlan13(t *testing.T) {
	item := func(jid, name, sub string, groups ...string) privilege.Item {
		return privilege.Item{JID: jid, Name: name, Subscription: sub, Groups: groups}
	}
	both := func(jid, name string) privilege.Item { return item(jid, name, "both", "Mail") }
	us := contact{jid: "gw", name: "Mail"}
	a := contact{jid: "a@gw", name: "Anna"}
	ours := map[string]entry{"gw": {"Mail", set}, "a@gw": {"Anna", set}}
	for name, c := range map[string]struct {
		wanted  []contact
		have    []privilege.Item
		before  map[string]entry
		set     []privilege.Item
		removed string
	}{
		"new":              {[]contact{us, a}, nil, nil, []privilege.Item{both("gw", "Mail"), both("a@gw", "Anna")}, ""},
		"in step":          {[]contact{us, a}, []privilege.Item{both("gw", "Mail"), both("a@gw", "Anna")}, ours, nil, ""},
		"renamed by user":  {[]contact{us, a}, []privilege.Item{both("gw", "Mail"), both("a@gw", "Sis")}, ours, nil, ""},
		"regrouped":        {[]contact{us, a}, []privilege.Item{both("gw", "Mail"), item("a@gw", "Anna", "both", "Kin")}, ours, nil, ""},
		"renamed by us":    {[]contact{us, {jid: "a@gw", name: "Ann"}}, []privilege.Item{both("gw", "Mail"), item("a@gw", "Anna", "both", "Kin")}, ours, []privilege.Item{item("a@gw", "Ann", "both", "Kin")}, ""},
		"half a contact":   {[]contact{us, a}, []privilege.Item{both("gw", "Mail"), item("a@gw", "Sis", "to", "Kin")}, nil, []privilege.Item{item("a@gw", "Sis", "both", "Kin")}, ""},
		"nameless":         {[]contact{us, a}, []privilege.Item{both("gw", "Mail"), item("a@gw", "", "both")}, nil, []privilege.Item{item("a@gw", "Anna", "both")}, ""},
		"removed by user":  {[]contact{us, a}, []privilege.Item{both("gw", "Mail")}, ours, nil, "a@gw"},
		"an empty roster":  {[]contact{us, a}, []privilege.Item{both("x@y", "X")}, ours, []privilege.Item{both("gw", "Mail"), both("a@gw", "Anna")}, ""},
		"not wanted":       {[]contact{us}, []privilege.Item{both("gw", "Mail"), both("a@gw", "Anna"), both("b@gw", "B"), both("a@other", "")}, ours, []privilege.Item{item("a@gw", "", "remove")}, ""},
		"not wanted, kept": {[]contact{us}, []privilege.Item{both("gw", "Mail"), item("a@gw", "Anna", "both", "Mail", "Kin")}, ours, nil, ""},
		"strange items":    {[]contact{us}, []privilege.Item{both("gw", "Mail"), both("", ""), both("a@gw/x", ""), both("@", "")}, ours, nil, ""},
	} {
		p := planFor("gw", "Mail", c.wanted, c.have, c.before)
		if fmt.Sprint(p.set) != fmt.Sprint(c.set) || strings.Join(p.removed, " ") != c.removed {
			t.Errorf("%s: set %v, removed %v", name, p.set, p.removed)
		}
		again := planFor("gw", "Mail", c.wanted, apply(c.have, p.set), p.entries)
		if len(again.set) > 0 || len(again.removed) > 0 {
			t.Errorf("%s: not at rest: %+v", name, again)
		}
	}
}

// apply makes of a roster what was set.
func apply(have, set []privilege.Item) []privilege.Item {
	have = slices.Clone(have)
	for _, it := range set {
		have = slices.DeleteFunc(have, func(o privilege.Item) bool { return o.JID == it.JID })
		if it.Subscription != "remove" {
			have = append(have, it)
		}
	}
	return have
}
