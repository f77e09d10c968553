package irc

import (
	"crypto/tls"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"gangway/core"
)

var (
	_ core.Reporter = (*session)(nil)
	_ core.Metered  = (*transport)(nil)
)

// otherNetworks is the group of all that the configuration does not name.
const otherNetworks = "other"

// traffic counts the lines of a group of networks.
type traffic struct{ in, out atomic.Int64 }

// groups makes the counters of all groups.
func (t *transport) groups() map[string]*traffic {
	all := map[string]*traffic{otherNetworks: {}}
	for _, n := range t.named() {
		all[n.name] = &traffic{}
	}
	return all
}

// Group implements core.Metered: a network that the configuration names is its own.
func (t *transport) Group(realm string) string {
	if t.traffic[realm] != nil {
		return realm
	}
	return otherNetworks
}

// Traffic implements core.Metered.
func (t *transport) Traffic() map[string]core.Traffic {
	all := map[string]core.Traffic{}
	for name, c := range t.traffic {
		all[name] = core.Traffic{In: c.in.Load(), Out: c.out.Load()}
	}
	return all
}

// pulse is how quickly a network answers.
type pulse struct {
	asked time.Time // when the keepalive was written; zero: it is answered
	lag   time.Duration
}

// beat notes how long an answer took.
func (p *pulse) beat(asked time.Time) {
	if !asked.IsZero() {
		p.lag = time.Since(asked)
	}
}

// Report implements core.Reporter.
func (s *session) Report() core.Report {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := core.Report{Waiting: len(s.queue)}
	if l := s.link; l != nil {
		r.Lag = l.pulse.lag
		if p := l.pulse; !p.asked.IsZero() {
			r.Lag = max(r.Lag, time.Since(p.asked)) // it is late already
		}
		if l.ready && r.Waiting > 0 {
			r.Within = l.flood.wait(time.Now()) + time.Duration(r.Waiting-1)*l.flood.interval
		}
	}
	return r
}

// Facts implements core.Reporter.
func (s *session) Facts() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	l := s.link
	if l == nil || !l.ready {
		return nil
	}
	facts := []string{"Server: " + firstOf(l.server, s.net.name) + " at " + l.conn.RemoteAddr().String() + ", " + l.protection() + "."}
	nick := "Nick: " + l.nick
	if s.wish != "" && !s.mine(s.wish) {
		nick += "; you wanted " + s.wish + ", which is taken as soon as it is free"
	}
	facts = append(facts, nick+".")
	switch {
	case l.loggedIn && l.loginName != "":
		facts = append(facts, "Logged in as "+l.loginName+".")
	case l.loggedIn:
		facts = append(facts, "Logged in.")
	case s.secrets.can():
		facts = append(facts, "Not logged in.")
	}
	if rooms := s.inside(); len(rooms) > 0 {
		facts = append(facts, fmt.Sprintf("Rooms: %s.", shortList(rooms)))
	}
	if gives := l.gives(); len(gives) > 0 {
		facts = append(facts, "The network tells and takes: "+strings.Join(gives, ", ")+".")
	}
	return facts
}

// protection says how a connection is secured.
func (l *link) protection() string {
	if c, ok := l.conn.(*tls.Conn); ok {
		return tls.VersionName(c.ConnectionState().Version) + ", its certificate is good"
	}
	return "without TLS"
}

// inside are the rooms in which the account is, in order.
func (s *session) inside() []string {
	var names []string
	for _, r := range s.rooms {
		if r.stage == inside {
			names = append(names, r.name)
		}
	}
	slices.Sort(names)
	return names
}

// shortList lists names, the first few.
func shortList(names []string) string {
	const most = 20
	if len(names) > most {
		return strings.Join(names[:most], ", ") + fmt.Sprintf(" and %d more", len(names)-most)
	}
	return strings.Join(names, ", ")
}
