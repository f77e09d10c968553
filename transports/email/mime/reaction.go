package mime

import (
	"encoding/json"
	"strings"
	"unicode"
)

// reactionJSON is how Gmail sends a reaction.
const reactionJSON = "text/vnd.google.email-reaction+json"

const (
	maxReactions = 20 // emoji in one mail
	maxEmoji     = 64 // bytes of one
)

// Reaction returns the emoji of a mail that is a reaction to the one that it answers (RFC 9078, and Gmail's own way);
// none if it is another mail.
func (m *Message) Reaction() []string {
	for _, p := range leaves(m.Root, nil) {
		if p.Type == reactionJSON {
			var g struct {
				Emoji string `json:"emoji"`
			}
			if json.Unmarshal(p.Content(4096), &g) == nil && isEmoji(g.Emoji) {
				return []string{g.Emoji}
			}
		}
		if kind, _ := p.Disposition(); kind != "reaction" || p.Type != "text/plain" {
			continue
		}
		var all []string
		text, _ := p.rendered()
		for _, word := range strings.Fields(text) {
			if !isEmoji(word) || len(all) == maxReactions {
				return nil
			}
			all = append(all, word)
		}
		return all
	}
	return nil
}

// isEmoji says whether a word can be a reaction: there is no text in it.
func isEmoji(s string) bool {
	if s == "" || len(s) > maxEmoji || Clean(s) != s {
		return false
	}
	symbol := false
	for _, r := range s {
		switch {
		case unicode.IsLetter(r), unicode.IsSpace(r), unicode.IsControl(r):
			return false
		case r > 0xff && !unicode.IsDigit(r):
			symbol = true
		}
	}
	return symbol
}
