package metrics_test

import (
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"gangway/core"
	"gangway/core/metrics"
)

func TestHooksAndGauges(t *testing.T) {
	reg := prometheus.NewPedanticRegistry()
	trace := metrics.New(reg, metrics.Source{
		Networks:    func() []string { return []string{"sms"} },
		Connections: func(string) map[core.Link]int { return map[core.Link]int{core.Connected: 3} },
		Queue: func() []metrics.Depth {
			return []metrics.Depth{{Network: "sms", Direction: core.ToXMPP, Waiting: 7, Dead: 2, Oldest: 90 * time.Second}}
		},
		Links: func() []metrics.Link {
			return []metrics.Link{{Domain: "sms.test", Up: true, Reconnects: 4, In: 5, Out: 6}}
		},
	})
	secret := &core.Message{Ref: core.Ref{Account: "acc", Peer: "+15550001"}, Text: "a secret"}
	trace.Took("sms", core.ToNetwork, secret, false)
	trace.Took("sms", core.ToNetwork, secret, true)
	trace.Refused("sms", core.ToXMPP, secret, core.E(core.OverLimit, "", ""))
	item := &core.Item{Network: "sms", Direction: core.ToNetwork, Event: secret}
	trace.Attempted(item, core.Verdict{Outcome: core.Retry, Err: core.E(core.Unavailable, "", "")}, time.Second)
	trace.Attempted(item, core.Verdict{Outcome: core.Done}, time.Second)
	trace.Showed("sms", secret, nil)
	trace.Session(core.Account{Network: "sms", ID: "acc"}, &core.Status{Link: core.Waiting})

	want := `
# HELP gangway_attempts_total Attempts at stored events, by outcome and kind of error.
# TYPE gangway_attempts_total counter
gangway_attempts_total{direction="to-network",kind="none",network="sms",outcome="done"} 1
gangway_attempts_total{direction="to-network",kind="unavailable",network="sms",outcome="retry"} 1
# HELP gangway_events_total Events accepted, by what became of them at the door: new or duplicate.
# TYPE gangway_events_total counter
gangway_events_total{direction="to-network",network="sms",what="duplicate"} 1
gangway_events_total{direction="to-network",network="sms",what="new"} 1
# HELP gangway_link_up Whether the component link is up.
# TYPE gangway_link_up gauge
gangway_link_up{domain="sms.test"} 1
# HELP gangway_queue_oldest_seconds Age of the oldest stored event not finished.
# TYPE gangway_queue_oldest_seconds gauge
gangway_queue_oldest_seconds{direction="to-xmpp",network="sms"} 90
# HELP gangway_refused_total Events not accepted, by kind of error. Whoever sent them was told.
# TYPE gangway_refused_total counter
gangway_refused_total{direction="to-xmpp",kind="over-limit",network="sms"} 1
# HELP gangway_sessions Sessions by state of their connection.
# TYPE gangway_sessions gauge
gangway_sessions{network="sms",state="connected"} 3
`
	err := testutil.GatherAndCompare(reg, strings.NewReader(want), "gangway_attempts_total", "gangway_events_total",
		"gangway_link_up", "gangway_queue_oldest_seconds", "gangway_refused_total", "gangway_sessions")
	if err != nil {
		t.Error(err)
	}
	all, err := reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, family := range all {
		if s := family.String(); strings.Contains(s, "secret") || strings.Contains(s, "5550001") || strings.Contains(s, `"acc"`) {
			t.Errorf("a person shows in %s", s)
		}
	}
}
