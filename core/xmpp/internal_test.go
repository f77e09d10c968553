package xmpp

import (
	"context"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"gangway/core"
	"gangway/core/xmpp/stream"
)

// TestPlainTextByName is a name that leads off this machine, which is known only
// when it has been dialled: nothing must be said.
func TestPlainTextByName(t *testing.T) {
	ours, theirs := net.Pipe()
	defer theirs.Close()
	l := &Link{cfg: Config{Server: "elsewhere.example:5347"}}
	for a, want := range map[net.Addr]bool{
		&net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)}: true,
		&net.TCPAddr{IP: net.IPv4(127, 9, 9, 9)}: true,
		&net.TCPAddr{IP: net.IPv6loopback}:       true,
		&net.TCPAddr{IP: net.IPv4(192, 0, 2, 1)}: false,
		&net.TCPAddr{IP: net.IPv6unspecified}:    false,
		ours.RemoteAddr():                        false,
	} {
		err := l.mayTalk(a)
		if (err == nil) != want || err != nil && core.KindOf(err) != core.Denied {
			t.Errorf("%v: %v", a, err)
		}
	}
	l.cfg.Insecure = true
	if err := l.mayTalk(ours.RemoteAddr()); err != nil {
		t.Error(err)
	}
}

func TestBackoff(t *testing.T) {
	for failures := range 70 {
		if d := backoff(Waiting, failures); d < 0 || d > retryMost || failures == 0 && d > retryFirst {
			t.Errorf("%d failures: %v", failures, d)
		}
		for _, s := range []State{Refused, Conflict} {
			if d := backoff(s, failures); d < refusedFirst/2 || d > refusedMost {
				t.Errorf("%v, %d failures: %v", s, failures, d)
			}
		}
	}
}

// TestQueueRest is what a lost connection leaves for the next: live stanzas that
// were not wholly written.
func TestQueueRest(t *testing.T) {
	var q queue
	for i := range 6 {
		var e stream.Encoder
		e.Empty("message", "", "id", fmt.Sprint(i))
		q.add(&e, i%2 == 1)
	}
	size := len(q.buf) / 6
	for n, want := range map[int]string{
		0: "0 2 4", 1: "0 2 4", size - 1: "0 2 4", size: "2 4", 2*size + 1: "2 4", 3 * size: "4", 5*size - 1: "4", 6 * size: "",
	} {
		rest := q.rest(n)
		var ids []string
		start := 0
		for _, m := range rest.marks {
			st, err := stream.Parse(string(rest.buf[start:m.end]))
			if err != nil {
				t.Fatal(err)
			}
			ids = append(ids, st.ID)
			start = m.end
		}
		if got := strings.Join(ids, " "); got != want || start != len(rest.buf) {
			t.Errorf("after %d bytes: %q, want %q", n, got, want)
		}
	}
}

