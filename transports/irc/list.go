package irc

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	"gopkg.in/irc.v4"

	"gangway/core"
	"gangway/transports/irc/format"
	"gangway/transports/irc/wire"
)

const (
	maxListed = 20_000          // channels that are taken of a list
	listFresh = 5 * time.Minute // how long a list is not asked for again
)

// listing is the network's list of channels.
type listing struct {
	rooms []core.Listed
	at    time.Time // when it was complete; zero: it is not
}

// RoomList asks the network for its channels, unless it has told them a moment ago.
func (s *session) RoomList(ctx context.Context) ([]core.Listed, error) {
	err := s.perform(ctx, "", func() ([]*command, error) {
		if s.list != nil && (s.list.at.IsZero() || time.Since(s.list.at) < listFresh) {
			return nil, nil
		}
		s.list = &listing{}
		return []*command{{Command: wire.List(), ask: &request{verb: "LIST"}}}, nil
	})
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.list == nil || s.list.at.IsZero() {
		if err == nil {
			err = core.E(core.Unavailable, "irc: list", "The network has not told all of its channels yet. Please try again in a moment.")
		} else {
			s.list = nil
		}
		return nil, err
	}
	return slices.Clone(s.list.rooms), err
}

// onListed is 322: "channel members :topic".
func (s *session) onListed(m *irc.Message) {
	channel := m.Param(1)
	if s.list == nil || !s.list.at.IsZero() || len(s.list.rooms) >= maxListed || !isChannel(channel) || !validChannel(channel) {
		return
	}
	members, err := strconv.Atoi(m.Param(2))
	if err != nil || members < 0 {
		members = 0
	}
	topic := ""
	if len(m.Params) > 3 {
		topic = format.Styled(m.Trailing())
	}
	s.list.rooms = append(s.list.rooms, core.Listed{Room: lower(strings.Clone(channel)), Members: members, Topic: topic})
}

// onListEnd is 323.
func (s *session) onListEnd() {
	if s.list != nil && s.list.at.IsZero() {
		s.list.at = time.Now()
	}
}
