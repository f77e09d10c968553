package irc

import (
	"strings"
	"time"

	"gopkg.in/irc.v4"

	"gangway/core"
	"gangway/transports/irc/wire"
)

// tagContext marks lines that a network adds to what was asked for: reactions, redactions. They do not count.
const tagContext = "draft/chathistory-context"

// pages is what has been told of a conversation, page by page. A page may be shorter than was asked for although there
// is more, since networks count what they leave out, so that forwards only one with nothing new in it is the last.
type pages struct {
	mark   core.Mark // where the next page begins, or with backwards ends
	byTime bool      // the network does not know the names of its messages any more
	turned int       // pages asked for
	asked  int       // lines of the last
	left   int       // lines that are still wanted, of those before the mark
	page   []core.Event

	told  int             // lines of the last page, with those that were told before
	fresh int             // without
	begun moment          // the first of them all
	ended moment          // the last
	last  moment          // when the mark was last moved
	edge  map[string]bool // the lines of the moment at which the pages end: asked by time, the next begins with them
	edges time.Time       // that moment
	wide  bool            // a page was one moment only: as many are asked for as the network gives
}

// moment is a line's place in a history.
type moment struct {
	remote core.RemoteID
	at     time.Time
}

// begin makes ready for a page.
func (p *pages) begin() {
	p.turned++
	p.page, p.told, p.fresh, p.begun = nil, 0, 0, moment{}
}

// request asks for a page: forwards from the mark or, with backwards, the latest and then what is before them.
func (p *pages) request(target string, backwards bool, selector string) wire.Command {
	switch {
	case !backwards:
		return wire.HistoryAfter(target, selector, p.asked)
	case p.turned == 1:
		return wire.HistoryLatest(target, p.asked)
	}
	return wire.HistoryBefore(target, selector, p.asked)
}

// take returns the lines of a page that have not been told before.
func (p *pages) take(lines []*irc.Message) (fresh []*irc.Message) {
	for _, m := range lines {
		at, key := toldAt(m), lineKey(m)
		_, context := m.Tags[tagContext]
		if !context {
			p.told++
		}
		if p.edge[key] && at.Equal(p.edges) {
			continue
		}
		if fresh = append(fresh, m); !context && !at.IsZero() {
			p.fresh++
		}
	}
	p.measure(lines)
	return fresh
}

// measure notes where a page begins and ends, and the lines of its last moment. Of those that are the same in one
// millisecond, and have no names, the network is taken to tell all in one page.
func (p *pages) measure(lines []*irc.Message) {
	last := p.ended
	for _, m := range lines {
		at := toldAt(m)
		if _, context := m.Tags[tagContext]; context || at.IsZero() {
			continue
		}
		here := moment{core.RemoteID(m.Tags["msgid"]), at}
		if p.begun.at.IsZero() || at.Before(p.begun.at) {
			p.begun = here
		}
		if last.remote = here.remote; last.at.Before(at) {
			last.at = at
		}
	}
	if p.ended = last; last.at.IsZero() {
		return // a network that does not tell times: there is one page
	}
	if !last.at.Equal(p.edges) {
		p.edge, p.edges = map[string]bool{}, last.at
	}
	for _, m := range lines {
		if toldAt(m).Equal(p.edges) {
			p.edge[lineKey(m)] = true
		}
	}
}

// advance moves the mark to where the next page begins; false if there is none to ask for.
func (p *pages) advance(backwards bool) bool {
	if p.turned >= maxPages {
		return false
	}
	if backwards {
		p.left -= p.fresh
		p.mark = core.Mark{Remote: p.begun.remote, At: p.begun.at}
		return p.left > 0 && p.fresh > 0 && p.told >= p.asked // it need not be all
	}
	// Others may have been said in the same millisecond: asked by time, the last line is told again.
	next := core.Mark{Remote: p.ended.remote, At: p.edges.Add(-time.Millisecond)}
	switch {
	case p.fresh > 0 && p.ended != p.last:
		p.mark, p.wide, p.last = next, false, p.ended
	case p.told == 0 || p.edges.IsZero():
		return false
	case !p.wide && (p.fresh > 0 || p.told >= p.asked): // of one millisecond
		p.wide = true
	case p.mark.At.Before(p.edges):
		p.mark, p.wide = core.Mark{At: p.edges}, false
	default:
		return false
	}
	return true
}

// toldAt is when a line was said, as precisely as CHATHISTORY can ask for it; zero if it does not tell.
func toldAt(m *irc.Message) time.Time {
	t, err := time.Parse(time.RFC3339Nano, m.Tags["time"])
	if err != nil {
		return time.Time{}
	}
	return t.UTC().Truncate(time.Millisecond)
}

// lineKey is what a line is known by: its name or, where it has none, all of it.
func lineKey(m *irc.Message) string {
	if id := m.Tags["msgid"]; id != "" {
		return id
	}
	key := m.Name + " " + m.Command
	return key + "\x00" + strings.Join(m.Params, "\x00")
}
