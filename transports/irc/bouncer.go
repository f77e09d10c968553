package irc

import (
	"errors"
	"slices"
	"strconv"
	"strings"

	"gopkg.in/irc.v4"

	"gangway/core"
	"gangway/transports/irc/wire"
)

// optionBouncer is which of a bouncer's networks an account is for: its name there, or its id.
const optionBouncer = "bouncer_network"

// batchBouncer is the batch that a bouncer's list of networks comes in.
const batchBouncer = "soju.im/bouncer-networks"

// maxBouncerNetworks is how many networks of a bouncer are told of.
const maxBouncerNetworks = 100

// errFound ends a connection that was only to find out which of a bouncer's networks the user means.
var errFound = errors.New("the bouncer has named the network")

// bouncer is what is known of the networks behind a bouncer (soju.im/bouncer-networks).
type bouncer struct {
	id    string   // of the user's, once it is known; it holds over connections
	names []string // of the others, as told in this connection
}

// capEnd ends the negotiation, and says before which of a bouncer's networks the connection is for.
func (s *session) capEnd() {
	wish := s.account.Options[optionBouncer]
	if _, err := strconv.ParseUint(wish, 10, 32); err == nil {
		s.behind.id = wish
	}
	if s.link.caps&capBouncer != 0 && s.behind.id != "" {
		s.link.bound = true
		s.urgent(wire.BouncerBind(s.behind.id))
	}
	s.urgent(wire.CapEnd())
}

// unbound says whether we speak to a bouncer as such, and not to a network behind it.
func (s *session) unbound() bool { return s.link.caps&capBouncer != 0 && !s.link.bound }

// boundTo is what the bouncer says that the connection is for (BOUNCER_NETID): one of its networks, also where that was
// chosen by how we logged in, or none.
func (s *session) boundTo(id string) { s.link.bound = s.link.bound || id != "" }

// onBindRefused is a FAIL of BOUNCER BIND. An id that the bouncer has told once may be another network's by now.
func (s *session) onBindRefused(m *irc.Message) bool {
	if s.link.reg == nil || !s.link.bound || m.Command != "FAIL" || !strings.EqualFold(m.Param(0), "BOUNCER") {
		return false
	}
	s.link.bound = false
	if wish := s.account.Options[optionBouncer]; m.Param(1) == "INVALID_NETID" && s.behind.id != wish {
		s.behind.id = "" // looked for anew
		return true
	}
	s.link.refusal = refusal("irc: bouncer", m)
	s.link.refusal.Kind = core.Denied
	s.urgent(wire.Quit(""))
	return true
}

// looks asks a bouncer for the network that the user has named: true while that is not found.
func (s *session) looks() bool {
	if !s.unbound() || s.account.Options[optionBouncer] == "" {
		return false
	}
	s.urgent(wire.BouncerListNetworks())
	return true
}

// onBouncer is "BOUNCER NETWORK id attributes": one of the networks, now or because it has changed.
func (s *session) onBouncer(m *irc.Message) {
	if !strings.EqualFold(m.Param(0), "NETWORK") || len(m.Params) < 3 || !s.unbound() || !s.link.quit.IsZero() {
		return
	}
	id, name := m.Param(1), ""
	for attribute := range strings.SplitSeq(m.Param(2), ";") {
		if key, value, _ := strings.Cut(attribute, "="); key == "name" {
			name = wire.Bare(irc.ParseTagValue(value))
		}
	}
	switch {
	case name == "" || id == "" || len(id) > 20 || s.link.refusal != nil:
	case strings.EqualFold(name, s.account.Options[optionBouncer]):
		s.behind.id = strings.Clone(id)
		s.link.refusal = &core.Error{Kind: core.Unavailable, Op: "irc: bouncer", Err: errFound}
		s.urgent(wire.Quit(""))
	case len(s.behind.names) < maxBouncerNetworks && !slices.Contains(s.behind.names, name):
		s.behind.names = append(s.behind.names, strings.Clone(name))
	}
}

// toldNetworks is the end of a bouncer's list. Who has named a network that is not on it, or none, is told what there is.
func (s *session) toldNetworks() {
	names := strings.Join(s.behind.names, ", ")
	s.behind.names = nil
	if !s.unbound() || s.link.refusal != nil {
		return
	}
	if wish := s.account.Options[optionBouncer]; wish != "" {
		s.link.refusal = core.E(core.Denied, "irc: bouncer",
			s.net.name+" has no network called "+wish+". Register here again and name one of: "+firstOf(names, "none")+".")
		s.urgent(wire.Quit(""))
		return
	}
	if names != "" {
		s.notice("", s.net.name+" is a bouncer. Register here again and name one of its networks: "+names+".")
	}
}
