package irc

import (
	"context"
	"slices"
	"strconv"
	"strings"

	"gopkg.in/irc.v4"

	"gangway/core"
	"gangway/transports/irc/isupport"
	"gangway/transports/irc/wire"
)

// Settings asks the network for a room's modes, unless they are known already.
func (s *session) Settings(ctx context.Context, addr core.Address) (core.Settings, error) {
	err := s.inRoom(ctx, addr, func(r *room) ([]*command, error) {
		if r.settings != nil {
			return nil, nil
		}
		return []*command{s.operation(r, "", wire.Mode(r.name))}, nil
	})
	if err != nil {
		return core.Settings{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.room(string(addr))
	if r == nil || r.settings == nil {
		return core.Settings{}, core.E(core.Unavailable, "irc: settings", "The network did not say what the channel's modes are.")
	}
	return *r.settings, nil
}

// Configure changes a room's modes to what is wanted, and waits for the network's answer.
func (s *session) Configure(ctx context.Context, addr core.Address, want core.Settings) error {
	if strings.ContainsAny(want.Password, " ,\r\n\x00") || strings.HasPrefix(want.Password, ":") {
		return core.E(core.Invalid, "irc: settings", "The password of a channel has no spaces, commas or line ends.")
	}
	return s.inRoom(ctx, addr, func(r *room) ([]*command, error) {
		if r.settings == nil {
			return nil, core.E(core.Unavailable, "irc: settings", "It is not known what the channel's modes are.")
		}
		all := slices.DeleteFunc(changesBetween(*r.settings, want), func(c isupport.Change) bool {
			return c.Mode == 'p' && !strings.Contains(s.link.support.ChanModes[3], "p")
		})
		return s.settingCommands(r, all), nil
	})
}

// changesBetween are the modes that turn one into another.
func changesBetween(was, want core.Settings) []isupport.Change {
	var all []isupport.Change
	flag := func(mode byte, was, want bool) {
		if was != want {
			all = append(all, isupport.Change{On: want, Mode: mode})
		}
	}
	flag('t', was.TopicLocked, want.TopicLocked)
	flag('m', was.Moderated, want.Moderated)
	flag('i', was.MembersOnly, want.MembersOnly)
	flag('n', was.Inside, want.Inside)
	flag('s', was.Hidden, want.Hidden)
	if was.Hidden && !want.Hidden {
		all = append(all, isupport.Change{Mode: 'p'})
	}
	if was.Password != want.Password {
		if was.Password != "" {
			all = append(all, isupport.Change{Mode: 'k', Param: was.Password})
		}
		if want.Password != "" {
			all = append(all, isupport.Change{On: true, Mode: 'k', Param: want.Password})
		}
	}
	switch {
	case was.Limit == want.Limit:
	case want.Limit > 0:
		all = append(all, isupport.Change{On: true, Mode: 'l', Param: strconv.Itoa(want.Limit)})
	default:
		all = append(all, isupport.Change{Mode: 'l'})
	}
	return all
}

// settingCommands writes changes in as few commands as the network allows.
func (s *session) settingCommands(r *room, changes []isupport.Change) []*command {
	var all []*command
	for len(changes) > 0 {
		n := min(len(changes), s.link.support.PerMode)
		var modes strings.Builder
		params := []string{""}
		for _, c := range changes[:n] {
			sign := byte('-')
			if c.On {
				sign = '+'
			}
			modes.WriteByte(sign)
			modes.WriteByte(c.Mode)
			params = append(params, optional(c.Param)...)
		}
		params[0] = modes.String()
		all = append(all, s.operation(r, "", wire.Mode(r.name, params...)))
		changes = changes[n:]
	}
	return all
}

// apply puts one mode into settings, and says whether it is one of them.
func apply(into *core.Settings, c isupport.Change) bool {
	switch c.Mode {
	case 't':
		into.TopicLocked = c.On
	case 'm':
		into.Moderated = c.On
	case 'i':
		into.MembersOnly = c.On
	case 'n':
		into.Inside = c.On
	case 's', 'p':
		into.Hidden = c.On
	case 'k':
		into.Password = ""
		if c.On {
			into.Password = strings.Clone(c.Param)
		}
	case 'l':
		into.Limit = 0
		if n, err := strconv.Atoi(c.Param); c.On && err == nil && n > 0 {
			into.Limit = n
		}
	default:
		return false
	}
	return true
}

// onModes is 324: the modes of a room.
func (s *session) onModes(m *irc.Message) {
	r := s.room(m.Param(1))
	if r == nil || len(m.Params) < 3 {
		return
	}
	now := core.Settings{}
	for _, c := range s.link.support.Changes(m.Param(2), m.Params[3:]) {
		apply(&now, c)
	}
	r.settings = &now
}

// reconfigured takes note of changed modes, and tells of them. What was never asked for stays unknown.
func (s *session) reconfigured(r *room, changes []isupport.Change) {
	now := core.Settings{}
	if r.settings != nil {
		now = *r.settings
	}
	touched := false
	for _, c := range changes {
		touched = apply(&now, c) || touched
	}
	if !touched {
		return
	}
	e := &core.SettingsChanged{Ref: s.ref(r.addr)}
	if r.settings != nil {
		r.settings = &now
		told := now
		e.Settings = &told
	}
	if r.shown() {
		s.emit(e)
	}
}
