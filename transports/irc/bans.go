package irc

import (
	"context"
	"strconv"
	"strings"
	"time"

	"gopkg.in/irc.v4"

	"gangway/core"
	"gangway/transports/irc/format"
	"gangway/transports/irc/wire"
)

// maxBans is what is taken of a list of bans; no network has longer ones.
const maxBans = 1000

// Invite asks somebody into a room and waits for the network's answer.
func (s *session) Invite(ctx context.Context, addr, who core.Address) error {
	if !validNick(string(who)) {
		return core.E(core.NotFound, "irc: invite", "There is nobody of that name on this network.")
	}
	return s.inRoom(ctx, addr, func(r *room) ([]*command, error) {
		return []*command{s.operation(r, string(who), wire.Invite(string(who), r.name))}, nil
	})
}

// Ban keeps somebody out of a room: a member by their host, where it is known, and removes them; or whom a mask names.
func (s *session) Ban(ctx context.Context, addr core.Address, who, reason string) error {
	return s.inRoom(ctx, addr, func(r *room) ([]*command, error) {
		mask, member, err := s.maskOf(r, who)
		if err != nil {
			return nil, err
		}
		all := []*command{s.operation(r, mask, wire.Mode(r.name, "+b", mask))}
		if member != "" {
			r.banning = s.key(member)
			all = append(all, s.operation(r, member, wire.Kick(r.name, member, format.OneLine(reason))))
		}
		return all, nil
	})
}

// maskOf says which mask keeps somebody out, and the nick of the member whom it is about.
func (s *session) maskOf(r *room, who string) (mask, member string, err error) {
	if strings.ContainsAny(who, "!@*?") {
		if !validMask(who) {
			return "", "", core.E(core.Invalid, "irc: ban", "That is not a mask like nick!user@host.")
		}
		return who, "", nil
	}
	if !validNick(who) {
		return "", "", noSuchMember(who)
	}
	m, ok := r.members.get(s.key(who))
	if !ok {
		return who + "!*@*", "", nil
	}
	if _, host, ok := strings.Cut(m.real.String(), "@"); ok && validMask("*!*@"+host) {
		return "*!*@" + host, m.nick.String(), nil
	}
	return who + "!*@*", m.nick.String(), nil
}

// validMask says whether a mask is one parameter of a line.
func validMask(mask string) bool {
	if mask == "" || mask[0] == ':' || mask[0] == '-' || mask[0] == '+' || len(mask) > 200 {
		return false
	}
	return !strings.ContainsFunc(mask, func(r rune) bool { return r <= ' ' || r == ',' || r == 0x7f })
}

// Unban takes a ban back.
func (s *session) Unban(ctx context.Context, addr core.Address, mask string) error {
	if !strings.ContainsAny(mask, "!@*?") {
		mask += "!*@*"
	}
	if !validMask(mask) {
		return core.E(core.Invalid, "irc: ban", "That is not a mask like nick!user@host.")
	}
	return s.inRoom(ctx, addr, func(r *room) ([]*command, error) {
		return []*command{s.operation(r, mask, wire.Mode(r.name, "-b", mask))}, nil
	})
}

// Bans asks the network who may not enter a room.
func (s *session) Bans(ctx context.Context, addr core.Address) ([]core.Ban, error) {
	var found []core.Ban
	err := s.inRoom(ctx, addr, func(r *room) ([]*command, error) {
		r.bans = &found
		return []*command{s.operation(r, "", wire.Mode(r.name, "+b"))}, nil
	})
	s.mu.Lock()
	defer s.mu.Unlock()
	if r := s.room(string(addr)); r != nil && r.bans == &found {
		r.bans = nil
	}
	return found, err
}

// onBan is 367: "channel mask who time", one ban of those asked for.
func (s *session) onBan(m *irc.Message) {
	r := s.room(m.Param(1))
	if r == nil || r.bans == nil || len(*r.bans) >= maxBans || m.Param(2) == "" {
		return
	}
	b := core.Ban{Mask: strings.Clone(wire.Bare(m.Param(2))), By: strings.Clone(irc.ParsePrefix(m.Param(3)).Name)}
	if at, err := strconv.ParseInt(m.Param(4), 10, 64); err == nil && at > 0 {
		b.At = time.Unix(at, 0)
	}
	*r.bans = append(*r.bans, b)
}
