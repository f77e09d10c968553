package irc

import (
	"strings"

	"gopkg.in/irc.v4"

	"gangway/core"
)

const (
	maxBatches    = 64
	maxBatchLines = 5000    // of all open batches that are kept until they end
	maxBatchBytes = 1 << 20 // of their lines, roughly
)

// The kinds of batches (IRCv3 batch) that mean something here.
const (
	batchMultiline = "draft/multiline"
	batchHistory   = "chathistory"
	batchNetsplit  = "netsplit"
	batchNetjoin   = "netjoin"
	batchPlayback  = "znc.in/playback"
)

// batch is one that has been opened. Of one that is read as a whole the lines are kept until it ends.
type batch struct {
	kind  string
	open  *irc.Message // BATCH +ref kind params
	label string
	lines []*irc.Message
	cut   bool // there were more lines than are kept
}

// whole says whether the lines of a batch mean something only together.
func (b *batch) whole() bool {
	return b.kind == batchMultiline || b.kind == batchHistory || b.kind == batchPlayback
}

// target is the conversation that a batch is about.
func (b *batch) target() string { return b.open.Param(2) }

// in returns the batch that a message is in; nil if in none that is known.
func (l *link) in(m *irc.Message) *batch {
	if len(l.batches) == 0 {
		return nil
	}
	return l.batches[m.Tags["batch"]]
}

// inKind says whether a message is in a batch of a kind.
func (l *link) inKind(m *irc.Message, kind string) bool {
	b := l.in(m)
	return b != nil && b.kind == kind
}

// collected keeps a message for the end of its batch: true if it is in one that is read as a whole.
func (l *link) collected(m *irc.Message) bool {
	b := l.in(m)
	if b == nil || !b.whole() {
		return false
	}
	size := 0
	for _, p := range m.Params {
		size += len(p)
	}
	if l.batched >= maxBatchLines || l.batchBytes+size > maxBatchBytes {
		b.cut = true
		return true
	}
	b.lines = append(b.lines, m)
	l.batched++
	l.batchBytes += size
	return true
}

// onBatch opens and closes a batch.
func (s *session) onBatch(m *irc.Message) {
	l := s.link
	ref := m.Param(0)
	switch {
	case strings.HasPrefix(ref, "+") && len(l.batches) < maxBatches:
		b := &batch{kind: m.Param(1), open: m, label: m.Tags["label"]}
		if outer := l.in(m); outer != nil && b.label == "" {
			b.label = outer.label
		}
		if l.batches == nil {
			l.batches = map[string]*batch{}
		}
		l.batches[ref[1:]] = b
	case strings.HasPrefix(ref, "-"):
		b := l.batches[ref[1:]]
		if b == nil {
			return
		}
		delete(l.batches, ref[1:])
		if len(l.batches) == 0 {
			l.batches, l.batched, l.batchBytes = nil, 0, 0
		}
		s.closed(b)
	}
}

// closed deals with a batch that is complete.
func (s *session) closed(b *batch) {
	l := s.link
	switch b.kind {
	case batchMultiline:
		if m := joined(b); m != nil && !l.collected(m) {
			s.onText(m)
		}
		return // inside a labelled response it is a part of the answer; alone, onText has found whose
	case batchBouncer:
		s.toldNetworks()
	case batchHistory, batchPlayback:
		s.onHistory(b)
	}
	if b.label == "" || l.in(b.open) != nil {
		return
	}
	if r := l.byLabel(b.label); r != nil {
		s.answer(r, nil, nil)
	}
}

// joined makes one message of the lines of a draft/multiline batch: with the tags of the batch, and its lines parted by
// line ends unless a line goes on with the one before. Nil if there is nothing in it.
func joined(b *batch) *irc.Message {
	var text strings.Builder
	command := ""
	for i, line := range b.lines {
		if line.Command != "PRIVMSG" && line.Command != "NOTICE" || command != "" && line.Command != command {
			continue
		}
		command = line.Command
		if _, concat := line.Tags["draft/multiline-concat"]; i > 0 && !concat {
			text.WriteByte('\n')
		}
		text.WriteString(line.Trailing())
	}
	if command == "" {
		return nil
	}
	return &irc.Message{Tags: b.open.Tags, Prefix: b.open.Prefix, Command: command, Params: []string{b.target(), text.String()}}
}

// byLabel returns the request with a label.
func (l *link) byLabel(label string) *request {
	for _, r := range l.asked {
		if label != "" && r.label == label {
			return r
		}
	}
	return nil
}

// labelled returns the request that a message answers by its label or by the batch it is in.
func (l *link) labelled(m *irc.Message) *request {
	label := m.Tags["label"]
	if label == "" {
		if b := l.in(m); b != nil {
			label = b.label
		}
	}
	return l.byLabel(label)
}

// remoteOf is a message's name that is in one of its tags.
func remoteOf(m *irc.Message, tags ...string) core.RemoteID {
	for _, tag := range tags {
		if id := m.Tags[tag]; id != "" {
			return core.RemoteID(id)
		}
	}
	return ""
}
