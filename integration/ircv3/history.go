package ircv3

import (
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"gangway/integration/ircclient"
)

// onHistory is CHATHISTORY (draft/chathistory): BEFORE, AFTER, LATEST, AROUND, BETWEEN and TARGETS.
func (c *conn) onHistory(l ircclient.Line) {
	sub, target := strings.ToUpper(l.Param(0)), l.Param(1)
	want := map[string]int{"BEFORE": 4, "AFTER": 4, "LATEST": 4, "AROUND": 4, "BETWEEN": 5, "TARGETS": 4}[sub]
	if want == 0 {
		c.fail("CHATHISTORY", "INVALID_PARAMS", sub, "Unknown command")
		return
	}
	if len(l.Params) < want {
		c.fail("CHATHISTORY", "NEED_MORE_PARAMS", sub, "Missing parameters")
		return
	}
	limit, err := strconv.Atoi(l.Param(want - 1))
	if err != nil || limit < 1 {
		c.fail("CHATHISTORY", "INVALID_PARAMS", sub, l.Param(want-1), "Invalid limit")
		return
	}
	limit = min(limit, c.server.conf.Page)
	if sub == "TARGETS" {
		c.targets(l.Param(1), l.Param(2), limit)
		return
	}
	all, ok := c.visible(target)
	if !ok {
		c.fail("CHATHISTORY", "INVALID_TARGET", sub, target, "Messages could not be retrieved")
		return
	}
	page, bad := pageOf(all, sub, l.Params[2:want-1], limit)
	if bad != "" {
		c.fail("CHATHISTORY", bad, sub, target, "Invalid reference")
		return
	}
	c.showPage(target, page)
}

// visible is the history that somebody may read with a target.
func (c *conn) visible(target string) ([]*said, bool) {
	s, name := c.server, fold(target)
	if isChannel(name) {
		ch := s.channels[name]
		if ch == nil {
			return nil, false
		}
		if _, in := ch.members[c.user]; !in {
			return nil, false
		}
	}
	var all []*said
	for _, m := range s.history {
		if m.between(fold(c.user.nick), name) && (!m.event || c.caps["draft/event-playback"]) {
			all = append(all, m)
		}
	}
	return all, true
}

// pageOf cuts a page out of a history that is oldest first. Points are exclusive.
func pageOf(all []*said, sub string, points []string, limit int) (page []*said, bad string) {
	cut := make([]int, len(points)) // how many are before the point, itself not counted
	on := make([]bool, len(points)) // whether there is one at the point
	for i, p := range points {
		if sub == "LATEST" && p == "*" {
			cut[i] = -1
			continue
		}
		if cut[i], on[i], bad = find(all, p); bad != "" {
			return nil, bad
		}
	}
	after := func(i int) int { // the index of the first behind point i
		if on[i] {
			return cut[i] + 1
		}
		return cut[i]
	}
	switch sub {
	case "BEFORE":
		return all[max(0, cut[0]-limit):cut[0]], ""
	case "AFTER":
		return head(all[after(0):], limit), ""
	case "LATEST":
		if cut[0] >= 0 {
			all = all[after(0):]
		}
		return all[max(0, len(all)-limit):], ""
	case "AROUND":
		from := max(0, cut[0]-limit/2)
		return head(all[from:], limit), ""
	}
	if cut[0] <= cut[1] { // BETWEEN, forwards
		return head(all[min(after(0), cut[1]):cut[1]], limit), ""
	}
	between := all[min(after(1), cut[0]):cut[0]]
	return between[max(0, len(between)-limit):], ""
}

func head(all []*said, n int) []*said { return all[:min(n, len(all))] }

// find is where in the history a reference points.
func find(all []*said, ref string) (before int, on bool, bad string) {
	kind, value, _ := strings.Cut(ref, "=")
	switch kind {
	case "msgid":
		i := slices.IndexFunc(all, func(m *said) bool { return m.id == value })
		if i < 0 {
			return 0, false, "INVALID_MSGREFTYPE"
		}
		return i, true, ""
	case "timestamp":
		at, err := time.Parse(time.RFC3339Nano, value)
		if err != nil {
			return 0, false, "INVALID_PARAMS"
		}
		i := slices.IndexFunc(all, func(m *said) bool { return !m.at.Before(at) })
		if i < 0 {
			return len(all), false, ""
		}
		return i, all[i].at.Equal(at), ""
	}
	return 0, false, "INVALID_MSGREFTYPE"
}

// showPage sends a batch of history, oldest first.
func (c *conn) showPage(target string, page []*said) {
	ref := c.server.newBatch()
	c.send(line{command: "BATCH", params: []string{"+" + ref, "chathistory", target}})
	for _, m := range page {
		if len(m.lines) > 1 {
			c.server.showLines(c, m, ref)
			continue
		}
		if l := m.lines[0]; l.command != "TAGMSG" || c.caps["draft/event-playback"] {
			c.send(l.with("batch", ref))
		}
	}
	c.send(line{command: "BATCH", params: []string{"-" + ref}})
}

// targets lists with whom there is history between two times, by the time of its latest message.
func (c *conn) targets(from, to string, limit int) {
	latest := map[string]time.Time{}
	me := fold(c.user.nick)
	for _, m := range c.server.history {
		name := m.to
		switch {
		case m.event:
			continue
		case isChannel(name):
			if _, in := c.server.channel(name).members[c.user]; !in {
				continue
			}
		case name == me:
			name = m.from
		case m.from != me:
			continue
		}
		latest[name] = m.at
	}
	_, one, _ := strings.Cut(from, "=")
	_, two, _ := strings.Cut(to, "=")
	if one > two {
		one, two = two, one
	}
	maps.DeleteFunc(latest, func(_ string, at time.Time) bool { return stamp(at) <= one || stamp(at) >= two })
	names := slices.SortedFunc(maps.Keys(latest), func(a, b string) int { return latest[a].Compare(latest[b]) })
	ref := c.server.newBatch()
	c.send(line{command: "BATCH", params: []string{"+" + ref, "draft/chathistory-targets"}})
	for _, name := range names[:min(limit, len(names))] {
		c.send(line{command: "CHATHISTORY", params: []string{"TARGETS", name, stamp(latest[name])}}.with("batch", ref))
	}
	c.send(line{command: "BATCH", params: []string{"-" + ref}})
}
