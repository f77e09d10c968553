package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"gangway/core"
	"gangway/core/store"
	"gangway/mapping"
)

const carol = core.UserID("carol@example.org")

// household is an application with a user in every table, and another one beside.
func household(t *testing.T) *app {
	t.Helper()
	a := configured(t, "[web]\nhooks = \"127.0.0.1:0\"\npublic_url = \"https://gw.example.org\"")
	for i, user := range []core.UserID{carol, "dave@example.org"} {
		settleIn(t, a, user, core.Address([]string{"+15550100077", "+15550100078"}[i]))
	}
	return a
}

// settleIn has a user leave something everywhere.
func settleIn(t *testing.T, a *app, user core.UserID, number core.Address) {
	t.Helper()
	ctx := t.Context()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	phone, err := a.mapping.Link(ctx, core.Account{User: user, Network: "sms", Own: number, Secret: []byte("canary of " + user)})
	must(err)
	loop, err := a.mapping.Link(ctx, core.Account{User: user, Network: "loopback"})
	must(err)
	name, _, _ := strings.Cut(string(user), "@")
	friend := core.Address("friend-of-" + name)
	must(a.mapping.PutContact(ctx, mapping.Contact{Account: phone.ID, Address: friend, Name: "Friend"}))
	must(a.mapping.SetPreferences(ctx, user, "sms", core.Preferences{HideRead: true}))
	_, _, err = a.mapping.NewInvite(ctx, mapping.Invite{By: string(user), Uses: 1})
	must(err)
	must(a.mapping.Notes("roster sms").Put(ctx, string(user), []byte(`{"entries":{}}`), 0))
	must(a.mapping.Notes("sms").Put(ctx, "rooms "+string(phone.ID), []byte(friend), 0))
	ref := core.Ref{Account: phone.ID, Peer: friend}
	for i, word := range []string{"queued", "doomed"} {
		must(a.queue.Put(ctx, &core.Item{Direction: core.ToNetwork, Network: "sms", User: user, Lane: word + name, Key: word + name,
			Event: &core.Message{Ref: ref, IDs: core.IDs{ID: core.MessageID(word + "-" + name)}, Text: word + " words of " + name,
				Origin: core.Origin{ID: "o", From: string(user) + "/phone"}, Mine: true, At: time.Unix(int64(i), 0)}}))
	}
	// One of them is given up.
	must(a.db.Write(ctx, func(tx *store.Tx) error {
		const doomed = " FROM outbox WHERE event = 'message' AND lane = ?"
		_, err := tx.Exec(ctx, "INSERT INTO outbox_dead (seq, direction, network, user_id, lane, dedup, event, body, queued, expires, attempts, "+
			"error, died) SELECT seq, direction, network, user_id, lane, dedup, event, body, queued, expires, 3, '', queued"+doomed, "doomed"+name)
		if err == nil {
			_, err = tx.Exec(ctx, "DELETE"+doomed, "doomed"+name)
		}
		return err
	}))
	must(a.history.Append(ctx, core.Archived{ID: core.MessageID("said-" + name), At: time.Now(), Event: &core.Message{
		Ref: core.Ref{Account: loop.ID, Peer: "room"}, IDs: core.IDs{ID: core.MessageID("said-" + name)}, Room: true,
		Author: core.Address(name), Text: "history of " + name,
	}}))
	_, err = a.media.Put(ctx, phone, core.Attachment{Name: "picture-of-" + name + ".txt"}, strings.NewReader("bytes of "+name))
	must(err)
	if _, err := a.gateway.Announce(ctx, "loopback", "A word to everybody"); err != nil {
		t.Fatal(err)
	}
}

// written has the history written, which is done beside what is said.
func (h *history) written(t *testing.T) {
	t.Helper()
	done := make(chan error, 1)
	ctx, cancel := context.WithCancel(t.Context())
	go func() { done <- h.Run(ctx) }()
	defer func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	}()
	for {
		rooms, err := h.Accounts(t.Context())
		if err != nil || len(rooms) == 2 {
			return
		}
		time.Sleep(time.Millisecond)
	}
}

// columnsOf are the tables and columns of the database.
func columnsOf(ctx context.Context, tx *store.Tx) (columns [][2]string, err error) {
	rows, err := tx.Query(ctx, `SELECT m.name, c.name FROM sqlite_master m, pragma_table_info(m.name) c WHERE m.type = 'table'`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var c [2]string
		if err := rows.Scan(&c[0], &c[1]); err != nil {
			return nil, err
		}
		columns = append(columns, c)
	}
	return columns, rows.Err()
}

