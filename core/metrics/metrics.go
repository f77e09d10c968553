// Package metrics counts what passes through the hall, for Prometheus.
//
// Counters are fed by the hooks of core.Trace; gauges are read when Prometheus asks. Labels are names of networks,
// kinds and states: never a person's address.
package metrics

import (
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"gangway/core"
)

// Source is what the gauges read, each time Prometheus asks. All fields are required.
type Source struct {
	Networks func() []string
	Groups   func(network string) []core.Group
	Group    func(network, realm string) string // the one that a realm counts in
	Counts   func(network string) []core.Count
	Queue    func() []Depth
	Links    func() []Link
}

// Depth is how much of one kind of event is stored.
type Depth struct {
	Network   string
	Direction core.Direction
	Waiting   int
	Dead      int
	Oldest    time.Duration // age of the oldest one waiting
}

// Link is the state of one component link.
type Link struct {
	Domain     string
	Up         bool
	Reconnects int64
	In, Out    int64 // stanzas
}

// New registers the metrics and returns the hooks that feed them.
func New(reg prometheus.Registerer, src Source) *core.Trace {
	labels := []string{"network", "direction"}
	taken := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "gangway_events_total", Help: "Events accepted, by what became of them at the door: new or duplicate.",
	}, append(labels, "what"))
	refused := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "gangway_refused_total", Help: "Events not accepted, by kind of error. Whoever sent them was told.",
	}, append(labels, "kind"))
	attempts := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "gangway_attempts_total", Help: "Attempts at stored events, by outcome and kind of error.",
	}, append(labels, "outcome", "kind"))
	waited := prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name: "gangway_finished_seconds", Help: "From acceptance of a stored event to its end.",
		Buckets: prometheus.ExponentialBuckets(0.001, 4, 12),
	}, labels)
	shown := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "gangway_live_events_total", Help: "Live events handed to XMPP, by kind of error.",
	}, []string{"network", "kind"})
	sessions := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "gangway_session_changes_total", Help: "Changes of sessions' connections, by the new state.",
	}, []string{"network", "realm", "state"})
	losses := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "gangway_session_losses_total", Help: "Connections that ended, or did not come about, by the reason: login, refused (bans, too), throttled, or what was being done.",
	}, []string{"network", "realm", "reason"})
	alerts := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "gangway_alerts_total", Help: "What does not work until an administrator does something, by kind of error. The log says more.",
	}, []string{"network", "kind"})
	reg.MustRegister(alerts, taken, refused, attempts, waited, shown, sessions, losses, newCollector(src))

	return &core.Trace{
		Took: func(network string, d core.Direction, _ core.Event, dup bool) {
			what := "new"
			if dup {
				what = "duplicate"
			}
			taken.WithLabelValues(network, d.String(), what).Inc()
		},
		Refused: func(network string, d core.Direction, _ core.Event, err *core.Error) {
			refused.WithLabelValues(network, d.String(), err.Kind.String()).Inc()
		},
		Attempted: func(it *core.Item, v core.Verdict, age time.Duration) {
			attempts.WithLabelValues(it.Network, it.Direction.String(), outcome(v.Outcome), kind(v.Err)).Inc()
			if v.Outcome != core.Retry {
				waited.WithLabelValues(it.Network, it.Direction.String()).Observe(age.Seconds())
			}
		},
		Showed: func(network string, _ core.Event, err error) {
			shown.WithLabelValues(network, kind(core.AsError(err))).Inc()
		},
		Alerted: func(network string, err *core.Error) {
			alerts.WithLabelValues(network, kind(err)).Inc()
		},
		Session: func(a core.Account, s *core.Status) {
			realm := src.Group(a.Network, a.Realm)
			sessions.WithLabelValues(a.Network, realm, s.Link.String()).Inc()
			if s.Err != nil && (s.Link == core.Waiting || s.Link == core.Refused) {
				losses.WithLabelValues(a.Network, realm, reason(s.Err)).Inc()
			}
		},
	}
}

