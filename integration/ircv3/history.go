package ircv3

import (
	"cmp"
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
	bad := func(params ...string) { c.fail("CHATHISTORY", "INVALID_PARAMS", append([]string{sub}, params...)...) }
	switch {
	case want == 0:
		bad("Unknown command")
		return
	case len(l.Params) < want:
		bad("Insufficient parameters")
		return
	case len(l.Params) > want:
		bad("Too many parameters")
		return
	}
	limit, err := strconv.Atoi(l.Param(want - 1))
	if err != nil || limit < 1 {
		bad(l.Param(want-1), "Invalid limit")
		return
	}
	limit = min(limit, c.server.conf.Page)
	if sub == "TARGETS" {
		for _, ref := range l.Params[1:3] {
			if !validRef(ref) || !strings.HasPrefix(ref, "timestamp=") {
				bad(ref, "Invalid timestamp")
				return
			}
		}
		c.targets(l.Param(1), l.Param(2), limit)
		return
	}
	for _, ref := range l.Params[2 : want-1] {
		switch {
		case sub == "LATEST" && ref == "*":
		case !validRef(ref):
			bad(ref, "Invalid timestamp")
			return
		case c.server.conf.Nameless && strings.HasPrefix(ref, "msgid="):
			c.fail("CHATHISTORY", "INVALID_MSGREFTYPE", sub, target, "msgid-based history requests are not supported")
			return
		}
	}
	all, ok := c.visible(target)
	if !ok {
		c.fail("CHATHISTORY", "INVALID_TARGET", sub, target, "Messages could not be retrieved")
		return
	}
	if page, ok := pageOf(all, sub, l.Params[2:want-1], limit); ok {
		c.showPage(c.server.canonical(target), page)
		return
	}
	c.fail("CHATHISTORY", "MESSAGE_ERROR", sub, target, "Messages could not be retrieved")
}

// stampForm is the only form of a timestamp.
const stampForm = "2006-01-02T15:04:05.000Z"

// validRef says whether a reference has one of the two forms.
func validRef(ref string) bool {
	kind, value, _ := strings.Cut(ref, "=")
	if kind == "timestamp" {
		_, err := time.Parse(stampForm, value)
		return err == nil && len(value) == len(stampForm)
	}
	return kind == "msgid" && value != ""
}

// canonical is a target as the network spells it.
func (s *Server) canonical(target string) string {
	if ch := s.channels[fold(target)]; ch != nil {
		return ch.name
	}
	if u := s.users[fold(target)]; u != nil {
		return u.nick
	}
	return target
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

// pageOf cuts a page out of a history that is oldest first. Points are exclusive; false if one names nothing.
func pageOf(all []*said, sub string, points []string, limit int) (page []*said, ok bool) {
	before := make([]int, len(points)) // how many are before the point
	behind := make([]int, len(points)) // the index of the first that is behind it
	for i, p := range points {
		if sub == "LATEST" && p == "*" {
			continue
		}
		if before[i], behind[i], ok = find(all, p); !ok {
			return nil, false
		}
	}
	switch sub {
	case "BEFORE":
		return tail(all[:before[0]], limit), true
	case "AFTER":
		return head(all[behind[0]:], limit), true
	case "LATEST":
		return tail(all[behind[0]:], limit), true
	case "AROUND":
		return head(all[max(0, before[0]-limit/2):], limit), true
	}
	if before[0] <= before[1] { // BETWEEN, forwards
		return head(all[min(behind[0], before[1]):before[1]], limit), true
	}
	return tail(all[min(behind[1], before[0]):before[0]], limit), true
}

func head[T any](all []T, n int) []T { return all[:min(n, len(all))] }

func tail[T any](all []T, n int) []T { return all[max(0, len(all)-n):] }

// find is where in the history a reference points: one message, or all of a moment.
func find(all []*said, ref string) (before, behind int, ok bool) {
	kind, value, _ := strings.Cut(ref, "=")
	if kind == "msgid" {
		i := slices.IndexFunc(all, func(m *said) bool { return m.id == value })
		return i, i + 1, i >= 0
	}
	for _, m := range all {
		if at := stamp(m.at); at < value {
			before, behind = before+1, behind+1
		} else if at == value {
			behind++
		}
	}
	return before, behind, true
}

// showPage sends a batch of history, oldest first.
func (c *conn) showPage(target string, page []*said) {
	ref := c.server.newBatch()
	c.sendBatch("+"+ref, "chathistory", target)
	for _, m := range page {
		if len(m.lines) > 1 {
			c.server.showLines(c, m, ref)
			continue
		}
		if l := m.lines[0]; l.command != "TAGMSG" || c.caps["draft/event-playback"] {
			c.send(l.with("batch", ref))
		}
	}
	c.sendBatch("-" + ref)
}

// sendBatch opens or closes a batch, for those who have them.
func (c *conn) sendBatch(params ...string) {
	if c.caps["batch"] {
		c.send(line{command: "BATCH", params: params})
	}
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
	cut := head[string]
	if one > two {
		one, two, cut = two, one, tail[string]
	}
	maps.DeleteFunc(latest, func(_ string, at time.Time) bool { return stamp(at) <= one || stamp(at) >= two })
	names := slices.SortedFunc(maps.Keys(latest), func(a, b string) int {
		return cmp.Or(latest[a].Compare(latest[b]), strings.Compare(a, b))
	})
	ref := c.server.newBatch()
	c.sendBatch("+"+ref, "draft/chathistory-targets")
	for _, name := range cut(names, limit) {
		c.send(line{command: "CHATHISTORY", params: []string{"TARGETS", c.server.canonical(name), stamp(latest[name])}}.with("batch", ref))
	}
	c.sendBatch("-" + ref)
}
