package irc

import (
	"context"
	"strconv"
	"strings"
	"time"

	"gangway/core"
	"gangway/transports/irc/format"
	"gangway/transports/irc/wire"
)

// pasteLead is how much of the first line of what became a file is said, in bytes.
const pasteLead = 200

// pasted turns a message of more lines than the user wants to say one by one into a file with a link, unless the network
// takes it as the one message that it is. One that cannot be kept is said line by line.
func (s *session) pasted(ctx context.Context, m *core.Message, chosen choices) *core.Message {
	most := chosen.pastes(m.Peer)
	text := format.Sendable(m.Text)
	lines := strings.Count(strings.TrimRight(text, "\n"), "\n") + 1
	if most == 0 || lines <= most || s.takesWhole(m, chosen) {
		return m
	}
	file, err := s.t.host.Blobs().Put(ctx, s.account, core.Attachment{
		Name: "message-" + time.Now().UTC().Format("20060102-150405") + ".txt", Type: "text/plain; charset=utf-8", Size: int64(len(text)),
	}, strings.NewReader(text))
	if err != nil || file.URL == "" {
		s.t.log.Warn("long message not kept as a file", "account", s.account.ID, "id", m.ID, "err", err)
		return m
	}
	lead, _, _ := strings.Cut(strings.TrimLeft(text, "\n"), "\n")
	if len(lead) > pasteLead {
		lead = lead[:wire.RuneStart(lead, pasteLead)]
	}
	short := *m
	short.Text = strings.TrimSpace(lead) + " … (" + strconv.Itoa(lines) + " lines) " + file.URL
	return &short
}

// takesWhole says whether the network takes a message of several lines as one.
func (s *session) takesWhole(m *core.Message, chosen choices) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, ok := s.whole(format.Split(said(m), s.budget(string(m.Peer)), chosen.formats(m.Peer)))
	return ok
}
