package mapping

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"gangway/core"
	"gangway/core/store"
)

func TestNotes(t *testing.T) {
	m, c := newMap(t)
	ctx := t.Context()
	n := m.Notes("sms")
	_, err := n.Get(ctx, "k")
	wantKind(t, "nothing there", err, core.NotFound)
	for _, v := range [][]byte{[]byte("one"), {0, 255}, {}, nil} {
		if err := n.Put(ctx, "k", v, time.Minute); err != nil {
			t.Fatal(err)
		}
		if got, err := n.Get(ctx, "k"); err != nil || !bytes.Equal(got, v) {
			t.Errorf("got %q, %v; want %q", got, err, v)
		}
	}
	_, err = m.Notes("email").Get(ctx, "k")
	wantKind(t, "another transport's", err, core.NotFound)
	c.pass(time.Minute)
	_, err = n.Get(ctx, "k")
	wantKind(t, "expired", err, core.NotFound)
	if err := n.Put(ctx, "k", []byte("kept"), 0); err != nil {
		t.Fatal(err)
	}
	c.pass(10000 * time.Hour)
	if got, err := n.Get(ctx, "k"); err != nil || string(got) != "kept" {
		t.Errorf("%q, %v", got, err)
	}
	for range 2 {
		if err := n.Delete(ctx, "k"); err != nil {
			t.Error(err)
		}
	}
	_, err = n.Get(ctx, "k")
	wantKind(t, "deleted", err, core.NotFound)
}

func TestNotesGoWithTheirAccount(t *testing.T) {
	m, _ := newMap(t)
	ctx := t.Context()
	a, err := m.Link(ctx, core.Account{User: "alice@example.org", Network: "irc"})
	if err != nil {
		t.Fatal(err)
	}
	keys := map[string]bool{"rooms " + string(a.ID): false, string(a.ID): true, "rooms x" + string(a.ID): true, "rooms other": true}
	for key := range keys {
		if err := m.Notes("irc").Put(ctx, key, []byte("x"), 0); err != nil {
			t.Fatal(err)
		}
	}
	keys["sent m1"] = false
	if err := m.Notes("irc").Put(ctx, "sent m1", []byte(`{"account":"`+a.ID+`","peer":"x"}`), 0); err != nil {
		t.Fatal(err)
	}
	if err := m.Unlink(ctx, a.ID); err != nil {
		t.Fatal(err)
	}
	for key, stays := range keys {
		if _, err := m.Notes("irc").Get(ctx, key); (err == nil) != stays {
			t.Errorf("%q: %v", key, err)
		}
	}
}

func TestSweep(t *testing.T) {
	m, c := newMap(t)
	ctx := t.Context()
	fill := func(n int, prefix string) {
		t.Helper()
		err := m.db.Write(ctx, func(tx *store.Tx) error {
			for i := range n {
				msg := submitted(core.MessageID(fmt.Sprintf("%s%d", prefix, i)))
				if err := m.Put(ctx, tx, &core.Item{Event: msg}); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	fill(2*slice+1, "old")
	c.pass(time.Hour)
	fill(5, "new")
	for i, keep := range []time.Duration{time.Hour, 1000 * day, 0} {
		if err := m.Notes("sms").Put(ctx, fmt.Sprint(i), []byte("x"), keep); err != nil {
			t.Fatal(err)
		}
	}
	if n, err := m.Sweep(ctx); n != 0 || err != nil {
		t.Errorf("swept %d too early, %v", n, err)
	}
	c.pass(90*day - time.Minute)
	if n, err := m.Sweep(ctx); n != 2*slice+2 || err != nil {
		t.Errorf("swept %d, %v; want %d", n, err, 2*slice+2)
	}
	if n := count(t, m, "messages", "1 = 1"); n != 5 {
		t.Errorf("%d messages are left, want 5", n)
	}
	if n := count(t, m, "notes", "1 = 1"); n != 2 {
		t.Errorf("%d notes are left, want 2", n)
	}
}

func TestNoteKeys(t *testing.T) {
	m, c := newMap(t)
	n := m.Notes("roster email").(interface {
		Keys(ctx context.Context, after string, limit int) ([]string, error)
	})
	for _, key := range []string{"carol", "alice", "bob"} {
		if err := m.Notes("roster email").Put(t.Context(), key, []byte("x"), 0); err != nil {
			t.Fatal(err)
		}
	}
	if err := m.Notes("roster email").Put(t.Context(), "dave", nil, time.Minute); err != nil {
		t.Fatal(err)
	}
	if err := m.Notes("roster irc").Put(t.Context(), "eve", nil, 0); err != nil {
		t.Fatal(err)
	}
	c.pass(time.Hour)
	for after, want := range map[string]string{"": "[alice bob]", "bob": "[carol]", "carol": "[]"} {
		if got, err := n.Keys(t.Context(), after, 2); err != nil || fmt.Sprint(got) != want {
			t.Errorf("after %q: %v, %v; want %s", after, got, err, want)
		}
	}
}

// TestNotesOfAMessage: what a transport wants to know of a message is there when the message is, and stays as it was when
// that is delivered once more.
func TestNotesOfAMessage(t *testing.T) {
	m, _ := newMap(t)
	deliver := func(remote core.RemoteID, value string) error {
		return m.db.Write(t.Context(), func(tx *store.Tx) error {
			return m.Put(t.Context(), tx, &core.Item{
				Direction: core.ToXMPP, Network: "email", Event: &core.Message{Ref: ref, IDs: core.IDs{Remote: remote}},
				Notes: []core.Note{{Key: "k " + string(remote), Value: []byte(value), Keep: day}},
			})
		})
	}
	if err := errors.Join(deliver("r1", "one"), deliver("", "none")); err != nil {
		t.Fatal(err)
	}
	if err := deliver("r1", "two"); !errors.Is(err, core.ErrDuplicate) {
		t.Errorf("again: %v", err)
	}
	for key, want := range map[string]string{"k r1": "one", "k ": "none"} {
		if got, err := m.Notes("email").Get(t.Context(), key); err != nil || string(got) != want {
			t.Errorf("%q: %q, %v", key, got, err)
		}
	}
	if _, err := m.Notes("sms").Get(t.Context(), "k r1"); core.KindOf(err) != core.NotFound {
		t.Errorf("another network: %v", err)
	}
}
