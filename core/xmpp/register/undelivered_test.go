package register

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"gangway/core"
	"gangway/core/xmpp/edge/edgetest"
)

// letters is the dead letters of Alice.
type letters struct {
	all []Letter
	log []string
	err error
}

func (l *letters) Undelivered(_ context.Context, user core.UserID, network string, after int64, limit int) (some []Letter, err error) {
	if user != edgetest.Alice || network != "mail" {
		return nil, nil
	}
	for _, x := range l.all {
		if x.Seq > after && len(some) < limit {
			some = append(some, x)
		}
	}
	return some, l.err
}

func (l *letters) Retry(_ context.Context, _ core.UserID, _ string, seq int64) error {
	return l.take("retry", seq)
}
func (l *letters) Drop(_ context.Context, _ core.UserID, _ string, seq int64) error {
	return l.take("drop", seq)
}

func (l *letters) take(what string, seq int64) error {
	l.log = append(l.log, fmt.Sprint(what, seq))
	for i, x := range l.all {
		if x.Seq == seq {
			l.all = append(l.all[:i:i], l.all[i+1:]...)
			return nil
		}
	}
	return core.E(core.NotFound, "test", "")
}

func TestUndelivered(t *testing.T) {
	s := stage(t)
	at := time.Date(2026, 11, 24, 9, 5, 0, 0, time.UTC)
	s.say(alice, "undelivered")
	s.hear(alice, "No message waits*")
	s.letters.all = []Letter{
		{Seq: 7, Peer: "bob@example.com", Queued: at, Text: "Hello\n\n" + strings.Repeat("ä", 100), Err: core.E(core.NotFound, "", "Nobody there.")},
		{Seq: 9, Peer: "carol@example.com", Queued: at, Text: "Hi", Incoming: true},
		{Seq: 11, Peer: "dave@example.com", Queued: at, Text: "Ho"},
	}
	s.say(alice, "undelivered")
	s.hear(alice, `3 not delivered:*24 Nov 09:05 UTC, to bob@example.com: Hello ä*…*Nobody there.*from carol@example.com: Hi*1. retry*2. drop*3. nothing*`)
	s.say(alice, "nothing")
	s.hear(alice, "Nothing was changed.")
	s.say(alice, "undelivered")
	s.hear(alice, "3 not*")
	s.say(alice, "retry")
	s.hear(alice, "Which one shall be retried?*1. *bob*2. *carol*4. all of these*")
	s.say(alice, "2")
	s.hear(alice, "1 retried.")
	s.say(alice, "undelivered")
	s.hear(alice, "2 not*")
	s.say(alice, "2")
	s.hear(alice, "Which one shall be dropped?*3. all of these*")
	s.say(alice, "3")
	s.hear(alice, "2 dropped.")
	if got := strings.Join(s.letters.log, " "); got != "retry9 drop7 drop11" {
		t.Errorf("done: %s", got)
	}
	s.say(bob, "undelivered")
	s.hear(bob, "No message waits*")
}

// What went meanwhile is no failure; what fails is said.
func TestUndeliveredChanges(t *testing.T) {
	s := stage(t)
	s.letters.all = []Letter{{Seq: 7, Peer: "bob@example.com"}}
	for _, text := range []string{"undelivered", "drop"} {
		s.say(alice, text)
		s.srv.Next()
	}
	s.letters.all = nil
	s.say(alice, "1")
	s.hear(alice, "That is not there any more.")
	s.letters.err = core.E(core.Unavailable, "test", "The disk is away.")
	s.say(alice, "undelivered")
	s.hear(alice, "The disk is away.")
}