func TestDue(t *testing.T) {
	now := time.Now()
	in := func(n int) []barrier { return make([]barrier, n) }
	for name, c := range map[string]struct {
		s      barriers
		queued uint64
		want   time.Duration
	}{
		"nobody waits":        {barriers{covered: 5, wanted: 5}, 9, -1},
		"first":               {barriers{covered: 5, wanted: 6, since: now}, 6, 0},
		"one in flight":       {barriers{covered: 5, wanted: 6, since: now, pings: in(1)}, 6, barrierDelay},
		"waited half":         {barriers{covered: 5, wanted: 6, since: now.Add(-barrierDelay / 2), pings: in(1)}, 6, barrierDelay / 2},
		"waited long":         {barriers{covered: 5, wanted: 6, since: now.Add(-time.Second), pings: in(1)}, 6, 0},
		"a full batch":        {barriers{covered: 5, wanted: 6, since: now, pings: in(1)}, 105, 0},
		"nearly a full batch": {barriers{covered: 5, wanted: 6, since: now, pings: in(1)}, 104, barrierDelay},
		"too many in flight":  {barriers{covered: 5, wanted: 6, since: now, pings: in(barrierFlight)}, 500, -1},
	} {
		if got := c.s.due(now, c.queued); got != c.want {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
}

func TestErrorOf(t *testing.T) {
	for kind, want := range map[core.Kind]string{
		core.Internal: "wait/internal-server-error", core.Invalid: "modify/bad-request",
		core.NotFound: "cancel/item-not-found", core.Denied: "auth/not-authorized",
		core.Unenrolled: "auth/registration-required", core.Unsupported: "cancel/feature-not-implemented",
		core.Unavailable: "wait/remote-server-timeout", core.TooLarge: "modify/policy-violation",
		core.OverLimit: "wait/resource-constraint", core.Uncertain: "cancel/remote-server-timeout",
		core.Kind(99): "wait/internal-server-error",
	} {
		e := ErrorOf(fmt.Errorf("op: %w", core.E(kind, "x", "A sentence.")))
		if got := e.Type + "/" + e.Condition; got != want || e.Text != "A sentence." {
			t.Errorf("%v: %s %q, want %s", kind, got, e.Text, want)
		}
	}
	for reason, want := range map[core.Reason]string{
		core.NoReason: "auth/not-authorized", core.NoHost: "cancel/remote-server-not-found", core.Malformed: "modify/jid-malformed",
		core.Moved: "cancel/gone", core.Inactive: "cancel/recipient-unavailable", core.Full: "wait/resource-constraint",
		core.Unacceptable: "modify/not-acceptable", core.Insecure: "cancel/not-acceptable", core.Rules: "cancel/policy-violation",
		core.Looping: "cancel/service-unavailable", core.Fault: "cancel/internal-server-error", core.Reason(99): "auth/not-authorized",
	} {
		e := ErrorOf(&core.Error{Kind: core.Denied, Text: "A sentence.", Reason: reason, Moved: "mailto:bob@example.org"})
		if got := e.Type + "/" + e.Condition; got != want || (e.Gone != "") != (reason == core.Moved) {
			t.Errorf("%v: %s %q, want %s", reason, got, e.Gone, want)
		}
	}
	secret := ErrorOf(fmt.Errorf("dial tcp 10.0.0.7: %w", context.DeadlineExceeded))
	if secret.Condition != "internal-server-error" || strings.Contains(secret.Text, "10.0.0.7") {
		t.Errorf("%+v", secret)
	}
	own := NewError("cancel", "gone", "Moved.")
	if ErrorOf(fmt.Errorf("x: %w", own)) != own {
		t.Error("an *Error is kept")
	}
	for err, want := range map[error]string{
		stream.ErrTooLarge: "policy-violation", stream.ErrLimit: "policy-violation",
		stream.ErrNotWellFormed: "bad-request", stream.ErrRestricted: "bad-request",
	} {
		if e := ErrorOf(&stream.StanzaError{Err: err}); e.Condition != want || e.Text == "" {
			t.Errorf("%v: %+v", err, e)
		}
	}
}

func TestErrorThereAndBack(t *testing.T) {
	for _, e := range []*Error{
		{Type: "cancel", Condition: "gone", Text: "It moved < there.", Gone: "xmpp:a@b"},
		{Type: "wait", Condition: "resource-constraint"},
		{Type: "modify", Condition: "undefined-condition", App: stream.Name{Space: "urn:x", Local: "too-odd"}},
	} {
		var enc stream.Encoder
		enc.Start("message", "", "type", "error")
		e.Encode(&enc)
		enc.End()
		st, err := stream.Parse(string(enc.Bytes()))
		if err != nil {
			t.Fatal(err)
		}
		if got := ParseError(st); *got != *e {
			t.Errorf("%+v became %+v", e, got)
		}
	}
	empty, err := stream.Parse("<message type='error'/>")
	if err != nil {
		t.Fatal(err)
	}
	if e := ParseError(empty); e.Condition != "undefined-condition" || e.Type != "cancel" {
		t.Errorf("%+v", e)
	}
}
