package loopback

import (
	"context"
	"strings"

	"gangway/core"
)

// Enroll asks for the address and takes it.
func (t *transport) Enroll(_ context.Context, user core.UserID, _ *core.Account, answers map[string]string) (core.Step, error) {
	ask := core.Step{
		Title: "Loopback", Text: "Which address would you like?",
		Fields: []core.Field{{Name: "address", Label: "Address", Value: proposal(user), Required: true}},
	}
	if answers == nil {
		return ask, nil
	}
	target, err := t.Parse(answers["address"])
	if err != nil {
		ask.Text = core.AsError(err).Sentence()
		return ask, nil
	}
	return core.Step{
		Title: "Loopback", Text: "You are " + string(target.Address) + ". Write to \"echo\" to try it.", Done: true,
		Link: &core.Account{Own: target.Address},
	}, nil
}

// proposal is the part of a user's name that can be an address.
func proposal(user core.UserID) string {
	name, _, _ := strings.Cut(string(user), "@")
	return strings.ToLower(name)
}
