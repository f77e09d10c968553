package archive

import (
	"strings"
	"testing"
	"time"

	"gangway/core"
)

func retraction(id string, about core.IDs) core.Archived {
	return core.Archived{ID: core.MessageID(id), At: noon, Event: &core.Retraction{Ref: lobby, IDs: about, Room: true, Author: "dave"}}
}

func correction(minutes float64, id, text string, about core.IDs) core.Archived {
	e := saidAt(minutes, id, "dave", text)
	e.Event.(*core.Message).Replaces = about
	return e
}

// texts are the events of the lobby: what they say, and what took them back.
func (r *rig) texts() string {
	r.t.Helper()
	all, err := r.Last(r.t.Context(), lobby, 100, time.Time{})
	if err != nil {
		r.t.Fatal(err)
	}
	var s []string
	for _, e := range all {
		text := string(e.ID) + ":"
		if m, ok := e.Event.(*core.Message); ok {
			text += m.Text
			for _, f := range m.Attachments {
				text += f.URL
			}
		}
		if e.Retracted != "" {
			text += "(" + string(e.Retracted) + ")"
		}
		s = append(s, text)
	}
	return strings.Join(s, " ")
}

// TestRetractionEmpties: what was taken back is nowhere to be found, whatever it was called by, and says so in its place.
func TestRetractionEmpties(t *testing.T) {
	for _, c := range []struct {
		name  string
		about core.IDs
		want  string
	}{
		{"by id", core.IDs{ID: "m1"}, "m1:(x) m2:(x) m3:third x:"},
		{"by the network's name", core.IDs{Remote: "r1"}, "m1:(x) m2:(x) m3:third x:"},
		{"by its correction", core.IDs{ID: "m2"}, "m1:(x) m2:(x) m3:third x:"},
		{"unknown", core.IDs{ID: "zz", Remote: "zz"}, "m1:first m2:second m3:third x:"},
		{"nothing", core.IDs{}, "m1:first m2:second m3:third x:"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newRig(t, Config{})
			first := told(9, "m1", "r1", "dave", "first")
			first.Event.(*core.Message).Mine = true
			r.add(first, correction(8, "m2", "second", core.IDs{ID: "m1"}), saidAt(7, "m3", "dave", "third"), retraction("x", c.about))
			if got := r.texts(); got != c.want {
				t.Fatalf("%s, want %s", got, c.want)
			}
			r.add(retraction("x", c.about), retraction("y", c.about)) // told again, and once more by another name
			if got := r.texts(); got != c.want+" y:" {
				t.Errorf("told again: %s", got)
			}
			e, err := r.Find(t.Context(), lobby, "r1")
			m, ok := e.Event.(*core.Message)
			if err != nil || !ok || m.Author != "dave" || !m.Mine || !m.Room || m.Remote != "r1" || !e.At.Equal(noon.Add(-9*time.Minute)) {
				t.Errorf("what is left: %+v, %v", e, err)
			}
			if e.Retracted != "" && !e.RetractedAt.Equal(noon) {
				t.Errorf("taken back at %s", e.RetractedAt)
			}
		})
	}
}

// TestRetractionLeavesOthers: neither another room of the same names, nor another user's.
func TestRetractionLeavesOthers(t *testing.T) {
	r := newRig(t, Config{})
	r.add(saidAt(1, "m1", "dave", "mine"))
	other := retraction("x", core.IDs{ID: "m1"})
	other.Event.(*core.Retraction).Account = "bob"
	elsewhere := retraction("y", core.IDs{ID: "m1"})
	elsewhere.Event.(*core.Retraction).Peer = "#other"
	r.add(other, elsewhere)
	if got := r.texts(); got != "m1:mine" {
		t.Errorf("%s", got)
	}
}

// TestCorrectionsAreKept: each version stands where it was said (XEP-0313 leaves it to clients to merge them).
func TestCorrectionsAreKept(t *testing.T) {
	r := newRig(t, Config{})
	first, second := told(9, "m1", "r1", "dave", "one"), correction(8, "m2", "two", core.IDs{Remote: "r1"})
	second.Event.(*core.Message).Remote = "r1" // a network that keeps the name of what is edited
	r.add(first, second, correction(7, "m3", "three", core.IDs{ID: "m2"}), correction(6, "m4", "four", core.IDs{ID: "gone"}))
	if got := r.texts(); got != "m1:one m2:two m3:three m4:four" {
		t.Errorf("%s", got)
	}
	r.add(retraction("x", core.IDs{ID: "m3"}))
	if got := r.texts(); got != "m1:(x) m2:(x) m3:(x) m4:four x:" {
		t.Errorf("%s", got)
	}
}
