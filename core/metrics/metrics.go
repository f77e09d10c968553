// Package metrics counts what passes through the hall, for Prometheus.
//
// Counters are fed by the hooks of core.Trace; gauges are read when Prometheus asks. Labels are names of networks,
// kinds and states: never a person's address.
package metrics

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"gangway/core"
)

// Source is what the gauges read, each time Prometheus asks. All fields are required.
type Source struct {
	Networks    func() []string
	Connections func(network string) map[core.Link]int
	Queue       func() []Depth
	Links       func() []Link
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
	}, []string{"network", "state"})
	reg.MustRegister(taken, refused, attempts, waited, shown, sessions, newCollector(src))

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
		Session: func(a core.Account, s *core.Status) {
			sessions.WithLabelValues(a.Network, s.Link.String()).Inc()
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
}

func newCollector(src Source) collector {
	desc := func(name, help string, labels ...string) *prometheus.Desc {
		return prometheus.NewDesc("gangway_"+name, help, labels, nil)
	}
	return collector{
		src:        src,
		sessions:   desc("sessions", "Sessions by state of their connection.", "network", "state"),
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
	for _, d := range []*prometheus.Desc{c.sessions, c.waiting, c.dead, c.oldest, c.links, c.reconnects, c.stanzas} {
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
		for state, v := range c.src.Connections(n) {
			gauge(c.sessions, float64(v), n, state.String())
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
