package mapping

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"gangway/core"
)

func knocks(a core.AccountID, peer core.Address, text string) *core.Message {
	return &core.Message{Ref: core.Ref{Account: a, Peer: peer}, IDs: core.IDs{ID: core.MessageID(text)}, Text: text}
}

func TestRequests(t *testing.T) {
	m, _ := newMap(t)
	ctx := t.Context()
	a := link(t, m, core.Account{User: alice, Network: "email", Own: "alice@gw.example"})
	other := link(t, m, core.Account{User: bob, Network: "email", Own: "bob@gw.example"})
	for _, text := range []string{"one", "two", "one"} {
		err := m.Wait(ctx, a.ID, text, knocks(a.ID, "Eve@evil.example", text))
		if err != nil && !errors.Is(err, core.ErrDuplicate) {
			t.Fatal(err)
		}
	}
	if all, err := m.Waiting(ctx, a.ID); err != nil || len(all) != 1 || all[0].Messages != 2 || all[0].Peer != "Eve@evil.example" {
		t.Errorf("%+v, %v", all, err)
	}
	if all, err := m.Waiting(ctx, other.ID); err != nil || len(all) != 0 {
		t.Errorf("of another: %+v, %v", all, err)
	}
	if all, err := m.Waiting(ctx, ""); err != nil || len(all) != 1 {
		t.Errorf("of all: %+v, %v", all, err)
	}
	if waiting, err := m.Welcome(ctx, a.ID, "eve@evil.example"); err != nil || !waiting {
		t.Errorf("waiting %v, %v", waiting, err)
	}
	events, last, err := m.Waited(ctx, a.ID, "eve@EVIL.example")
	if err != nil || len(events) != 2 || events[1].(*core.Message).Text != "two" {
		t.Fatalf("%v, %v", events, err)
	}
	if err := m.Wait(ctx, a.ID, "late", knocks(a.ID, "eve@evil.example", "late")); err != nil {
		t.Fatal(err)
	}
	if err := m.DropWaited(ctx, a.ID, "eve@evil.example", last); err != nil {
		t.Fatal(err)
	}
	if events, _, err := m.Waited(ctx, a.ID, "eve@evil.example"); err != nil || len(events) != 1 {
		t.Errorf("what came meanwhile is gone: %v, %v", events, err)
	}
	var exported int
	err = m.Export(ctx, alice, func(kind string, _ any) error {
		if kind == "request" {
			exported++
		}
		return nil
	})
	if err != nil || exported != 1 {
		t.Errorf("%d exported, %v", exported, err)
	}
	if err := m.Unlink(ctx, a.ID); err != nil {
		t.Fatal(err)
	}
	if all, err := m.Waiting(ctx, ""); err != nil || len(all) != 0 {
		t.Errorf("after the account: %+v, %v", all, err)
	}
}

// Who is no stranger: whom the user has put on the list, named, or written to; not who has only written.
func TestWelcomed(t *testing.T) {
	m, _ := newMap(t)
	ctx := t.Context()
	a := link(t, m, core.Account{User: alice, Network: "email", Own: "alice@gw.example"})
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(m.PutContact(ctx, Contact{Account: a.ID, Address: "listed@x.example"}))
	_, err := m.Meet(ctx, a.ID, "met@x.example", "Somebody")
	must(err)
	must(m.Block(ctx, a.ID, "blocked@x.example", true))
	_, err = m.Welcome(ctx, a.ID, "Written@x.example")
	must(err)
	for who, want := range map[core.Address]bool{
		"Listed@x.example": true, "met@x.example": false, "blocked@x.example": false, "written@x.example": true, "nobody@x.example": false,
	} {
		if got, err := m.Welcomed(ctx, a.ID, who); err != nil || got != want {
			t.Errorf("%s: %v, %v", who, got, err)
		}
	}
	must(m.RemoveContact(ctx, a.ID, "written@x.example"))
	if got, err := m.Welcomed(ctx, a.ID, "written@x.example"); err != nil || got {
		t.Errorf("who was removed: %v, %v", got, err)
	}
	_, err = m.Welcome(ctx, a.ID, "written@x.example") // and is written to again
	must(err)
	if got, err := m.Welcomed(ctx, a.ID, "written@x.example"); err != nil || !got {
		t.Errorf("who was written to again: %v, %v", got, err)
	}
}

func TestRequestsAreBounded(t *testing.T) {
	m, _ := newMap(t)
	ctx := t.Context()
	a := link(t, m, core.Account{User: alice, Network: "email", Own: "alice@gw.example"})
	var err error
	n := 0
	for ; err == nil && n <= maxWaitEach; n++ {
		err = m.Wait(ctx, a.ID, fmt.Sprint(n), knocks(a.ID, "eve@evil.example", fmt.Sprint(n)))
	}
	wantKind(t, "of one", err, core.OverLimit)
	if n != maxWaitEach+1 {
		t.Errorf("%d were taken", n-1)
	}
	for n, err = 0, nil; err == nil && n <= maxWaiting; n++ {
		err = m.Wait(ctx, a.ID, "x", knocks(a.ID, core.Address(fmt.Sprintf("eve%d@evil.example", n)), "x"))
	}
	wantKind(t, "of all", err, core.OverLimit)
	if n != maxWaiting-maxWaitEach+1 {
		t.Errorf("%d were taken", n-1)
	}
	wantKind(t, "long", m.Wait(ctx, a.ID, "y", knocks(a.ID, "z@x.example", strings.Repeat("y", maxWaitBody))), core.TooLarge)
}
