package irc

import (
	"context"

	"gopkg.in/irc.v4"

	"gangway/core"
	"gangway/transports/irc/format"
	"gangway/transports/irc/wire"
)

const (
	maxLookups  = 3   // WHOIS without an answer
	maxProfiled = 200 // people whose real names are known to somebody's client
)

var _ core.Profiler = (*session)(nil)

// Profile looks up somebody's real name (WHOIS). Whoever wants to say something comes first.
func (s *session) Profile(ctx context.Context, peer core.Address) (*core.Profile, error) {
	if !validNick(string(peer)) {
		return nil, core.E(core.Invalid, "irc: whois", "That is not a nick.")
	}
	found := &core.Profile{Ref: s.ref(peer)}
	err := s.perform(ctx, "", func() ([]*command, error) {
		lookups := 0
		for _, r := range s.link.asked {
			if r.profile != nil {
				lookups++
			}
		}
		if lookups >= maxLookups || len(s.queue) > 0 {
			return nil, s.tooMuch()
		}
		return []*command{{Command: wire.Whois(string(peer)), ask: &request{
			verb: "WHOIS", targets: [2]string{s.fold.Fold(string(peer))}, profile: found,
		}}}, nil
	})
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.profiled(s.fold.Fold(string(peer)))
	out := *found
	return &out, nil
}

// profiled notes that somebody's client knows a person's real name.
func (s *session) profiled(key string) {
	if s.link == nil {
		return
	}
	if s.link.profiled == nil || len(s.link.profiled) >= maxProfiled {
		s.link.profiled = map[string]bool{}
	}
	s.link.profiled[key] = true
}

// onWhoisUser is 311: "nick user host * :real name".
func (s *session) onWhoisUser(m *irc.Message) {
	key := s.fold.Fold(m.Param(1))
	for _, r := range s.link.asked {
		if r.profile != nil && r.targets[0] == key && len(m.Params) > 5 {
			r.profile.Name = format.OneLine(format.Styled(m.Trailing()))
			return
		}
	}
	s.answersRaw(m)
}

// onRealname is somebody changing their real name (SETNAME): it is told of contacts, and of those who were looked up.
func (s *session) onRealname(m *irc.Message) {
	text := format.OneLine(format.Styled(m.Trailing()))
	if s.mine(m.Name) || text == "" || !addressable(m.Name) || !s.watched(m.Name) && !s.link.profiled[s.fold.Fold(m.Name)] {
		return
	}
	s.emit(&core.Profile{Ref: s.ref(lower(m.Name)), Name: text})
}
