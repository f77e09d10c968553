package irc

import (
	"context"
	"strconv"

	"gangway/core"
)

// What users may choose for IRC, and the values.
const (
	formatsChoice = "formats"
	editsChoice   = "edits"
	pastesChoice  = "pastes"

	editsMark   = "mark"   // "* the new text"
	editsSed    = "sed"    // "s/old/new/" where one word is different, else as mark
	editsHold   = "hold"   // what is said waits a moment for its correction, which is later made as mark
	editsRefuse = "refuse" // an error
	pastesNever = "never"
)

var _ core.Chooser = (*transport)(nil)

// Choices implements core.Chooser.
func (t *transport) Choices() []core.Field {
	return []core.Field{
		{
			Name: formatsChoice, Type: core.BoolField, Value: "true",
			Label: "Show *bold*, _italic_ and `code` in the styles of IRC",
		},
		{
			Name: editsChoice, Type: core.ChoiceField, Value: editsMark,
			Label: "Corrections, which IRC does not know", Options: []core.Option{
				{Value: editsMark, Label: "are said as \"* the new text\""},
				{Value: editsSed, Label: "are said as \"s/old/new/\" where one word is different"},
				{Value: editsHold, Label: "are waited for: everything is said three seconds later"},
				{Value: editsRefuse, Label: "are refused"},
			},
		},
		{
			Name: pastesChoice, Type: core.ChoiceField, Value: pastesNever,
			Label: "Long messages become a file with a link", Options: []core.Option{
				{Value: pastesNever, Label: "never"}, {Value: "5", Label: "from more than 5 lines on"},
				{Value: "10", Label: "from more than 10 lines on"}, {Value: "25", Label: "from more than 25 lines on"},
			},
		},
	}
}

// choices are what the user chose.
type choices struct{ own map[string]string }

func (s *session) choices(ctx context.Context) choices {
	p, err := s.t.host.Preferences(ctx, s.account.ID)
	if err != nil {
		s.t.log.Debug("preferences not found out", "account", s.account.ID, "err", err)
	}
	return choices{p.Own}
}

// of returns a choice for one conversation: its own, or else the one for all.
func (c choices) of(name string, peer core.Address) string {
	return firstOf(c.own[name+" "+string(peer)], c.own[name])
}

// formats says whether the user wants their styles shown on IRC. Who has not chosen does.
func (c choices) formats(peer core.Address) bool {
	chosen := c.of(formatsChoice, peer)
	return chosen != "false" && chosen != "0"
}

func (c choices) edits(peer core.Address) string { return firstOf(c.of(editsChoice, peer), editsMark) }

// pastes returns how many lines a message may have before it becomes a file; 0: any number.
func (c choices) pastes(peer core.Address) int {
	n, err := strconv.Atoi(c.of(pastesChoice, peer))
	if err != nil || n < 1 {
		return 0
	}
	return n
}
