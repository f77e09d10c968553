package mapping

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"gangway/core"
	"gangway/core/store"
)

// household links accounts, contacts and messages for both users, all of which look alike but for the name.
func household(t *testing.T, m *Map) (hers, his core.Account) {
	t.Helper()
	for _, u := range []struct {
		user core.UserID
		name string
		a    *core.Account
	}{{alice, "alice", &hers}, {bob, "bob", &his}} {
		*u.a = link(t, m, core.Account{User: u.user, Network: "email", Own: core.Address(u.name + "@gw.example"), Secret: []byte("canary-" + u.name)})
		link(t, m, core.Account{User: u.user, Network: "irc", Realm: "r", Own: core.Address(u.name)})
		if err := m.PutContact(t.Context(), Contact{Account: u.a.ID, Address: core.Address("friend-of-" + u.name), Alias: "x"}); err != nil {
			t.Fatal(err)
		}
		msg := submitted(core.MessageID("to-friend-of-" + u.name))
		msg.Account, msg.Origin.From = u.a.ID, string(u.user)+"/phone"
		put(t, m, core.ToNetwork, msg, nil)
	}
	return hers, his
}

// exported returns an export as text, a line for each record.
func exported(t testing.TB, m *Map, user core.UserID) string {
	t.Helper()
	var b strings.Builder
	err := m.Export(t.Context(), user, func(kind string, record any) error {
		text, err := json.Marshal(record)
		b.WriteString(kind + " " + string(text) + "\n")
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestExport(t *testing.T) {
	m, _ := newMap(t)
	household(t, m)
	text := exported(t, m, alice)
	for _, want := range []string{`"friend-of-alice"`, `"to-friend-of-alice"`, `"alice@gw.example"`, `"has_secret":true`, `"state":"queued"`} {
		if !strings.Contains(text, want) {
			t.Errorf("%s is not in %s", want, text)
		}
	}
	if strings.Contains(text, "bob") || strings.Contains(text, "canary") {
		t.Errorf("too much: %s", text)
	}
	for kind, want := range map[string]int{"account": 2, "address": 2, "contact": 1, "message": 1, "person": 1} {
		if n := strings.Count("\n"+text, "\n"+kind+" "); n != want {
			t.Errorf("%d of %s in %s", n, kind, text)
		}
	}
	if got := exported(t, m, "nobody@example.org"); got != "" {
		t.Errorf("of nobody: %s", got)
	}
	enough := errors.New("enough")
	if err := m.Export(t.Context(), alice, func(string, any) error { return enough }); !errors.Is(err, enough) {
		t.Errorf("not ended: %v", err)
	}
}

// A long history is exported page by page, whole and in order.
func TestExportPages(t *testing.T) {
	m, _ := newMap(t)
	a := link(t, m, core.Account{User: alice, Network: "irc", Realm: "r"})
	const n = 2*exportPage + 7
	err := m.db.Write(t.Context(), func(tx *store.Tx) error {
		for i := range n {
			msg := submitted(core.MessageID(fmt.Sprintf("m%05d", i)))
			msg.Account = a.ID
			if err := m.Put(t.Context(), tx, &core.Item{Event: msg}); err != nil {
				return err
			}
			name := fmt.Sprintf("c%05d", i)
			if _, err := tx.Exec(t.Context(), upsertContact, string(a.ID), name, name, "", "", "", 0, 0); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]int{}
	last := core.MessageID("")
	err = m.Export(t.Context(), alice, func(kind string, record any) error {
		got[kind]++
		if e, ok := record.(ExportedMessage); ok {
			if e.ID <= last {
				t.Errorf("%s after %s", e.ID, last)
			}
			last = e.ID
		}
		return nil
	})
	if err != nil || got["message"] != n || got["contact"] != n {
		t.Errorf("%v, %v", got, err)
	}
}

func TestErase(t *testing.T) {
	m, _ := newMap(t)
	_, his := household(t, m)
	if err := m.Erase(t.Context(), alice); err != nil {
		t.Fatal(err)
	}
	wantKind(t, "erased twice", m.Erase(t.Context(), alice), core.NotFound)
	for table, columns := range map[string]string{
		"accounts": "id || user_id || own", "contacts": "address", "messages": "id", "owned": "user_id", "tenure": "user_id || account",
	} {
		if n := count(t, m, table, columns+" LIKE '%alice%'"); n != 0 {
			t.Errorf("%d rows of %s name the user", n, table)
		}
		if n := count(t, m, table, columns+" LIKE '%bob%'"); n == 0 {
			t.Errorf("nothing of the other user is left in %s", table)
		}
	}
	if got, err := m.Account(t.Context(), his.ID); err != nil || string(got.Secret) != "canary-bob" {
		t.Errorf("%v", err)
	}
	// Nothing names the user, in whatever column of whatever table.
	for _, trace := range []string{"alice", "ALICE"} {
		for _, where := range traces(t, m, trace) {
			t.Errorf("%s is left in %s", trace, where)
		}
	}
	// The alias stays out of everybody's reach.
	for _, user := range []core.UserID{alice, bob} {
		_, err := m.Link(t.Context(), core.Account{User: user, Network: "email", Own: "alice@gw.example"})
		wantKind(t, "the erased user's alias", err, core.Invalid)
	}
}

// traces are the columns, of all tables that there are, in which a text is found.
func traces(t testing.TB, m *Map, text string) (found []string) {
	t.Helper()
	err := m.db.Read(t.Context(), func(tx *store.Tx) error {
		all, err := store.Collect(t.Context(), tx, func(row store.Scanner) (c [2]string, err error) {
			err = row.Scan(&c[0], &c[1])
			return c, err
		}, `SELECT m.name, c.name FROM sqlite_master m, pragma_table_info(m.name) c WHERE m.type = 'table'`)
		if err != nil {
			return err
		}
		for _, c := range all {
			var n int
			err := tx.QueryRow(t.Context(), `SELECT count(*) FROM "`+c[0]+`" WHERE instr(CAST("`+c[1]+`" AS TEXT), ?) > 0`, text).Scan(&n)
			if err != nil {
				return err
			}
			if n > 0 {
				found = append(found, c[0]+"."+c[1])
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// An address that was an erased user's is kept from others, unreadably, until the administrator frees it.
func TestErasedAddress(t *testing.T) {
	m, c := newMap(t)
	ctx := t.Context()
	const number = core.Address("+15550100099")
	link(t, m, core.Account{User: alice, Network: "sms", Own: number})
	if err := m.Erase(ctx, alice); err != nil {
		t.Fatal(err)
	}
	if got := traces(t, m, string(number)); len(got) > 0 {
		t.Errorf("it is left in %v", got)
	}
	_, err := m.Link(ctx, core.Account{User: bob, Network: "sms", Own: number})
	wantKind(t, "in quarantine", err, core.Invalid)
	if err := m.Free(ctx, "sms", number); err != nil {
		t.Fatal(err)
	}
	his := link(t, m, core.Account{User: bob, Network: "sms", Own: number})
	if got, err := m.Owner(ctx, "sms", number, ""); err != nil || got.ID != his.ID {
		t.Errorf("%+v, %v", got, err)
	}

	const pooled = core.Address("+15550100098")
	link(t, m, core.Account{User: alice, Network: "sms", Own: pooled})
	if err := m.Erase(ctx, alice); err != nil {
		t.Fatal(err)
	}
	if err := m.AddNumber(ctx, "sms", pooled); err != nil {
		t.Fatal(err)
	}
	if _, err := m.FreeNumber(ctx, "sms"); core.KindOf(err) != core.NotFound {
		t.Errorf("given out before its time: %v", err)
	}
	c.pass(91 * 24 * time.Hour)
	if o, err := m.FreeNumber(ctx, "sms"); err != nil || o.Address != pooled {
		t.Errorf("%+v, %v", o, err)
	}
}

func TestMove(t *testing.T) {
	m, _ := newMap(t)
	hers, _ := household(t, m)
	ctx := t.Context()
	const neu = core.UserID("alice@new.example")
	if _, err := m.AccountOf(ctx, alice, "email", ""); err != nil { // into the cache
		t.Fatal(err)
	}
	wantKind(t, "onto another user", m.Move(ctx, alice, bob), core.Invalid)
	wantKind(t, "nobody", m.Move(ctx, "nobody@example.org", neu), core.NotFound)
	wantKind(t, "nowhere", m.Move(ctx, alice, ""), core.Invalid)
	if err := m.Move(ctx, alice, neu); err != nil {
		t.Fatal(err)
	}
	_, err := m.AccountOf(ctx, alice, "email", "")
	wantKind(t, "the old name", err, core.Unenrolled)
	if got, err := m.AccountOf(ctx, neu, "email", ""); err != nil || got.ID != hers.ID || string(got.Secret) != "canary-alice" {
		t.Errorf("%+v, %v", got.ID, err)
	}
	if got, err := m.Owner(ctx, "email", "alice@gw.example", ""); err != nil || got.User != neu {
		t.Errorf("%v, %v", got.User, err)
	}
	if got, err := m.Contact(ctx, hers.ID, "friend-of-alice"); err != nil {
		t.Errorf("%+v, %v", got, err)
	}
	if got := traces(t, m, string(alice)); len(got) > 0 {
		t.Errorf("the old name is left in %v", got)
	}
	// The address given up under the new name is still that person's to take back.
	hers.User, hers.Own = neu, ""
	link(t, m, hers)
	hers.Own = "alice@gw.example"
	link(t, m, hers)
}

// TestPeopleInUser follows what is kept beside the accounts through Export, Move and Erase.
func TestPeopleInUser(t *testing.T) {
	m, _ := newMap(t)
	household(t, m)
	ctx := t.Context()
	const neu = core.UserID("alice@new.example")
	if err := m.SetPreferences(ctx, alice, "email", core.Preferences{HideRead: true}); err != nil {
		t.Fatal(err)
	}
	token, _ := invite(t, m, Invite{By: string(alice)})
	if _, err := m.Redeem(ctx, "carol@example.org", "irc", token); err != nil {
		t.Fatal(err)
	}
	invite(t, m, Invite{By: string(alice)})
	invite(t, m, Invite{By: string(bob)})
	text := exported(t, m, alice)
	for _, want := range []string{`person {"user":"alice@example.org","standing":"registered"`, `"hide_read":true`, "invitation {"} {
		if !strings.Contains(text, want) {
			t.Errorf("%s is not in %s", want, text)
		}
	}
	if n := strings.Count(text, "invitation {"); n != 1 {
		t.Errorf("%d invitations in %s", n, text)
	}

	stand(t, m, neu, core.Suspended)
	wantKind(t, "onto somebody suspended", m.Move(ctx, alice, neu), core.Invalid)
	stand(t, m, neu, core.Pending)
	if err := m.Move(ctx, alice, neu); err != nil {
		t.Fatal(err)
	}
	if standing(t, m, alice) != core.Stranger || standing(t, m, neu) != core.Registered {
		t.Error("the person was not moved")
	}
	if p, err := m.Preferences(ctx, neu, "email"); err != nil || !p.HideRead {
		t.Errorf("%+v, %v", p, err)
	}
	if p, _ := m.Preferences(ctx, alice, "email"); p.HideRead {
		t.Error("the old name still has preferences")
	}
	if p, err := m.Person(ctx, "carol@example.org"); err != nil || p.InvitedBy != string(neu) {
		t.Errorf("%+v, %v", p, err)
	}

	stand(t, m, neu, core.Suspended)
	if err := m.Erase(ctx, neu); err != nil {
		t.Fatal(err)
	}
	if p, err := m.Person(ctx, neu); err != nil || p.Standing != core.Suspended {
		t.Errorf("erasing lifts a suspension: %+v, %v", p, err)
	}
	for table, columns := range map[string]string{"preferences": "user_id", "invites": "made_by", "people": "invited_by"} {
		if n := count(t, m, table, columns+" LIKE '%alice%'"); n != 0 {
			t.Errorf("%d rows of %s name the user", n, table)
		}
	}
	if n := count(t, m, "invites", "made_by LIKE '%bob%'"); n != 1 {
		t.Error("somebody else's invitation is gone")
	}
	if err := m.Erase(ctx, bob); err != nil || standing(t, m, bob) != core.Stranger {
		t.Errorf("%v", err)
	}
}
