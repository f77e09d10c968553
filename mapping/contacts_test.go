package mapping

import (
	"fmt"
	"testing"

	"gangway/core"
)

func TestContacts(t *testing.T) {
	m, c := newMap(t)
	ctx := t.Context()
	a := link(t, m, core.Account{User: alice, Network: "email"})
	b := link(t, m, core.Account{User: bob, Network: "email"})
	want := Contact{Account: a.ID, Address: "Carol@Example.com", Name: "Carol", Alias: "Boss", Blocked: true, Listed: true, Created: c.at}
	if err := m.PutContact(ctx, want); err != nil {
		t.Fatal(err)
	}
	if got, err := m.Contact(ctx, a.ID, "carol@example.COM"); err != nil || got != want {
		t.Errorf("got %+v, %v; want %+v", got, err, want)
	}
	if got, err := m.ContactByAlias(ctx, a.ID, "bOSS"); err != nil || got != want {
		t.Errorf("by alias: %+v, %v", got, err)
	}
	_, err := m.Contact(ctx, b.ID, "carol@example.com")
	wantKind(t, "another user's contact", err, core.NotFound)
	_, err = m.ContactByAlias(ctx, b.ID, "boss")
	wantKind(t, "another user's alias", err, core.NotFound)
	_, err = m.ContactByAlias(ctx, a.ID, "")
	wantKind(t, "no alias", err, core.NotFound)

	err = m.PutContact(ctx, Contact{Account: a.ID, Address: "dave@example.com", Alias: "boss"})
	wantKind(t, "an alias that is taken", err, core.Invalid)
	if err := m.PutContact(ctx, Contact{Account: b.ID, Address: "dave@example.com", Alias: "boss"}); err != nil {
		t.Errorf("another user may use the same alias: %v", err)
	}
	want.Alias, want.Blocked = "", false
	if err := m.PutContact(ctx, want); err != nil {
		t.Fatal(err)
	}
	if err := m.PutContact(ctx, Contact{Account: a.ID, Address: "dave@example.com", Alias: "boss"}); err != nil {
		t.Errorf("the alias is free again: %v", err)
	}
	wantKind(t, "no address", m.PutContact(ctx, Contact{Account: a.ID}), core.Invalid)

	if err := m.RemoveContact(ctx, a.ID, "CAROL@example.com"); err != nil {
		t.Error(err)
	}
	wantKind(t, "removed twice", m.RemoveContact(ctx, a.ID, "carol@example.com"), core.NotFound)
}

func TestMeet(t *testing.T) {
	m, _ := newMap(t)
	ctx := t.Context()
	a := link(t, m, core.Account{User: alice, Network: "email"})
	meet := func(address core.Address, name string) Contact {
		t.Helper()
		c, err := m.Meet(ctx, a.ID, address, name)
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	if c := meet("carol@example.com", ""); c.Address != "carol@example.com" || c.Name != "" {
		t.Errorf("%+v", c)
	}
	if err := m.PutContact(ctx, Contact{Account: a.ID, Address: "carol@example.com", Alias: "boss", Blocked: true}); err != nil {
		t.Fatal(err)
	}
	if c := meet("Carol@example.com", "Carol C."); c.Address != "Carol@example.com" || c.Name != "Carol C." || c.Alias != "boss" || !c.Blocked {
		t.Errorf("%+v", c)
	}
	if c := meet("Carol@example.com", ""); c.Name != "Carol C." {
		t.Errorf("%+v", c)
	}
	_, err := m.Meet(ctx, "gone", "carol@example.com", "")
	wantKind(t, "no account", err, core.NotFound)
}

func TestBlock(t *testing.T) {
	m, _ := newMap(t)
	ctx := t.Context()
	a := link(t, m, core.Account{User: alice, Network: "sms"})
	if err := m.Block(ctx, a.ID, "+1", true); err != nil {
		t.Fatal(err)
	}
	if c, err := m.Contact(ctx, a.ID, "+1"); err != nil || !c.Blocked {
		t.Errorf("%+v, %v", c, err)
	}
	if err := m.Block(ctx, a.ID, "+1", false); err != nil {
		t.Fatal(err)
	}
	if c, err := m.Contact(ctx, a.ID, "+1"); err != nil || c.Blocked {
		t.Errorf("%+v, %v", c, err)
	}
	wantKind(t, "no account", m.Block(ctx, "gone", "+1", true), core.NotFound)
}

func TestContactsInPages(t *testing.T) {
	m, _ := newMap(t)
	a := link(t, m, core.Account{User: alice, Network: "sms"})
	other := link(t, m, core.Account{User: bob, Network: "sms"})
	for i := range 25 {
		for _, id := range []core.AccountID{a.ID, other.ID} {
			if err := m.PutContact(t.Context(), Contact{Account: id, Address: core.Address(fmt.Sprintf("C%02d", i))}); err != nil {
				t.Fatal(err)
			}
		}
	}
	var seen []core.Address
	for after := core.Address(""); ; after = seen[len(seen)-1] {
		page, err := m.Contacts(t.Context(), a.ID, after, 10)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range page {
			seen = append(seen, c.Address)
		}
		if len(page) < 10 {
			break
		}
	}
	if len(seen) != 25 || seen[0] != "C00" || seen[24] != "C24" {
		t.Errorf("%v", seen)
	}
	if all, err := m.Contacts(t.Context(), a.ID, "", 0); err != nil || len(all) != 25 {
		t.Errorf("%d, %v", len(all), err)
	}
}
