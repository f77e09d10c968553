package archive

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"gangway/core"
	"gangway/core/store"
)

var (
	lobby = core.Ref{Account: "alice", Peer: "#lobby"}
	noon  = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
)

// rig is an archive that runs.
type rig struct {
	*Archive
	t    testing.TB
	stop func()
}

func newRig(t testing.TB, cfg Config) *rig {
	t.Helper()
	r := newStill(t, cfg)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- r.Run(ctx) }()
	stopped := false
	r.stop = func() {
		if stopped {
			return
		}
		stopped = true
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}
	t.Cleanup(r.stop)
	return r
}

// newStill makes an archive that does not run, at noon.
func newStill(t testing.TB, cfg Config) *rig {
	t.Helper()
	db, err := store.Open(context.Background(), store.Config{URL: "sqlite:" + filepath.Join(t.TempDir(), "test.db")})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	a, err := Open(context.Background(), db, cfg)
	if err != nil {
		t.Fatal(err)
	}
	a.now = func() time.Time { return noon }
	return &rig{Archive: a, t: t}
}

// emptied is the archive with nothing in it, for a part of a test.
func (r *rig) emptied(t *testing.T) *rig {
	t.Helper()
	if err := r.Forget(t.Context(), lobby.Account); err != nil {
		t.Fatal(err)
	}
	part := *r
	part.t = t
	return &part
}

// said makes a message of the lobby, minutes before noon.
func saidAt(minutes float64, id, author, text string) core.Archived {
	at := noon.Add(-time.Duration(minutes * float64(time.Minute)))
	return core.Archived{ID: core.MessageID(id), At: at, Event: &core.Message{
		Ref: lobby, IDs: core.IDs{ID: core.MessageID(id)}, Room: true, Author: core.Address(author), Text: text, At: at,
	}}
}

func (r *rig) add(all ...core.Archived) {
	r.t.Helper()
	for _, e := range all {
		if err := r.Append(context.Background(), e); err != nil {
			r.t.Fatal(err)
		}
	}
}

// page returns the ids of a page, and "..." after them if there is more.
func (r *rig) page(q Query) string {
	r.t.Helper()
	p, err := r.Page(context.Background(), lobby, q)
	if err != nil {
		return core.KindOf(err).String()
	}
	s := ids(p.Events)
	if !p.Complete {
		s += " ..."
	}
	return s
}

func ids(all []core.Archived) string {
	var s []string
	for _, e := range all {
		s = append(s, string(e.ID))
	}
	return strings.Join(s, " ")
}

// ten fills the lobby with a1 to a10, one a minute, a10 at noon; the even ones are eve's.
func (r *rig) ten() {
	r.t.Helper()
	for i := range 10 {
		author := "dave"
		if i%2 == 1 {
			author = "eve"
		}
		r.add(saidAt(float64(9-i), fmt.Sprint("a", i+1), author, fmt.Sprint("text ", i+1)))
	}
}

func TestEverythingComesBack(t *testing.T) {
	r := newRig(t, Config{})
	m := &core.Message{
		Ref: lobby, IDs: core.IDs{ID: "m1", Remote: "r1"}, Origin: core.Origin{ID: "o1", From: "alice@example.org/phone"},
		Room: true, Author: "alice", Mine: true, At: noon, Subject: "s", Text: "a \x02 b", Thread: "t",
		Attachments: []core.Attachment{{URL: "https://x.test/y", Name: "y", Type: "image/png", Size: 9}},
		ReplyTo:     core.IDs{ID: "m0", Remote: "r0"}, Notice: true,
	}
	x := &core.Reaction{Ref: lobby, IDs: core.IDs{ID: "m1"}, Room: true, Author: "eve", Emoji: []string{"👍"}, Origin: core.Origin{ID: "o2"}}
	r.add(core.Archived{Event: m}, core.Archived{ID: "x1", Event: x})
	got, err := r.Last(t.Context(), lobby, 10, time.Time{})
	if err != nil || len(got) != 2 {
		t.Fatalf("%v, %v", got, err)
	}
	want := *m
	want.Origin.From = "" // a resource of long ago
	if g := got[0]; g.ID != "m1" || !g.At.Equal(noon) || fmt.Sprintf("%+v", g.Event) != fmt.Sprintf("%+v", &want) {
		t.Errorf("kept\n%+v\nwant\n%+v", g.Event, &want)
	}
	if g := got[1]; g.ID != "x1" || !g.At.Equal(noon) || fmt.Sprintf("%+v", g.Event) != fmt.Sprintf("%+v", x) {
		t.Errorf("kept\n%+v\nwant\n%+v", g.Event, x)
	}
	if m.Ref != lobby || m.ID != "m1" {
		t.Error("the event has been changed")
	}
}

