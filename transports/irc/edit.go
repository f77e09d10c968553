package irc

import (
	"context"
	"slices"
	"strings"
	"time"

	"gangway/core"
)

// holdFor is how long what is said waits for its correction, where the user wants that.
const holdFor = 3 * time.Second

// maxFixable is the longest text, in bytes, whose correction may be said as an expression.
const maxFixable = 1000

// held is a message that waits for its correction.
type held struct {
	m      *core.Message // as it will be said
	fixes  []core.Message
	due    time.Time
	chosen choices
}

// last is what was last said in a conversation, under the name that corrections give it.
type last struct {
	id   core.MessageID
	text string
}

// Edit corrects what was said, as the user chose: IRC itself cannot. What is shown to the user is what was said for it.
func (s *session) Edit(ctx context.Context, m *core.Message) (core.Taken, error) {
	chosen := s.choices(ctx)
	policy := chosen.edits(m.Peer)
	if policy == editsRefuse {
		return core.Taken{}, core.E(core.Unsupported, "irc: edit", "What was said on IRC cannot be changed.")
	}
	if s.fix(m) {
		return core.Taken{}, nil
	}
	said := *m
	said.Text = s.correction(m, policy == editsSed)
	said.Replaces = core.IDs{}
	taken, err := s.submit(ctx, &said, chosen, false)
	if err == nil {
		s.mu.Lock()
		s.said(m.Peer, m.Replaces.ID, m.Text)
		s.mu.Unlock()
	}
	return taken, err
}

// correction is what is said for a correction.
func (s *session) correction(m *core.Message, sed bool) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if was := s.lasts[m.Peer]; sed && was.id == m.Replaces.ID && was.id != "" {
		if expression := changedWord(was.text, m.Text); expression != "" {
			return expression
		}
	}
	if rest, ok := strings.CutPrefix(m.Text, "/me "); ok {
		return "* " + s.nick() + " " + rest
	}
	return "* " + m.Text
}

// changedWord is "s/old/new/" for two lines that differ in one word, and the first such; empty for others.
func changedWord(was, now string) string {
	old, words := strings.Split(was, " "), strings.Split(now, " ")
	if len(old) != len(words) || strings.ContainsAny(was+now, "\r\n/") {
		return ""
	}
	at := -1
	for i := range old {
		if old[i] == words[i] {
			continue
		}
		if at >= 0 {
			return ""
		}
		at = i
	}
	if at < 0 || old[at] == "" || words[at] == "" || slices.Index(old, old[at]) != at ||
		strings.Index(was, old[at]) != len(strings.Join(old[:at], " "))+min(at, 1) {
		return ""
	}
	return "s/" + old[at] + "/" + words[at] + "/"
}

// said notes what was last said in a conversation.
func (s *session) said(peer core.Address, id core.MessageID, text string) {
	if s.lasts == nil || len(s.lasts) >= maxRooms {
		s.lasts = map[core.Address]last{}
	}
	if len(text) > maxFixable {
		id, text = "", ""
	}
	s.lasts[peer] = last{id, text}
}

// hold keeps a message for its correction. What waits in the same conversation is said now.
func (s *session) hold(m *core.Message, chosen choices) {
	s.sayHeld(func(h *held) bool { return h.m.Peer == m.Peer })
	s.waiting = append(s.waiting, &held{m: m, due: time.Now().Add(holdFor), chosen: chosen})
	s.link.interrupt() // the reader looks at the clock
}

// fix corrects a message that still waits: true if there was one.
func (s *session) fix(m *core.Message) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, h := range s.waiting {
		if h.m.ID == m.Replaces.ID && h.m.Peer == m.Peer {
			fixed := *h.m
			fixed.Text, fixed.Attachments = m.Text, m.Attachments
			h.m = &fixed
			h.fixes = append(h.fixes, *m)
			return true
		}
	}
	return false
}

// sayHeld says those that wait and match.
func (s *session) sayHeld(match func(*held) bool) {
	var rest []*held
	waiting := s.waiting
	s.waiting = nil
	for _, h := range waiting {
		if !match(h) {
			rest = append(rest, h)
			continue
		}
		if err := s.speak(h.m, h.chosen, h.fixes); err != nil {
			s.unsaid(h, core.AsError(err))
		}
	}
	s.waiting = rest
}

// unsaid tells that a message that waited will not be said, and so of its corrections.
func (s *session) unsaid(h *held, e *core.Error) {
	for _, m := range append([]core.Message{*h.m}, h.fixes...) {
		s.emit(&core.Receipt{Ref: m.Ref, IDs: core.IDs{ID: m.ID}, Origin: m.Origin, State: core.Failed, Err: e})
	}
}

// sayDue says what has waited long enough, and returns when the next will have.
func (s *session) sayDue(now time.Time) (next time.Time) {
	s.sayHeld(func(h *held) bool { return !now.Before(h.due) })
	for _, h := range s.waiting {
		if next.IsZero() || h.due.Before(next) {
			next = h.due
		}
	}
	return next
}

// corrected shows the corrections that were made before anything was said.
func (s *session) corrected(o *outgoing, failure *core.Error) {
	fixes := o.fixes
	o.fixes = nil
	for _, m := range fixes {
		switch {
		case failure != nil:
			s.emit(&core.Receipt{Ref: m.Ref, IDs: core.IDs{ID: m.ID}, Origin: m.Origin, State: core.Failed, Err: failure})
		case o.room:
			m.Mine, m.Author, m.At = true, core.Address(s.nick()), time.Now()
			s.emit(&m)
		default:
			s.emit(&core.Receipt{Ref: m.Ref, IDs: core.IDs{ID: m.ID}, Origin: m.Origin, State: core.Delivered})
		}
	}
}
