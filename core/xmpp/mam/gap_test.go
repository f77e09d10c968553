package mam

import (
	"testing"

	"gangway/core"
	"gangway/core/archive"
)

// TestStable45: while the session fills a gap, a page says that there may be more of it later, and afterwards nothing.
func TestStable45(t *testing.T) {
	s := open(t)
	s.add("before")
	fin := func(stable string) {
		t.Helper()
		s.Expect(`<iq type='result' id='q'><fin xmlns='` + NS + `' complete='true' stable='` + stable + `'/></iq>`)
	}
	s.ask("")
	s.Expect(`<message/>`)
	fin("!")
	if _, err := s.kept.Since(t.Context(), ref); err != nil {
		t.Fatal(err)
	}
	s.ask("")
	s.Expect(`<message/>`)
	fin("false")
	missed := &core.Message{Ref: ref, IDs: core.IDs{ID: "m2", Remote: "r2"}, Room: true, Author: "eve", Text: "meanwhile", At: noon.Add(1)}
	if _, err := s.kept.Fill(t.Context(), ref, []core.Archived{{ID: "m2", Event: missed}}); err != nil {
		t.Fatal(err)
	}
	if err := s.kept.Filled(t.Context(), ref); err != nil {
		t.Fatal(err)
	}
	s.ask("")
	s.Expect(`<message><result xmlns='` + NS + `' id='m1'/></message>`)
	s.Expect(`<message><result xmlns='` + NS + `' id='m2'/></message>`)
	fin("!")
}

// TestUncounted: a number that is not known is not told.
func TestUncounted(t *testing.T) {
	s := openOn(t, func(a *archive.Archive) Archive { return large{a} })
	s.ten()
	s.ask(rsm("<max>1</max>"))
	s.Expect(`<message/>`)
	s.Expect(`<iq><fin xmlns='` + NS + `'><set ` + set + `><first>m1</first><no><count/></no></set></fin></iq>`)
}
