package irc

import (
	"context"

	"gangway/core"
)

const formatsChoice = "formats"

var _ core.Chooser = (*transport)(nil)

// Choices implements core.Chooser.
func (t *transport) Choices() []core.Field {
	return []core.Field{{
		Name: formatsChoice, Type: core.BoolField, Value: "true",
		Label: "Show *bold*, _italic_ and `code` in the styles of IRC",
	}}
}

// formats says whether the user wants their styles shown on IRC. Who has not chosen does.
func (s *session) formats(ctx context.Context) bool {
	p, err := s.t.host.Preferences(ctx, s.account.ID)
	if err != nil {
		s.t.log.Debug("preferences not found out", "account", s.account.ID, "err", err)
	}
	switch p.Own[formatsChoice] {
	case "false", "0":
		return false
	}
	return true
}