func outcome(o core.Outcome) string {
	switch o {
	case core.Done:
		return "done"
	case core.Retry:
		return "retry"
	}
	return "dead"
}

// reason says in a word why there is no connection. The operations that errors name are written in the program: they are
// few.
func reason(e *core.Error) string {
	_, op, _ := strings.Cut(e.Op, ": ")
	switch {
	case e.Kind == core.Denied && op == "log in":
		return "login"
	case e.Kind == core.Denied:
		return "refused"
	case e.After > 0:
		return "throttled"
	case op == "":
		return e.Kind.String()
	}
	return op
}

func kind(e *core.Error) string {
	if e == nil {
		return "none"
	}
	return e.Kind.String()
}

// collector reads the gauges.
type collector struct {
	src                                                         Source
	sessions, waiting, dead, oldest, links, reconnects, stanzas *prometheus.Desc
	lag, unsaid, lines, counts                                  *prometheus.Desc
}

func newCollector(src Source) collector {
	desc := func(name, help string, labels ...string) *prometheus.Desc {
		return prometheus.NewDesc("gangway_"+name, help, labels, nil)
	}
	return collector{
		src:        src,
		sessions:   desc("sessions", "Sessions by state of their connection.", "network", "realm", "state"),
		lag:        desc("session_lag_seconds", "The longest time that a network took over its last answer to a session.", "network", "realm"),
		unsaid:     desc("session_lines_waiting", "Lines that wait until the network takes more.", "network", "realm"),
		lines:      desc("session_lines_total", "Lines read from a network and written to it.", "network", "realm", "direction"),
		counts:     desc("transport_total", "What a transport counts itself.", "network", "what", "result", "how"),
		waiting:    desc("queue_waiting", "Stored events not finished.", "network", "direction"),
		dead:       desc("queue_dead", "Dead letters.", "network", "direction"),
		oldest:     desc("queue_oldest_seconds", "Age of the oldest stored event not finished.", "network", "direction"),
		links:      desc("link_up", "Whether the component link is up.", "domain"),
		reconnects: desc("link_reconnects_total", "How often the component link was made anew.", "domain"),
		stanzas:    desc("stanzas_total", "Stanzas over the component link.", "domain", "direction"),
	}
}

// Describe sends the gauges' descriptions.
func (c collector) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{c.sessions, c.lag, c.unsaid, c.lines, c.counts, c.waiting, c.dead, c.oldest, c.links, c.reconnects, c.stanzas} {
		ch <- d
	}
}

// Collect reads everything anew.
func (c collector) Collect(ch chan<- prometheus.Metric) {
	gauge := func(d *prometheus.Desc, v float64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
	}
	count := func(d *prometheus.Desc, v int64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, float64(v), labels...)
	}
	for _, n := range c.src.Networks() {
		for _, g := range c.src.Groups(n) {
			for state, v := range g.Links {
				gauge(c.sessions, float64(v), n, g.Name, state.String())
			}
			if g.Name == "" {
				continue // nothing of it is measured
			}
			gauge(c.lag, g.Lag.Seconds(), n, g.Name)
			gauge(c.unsaid, float64(g.Waiting), n, g.Name)
			count(c.lines, g.In, n, g.Name, "in")
			count(c.lines, g.Out, n, g.Name, "out")
		}
	}
	for _, n := range c.src.Networks() {
		for _, x := range c.src.Counts(n) {
			count(c.counts, x.N, n, x.What, x.Result, x.How)
		}
	}
	for _, q := range c.src.Queue() {
		gauge(c.waiting, float64(q.Waiting), q.Network, q.Direction.String())
		gauge(c.dead, float64(q.Dead), q.Network, q.Direction.String())
		gauge(c.oldest, q.Oldest.Seconds(), q.Network, q.Direction.String())
	}
	for _, l := range c.src.Links() {
		up := 0.0
		if l.Up {
			up = 1
		}
		gauge(c.links, up, l.Domain)
		count(c.reconnects, l.Reconnects, l.Domain)
		count(c.stanzas, l.In, l.Domain, "in")
		count(c.stanzas, l.Out, l.Domain, "out")
	}
}
