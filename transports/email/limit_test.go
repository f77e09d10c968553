package email

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"gangway/core"
	"gangway/core/transporttest"
	"gangway/transports/email/auth"
)

// sender is a gateway with an account that was made at a time, and a clock.
func sender(t *testing.T, age time.Duration, keys map[string]any) (*gateway, *session, *time.Time) {
	t.Helper()
	now := time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
	all := map[string]any{"same_hour": defaultLimitSettings().SameHour}
	for k, v := range keys {
		all[k] = v
	}
	g := start(t, all, func(tr *transport) { tr.now = func() time.Time { return now } })
	a := alice
	a.Created = now.Add(-age)
	opened, err := g.Open(a)
	if err != nil {
		t.Fatal(err)
	}
	return g, opened.(*session), &now
}

// goes says whether a mail may go out now, and if not, when.
func (s *session) goes(t *testing.T, to, text string) time.Duration {
	t.Helper()
	m := note(text)
	m.Peer = core.Address(to)
	return s.again(t, m)
}

func (s *session) again(t *testing.T, m *core.Message) time.Duration {
	t.Helper()
	err := s.mayGo(t.Context(), m)
	if err == nil {
		return 0
	}
	e := core.AsError(err)
	if e.Kind != core.OverLimit || e.After <= 0 || !strings.Contains(e.Text, "it waits, and goes out in ") {
		t.Fatalf("%+v", e)
	}
	return e.After
}

const week = 7 * 24 * time.Hour

func TestNewUserLimits(t *testing.T) {
	_, s, now := sender(t, time.Hour, nil)
	day := *now
	for i := range 200 {
		if i%30 == 0 && i > 0 {
			if wait := s.goes(t, "bob@example.com", fmt.Sprint("over ", i)); wait != time.Hour {
				t.Fatalf("after %d: waits for %v", i, wait)
			}
			*now = now.Add(time.Hour)
		}
		if wait := s.goes(t, fmt.Sprintf("b%d@example.com", i%10), fmt.Sprint(i)); wait != 0 {
			t.Fatalf("mail %d waits for %v", i, wait)
		}
	}
	*now = now.Add(time.Hour)
	if wait := s.goes(t, "b1@example.com", "one too many"); wait != 24*time.Hour-now.Sub(day) {
		t.Errorf("waits for %v", wait)
	}
	*now = day.Add(24 * time.Hour)
	if wait := s.goes(t, "b1@example.com", "the next day"); wait != 0 {
		t.Errorf("waits for %v", wait)
	}
}

func TestKnownUserLimits(t *testing.T) {
	_, s, now := sender(t, week, nil)
	for i := range 50 {
		if wait := s.goes(t, fmt.Sprintf("b%d@example.com", i), "hello"); wait != 0 {
			t.Fatalf("recipient %d waits for %v", i, wait)
		}
	}
	if wait := s.goes(t, "new@example.com", "hello"); wait != 24*time.Hour {
		t.Errorf("one recipient too many waits for %v", wait)
	}
	if wait := s.goes(t, "B7@example.com", "how are you"); wait != 0 {
		t.Errorf("one who is known waits for %v", wait)
	}
	*now = now.Add(24 * time.Hour)
	if wait := s.goes(t, "new@example.com", "hello"); wait != 0 {
		t.Errorf("the next day it waits for %v", wait)
	}
}

