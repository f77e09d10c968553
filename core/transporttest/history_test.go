package transporttest_test

import (
	"fmt"
	"testing"
	"time"

	"gangway/core"
	"gangway/core/transporttest"
)

var (
	room = core.Ref{Account: "a1", Peer: "#c"}
	noon = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
)

// said is a message of the room, seconds after noon.
func said(remote core.RemoteID, seconds int, text string) *core.Message {
	return &core.Message{
		Ref: room, IDs: core.IDs{Remote: remote}, Room: true, Author: "dave", Text: text, At: noon.Add(time.Duration(seconds) * time.Second),
	}
}

// The history of the test host answers as the gateway's does.
func TestHistory(t *testing.T) {
	host := transporttest.NewHost(t, core.Account{ID: "a1"})
	past, ctx := host.History(), t.Context()
	if _, err := past.Since(ctx, room); core.KindOf(err) != core.NotFound {
		t.Errorf("an unknown room: %v", err)
	}
	host.Keep(said("r1", 0, "one"), said("", 60, "two"))
	for range 2 { // it stays open
		if m, err := past.Since(ctx, room); err != nil || m.Remote != "r1" || m.At.After(noon.Add(time.Minute)) || !host.Open(room) {
			t.Errorf("since %+v, %v", m, err)
		}
	}
	if err := host.Deliver(ctx, said("r9", 600, "live")); err != nil {
		t.Fatal(err)
	}
	page := []core.Event{said("r1", 0, "one"), said("r2", 61, "two"), said("r3", 62, "two"), said("r9", 600, "live")}
	for range 2 {
		if err := past.Fill(ctx, room, page); err != nil {
			t.Fatal(err)
		}
	}
	var got []string
	for _, e := range host.Events() {
		m := e.(*core.Message)
		got = append(got, fmt.Sprint(m.Remote, " ", m.Past))
	}
	// "two" was kept without a name: the first to say it is that one.
	if want := "[r9 false r3 true]"; fmt.Sprint(got) != want {
		t.Errorf("delivered %v, want %s", got, want)
	}
	if m, err := past.Since(ctx, room); err != nil || m.Remote != "r9" {
		t.Errorf("since %+v, %v", m, err)
	}
	if err := past.Filled(ctx, room); err != nil || host.Open(room) {
		t.Errorf("open: %v, %v", host.Open(room), err)
	}
	if err := past.Fill(ctx, core.Ref{Account: "a1", Peer: "#d"}, page); core.KindOf(err) != core.Invalid {
		t.Errorf("another room: %v", err)
	}
	host.Refuse(core.E(core.Unavailable, "disk", ""))
	if err := past.Fill(ctx, room, page); core.KindOf(err) != core.Unavailable {
		t.Errorf("refused: %v", err)
	}
}
