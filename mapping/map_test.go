package mapping

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"gangway/core"
	"gangway/core/store"
)

const (
	alice = core.UserID("alice@example.org")
	bob   = core.UserID("bob@example.org")
)

func testKey(t testing.TB, digit string) Key {
	t.Helper()
	k, err := ParseKey(strings.Repeat(digit, 64))
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func openDB(t testing.TB, path string) *store.DB {
	t.Helper()
	db, err := store.Open(context.Background(), store.Config{URL: "sqlite:" + path})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return db
}

// clock is a Map's time, for tests to move.
type clock struct{ at time.Time }

func (c *clock) now() time.Time { return c.at }

func (c *clock) pass(d time.Duration) { c.at = c.at.Add(d) }

// newMap opens a mapping table of its own, in which "email" addresses are retired and it is 22 November 2026.
func newMap(t testing.TB) (*Map, *clock) {
	t.Helper()
	db := openDB(t, filepath.Join(t.TempDir(), "gangway.db"))
	m, err := Open(t.Context(), db, NewSealer(testKey(t, "a")), Options{Retired: []string{"email"}})
	if err != nil {
		t.Fatal(err)
	}
	c := &clock{at: time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)}
	m.now = c.now
	return m, c
}

func link(t testing.TB, m *Map, a core.Account) core.Account {
	t.Helper()
	linked, err := m.Link(t.Context(), a)
	if err != nil {
		t.Fatalf("link %+v: %v", a.Own, err)
	}
	return linked
}

// wantKind checks that an error is of a kind, and has something to read for the user.
func wantKind(t testing.TB, what string, err error, kind core.Kind) {
	t.Helper()
	if err == nil || core.KindOf(err) != kind || core.AsError(err).Sentence() == "" {
		t.Errorf("%s: got %v, want %v", what, err, kind)
	}
}

func TestOpenTwice(t *testing.T) {
	path := filepath.Join(t.TempDir(), "gangway.db")
	db, err := store.Open(t.Context(), store.Config{URL: "sqlite:" + path})
	if err != nil {
		t.Fatal(err)
	}
	m, err := Open(t.Context(), db, NewSealer(testKey(t, "a")), Options{})
	if err != nil {
		t.Fatal(err)
	}
	a := link(t, m, core.Account{User: alice, Network: "email", Own: "alice@gw.example", Name: "Alice",
		Secret: []byte("hunter2"), Options: map[string]string{"trim": "off"}})
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}

	m, err = Open(t.Context(), openDB(t, path), NewSealer(testKey(t, "a")), Options{})
	if err != nil {
		t.Fatal(err)
	}
	got, err := m.Account(t.Context(), a.ID)
	if err != nil || string(got.Secret) != "hunter2" || got.Options["trim"] != "off" || !got.Created.Equal(a.Created) || got.Own != a.Own {
		t.Errorf("got %+v, %v; want %+v", got, err, a)
	}
}

func TestOpenWithTheWrongKey(t *testing.T) {
	db := openDB(t, filepath.Join(t.TempDir(), "gangway.db"))
	a, b := testKey(t, "a"), testKey(t, "b")
	if _, err := Open(t.Context(), db, NewSealer(a), Options{}); err != nil {
		t.Fatal(err)
	}
	_, err := Open(t.Context(), db, NewSealer(b), Options{})
	if err == nil || !strings.Contains(err.Error(), a.ID()) || !strings.Contains(err.Error(), "store.key") {
		t.Errorf("another key: %v", err)
	}
	if _, err := Open(t.Context(), db, NewSealer(a), Options{}); err != nil {
		t.Errorf("the right key after a wrong one: %v", err)
	}
}

func TestReseal(t *testing.T) {
	db := openDB(t, filepath.Join(t.TempDir(), "gangway.db"))
	a, b := testKey(t, "a"), testKey(t, "b")
	m, err := Open(t.Context(), db, NewSealer(a), Options{})
	if err != nil {
		t.Fatal(err)
	}
	sealed := link(t, m, core.Account{User: alice, Network: "email", Secret: []byte("s3cret")})
	empty := link(t, m, core.Account{User: alice, Network: "sms", Secret: []byte{}})
	none := link(t, m, core.Account{User: alice, Network: "irc"})

	if m, err = Open(t.Context(), db, NewSealer(b, a), Options{}); err != nil {
		t.Fatalf("a new key beside the old one: %v", err)
	}
	if err := m.Reseal(t.Context()); err != nil {
		t.Fatal(err)
	}
	if m, err = Open(t.Context(), db, NewSealer(b), Options{}); err != nil {
		t.Fatalf("the new key alone: %v", err)
	}
	for id, want := range map[core.AccountID]string{sealed.ID: "s3cret", empty.ID: "", none.ID: ""} {
		got, err := m.Account(t.Context(), id)
		if err != nil || string(got.Secret) != want || (got.Secret == nil) != (id == none.ID) {
			t.Errorf("got %q, %v; want %q", got.Secret, err, want)
		}
	}
	if _, err := Open(t.Context(), db, NewSealer(a), Options{}); err == nil {
		t.Error("the old key still opens")
	}
}

// What only SQLite understands stays out of the statements, so that they can be carried to another database. They are
// all run by the other tests.
func TestStatementsArePortable(t *testing.T) {
	text, err := os.ReadFile("queries.go")
	if err != nil {
		t.Fatal(err)
	}
	own := regexp.MustCompile(`(?i)\b(insert or|replace into|rowid|ifnull|iif|glob|strftime|datetime|group_concat|pragma|julianday|last_insert_rowid|limit \?, ?\?)\b|\?\d|"`)
	for i, line := range strings.Split(string(text), "\n") {
		if found := own.FindString(line); found != "" {
			t.Errorf("queries.go:%d: %q is SQLite's own", i+1, found)
		}
	}
}

// A full disk is a reason to come back, not a network that is away.
func TestFault(t *testing.T) {
	for err, want := range map[error]core.Kind{
		store.ErrDiskFull: core.OverLimit, store.ErrBusy: core.Unavailable, store.ErrClosed: core.Unavailable,
		context.Canceled: core.Unavailable, store.ErrConstraint: core.Internal, core.E(core.NotFound, "", ""): core.NotFound,
	} {
		wantKind(t, err.Error(), fault("test", fmt.Errorf("wrapped: %w", err)), want)
	}
	if fault("test", nil) != nil {
		t.Error("an error out of nothing")
	}
}
