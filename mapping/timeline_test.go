package mapping

import (
	"testing"

	"gangway/core"
)

func TestTimeline(t *testing.T) {
	m, c := newMap(t)
	ctx := t.Context()
	a, err := m.Link(ctx, core.Account{User: "alice@example.org", Network: "email", Own: "alice@gw"})
	if err != nil {
		t.Fatal(err)
	}
	message := func(id core.MessageID, peer core.Address, remote core.RemoteID) *core.Message {
		return &core.Message{Ref: core.Ref{Account: a.ID, Peer: peer}, IDs: core.IDs{ID: id, Remote: remote}}
	}
	put(t, m, core.ToNetwork, message("one", "Bob@Example.com", ""), nil)
	put(t, m, core.ToNetwork, message("two", "carol@example.com", ""), nil)
	put(t, m, core.ToXMPP, message("three", "bob@example.com", "<3@example.com>"), nil)
	got, err := m.Timeline(ctx, a.ID, "bob@EXAMPLE.com", 10)
	if err != nil || len(got) != 2 {
		t.Fatalf("got %v, %v", got, err)
	}
	if got[0].ID != "three" || got[0].Mine || got[1].ID != "one" || !got[1].Mine || got[1].State != core.Queued {
		t.Errorf("got %+v", got)
	}
	if !got[0].At.Equal(c.at) {
		t.Errorf("at %v", got[0].At)
	}
	if got, err := m.Timeline(ctx, a.ID, "bob@example.com", 1); err != nil || len(got) != 1 || got[0].ID != "three" {
		t.Errorf("limited: %v, %v", got, err)
	}
	if got, err := m.Timeline(ctx, "other", "bob@example.com", 10); err != nil || got != nil {
		t.Errorf("another account: %v, %v", got, err)
	}
}
