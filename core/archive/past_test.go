package archive

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"gangway/core"
)

// told is a message of the lobby as the network names it.
func told(minutes float64, id, remote, author, text string) core.Archived {
	e := saidAt(minutes, id, author, text)
	e.Event.(*core.Message).Remote = core.RemoteID(remote)
	return e
}

// TestToldAgain: what a network tells again of the past is there once, and what it tells late has its place in time.
func TestToldAgain(t *testing.T) {
	r := newRig(t, Config{})
	for _, c := range []struct {
		name  string
		live  []core.Archived
		again []core.Archived
		want  string
	}{
		{
			name: "a gap is filled in order of time",
			live: []core.Archived{told(30, "a", "ra", "dave", "one"), told(10, "d", "rd", "dave", "four")},
			again: []core.Archived{told(30, "a", "ra", "dave", "one"), told(25, "b", "rb", "dave", "two"), told(20, "c", "rc", "eve", "three"),
				told(10, "d", "rd", "dave", "four")},
			want: "a b c d",
		},
		{
			name:  "the same name under another id",
			live:  []core.Archived{told(30, "mine", "ra", "alice", "said from here")},
			again: []core.Archived{told(30, "other", "ra", "alice", "said from here")},
			want:  "mine",
		},
		{
			name:  "named now, unnamed then, our clock differs",
			live:  []core.Archived{saidAt(30, "a", "alice", "no echo")},
			again: []core.Archived{told(30.05, "b", "rb", "alice", "no echo")},
			want:  "a",
		},
		{
			name:  "never named, the network's clock",
			live:  []core.Archived{saidAt(30, "a", "dave", "by a bouncer")},
			again: []core.Archived{saidAt(30.01, "b", "dave", "by a bouncer")},
			want:  "a",
		},
		{
			name:  "the same words some time later are others",
			live:  []core.Archived{saidAt(30, "a", "dave", "hm")},
			again: []core.Archived{saidAt(29, "b", "dave", "hm"), told(28, "c", "rc", "dave", "hm")},
			want:  "a b c",
		},
		{
			name:  "the same words of somebody else are others",
			live:  []core.Archived{saidAt(30, "a", "dave", "hm")},
			again: []core.Archived{saidAt(30, "b", "eve", "hm")},
			want:  "a b",
		},
		{
			name:  "a named one is not taken for another named one",
			live:  []core.Archived{told(30, "a", "ra", "dave", "hm")},
			again: []core.Archived{told(30, "b", "rb", "dave", "hm")},
			want:  "a b",
		},
		{
			name: "people repeat themselves",
			live: []core.Archived{saidAt(0, "a", "dave", "hm"), saidAt(0, "b", "dave", "hm"), saidAt(0, "c", "dave", "hm")},
			want: "a b c",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, restart := range []bool{false, true} {
				r := r.emptied(t)
				r.add(c.live...)
				if restart { // one transaction less
					if got := r.page(Query{Page: Page{Max: 1}}); got == "" {
						t.Fatal("nothing is there")
					}
				}
				r.add(c.again...)
				r.add(c.again...)
				if got := r.page(Query{Page: Page{Max: 20}}); got != c.want {
					t.Errorf("kept %q, want %q", got, c.want)
				}
			}
		})
	}
}

// TestAnyOrderIsOneHistory: in whatever order and how often messages with names come, the history is the same.
func TestAnyOrderIsOneHistory(t *testing.T) {
	var all []core.Archived
	want := ""
	for i := range 40 {
		all = append(all, told(float64(60-i), fmt.Sprintf("m%02d", i), fmt.Sprint("r", i), "dave", fmt.Sprint("text ", i%3)))
		want += fmt.Sprintf(" m%02d", i)
	}
	random := rand.New(rand.NewPCG(1, 2))
	for range 5 {
		r := newRig(t, Config{})
		for range 3 {
			random.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
			r.add(all...)
		}
		if got := r.page(Query{Page: Page{Max: 100}}); " "+got != want {
			t.Errorf("kept %q", got)
		}
	}
}
