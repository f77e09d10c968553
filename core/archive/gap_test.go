package archive

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"gangway/core"
)

// since returns where the gap of the lobby begins: a name, and how many seconds before noon.
func (r *rig) since() string {
	r.t.Helper()
	m, err := r.Since(r.t.Context(), lobby)
	if err != nil {
		return core.KindOf(err).String()
	}
	return fmt.Sprintf("%s %v", m.Remote, noon.Sub(m.At).Seconds())
}

// fill fills the gap of the lobby and returns the ids that were new.
func (r *rig) fill(page ...core.Archived) string {
	r.t.Helper()
	fresh, err := r.Fill(r.t.Context(), lobby, page)
	if err != nil {
		r.t.Fatal(err)
	}
	return ids(fresh)
}

func (r *rig) filled() {
	r.t.Helper()
	if err := r.Filled(r.t.Context(), lobby); err != nil {
		r.t.Fatal(err)
	}
}

// mine makes a message one's own.
func mine(e core.Archived) core.Archived {
	e.Event.(*core.Message).Mine = true
	return e
}

// heard adds events as they are said.
func (r *rig) heard(all ...core.Archived) {
	r.t.Helper()
	defer func() { r.now = func() time.Time { return noon } }()
	for _, e := range all {
		r.now = func() time.Time { return e.At }
		r.add(e)
	}
}

// second is the unit of a message's time in minutes.
const second = 1.0 / 60

// TestFillTells: every line that the network tells is there once, and as often as it tells it.
func TestFillTells(t *testing.T) {
	r := newRig(t, Config{})
	for _, c := range []struct {
		name        string
		live        []core.Archived
		pages       [][]core.Archived
		fresh, want string
	}{
		{
			name: "overlap",
			live: []core.Archived{told(9, "a", "ra", "dave", "1"), told(8, "b", "rb", "eve", "2")},
			pages: [][]core.Archived{{told(9, "a", "ra", "dave", "1"), told(8, "b", "rb", "eve", "2"), told(7, "c", "rc", "dave", "3")},
				{told(6, "d", "rd", "dave", "4")}},
			fresh: "c d", want: "a b c d",
		},
		{
			name: "a gap, and what was said live while it was filled",
			live: []core.Archived{told(9, "a", "ra", "dave", "1"), told(1, "d", "rd", "dave", "4")},
			pages: [][]core.Archived{{told(5, "b", "rb", "dave", "2"), told(4, "c", "rc", "dave", "3")},
				{told(1, "d", "rd", "dave", "4")}},
			fresh: "b c", want: "a b c d",
		},
		{
			name:  "two equal lines in one second, with names",
			live:  []core.Archived{told(9, "a", "ra", "dave", "hm")},
			pages: [][]core.Archived{{told(9, "a", "ra", "dave", "hm"), told(9, "b", "rb", "dave", "hm")}},
			fresh: "b", want: "a b",
		},
		{
			name:  "two equal lines in one second, without names",
			pages: [][]core.Archived{{saidAt(9, "a", "dave", "hm"), saidAt(9, "b", "dave", "hm")}},
			fresh: "a b", want: "a b",
		},
		{
			name:  "two equal lines in one second, of which one was there",
			live:  []core.Archived{saidAt(9, "a", "dave", "hm")},
			pages: [][]core.Archived{{saidAt(9, "x", "dave", "hm"), saidAt(9, "b", "dave", "hm")}},
			fresh: "b", want: "a b",
		},
		{
			name:  "both were there",
			live:  []core.Archived{saidAt(9, "a", "dave", "hm"), saidAt(9-second/2, "b", "dave", "hm")},
			pages: [][]core.Archived{{saidAt(9, "x", "dave", "hm"), saidAt(9-second/2, "y", "dave", "hm")}},
			want:  "a b",
		},
		{
			name:  "an equal line on the next page is another",
			live:  []core.Archived{saidAt(9, "a", "dave", "hm")},
			pages: [][]core.Archived{{saidAt(9, "x", "dave", "hm")}, {saidAt(9, "b", "dave", "hm")}},
			fresh: "b", want: "a b",
		},
		{
			name:  "our clock is behind the network's",
			live:  []core.Archived{mine(saidAt(9, "a", "alice", "no echo")), mine(saidAt(8.9, "b", "alice", "no echo"))},
			pages: [][]core.Archived{{mine(told(8.7, "x", "ra", "alice", "no echo")), mine(told(8.6, "y", "rb", "alice", "no echo"))}},
			want:  "a b",
		},
		{
			name:  "our clock is ahead of the network's",
			live:  []core.Archived{mine(saidAt(8.7, "a", "alice", "no echo"))},
			pages: [][]core.Archived{{mine(told(9, "x", "ra", "alice", "no echo")), mine(told(5, "b", "rb", "alice", "no echo"))}},
			fresh: "b", want: "a b",
		},
		{
			name:  "somebody else said the same",
			live:  []core.Archived{saidAt(9, "a", "dave", "hm")},
			pages: [][]core.Archived{{told(9, "b", "rb", "eve", "hm")}},
			fresh: "b", want: "a b",
		},
		{
			name:  "the page is told again",
			pages: [][]core.Archived{{told(9, "a", "ra", "dave", "1")}, {told(9, "a", "ra", "dave", "1")}},
			fresh: "a", want: "a",
		},
		{
			name: "an edit, with its original and without",
			live: []core.Archived{told(9, "a", "ra", "dave", "thx")},
			pages: [][]core.Archived{{correction(8, "b", "the", core.IDs{Remote: "ra"}), correction(8, "b", "the", core.IDs{Remote: "ra"}),
				correction(7, "c", "other", core.IDs{Remote: "long ago"})}},
			fresh: "b c", want: "a b c",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := r.emptied(t)
			r.heard(c.live...)
			r.since()
			var fresh []string
			for _, page := range c.pages {
				if got := r.fill(page...); got != "" {
					fresh = append(fresh, got)
				}
			}
			if got := strings.Join(fresh, " "); got != c.fresh {
				t.Errorf("new were %q, want %q", got, c.fresh)
			}
			r.filled()
			for range 2 { // the whole of it once more, in another gap
				if got := r.page(Query{Page: Page{Max: 20}}); got != c.want {
					t.Errorf("kept %q, want %q", got, c.want)
				}
				r.since()
				for _, page := range c.pages {
					if got := r.fill(page...); got != "" {
						t.Errorf("new once more: %q", got)
					}
				}
			}
		})
	}
}

