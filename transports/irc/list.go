package irc

import (
	"context"
	"errors"
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
	cut   bool      // there were more than are taken
	asked time.Time // when it was begun
	at    time.Time // when it was complete; zero: it is not
}

// RoomList asks the network for its channels, unless it has told them, or begun to, a moment ago; see core.RoomLister.
func (s *session) RoomList(ctx context.Context) (rooms []core.Listed, all bool, err error) {
	err = s.perform(ctx, "", func() ([]*command, error) {
		if s.list != nil && time.Since(s.list.asked) < listFresh {
			return nil, nil
		}
		s.list = &listing{asked: time.Now()}
		return []*command{{Command: wire.List(), ask: &request{verb: "LIST"}}}, nil
	})
	slow := errors.Is(err, context.DeadlineExceeded)
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case err != nil && !slow:
		s.list = nil
		return nil, false, err
	case s.list == nil || s.list.at.IsZero() && len(s.list.rooms) == 0:
		return nil, false, core.E(core.Unavailable, "irc: list", "The network has not told its channels yet. Please try again in a moment.")
	}
	return slices.Clone(s.list.rooms), !s.list.at.IsZero() && !s.list.cut, nil
}

// onListed is 322: "channel members :topic".
func (s *session) onListed(m *irc.Message) {
	channel := m.Param(1)
	if s.list == nil || !s.list.at.IsZero() || !isChannel(channel) || !validChannel(channel) {
		return
	}
	if len(s.list.rooms) >= maxListed {
		s.list.cut = true
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
