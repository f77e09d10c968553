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
		Networks: func() []string { return []string{"sms"} },
		Groups: func(string) []core.Group {
			return []core.Group{{
				Name: "irc.test", Links: map[core.Link]int{core.Connected: 3}, Report: core.Report{Waiting: 5, Lag: 1500 * time.Millisecond},
				Traffic: core.Traffic{In: 8, Out: 9},
			}}
		},
		Group: func(_, realm string) string { return "of " + realm },
		Counts: func(string) []core.Count {
			return []core.Count{{What: "mail out", Result: "taken", How: "TLS 1.3", N: 11}}
		},
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
	trace.Alerted("sms", core.E(core.Denied, "", ""))
	for _, e := range []*core.Error{
		nil, {Kind: core.Denied, Op: "irc: log in"}, {Kind: core.Denied, Op: "irc: read"}, {Kind: core.Unavailable, Op: "irc: read", After: time.Minute},
		{Kind: core.Unavailable, Op: "irc: connect"}, {Kind: core.Internal},
	} {
		trace.Session(core.Account{Network: "sms", ID: "acc", Realm: "x"}, &core.Status{Link: core.Waiting, Err: e})
	}

	want := `
# HELP gangway_alerts_total What does not work until an administrator does something, by kind of error. The log says more.
# TYPE gangway_alerts_total counter
gangway_alerts_total{kind="denied",network="sms"} 1
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
gangway_sessions{network="sms",realm="irc.test",state="connected"} 3
# HELP gangway_session_lag_seconds The longest time that a network took over its last answer to a session.
# TYPE gangway_session_lag_seconds gauge
gangway_session_lag_seconds{network="sms",realm="irc.test"} 1.5
# HELP gangway_session_lines_total Lines read from a network and written to it.
# TYPE gangway_session_lines_total counter
gangway_session_lines_total{direction="in",network="sms",realm="irc.test"} 8
gangway_session_lines_total{direction="out",network="sms",realm="irc.test"} 9
# HELP gangway_session_lines_waiting Lines that wait until the network takes more.
# TYPE gangway_session_lines_waiting gauge
gangway_session_lines_waiting{network="sms",realm="irc.test"} 5
# HELP gangway_session_losses_total Connections that ended, or did not come about, by the reason: login, refused (bans, too), throttled, or what was being done.
# TYPE gangway_session_losses_total counter
gangway_session_losses_total{network="sms",realm="of x",reason="connect"} 1
gangway_session_losses_total{network="sms",realm="of x",reason="internal"} 1
gangway_session_losses_total{network="sms",realm="of x",reason="login"} 1
gangway_session_losses_total{network="sms",realm="of x",reason="refused"} 1
gangway_session_losses_total{network="sms",realm="of x",reason="throttled"} 1
# HELP gangway_transport_total What a transport counts itself.
# TYPE gangway_transport_total counter
gangway_transport_total{how="TLS 1.3",network="sms",result="taken",what="mail out"} 11
`
	err := testutil.GatherAndCompare(reg, strings.NewReader(want), "gangway_alerts_total", "gangway_attempts_total", "gangway_events_total",
		"gangway_link_up", "gangway_queue_oldest_seconds", "gangway_refused_total", "gangway_sessions",
		"gangway_session_lag_seconds", "gangway_session_lines_total", "gangway_session_lines_waiting", "gangway_session_losses_total", "gangway_transport_total")
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