// traces are the columns, of all tables that there are, in which a text is found.
func traces(t *testing.T, a *app, text string) (found []string) {
	t.Helper()
	err := a.db.Read(t.Context(), func(tx *store.Tx) error {
		columns, err := columnsOf(t.Context(), tx)
		if err != nil {
			return err
		}
		if len(columns) < 50 {
			t.Errorf("only %d columns were looked into", len(columns))
		}
		for _, c := range columns {
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

// An export has what is kept in every place, whole, without secrets, and nothing of anybody else; and when a user is
// erased nothing that names them is left in any column of any table, nor on disk.
func TestExportAndErase(t *testing.T) {
	a := household(t)
	a.history.written(t)
	var out bytes.Buffer
	if err := a.export(t.Context(), carol, &out); err != nil {
		t.Fatal(err)
	}
	kinds := map[string]int{}
	var last exportLine
	for dec := json.NewDecoder(&out); ; {
		if err := dec.Decode(&last); err == io.EOF {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		kinds[last.Kind]++
		text, err := json.Marshal(last)
		if err != nil {
			t.Fatal(err)
		}
		for _, bad := range []string{"dave", "canary"} {
			if strings.Contains(string(text), bad) {
				t.Errorf("%s is in %s", bad, text)
			}
		}
	}
	for kind, want := range map[string]int{
		"export": 1, "person": 1, "preferences": 1, "invitation": 1, "address": 1, "account": 2, "contact": 1, "message": 2,
		"queued": 3, "undelivered": 1, "history": 1, "file": 1, "end": 1,
	} {
		if kinds[kind] != want {
			t.Errorf("%d of %q, want %d", kinds[kind], kind, want)
		}
	}
	if last.Kind != "end" {
		t.Errorf("the last line is %q", last.Kind)
	}

	if found := traces(t, a, "carol"); len(found) < 20 {
		t.Errorf("the user is to be found in %v only", found)
	}
	before := traces(t, a, "dave")
	if err := a.gateway.Erase(t.Context(), carol); err != nil {
		t.Fatal(err)
	}
	for _, trace := range []string{"carol", "+15550100077"} {
		if found := traces(t, a, trace); len(found) > 0 {
			t.Errorf("%q is left in %v", trace, found)
		}
	}
	if after := traces(t, a, "dave"); !slices.Equal(before, after) || len(after) == 0 {
		t.Errorf("of the other user there was %v, and is %v", before, after)
	}
	if found := traces(t, a, "+15550100078"); len(found) == 0 {
		t.Error("nothing of the other user's number is left")
	}
	err := filepath.WalkDir(mediaDir(a.cfg), func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		content, err := os.ReadFile(path)
		if bytes.Contains(content, []byte("carol")) {
			t.Errorf("%s is left", path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// Everything of a user follows them to a new name.
func TestMoveLeavesNothing(t *testing.T) {
	a := household(t)
	a.history.written(t)
	const neu = core.UserID("clara@elsewhere.example")
	if err := a.gateway.Move(t.Context(), carol, neu); err != nil {
		t.Fatal(err)
	}
	// But for what the old name is told, its contact list, which is still to be taken back, and the stanza that a text was
	// sent with, which is in the queue as it came.
	found := slices.DeleteFunc(traces(t, a, string(carol)), func(column string) bool {
		return slices.Contains([]string{"outbox.user_id", "outbox.lane", "outbox.dedup", "outbox.body", "outbox_dead.body", "notes.name"}, column)
	})
	if len(found) > 0 {
		t.Errorf("the old name is left in %v", found)
	}
	var old, moved bytes.Buffer
	if err := a.export(t.Context(), carol, &old); err != nil {
		t.Fatal(err)
	}
	if err := a.export(t.Context(), neu, &moved); err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(old.String(), "\n"); n != 4 { // the notices that it has moved, for each network
		t.Errorf("of the old name: %s", old.String())
	}
	for _, want := range []string{"queued words of carol", "doomed words of carol", "history of carol", "picture-of-carol", "hide_read", "friend-of-carol"} {
		if !strings.Contains(moved.String(), want) {
			t.Errorf("%q has not moved", want)
		}
	}
}
