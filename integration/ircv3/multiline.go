package ircv3

import (
	"strconv"
	"strings"

	"gangway/integration/ircclient"
)

const (
	maxLines = 24
	maxBytes = 4096
)

// multiline is a batch that a client has opened.
type multiline struct {
	ref, target string
	opening     ircclient.Line
	lines       []line
	size        int
	failed      bool
}

// onBatch opens and closes a client's batch (draft/multiline).
func (c *conn) onBatch(l ircclient.Line) {
	ref := l.Param(0)
	switch {
	case strings.HasPrefix(ref, "+") && c.caps["draft/multiline"] && c.caps["batch"] && l.Param(1) == "draft/multiline" && c.open == nil:
		c.open = &multiline{ref: ref[1:], target: l.Param(2), opening: l}
	case strings.HasPrefix(ref, "-") && c.open != nil && c.open.ref == ref[1:]:
		m := c.open
		c.open = nil
		c.closed(m)
	default:
		c.fail("BATCH", "MULTILINE_INVALID", "Invalid multiline batch")
	}
}

// inBatch takes a line of a batch.
func (c *conn) inBatch(ref string, l ircclient.Line) {
	m := c.open
	if m == nil || m.ref != ref {
		c.fail("BATCH", "MULTILINE_INVALID", "Invalid multiline batch")
		return
	}
	if m.failed {
		return
	}
	_, concat := l.Tags["draft/multiline-concat"]
	if m.size += len(l.Param(1)); !concat && len(m.lines) > 0 {
		m.size++ // the line feed
	}
	out := line{command: strings.ToUpper(l.Command), params: []string{l.Param(0), l.Param(1)}}
	if concat {
		out = out.with("draft/multiline-concat", "")
	}
	m.lines = append(m.lines, out)
	m.failed = true
	switch {
	case fold(l.Param(0)) != fold(m.target):
		c.fail("BATCH", "MULTILINE_INVALID_TARGET", m.target, l.Param(0), "Invalid multiline target")
	case m.size > maxBytes:
		c.fail("BATCH", "MULTILINE_MAX_BYTES", strconv.Itoa(maxBytes), "Multiline batch max-bytes exceeded")
	case len(m.lines) > maxLines:
		c.fail("BATCH", "MULTILINE_MAX_LINES", strconv.Itoa(maxLines), "Multiline batch max-lines exceeded")
	case out.command == "TAGMSG" || out.command != m.lines[0].command:
		c.fail("BATCH", "MULTILINE_INVALID", "Invalid multiline batch")
	case concat && l.Param(1) == "":
		c.fail("BATCH", "MULTILINE_INVALID", "Invalid multiline batch with concatenated blank line")
	default:
		m.failed = false
	}
}

// closed delivers a batch that is complete.
func (c *conn) closed(m *multiline) {
	blank := true
	for _, l := range m.lines {
		blank = blank && l.params[1] == ""
	}
	switch {
	case m.failed:
	case blank:
		c.fail("BATCH", "MULTILINE_INVALID", "Invalid multiline batch with blank lines only")
	case c.reachable(m.target):
		tags := clientTags(m.opening.Tags)
		for key, v := range tags {
			m.lines[0] = m.lines[0].with(key, v)
		}
		if label := m.opening.Tags["label"]; label != "" && c.caps["labeled-response"] {
			c.sayLabelled(m, tags, label)
			return
		}
		c.server.say(c.user, m.lines, &line{tags: tags})
	}
}

// sayLabelled answers the opening's label with the echo (labeled-response with echo-message).
func (c *conn) sayLabelled(m *multiline, tags map[string]string, label string) {
	c.label, c.labelled = label, nil
	c.server.say(c.user, m.lines, &line{tags: tags})
	c.unlabel()
}
