package irc

import (
	"testing"

	"gangway/core"
)

func TestFilesAreNamed(t *testing.T) {
	const at = "https://files.example/1.jpg"
	files := []core.Attachment{{URL: at}, {Name: "without an address"}}
	for text, want := range map[string]string{"": "\n" + at, "look": "look\n" + at, "see " + at: "see " + at} {
		if got := said(&core.Message{Text: text, Attachments: files}); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

// No word is lost.
