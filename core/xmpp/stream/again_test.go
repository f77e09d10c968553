package stream

import (
	"errors"
	"strings"
	"testing"
)

func TestAgain(t *testing.T) {
	e := Encoder{Domain: "gw.test"}
	e.Empty("presence", "", "from", "gw.test", "to", "first@x.test")
	e.Start("message", "", "from", "a@gw.test", "to", "bob@x.test/one", "type", "chat")
	e.Leaf("body", "", "hi & bye")
	e.Start("wrap", "urn:x", "to", "inside")
	e.End()
	e.End()
	e.Again("carol@x.test/<two>'")
	e.Again("d@x.test")
	if err := e.Err(); err != nil || e.Count() != 4 {
		t.Fatalf("%d stanzas, %v", e.Count(), err)
	}
	start := 0
	for i, to := range []string{"first@x.test", "bob@x.test/one", "carol@x.test/<two>'", "d@x.test"} {
		st, err := Parse(string(e.Bytes()[start:e.Ends()[i]]))
		if err != nil {
			t.Fatal(err)
		}
		start = e.Ends()[i]
		if st.To != to || i > 0 && (st.Body() != "hi & bye" || st.Child("urn:x", "wrap").Attr("to") != "inside" || st.From != "a@gw.test") {
			t.Errorf("%d: %s", i, st)
		}
	}
}

func TestAgainRefused(t *testing.T) {
	for name, fn := range map[string]func(*Encoder){
		"nothing before": func(e *Encoder) { e.Again("x@y") },
		"in the middle":  func(e *Encoder) { e.Start("message", "", "to", "x@y"); e.Again("x@y") },
		"without a to":   func(e *Encoder) { e.Empty("message", ""); e.Again("x@y") },
	} {
		var e Encoder
		if fn(&e); !errors.Is(e.Err(), ErrUnbalanced) {
			t.Errorf("%s: %v", name, e.Err())
		}
	}
	var e Encoder
	e.Empty("message", "", "to", "x@y")
	if e.Again(""); !errors.Is(e.Err(), ErrAddress) {
		t.Errorf("to nobody: %v", e.Err())
	}
	e = Encoder{Max: 60}
	e.Empty("message", "", "to", "x@y")
	if e.Again(strings.Repeat("x", 60)); !errors.Is(e.Err(), ErrTooLarge) || e.Count() != 1 {
		t.Errorf("too large: %v", e.Err())
	}
}
