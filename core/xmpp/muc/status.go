package muc

import (
	"context"
	"strings"
	"sync"

	"gangway/core"
	"gangway/core/xmpp/addr"
	"gangway/core/xmpp/stream"
)

// statuses are how available the clients in rooms say that their users are. On the network that is a matter of the
// account, so that every room shows it.
type statuses struct {
	mu     sync.Mutex
	shows  map[core.AccountID][]status // the latest last
	absent map[core.AccountID]bool     // whose network was told that they are not simply there
}

// status is what one client says.
type status struct {
	full string
	show core.Show
	text string
}

// statusOf reads a presence.
func statusOf(st *stream.Stanza) status {
	s := status{full: strings.Clone(st.From), text: strings.Clone(st.ChildText("", "status"))}
	switch st.ChildText("", "show") {
	case "away":
		s.show = core.Away
	case "xa":
		s.show = core.ExtendedAway
	case "dnd":
		s.show = core.Busy
	}
	return s
}

// reach orders availabilities: who is there comes before who does not want to be disturbed, and before who is not there.
func reach(s core.Show) int {
	switch s {
	case core.Online:
		return 4
	case core.Busy:
		return 3
	case core.Away:
		return 2
	case core.ExtendedAway:
		return 1
	}
	return 0
}

// status passes on that the user is away or back, as a client in a room says it (behaviour 36). Of several clients the
// one that is most available decides, and of those that are equally so the one that spoke last. Nobody waits to hear
// that such a thing failed.
func (h *Handler) status(ctx context.Context, c *call) {
	h.rooms.available(ctx, h, c.account, statusOf(c.st), true)
}

// joinsAs does the same for a client that enters a room: only what is not usual is told.
func (h *Handler) joinsAs(ctx context.Context, c *call) {
	h.rooms.available(ctx, h, c.account, statusOf(c.st), false)
}

// gone forgets what a client said that may have left its last room: another may be the most available now.
func (h *Handler) gone(ctx context.Context, a core.Account) {
	h.rooms.available(ctx, h, a, status{}, false)
}

// available takes note of what a client says (none: of those that are gone), and tells the network what holds now.
func (r *Rooms) available(ctx context.Context, h *Handler, a core.Account, said status, always bool) {
	if h.domain.Network.Caps.PresenceSetter == nil {
		return
	}
	best, some, tell := r.statuses.note(a.ID, said, r.theirs(a.ID))
	if !some || !tell && !always {
		return
	}
	p := &core.Presence{Ref: core.Ref{Account: a.ID}, Show: best.show, Text: best.text}
	if err := r.gw.Submit(ctx, a, p); err != nil {
		r.log.Debug("status not carried", "account", a.ID, "err", err)
	}
}

// note takes what a client says and returns what holds for the account: some is false if no client is in any of its
// rooms. tell is true unless the user is simply there, and was.
func (s *statuses) note(a core.AccountID, said status, in []*room) (best status, some, tell bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var left []status
	for _, other := range s.shows[a] {
		if !addr.Same(other.full, said.full) && anyKnows(in, other.full) {
			left = append(left, other)
		}
	}
	if said.full != "" {
		left = append(left, said)
	}
	if s.shows == nil {
		s.shows, s.absent = map[core.AccountID][]status{}, map[core.AccountID]bool{}
	}
	if s.shows[a] = left; len(left) == 0 {
		delete(s.shows, a)
		return status{}, false, false
	}
	for _, one := range left {
		if !some || reach(one.show) >= reach(best.show) {
			best, some = one, true
		}
	}
	was := s.absent[a]
	if delete(s.absent, a); best.show != core.Online {
		s.absent[a] = true
	}
	return best, true, was || best.show != core.Online
}

// forget drops what the clients of an account said: its session is another now.
func (s *statuses) forget(a core.AccountID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.shows, a)
	delete(s.absent, a)
}

func anyKnows(rooms []*room, full string) bool {
	for _, rm := range rooms {
		if rm.knows(full) {
			return true
		}
	}
	return false
}

// knows says whether a resource is in, or waits to be.
func (rm *room) knows(full string) bool {
	rm.mu.Lock()
	defer rm.mu.Unlock()
	if rm.index(full) >= 0 {
		return true
	}
	for o := range rm.joins {
		if addr.Same(o.From, full) {
			return true
		}
	}
	return false
}
