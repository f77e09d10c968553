package irc

import (
	"context"
	"encoding/json"
	"slices"
	"strings"

	"gopkg.in/irc.v4"

	"gangway/core"
	"gangway/transports/irc/format"
	"gangway/transports/irc/wire"
)

// maxPeers is how many people's presence is watched for one account.
const maxPeers = 100

// peersKey is where it is kept whom an account has written to: the note goes with the account.
func peersKey(id core.AccountID) string { return "peers " + string(id) }

// loadPeers returns whom the account has written to, the latest last.
func (s *session) loadPeers(ctx context.Context) []string {
	var peers []string
	text, err := s.t.host.Notes().Get(ctx, peersKey(s.account.ID))
	if err == nil {
		err = json.Unmarshal(text, &peers)
	}
	if err != nil && core.KindOf(err) != core.NotFound {
		s.t.log.Warn("contacts not found out", "account", s.account.ID, "err", err)
	}
	return peers
}

// met notes that the user has written to somebody, whose presence is watched from now on.
func (s *session) met(nick string) {
	folded := s.fold.Fold(nick)
	if slices.ContainsFunc(s.peers, func(p string) bool { return s.fold.Fold(p) == folded }) {
		return
	}
	s.peers = append(s.peers, nick)
	if len(s.peers) > maxPeers {
		s.unwatch(s.peers[0])
		s.peers = s.peers[1:]
	}
	kept, err := json.Marshal(s.peers)
	if err != nil {
		return // strings always can be
	}
	s.chore(func(ctx context.Context) error {
		return s.t.host.Notes().Put(ctx, peersKey(s.account.ID), kept, 0)
	})
	s.watch(nick)
}

// watchAll asks to be told of all contacts, as many as the network allows.
func (s *session) watchAll() {
	most := s.link.support.Monitor
	if most < 0 || len(s.peers) == 0 {
		return
	}
	if most == 0 || most > len(s.peers) {
		most = len(s.peers)
	}
	for some := range slices.Chunk(s.peers[len(s.peers)-most:], 10) {
		s.enqueue(&command{Command: wire.MonitorAdd(some...)})
	}
}

// watch asks to be told when somebody comes and goes.
func (s *session) watch(nick string) {
	if s.open() && s.link.support.Monitor >= 0 && len(s.queue) < s.t.cfg.Queue {
		s.enqueue(&command{Command: wire.MonitorAdd(nick)})
	}
}

func (s *session) unwatch(nick string) {
	if s.open() && s.link.support.Monitor >= 0 && len(s.queue) < s.t.cfg.Queue {
		s.enqueue(&command{Command: wire.MonitorRemove(nick)})
	}
}

// watched says whether somebody is a contact.
func (s *session) watched(nick string) bool {
	folded := s.fold.Fold(nick)
	return slices.ContainsFunc(s.peers, func(p string) bool { return s.fold.Fold(p) == folded })
}

// onMonitor is 730 and 731: these people are there, or are not.
func (s *session) onMonitor(m *irc.Message, show core.Show) {
	for target := range strings.SplitSeq(m.Trailing(), ",") {
		nick := irc.ParsePrefix(strings.TrimSpace(target)).Name
		if nick == "" {
			continue
		}
		if s.watched(nick) {
			delete(s.away, s.fold.Fold(nick))
			s.emit(&core.Presence{Ref: s.ref(lower(nick)), Show: show})
		}
		if show == core.Offline {
			s.reclaim(nick)
		}
	}
}

// onContactAway shows a contact's AWAY (away-notify, extended-monitor).
func (s *session) onContactAway(m *irc.Message) {
	if !s.watched(m.Name) {
		return
	}
	e := &core.Presence{Ref: s.ref(lower(m.Name))}
	key := s.fold.Fold(m.Name)
	if len(m.Params) > 0 && m.Trailing() != "" {
		e.Show, e.Text = core.Away, format.Styled(m.Trailing())
		s.isAway(key, e.Text)
	} else {
		delete(s.away, key)
	}
	s.emit(e)
}
