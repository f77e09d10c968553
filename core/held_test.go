package core_test

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"gangway/core"
)

func lines(texts ...string) *core.Held {
	h := &core.Held{Ref: core.Ref{Account: alice.ID, Peer: "peer"}}
	for _, text := range texts {
		h.Lines = append(h.Lines, message(text))
	}
	return h
}

func TestFoldJoinsTexts(t *testing.T) {
	for _, c := range []struct {
		name  string
		lines []string
		want  string
	}{
		{"one is as it was written", []string{"Hi  \n"}, "Hi  \n"},
		{"lines", []string{"Hi", "how are you?", "bye"}, "Hi\nhow are you?\nbye"},
		{"a paragraph stands apart", []string{"Hi", "one\ntwo", "bye"}, "Hi\n\none\ntwo\n\nbye"},
		{"so does what is quoted", []string{"> you said", "no", "yes"}, "> you said\n\nno\nyes"},
		{"a file has no text", []string{"", "Hi", " ", "bye"}, "Hi\nbye"},
		{"newlines around a line", []string{"Hi\n\n", "\nbye"}, "Hi\nbye"},
		{"code that is open ends with its line", []string{"```\nx := 1", "and so on"}, "```\nx := 1\n```\n\nand so on"},
		{"code that is closed", []string{"```\nx := 1\n```", "and so on"}, "```\nx := 1\n```\n\nand so on"},
		{"an open fence alone", []string{"```go", "x"}, "```go\n```\nx"},
	} {
		if got := lines(c.lines...).Fold().Text; got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

func TestFoldKeepsAllThatWasSaid(t *testing.T) {
	h := lines("one", "", "three")
	h.Lines[0].Subject, h.Lines[0].Lang = "Plan", "en"
	h.Lines[1].Attachments = []core.Attachment{{URL: "https://files.example/a"}, {URL: "https://files.example/b"}}
	h.Lines[1].Lang = "de"
	h.Lines[2].Receipt = true
	h.Lines[2].Parts = []core.Part{{ID: "correction"}}
	before, err := json.Marshal(h)
	if err != nil {
		t.Fatal(err)
	}
	m := h.Fold()
	want := *h.Lines[0]
	want.Text, want.Attachments, want.Receipt, want.Lang = "one\nthree", h.Lines[1].Attachments, true, ""
	want.Parts = []core.Part{
		{ID: h.Lines[1].ID, Origin: h.Lines[1].Origin}, {ID: h.Lines[2].ID, Origin: h.Lines[2].Origin}, {ID: "correction"},
	}
	if !reflect.DeepEqual(m, &want) {
		t.Errorf("got\n%+v, want\n%+v", m, &want)
	}
	if after, _ := json.Marshal(h); string(after) != string(before) {
		t.Errorf("the lines were changed: %s", after)
	}
}

// FuzzFold holds a folded message to what was written: every line of text is in it, in order, and nothing else is but what
// joins them.
func FuzzFold(f *testing.F) {
	f.Add("Hi", "how are you?", "> quote\n", "```\ncode")
	f.Add("", "\n", "```", "``` \n```")
	f.Fuzz(func(t *testing.T, a, b, c, d string) {
		written := []string{a, b, c, d}
		h := lines(written...)
		m := h.Fold()
		if len(m.Parts) != 3 || m.ID != h.Lines[0].ID {
			t.Fatalf("parts %v", m.Parts)
		}
		var said []string
		for _, text := range written {
			if strings.TrimSpace(strings.Trim(text, "\n")) != "" {
				said = append(said, strings.Trim(text, "\n"))
			}
		}
		if !joined(m.Text, said, true) {
			t.Fatalf("%q became %q", said, m.Text)
		}
		name, body, err := core.EncodeEvent(h)
		if err != nil {
			t.Fatal(err)
		}
		if back, err := core.DecodeEvent(name, body); err != nil || len(back.(*core.Held).Lines) != 4 {
			t.Fatalf("decoded %v, %v", back, err)
		}
	})
}

// joined says whether a text is these, with nothing between them but what joins lines and ends code.
func joined(text string, said []string, first bool) bool {
	if len(said) == 0 {
		return text == "" || text == "\n```"
	}
	joints := []string{"\n", "\n\n", "\n```\n", "\n```\n\n"}
	if first {
		joints = []string{""}
	}
	for _, joint := range joints {
		if rest, ok := strings.CutPrefix(text, joint+said[0]); ok && joined(rest, said[1:], false) {
			return true
		}
	}
	return false
}
