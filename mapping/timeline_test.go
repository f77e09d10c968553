package mapping

import (
	"testing"
	"time"

	"gangway/core"
	"gangway/core/store"
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

// Each message says when it came into the state that it is in, whoever said so.
func TestTimelineSaysSinceWhen(t *testing.T) {
	m, c := newMap(t)
	a := link(t, m, core.Account{User: alice, Network: "email", Own: "alice@gw"})
	msg := submitted("one")
	msg.Account = a.ID
	since := func(what string, state core.State) {
		t.Helper()
		got, err := m.Timeline(t.Context(), a.ID, msg.Peer, 1)
		if err != nil || len(got) != 1 || got[0].State != state || !got[0].Changed.Equal(c.at) {
			t.Errorf("%s: %+v, %v; want %v since %v", what, got, err, state, c.at)
		}
		c.pass(time.Minute)
	}
	put(t, m, core.ToNetwork, msg, nil)
	since("queued", core.Queued)
	settle(t, m, msg, core.Verdict{Outcome: core.Done, Taken: core.Taken{Remote: "r", State: core.Accepted}})
	since("accepted", core.Accepted)
	delivered := receipt("one", core.Delivered)
	delivered.Account = a.ID
	put(t, m, core.ToXMPP, delivered, nil)
	since("delivered", core.Delivered)

	// What says nothing new changes nothing, and a failure that is tried again begins anew.
	at := c.at.Add(-time.Minute)
	settle(t, m, msg, core.Verdict{Outcome: core.Done, Taken: core.Taken{State: core.Accepted}})
	if got, err := m.Timeline(t.Context(), a.ID, msg.Peer, 1); err != nil || !got[0].Changed.Equal(at) {
		t.Errorf("%+v, %v; want %v", got, err, at)
	}
	two := submitted("two")
	two.Account = a.ID
	put(t, m, core.ToNetwork, two, nil)
	c.pass(time.Minute)
	settle(t, m, two, core.Verdict{Outcome: core.Dead})
	since("failed", core.Failed)
	put(t, m, core.ToNetwork, two, nil)
	since("queued again", core.Queued)
}

// What a ledger of an earlier program has is not known to have changed.
func TestMigrateChanged(t *testing.T) {
	m, c := newMap(t)
	put(t, m, core.ToNetwork, submitted("old"), nil)
	err := m.db.Write(t.Context(), func(tx *store.Tx) error {
		for _, q := range []string{"ALTER TABLE messages DROP COLUMN changed", "ALTER TABLE messages DROP COLUMN whole", "ALTER TABLE messages DROP COLUMN parts", "ALTER TABLE contacts DROP COLUMN used", "ALTER TABLE contacts DROP COLUMN welcome", "DROP TABLE requests", "DROP TABLE aliases", "DELETE FROM schema_mapping WHERE version_id > 2"} {
			if _, err := tx.Exec(t.Context(), q); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if m, err = Open(t.Context(), m.db, NewSealer(testKey(t, "a")), Options{}); err != nil {
		t.Fatal(err)
	}
	m.now = c.now
	if got, err := m.Timeline(t.Context(), ref.Account, ref.Peer, 1); err != nil || len(got) != 1 || !got[0].Changed.IsZero() {
		t.Errorf("%+v, %v", got, err)
	}
}
