package disco

import (
	"slices"
	"strconv"

	"gangway/core"
	"gangway/core/xmpp"
	"gangway/core/xmpp/stream"
)

// NSPages is result set management (XEP-0059), for long lists of items.
const NSPages = "http://jabber.org/protocol/rsm"

// maxPage is how many items an answer has at most: it must fit into a stanza.
const maxPage = 500

// page is a part of a list of items. Without paged it is the whole list.
type page struct {
	items []Item
	paged bool
	index int // of the first item, in the whole list
	count int // of the whole list; negative: nobody knows
}

// pageOf is the part of a list that a request asks for. A list that is too long
// for one answer is begun, whoever has not asked for a part.
// Of a list that is not complete there is no count (section 2.6), and what comes
// after its end is to be asked for again: an empty page would say that it is over.
func pageOf(set *stream.Element, all []Item, complete bool) (page, error) {
	if set == nil && len(all) <= maxPage && complete {
		return page{items: all}, nil
	}
	p := page{paged: true, count: len(all)}
	if !complete {
		p.count = -1
	}
	most := maxPage
	if text := set.ChildText("", "max"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 0 {
			return p, xmpp.NewError("modify", "bad-request", "The number of items that is asked for is none.")
		}
		most = min(n, maxPage)
	}
	from, to, err := bounds(set, all, most)
	if err != nil {
		return p, err
	}
	if !complete && from == len(all) && most > 0 {
		return p, core.E(core.Unavailable, "disco: page", "The network has not told all of the list yet. Please try again in a moment.")
	}
	p.index, p.items = from, all[from:to]
	return p, nil
}

// bounds finds the part that begins after, or ends before, an item (section 2.3
// and on), or begins at an index.
func bounds(set *stream.Element, all []Item, most int) (from, to int, err error) {
	after, before := set.Child("", "after"), set.Child("", "before")
	switch {
	case before != nil:
		if to = len(all); before.Text() != "" {
			to = find(all, before.Text())
		}
		from = max(0, to-most)
	case after != nil:
		if from = find(all, after.Text()); from >= 0 {
			from++
		}
		to = min(len(all), from+most)
	default:
		if text := set.ChildText("", "index"); text != "" {
			if from, err = strconv.Atoi(text); err != nil {
				from = -1
			}
		}
		to = min(len(all), max(from, 0)+most)
	}
	if from < 0 || to < 0 || from > len(all) {
		return 0, 0, xmpp.NewError("cancel", "item-not-found", "The list has no such place.")
	}
	return from, to, nil
}

func find(all []Item, uid string) int {
	return slices.IndexFunc(all, func(it Item) bool { return it.uid() == uid })
}

// uid names an item among those of one list.
func (it Item) uid() string {
	if it.Node != "" {
		return it.JID + " " + it.Node
	}
	return it.JID
}

func (p page) write(enc *stream.Encoder, node string) {
	enc.Start("query", NSItems, "node", node)
	for _, it := range p.items {
		enc.Empty("item", "", "jid", it.JID, "node", it.Node, "name", it.Name)
	}
	if p.paged {
		enc.Start("set", NSPages)
		if len(p.items) > 0 {
			enc.Leaf("first", "", p.items[0].uid(), "index", strconv.Itoa(p.index))
			enc.Leaf("last", "", p.items[len(p.items)-1].uid())
		}
		if p.count >= 0 {
			enc.Leaf("count", "", strconv.Itoa(p.count))
		}
		enc.End()
	}
	enc.End()
}