// TestNameIsLearned: a message that was kept without a name has the network's once that has told it.
func TestNameIsLearned(t *testing.T) {
	r := newRig(t, Config{})
	r.add(mine(saidAt(9, "a", "alice", "no echo")))
	r.fill(mine(told(8.8, "x", "ra", "alice", "no echo")))
	e, err := r.Find(t.Context(), lobby, "ra")
	if err != nil || e.ID != "a" || e.Event.(*core.Message).Remote != "ra" {
		t.Errorf("%+v, %v", e, err)
	}
	if got := r.since(); got != "ra 541" {
		t.Errorf("since %s", got)
	}
}

// TestReactionsToldAgain: a reaction that was put on from here, under the id of its client, is known when it is told.
func TestReactionsToldAgain(t *testing.T) {
	r := newRig(t, Config{})
	on := func(id, origin string, emoji ...string) core.Archived {
		re := &core.Reaction{Ref: lobby, IDs: core.IDs{ID: "m1"}, Room: true, Author: "alice", Mine: true, Emoji: emoji, At: noon.Add(-time.Hour),
			Origin: core.Origin{ID: origin}}
		return core.Archived{ID: core.MessageID(id), At: re.At, Event: re}
	}
	r.add(on("a", "o1", "+"))
	if got := r.fill(on("x", "", "+"), on("b", "", "-")); got != "b" {
		t.Errorf("new: %q", got)
	}
}

// TestSince: the gap begins with the end of what is there, and stays open until it is filled, across restarts.
func TestSince(t *testing.T) {
	r := newRig(t, Config{})
	if got := r.since(); got != "not-found" {
		t.Errorf("an unknown room: %s", got)
	}
	r.add(saidAt(10, "a", "dave", "1"))
	if got := r.since(); got != "  630" && got != " 630" {
		t.Errorf("without names: %q", got)
	}
	r.filled()
	r.add(told(9, "b", "rb", "dave", "2"), mine(saidAt(8, "c", "alice", "3")))
	if got := r.since(); got != "rb 541" {
		t.Errorf("with names: %q", got)
	}
	r.add(told(0, "z", "rz", "dave", "live again"))
	if got := r.since(); got != "rb 541" {
		t.Errorf("it is open, and moved with what is said: %q", got)
	}
	r.fill(told(7, "d", "rd", "dave", "4"), told(6, "e", "re", "dave", "5"))
	again, err := Open(t.Context(), r.db, Config{})
	if err != nil {
		t.Fatal(err)
	}
	if m, err := again.Since(t.Context(), lobby); err != nil || m.Remote != "re" || noon.Sub(m.At) != 361*time.Second {
		t.Errorf("after a restart: %+v, %v", m, err)
	}
	if p, err := r.Page(t.Context(), lobby, Query{Page: Page{Max: 1}}); err != nil || !p.Open {
		t.Errorf("open: %+v, %v", p, err)
	}
	r.filled()
	r.filled()
	if got := r.since(); got != "rz 1" {
		t.Errorf("once it was filled: %q", got)
	}
}

