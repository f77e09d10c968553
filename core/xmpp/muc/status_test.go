package muc

import (
	"context"
	"fmt"
	"reflect"
	"slices"
	"testing"

	"gangway/core"
)

// absentee is a session that can be away.
type absentee struct{ session }

func (*absentee) SetPresence(context.Context, *core.Presence) error { return nil }

// Behaviour 36: a status of one who is in is no join; networks that know who is away are told of it.
func TestAwayFromARoom36(t *testing.T) {
	session := &absentee{session{spectator{calls: make(chan string, 100)}}}
	s := openWith(t, session, &session.spectator)
	s.enter(phone)
	for _, extra := range []string{"<show>away</show><status>Lunch</status>", "<show>xa</show>", "<show>dnd</show>", "<show>chat</show>", ""} {
		s.Send(presence(phone, "me", "", extra))
	}
	s.quiet()
	var got []core.Presence
	for _, e := range s.hall.Submitted() {
		got = append(got, *e.(*core.Presence))
	}
	of := core.Ref{Account: "a1"}
	want := []core.Presence{
		{Ref: of, Show: core.Away, Text: "Lunch"}, {Ref: of, Show: core.ExtendedAway}, {Ref: of, Show: core.Busy}, {Ref: of}, {Ref: of},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("submitted %+v, want %+v", got, want)
	}
}

// submittedShows are the availabilities that the network was told, in order.
func (s *stage) submittedShows() (all []core.Presence) {
	s.t.Helper()
	s.quiet()
	for _, e := range s.hall.Submitted() {
		all = append(all, *e.(*core.Presence))
	}
	return all
}

// Behaviours 35 and 36: a join says how available its client is; of several clients the most available one counts.
func TestMostAvailable35(t *testing.T) {
	session := &absentee{session{spectator{calls: make(chan string, 100)}}}
	s := openWith(t, session, &session.spectator)
	of := core.Ref{Account: "a1"}
	expect := func(what string, want ...core.Presence) {
		t.Helper()
		if got := s.submittedShows(); !slices.Equal(got, want) {
			t.Errorf("%s: submitted %+v, want %+v", what, got, want)
		}
	}
	join := func(from, extra string) {
		t.Helper()
		s.Send(presence(from, "me", "id='join'", muc+extra))
		o := core.Origin{ID: "join", From: from}
		s.asked(fmt.Sprintf(`join #c as me with "" for %v`, o))
		s.show(&core.RoomJoined{Ref: ref, Origin: o, Self: core.Member{Nick: "me"}, Asked: "me"})
		s.Expect("<presence from='" + channel + "/me' to='" + from + "'/>")
		s.Expect("<message type='groupchat' to='" + from + "'><subject/></message>")
	}
	join(phone, "<show>away</show><status>Lunch</status>")
	expect("a join", core.Presence{Ref: of, Show: core.Away, Text: "Lunch"})
	join(desk, "")
	expect("another that is there", core.Presence{Ref: of})
	s.Send(presence(phone, "me", "", "<show>xa</show>"))
	expect("the first one", core.Presence{Ref: of})
	s.Send(presence(desk, "me", "", "<show>dnd</show><status>Busy bee</status>"))
	expect("the other", core.Presence{Ref: of, Show: core.Busy, Text: "Busy bee"})
	s.Send(presence(desk, "me", "type='unavailable'", ""))
	s.Expect("<presence type='unavailable' to='" + desk + "'/>")
	expect("it leaves", core.Presence{Ref: of, Show: core.ExtendedAway})
	join(desk, "<show>xa</show><status>last</status>")
	expect("as far away as the first", core.Presence{Ref: of, Show: core.ExtendedAway, Text: "last"})
	s.Send(presence(phone, "me", "", ""))
	expect("back", core.Presence{Ref: of})
	join(phone, "")
	expect("again, as it was")
	for _, from := range []string{phone, desk} {
		s.Send(presence(from, "me", "type='error'", "<error type='cancel'><gone "+stanzas+"/></error>"))
	}
	s.Quiet(phone, s.d.Name)
	s.asked("leave #c: ")
	expect("the most available one is gone", core.Presence{Ref: of, Show: core.ExtendedAway, Text: "last"})
	join(phone, "")
	expect("who comes now is there", core.Presence{Ref: of})
}
