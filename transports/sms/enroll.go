package sms

import (
	"context"
	"slices"

	"gangway/core"
)

// Enroll hands out one of the numbers that nobody has.
func (t *transport) Enroll(ctx context.Context, _ core.UserID, current *core.Account, answers map[string]string) (core.Step, error) {
	if current != nil && slices.Contains(t.numbers, string(current.Own)) {
		return core.Step{
			Title: "SMS", Done: true, Link: current,
			Text: "Your number is " + string(current.Own) + ". Give it back with \"unregister\" to get another.",
		}, nil
	}
	free, err := t.free(ctx)
	if err != nil {
		return core.Step{}, err
	}
	if len(free) == 0 {
		return core.Step{}, core.E(core.OverLimit, "sms: enrol", "All numbers are taken. Ask the administrator for one.")
	}
	ask := core.Step{
		Title: "SMS", Text: "Which number would you like to have?",
		Fields: []core.Field{{Name: "number", Label: "Number", Type: core.ChoiceField, Value: free[0], Required: true}},
	}
	for _, n := range free {
		ask.Fields[0].Options = append(ask.Fields[0].Options, core.Option{Value: n, Label: n})
	}
	if answers == nil {
		return ask, nil
	}
	number := answers["number"]
	if target, err := t.Parse(number); err == nil {
		number = string(target.Address)
	}
	if !slices.Contains(free, number) {
		ask.Text = "That number is not free. Which one would you like to have?"
		return ask, nil
	}
	return core.Step{
		Title: "SMS", Text: "Your number is " + number + ". Write to a number such as +15551234567 to send a text message.",
		Done: true, Link: &core.Account{Own: core.Address(number)},
	}, nil
}

// free are the numbers that nobody has.
func (t *transport) free(ctx context.Context) ([]string, error) {
	var free []string
	for _, n := range t.numbers {
		_, err := t.host.Owner(ctx, core.Address(n), "")
		switch {
		case err == nil:
		case core.KindOf(err) == core.NotFound:
			free = append(free, n)
		default:
			return nil, err
		}
	}
	return free, nil
}