// TestFillLong: a page that is longer than a transaction.
func TestFillLong(t *testing.T) {
	r := newRig(t, Config{})
	var page []core.Archived
	for i := range batch + 3 {
		page = append(page, told(float64(2000-i), fmt.Sprint("m", i), fmt.Sprint("r", i), "dave", "text"))
	}
	r.add(page[0], page[batch+1])
	r.since()
	fresh, err := r.Fill(t.Context(), lobby, page)
	if err != nil || len(fresh) != len(page)-2 || fresh[0].ID != "m1" {
		t.Fatalf("%d new, %v", len(fresh), err)
	}
	if m, err := r.Since(t.Context(), lobby); err != nil || m.Remote != core.RemoteID(fmt.Sprint("r", len(page)-1)) {
		t.Errorf("since %+v, %v", m, err)
	}
	if p, err := r.Page(t.Context(), lobby, Query{}); err != nil || p.Count != len(page) {
		t.Errorf("%d kept, %v", p.Count, err)
	}
}

// TestFillTakenBack: what was taken back is not told again, whichever of the two is told first.
func TestFillTakenBack(t *testing.T) {
	r := newRig(t, Config{})
	gone := told(9, "m1", "r1", "dave", "first")
	r.add(retraction("x", core.IDs{ID: "m1", Remote: "r1"}))
	r.fill(gone, correction(8, "m2", "second", core.IDs{ID: "m1"}), told(7, "m3", "r3", "dave", "third"), retraction("y", core.IDs{ID: "m3"}))
	if got := r.texts(); got != "m1:(x) m2:(x) m3:(y) x: y:" {
		t.Errorf("%s", got)
	}
	r.fill(gone)
	if got := r.texts(); got != "m1:(x) m2:(x) m3:(y) x: y:" {
		t.Errorf("told again: %s", got)
	}
}

func TestFillRefuses(t *testing.T) {
	r := newRig(t, Config{})
	elsewhere := told(1, "a", "ra", "dave", "x")
	elsewhere.Event.(*core.Message).Peer = "#other"
	for what, e := range map[string]core.Archived{"another room": elsewhere, "no id": told(1, "", "", "dave", "x"), "nothing": {ID: "a"}} {
		if _, err := r.Fill(t.Context(), lobby, []core.Archived{told(1, "b", "rb", "dave", "y"), e}); core.KindOf(err) != core.Invalid {
			t.Errorf("%s: %v", what, err)
		}
	}
	if got := r.page(Query{Page: Page{Max: 9}}); got != "" {
		t.Errorf("kept %q", got)
	}
	if err := r.db.Close(); err != nil {
		t.Fatal(err)
	}
	_, err := r.Fill(t.Context(), lobby, []core.Archived{told(1, "b", "rb", "dave", "y")})
	if core.KindOf(err) != core.Unavailable {
		t.Errorf("a store that is closed: %v", err)
	}
}

// TestBegin: the first entry into a room is a place from which a gap can be filled, though nothing was ever said.
func TestBegin(t *testing.T) {
	r := newRig(t, Config{})
	begin := func() {
		t.Helper()
		if err := r.Begin(t.Context(), lobby); err != nil {
			t.Fatal(err)
		}
	}
	expect := func(when, want string) {
		t.Helper()
		if got := r.since(); got != want {
			t.Errorf("%s: the gap begins at %q, want %q", when, got, want)
		}
	}
	expect("before", "not-found")
	begin()
	expect("entered, and not filled", " 30")
	r.filled()
	if _, err := r.Sweep(t.Context()); err != nil {
		t.Fatal(err)
	}
	r.now = func() time.Time { return noon.Add(time.Hour) }
	begin()
	expect("entered again", " 30")
	r.filled()
	r.now = func() time.Time { return noon }
	r.heard(told(1, "a", "ra", "dave", "1"))
	expect("something was said", "ra 61")
	if err := r.ForgetRoom(t.Context(), lobby); err != nil {
		t.Fatal(err)
	}
	expect("forgotten", "not-found")
}