func TestRefusals(t *testing.T) {
	r := newStill(t, Config{})
	for name, e := range map[string]core.Archived{
		"no event":   {ID: "x"},
		"no id":      {Event: &core.Reaction{Ref: lobby}},
		"no account": {ID: "x", Event: &core.Message{Ref: core.Ref{Peer: "#c"}}},
		"no room":    {ID: "x", Event: &core.Message{Ref: core.Ref{Account: "a"}}},
		"other kind": {ID: "x", Event: &core.Typing{Ref: lobby}},
	} {
		if err := r.Append(t.Context(), e); core.KindOf(err) != core.Invalid {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestOverload: what has no place is refused at once and counted, what has one is kept.
func TestOverload(t *testing.T) {
	for name, cfg := range map[string]Config{"events": {Waiting: 3}, "bytes": {WaitingBytes: 3 * 400}} {
		r := newStill(t, cfg)
		for i := range 10 {
			err := r.Append(t.Context(), saidAt(0, fmt.Sprint("a", i), "dave", strings.Repeat("x", 100)))
			if wantErr := i >= 3; (err != nil) != wantErr || err != nil && core.KindOf(err) != core.OverLimit {
				t.Errorf("%s: message %d: %v", name, i, err)
			}
		}
		if r.Lost() != 7 {
			t.Errorf("%s: %d lost, want 7", name, r.Lost())
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := r.Run(ctx); err != nil { // writes what is there, and ends
			t.Fatal(err)
		}
		if got := r.page(Query{Page: Page{Max: 10}}); got != "a0 a1 a2" {
			t.Errorf("%s: kept %q", name, got)
		}
		if err := r.Append(t.Context(), saidAt(0, "late", "dave", "")); core.KindOf(err) != core.OverLimit {
			t.Errorf("%s: after the end: %v", name, err)
		}
	}
}

func TestOwnOnly(t *testing.T) {
	r := newRig(t, Config{})
	r.add(saidAt(0, "a1", "dave", "for alice"))
	other := saidAt(0, "b1", "dave", "for bob")
	other.Event.(*core.Message).Account = "bob"
	r.add(other)
	if got := r.page(Query{Page: Page{Max: 10}}); got != "a1" {
		t.Errorf("alice reads %q", got)
	}
	if got := r.page(Query{AfterID: "b1", Page: Page{Max: 10}}); got != "not-found" {
		t.Errorf("an id of bob's: %q", got)
	}
	if _, err := r.Find(t.Context(), lobby, "b1"); core.KindOf(err) != core.NotFound {
		t.Errorf("find: %v", err)
	}
	if _, err := r.Events(t.Context(), lobby, []core.MessageID{"b1"}); core.KindOf(err) != core.NotFound {
		t.Errorf("events: %v", err)
	}
}

func TestPages(t *testing.T) {
	r := newRig(t, Config{})
	r.ten()
	minute := func(n int) time.Time { return noon.Add(-time.Duration(10-n) * time.Minute) } // when a<n> was said
	for _, c := range []struct {
		name string
		q    Query
		want string
		n    int
	}{
		{"all", Query{Page: Page{Max: 20}}, "a1 a2 a3 a4 a5 a6 a7 a8 a9 a10", 10},
		{"exactly all", Query{Page: Page{Max: 10}}, "a1 a2 a3 a4 a5 a6 a7 a8 a9 a10", 10},
		{"first", Query{Page: Page{Max: 3}}, "a1 a2 a3 ...", 10},
		{"next", Query{Page: Page{Max: 3, After: "a3"}}, "a4 a5 a6 ...", 10},
		{"to the end", Query{Page: Page{Max: 3, After: "a7"}}, "a8 a9 a10", 10},
		{"after the end", Query{Page: Page{Max: 3, After: "a10"}}, "", 10},
		{"last", Query{Page: Page{Max: 3, Last: true}}, "a8 a9 a10 ...", 10},
		{"before", Query{Page: Page{Max: 3, Before: "a8"}}, "a5 a6 a7 ...", 10},
		{"to the beginning", Query{Page: Page{Max: 3, Before: "a4"}}, "a1 a2 a3", 10},
		{"between", Query{Page: Page{Max: 3, After: "a3", Before: "a6"}}, "a4 a5", 10},
		{"count only", Query{Page: Page{}}, " ...", 10},
		{"start", Query{Start: minute(8), Page: Page{Max: 20}}, "a8 a9 a10", 3},
		{"end", Query{End: minute(3), Page: Page{Max: 20}}, "a1 a2 a3", 3},
		{"start and end", Query{Start: minute(4), End: minute(6), Page: Page{Max: 20}}, "a4 a5 a6", 3},
		{"end before start", Query{Start: minute(6), End: minute(4), Page: Page{Max: 20}}, "", 0},
		{"ids as filter", Query{AfterID: "a2", BeforeID: "a6", Page: Page{Max: 2}}, "a3 a4 ...", 3},
		{"ids and page", Query{AfterID: "a2", BeforeID: "a6", Page: Page{Max: 2, After: "a4"}}, "a5", 3},
		{"ids and last page", Query{AfterID: "a2", BeforeID: "a6", Page: Page{Max: 2, Last: true}}, "a4 a5 ...", 3},
		{"author", Query{Author: "eve", Page: Page{Max: 3}}, "a2 a4 a6 ...", 5},
		{"author, last", Query{Author: "eve", Page: Page{Max: 3, Last: true}}, "a6 a8 a10 ...", 5},
		{"nobody", Query{Author: "mallory", Page: Page{Max: 3}}, "", 0},
		{"unknown id", Query{Page: Page{Max: 3, After: "zz"}}, "not-found", 0},
		{"unknown id before", Query{Page: Page{Max: 3, Before: "zz"}}, "not-found", 0},
		{"unknown filter", Query{AfterID: "zz", Page: Page{Max: 3}}, "not-found", 0},
	} {
		if got := r.page(c.q); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
		if p, err := r.Page(t.Context(), lobby, c.q); err == nil && p.Count != c.n {
			t.Errorf("%s: counts %d, want %d", c.name, p.Count, c.n)
		}
	}
	p, err := r.Page(t.Context(), core.Ref{Account: "alice", Peer: "#other"}, Query{Page: Page{Max: 3, Last: true}})
	if err != nil || !p.Complete || len(p.Events) != 0 {
		t.Errorf("an unknown room: %+v, %v", p, err)
	}
}

func TestLastFindEventsEnds(t *testing.T) {
	r := newRig(t, Config{})
	if _, _, ok, err := r.Ends(t.Context(), lobby); ok || err != nil {
		t.Errorf("ends of nothing: %v, %v", ok, err)
	}
	r.ten()
	for _, c := range []struct {
		n     int
		since time.Time
		want  string
	}{
		{0, time.Time{}, ""}, {2, time.Time{}, "a9 a10"}, {100, noon.Add(-time.Minute), "a9 a10"}, {1, noon.Add(-time.Minute), "a10"},
		{5, noon.Add(time.Minute), ""},
	} {
		if got, err := r.Last(t.Context(), lobby, c.n, c.since); err != nil || ids(got) != c.want {
			t.Errorf("last %d since %s: %q, %v", c.n, c.since, ids(got), err)
		}
	}
	named := saidAt(0, "m1", "alice", "hi")
	named.Event.(*core.Message).Remote = "r1"
	named.Event.(*core.Message).Origin.ID = "o1"
	again := saidAt(0, "m2", "alice", "hi again")
	again.Event.(*core.Message).Origin.ID = "o1"
	r.add(named, again)
	for name, want := range map[string]core.MessageID{"m1": "m1", "r1": "m1", "o1": "m2", "a3": "a3"} {
		if got, err := r.Find(t.Context(), lobby, name); err != nil || got.ID != want {
			t.Errorf("find %s: %s, %v", name, got.ID, err)
		}
	}
	if _, err := r.Find(t.Context(), lobby, ""); core.KindOf(err) != core.NotFound {
		t.Errorf("find nothing: %v", err)
	}
	if got, err := r.Events(t.Context(), lobby, []core.MessageID{"a7", "a2", "a7"}); err != nil || ids(got) != "a2 a7" {
		t.Errorf("events: %q, %v", ids(got), err)
	}
	if _, err := r.Events(t.Context(), lobby, []core.MessageID{"a7", "zz"}); core.KindOf(err) != core.NotFound {
		t.Errorf("events: %v", err)
	}
	first, last, ok, err := r.Ends(t.Context(), lobby)
	if err != nil || !ok || first.ID != "a1" || last.ID != "m2" {
		t.Errorf("ends: %s, %s, %v, %v", first.ID, last.ID, ok, err)
	}
}

func TestRunTwiceIsOneHistory(t *testing.T) {
	r := newRig(t, Config{})
	r.ten()
	r.ten()
	r.stop()
	if got := r.page(Query{Page: Page{Max: 20}}); got != "a1 a2 a3 a4 a5 a6 a7 a8 a9 a10" {
		t.Errorf("kept %q", got)
	}
}

func TestReadingEndsWithItsContext(t *testing.T) {
	r := newStill(t, Config{}) // nobody writes
	r.add(saidAt(0, "a1", "dave", "x"))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := r.Last(ctx, lobby, 1, time.Time{}); !errors.Is(err, context.Canceled) || core.KindOf(err) != core.Unavailable {
		t.Errorf("%v", err)
	}
}