func TestPairLimits(t *testing.T) {
	g, s, now := sender(t, week, nil)
	for i := range 60 {
		text := fmt.Sprint(i)
		if i < 5 {
			text = "out of office"
		}
		if wait := s.goes(t, "bot@example.com", text); wait != 0 {
			t.Fatalf("mail %d waits for %v", i, wait)
		}
		if i == 4 {
			if wait := s.goes(t, "bot@example.com", "out of office"); wait != time.Hour {
				t.Errorf("the same text for the sixth time waits for %v", wait)
			}
		}
	}
	*now = now.Add(20 * time.Minute)
	held := note("more")
	held.Peer = "bot@example.com"
	for range 3 { // as the queue tries it again
		if wait := s.again(t, held); wait != 40*time.Minute {
			t.Errorf("waits for %v", wait)
		}
	}
	if wait := s.goes(t, "bob@example.com", "out of office"); wait != 0 {
		t.Errorf("another recipient's waits for %v", wait)
	}
	told := 0
	for _, m := range g.messages() {
		if m.Notice && strings.Contains(m.Text, "60 mails an hour to one address") {
			told++
		}
	}
	if told == 0 {
		t.Error("the user is not told")
	}
	*now = now.Add(40 * time.Minute)
	if wait := s.again(t, held); wait != 0 {
		t.Errorf("an hour later it waits for %v", wait)
	}
}

// TestTriedAgainCountsOnce: a greylist, or a server that is away, uses nothing up.
func TestTriedAgainCountsOnce(t *testing.T) {
	_, s, _ := sender(t, week, map[string]any{"pair_hour": 2})
	m := note("hello")
	for range 10 {
		if wait := s.again(t, m); wait != 0 {
			t.Fatal(wait)
		}
	}
	if wait := s.goes(t, "bob@example.com", "second"); wait != 0 {
		t.Error(wait)
	}
	if wait := s.goes(t, "bob@example.com", "third"); wait == 0 {
		t.Error("no limit at all")
	}
}

// TestSendIsHeld: what is over a limit does not reach the carrier.
func TestSendIsHeld(t *testing.T) {
	relay := startRelay(t, nil)
	g := start(t, map[string]any{"relay": "smtp://" + relay.addr, "pair_hour": 1}, nil)
	s := g.session(t)
	if _, err := s.Send(t.Context(), note("one")); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Send(t.Context(), note("two")); err == nil || core.KindOf(err) != core.OverLimit {
		t.Errorf("%v", err)
	}
	if n := len(relay.mails); n != 1 {
		t.Errorf("%d mails at the relay", n)
	}
}

func TestPairsAreBounded(t *testing.T) {
	p := pairs{all: map[core.Ref]*pair{}}
	now := time.Now()
	for i := range maxPairs + 100 {
		p.of(core.Ref{Peer: core.Address(fmt.Sprint(i))}, now)
	}
	if len(p.all) > maxPairs {
		t.Errorf("%d pairs", len(p.all))
	}
}

func TestIncomingLimit(t *testing.T) {
	g := start(t, nil, nil)
	world := arrival{ip: netip.MustParseAddr("192.0.2.1")}
	bob := readLetter([]byte(mail), "", time.Now())
	for i := range 61 {
		err := g.mayCome(bob, world)
		if (err != nil) != (i == 60) {
			t.Errorf("mail %d: %v", i, err)
		}
		if err != nil && (smtpCode(err) != 450 || !strings.Contains(err.Error(), "second")) {
			t.Error(err)
		}
	}
	verified := *bob
	verified.auth.Verdict = auth.Verified
	for _, tt := range []struct {
		l *letter
		a arrival
	}{{&verified, world}, {bob, arrival{ip: netip.MustParseAddr("192.0.2.2")}}, {bob, arrival{}}, {bob, arrival{ip: netip.MustParseAddr("127.0.0.1")}}} {
		if err := g.mayCome(tt.l, tt.a); err != nil {
			t.Errorf("%+v: %v", tt.a, err)
		}
	}
}

func TestLimitSettings(t *testing.T) {
	for _, keys := range []map[string]any{{"pair_hour": -1}, {"sender_minute": 2_000_000}, {"new_user_for": -time.Hour}} {
		keys["domain"], keys["relay"] = domain, "smtp://127.0.0.1:1"
		if _, err := Driver().New(transporttest.NewHost(t, alice), decoder(keys)); err == nil {
			t.Errorf("%v is accepted", keys)
		}
	}
}
