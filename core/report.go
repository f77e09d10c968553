package core

import "time"

// Report is how a connection does, in figures.
type Report struct {
	Waiting int           // lines that have not been written, where the network takes only a few at a time
	Within  time.Duration // until the last of them is, as far as is known
	Lag     time.Duration // how long the network took over its last answer; 0: not known
}

// Traffic counts the lines of connections, since the program began.
type Traffic struct{ In, Out int64 }

// Group is how the connections of one or several realms of a network do together.
type Group struct {
	Name  string // see Metered; empty where the network has no realms
	Links map[Link]int
	Report
	Traffic
}

// Status says how an account's connection is: Closed if it has none.
func (g *Gateway) Status(id AccountID) Status {
	g.mu.Lock()
	s := g.sessions[id]
	g.mu.Unlock()
	if s == nil {
		return Status{Ref: Ref{Account: id}, Link: Closed}
	}
	state := s.state()
	if state.Link == Waiting {
		state.Retry = max(0, state.Retry-time.Since(state.Since))
	}
	if r := CapsOf(s.current()).Reporter; r != nil {
		state.Report, state.Facts = r.Report(), r.Facts()
	}
	return state
}

// Connections counts the sessions of a network by the state of their connection.
func (g *Gateway) Connections(network string) map[Link]int {
	count := map[Link]int{}
	for _, s := range g.sessionsOf(network) {
		count[s.state().Link]++
	}
	return count
}

// Groups says how the connections of a network do, by the groups that its transport makes of its realms; in no order.
func (g *Gateway) Groups(network string) []Group {
	n := g.networks[network]
	if n == nil {
		return nil
	}
	all := map[string]*Group{}
	of := func(name string) *Group {
		if all[name] == nil {
			all[name] = &Group{Name: name, Links: map[Link]int{}}
		}
		return all[name]
	}
	for _, s := range g.sessionsOf(network) {
		group := of(n.GroupOf(s.account.Realm))
		group.Links[s.state().Link]++
		if r := CapsOf(s.current()).Reporter; r != nil {
			one := r.Report()
			group.Waiting += one.Waiting
			group.Within, group.Lag = max(group.Within, one.Within), max(group.Lag, one.Lag)
		}
	}
	if m := n.TransportCaps.Metered; m != nil {
		for name, traffic := range m.Traffic() {
			of(name).Traffic = traffic
		}
	}
	list := make([]Group, 0, len(all))
	for _, group := range all {
		list = append(list, *group)
	}
	return list
}

// Counts are what a network's transport counts; nil if it counts nothing.
func (g *Gateway) Counts(network string) []Count {
	if n := g.networks[network]; n != nil && n.TransportCaps.Counter != nil {
		return n.TransportCaps.Counter.Counts()
	}
	return nil
}

// GroupOf is the group that a realm counts in; empty if the network has no realms.
func (n *Network) GroupOf(realm string) string {
	if m := n.TransportCaps.Metered; m != nil {
		return m.Group(realm)
	}
	return ""
}

// sessionsOf are the sessions of a network.
func (g *Gateway) sessionsOf(network string) []*supervisor {
	g.mu.Lock()
	defer g.mu.Unlock()
	var all []*supervisor
	for _, s := range g.sessions {
		if s.account.Network == network {
			all = append(all, s)
		}
	}
	return all
}
