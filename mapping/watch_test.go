package mapping

import (
	"fmt"
	"slices"
	"testing"

	"gangway/core"
)

// Whoever keeps contact lists in step is told of all that may show in them.
func TestWatch(t *testing.T) {
	m, _ := newMap(t)
	ctx := t.Context()
	var told []string
	m.Watch(func(user core.UserID, network string) { told = append(told, string(user)+" "+network) })
	expect := func(what string, want ...string) {
		t.Helper()
		slices.Sort(told)
		told = slices.Compact(told)
		if !slices.Equal(told, want) {
			t.Errorf("%s: told %q, want %q", what, told, want)
		}
		told = nil
	}
	of := fmt.Sprintf("%s email", alice)
	a := link(t, m, core.Account{User: alice, Network: "email"})
	expect("link", of)
	for what, fn := range map[string]func() error{
		"put":   func() error { return m.PutContact(ctx, Contact{Account: a.ID, Address: "carol@example.com"}) },
		"block": func() error { return m.Block(ctx, a.ID, "dave@example.com", true) },
		"meet":  func() error { _, err := m.Meet(ctx, a.ID, "erin@example.com", "Erin"); return err },
		"remove": func() error {
			_ = m.PutContact(ctx, Contact{Account: a.ID, Address: "x@y"})
			return m.RemoveContact(ctx, a.ID, "x@y")
		},
	} {
		if err := fn(); err != nil {
			t.Fatal(err)
		}
		expect(what, of)
	}
	if _, err := m.Meet(ctx, a.ID, "erin@example.com", "Erin"); err != nil {
		t.Fatal(err)
	}
	expect("nothing new")
	if err := m.RemoveContact(ctx, a.ID, "nobody@example.com"); core.KindOf(err) != core.NotFound {
		t.Fatal(err)
	}
	expect("nothing removed")
	if err := m.Move(ctx, alice, "alice@example.net"); err != nil {
		t.Fatal(err)
	}
	expect("move", "alice@example.net email", of)
	if err := m.Unlink(ctx, a.ID); err != nil {
		t.Fatal(err)
	}
	expect("unlink", "alice@example.net email")
}
