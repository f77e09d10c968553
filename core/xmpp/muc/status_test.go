package muc

import (
	"context"
	"reflect"
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
