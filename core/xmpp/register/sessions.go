package register

import (
	"sync"
	"time"

	"gangway/core"
	"gangway/core/xmpp"
	"gangway/core/xmpp/stream"
)

const (
	sessionFor  = 15 * time.Minute // an ad-hoc session that is not used ends after
	rememberFor = time.Hour        // and is known as expired for as long again
	perUser     = 5                // open sessions of one user: the oldest ends
	maxSessions = 10_000           // open and ended ones
)

// sessions are the ad-hoc commands in the middle of their steps. A session
// belongs to a bare JID: a user may go on from another client. The lock is not
// held while a command runs.
type sessions struct {
	now func() time.Time

	mu    sync.Mutex
	byID  map[string]*session
	swept time.Time
}

type session struct {
	id, node string
	user     core.UserID
	dialog   *dialog // nil: it has ended
	used     time.Time
}

func newSessions(now func() time.Time) sessions {
	return sessions{now: now, byID: map[string]*session{}}
}

// open keeps a dialog under a new id.
func (s *sessions) open(d *dialog) (id string, err error) {
	now := s.now()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.sweep(now); len(s.byID) >= maxSessions && !s.evict() {
		return "", core.E(core.OverLimit, "register: sessions", "")
	}
	s.makeRoom(d.user)
	id = string(core.NewID())
	s.byID[id] = &session{id: id, node: d.command.Node, user: d.user, dialog: d, used: now}
	return id, nil
}

// get returns a user's session. Somebody else's is as if it were not there.
func (s *sessions) get(id, node string, user core.UserID) (*dialog, error) {
	now := s.now()
	s.mu.Lock()
	defer s.mu.Unlock()
	found := s.byID[id]
	switch {
	case found == nil || found.user != user || found.node != node:
		return nil, commandError("modify", "bad-request", "bad-sessionid", "There is no such session.")
	case found.dialog == nil || now.Sub(found.used) >= sessionFor:
		found.dialog = nil
		return nil, commandError("cancel", "not-allowed", "session-expired", "This has ended. Please begin again.")
	}
	found.used = now
	return found.dialog, nil
}

// end ends a session, and forgets what was answered in it.
func (s *sessions) end(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if found := s.byID[id]; found != nil {
		found.dialog = nil
	}
}

// makeRoom ends a user's oldest session if they have too many. The lock is held.
func (s *sessions) makeRoom(user core.UserID) {
	var oldest *session
	n := 0
	for _, other := range s.byID {
		if other.user != user || other.dialog == nil {
			continue
		}
		if n++; oldest == nil || other.used.Before(oldest.used) {
			oldest = other
		}
	}
	if n >= perUser {
		oldest.dialog = nil
	}
}

// sweep ends and forgets what is old, now and then. The lock is held.
func (s *sessions) sweep(now time.Time) {
	if now.Sub(s.swept) < time.Minute && len(s.byID) < maxSessions {
		return
	}
	s.swept = now
	for id, other := range s.byID {
		switch age := now.Sub(other.used); {
		case age >= sessionFor+rememberFor:
			delete(s.byID, id)
		case age >= sessionFor:
			other.dialog = nil
		}
	}
}

// evict forgets one session that has ended. The lock is held.
func (s *sessions) evict() bool {
	for id, other := range s.byID {
		if other.dialog == nil {
			delete(s.byID, id)
			return true
		}
	}
	return false
}

// commandError is a stanza error of XEP-0050 section 4.4.
func commandError(typ, condition, app, text string) error {
	return &xmpp.Error{Type: typ, Condition: condition, Text: text, App: stream.Name{Space: NSCommands, Local: app}}
}
