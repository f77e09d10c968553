package register

import (
	"context"
	"maps"
	"slices"

	"gangway/core"
)

// maxSteps bounds how often a command may ask.
const maxSteps = 50

// dialog is a command in the middle of its steps, behind whichever door. One
// goroutine at a time has it: a user's stanzas are served one after the other.
type dialog struct {
	command Command
	user    core.UserID
	answers map[string]string // to all steps so far; nil before the first
	step    core.Step         // what is asked now
	last    core.Step         // the one that ended it
	past    []turn            // what was asked and answered before it
	turns   int
}

// turn is a step that was answered.
type turn struct {
	step    core.Step
	answers map[string]string // before it
}

// begin runs a command's first step. given are answers that came with the
// command; nil for none.
func begin(ctx context.Context, user core.UserID, c Command, given map[string]string) (*dialog, core.Step, error) {
	d := &dialog{command: c, user: user, answers: given}
	step, err := d.run(ctx)
	return d, step, err
}

// run asks the command for its next step.
func (d *dialog) run(ctx context.Context) (core.Step, error) {
	step, err := d.command.Run(ctx, d.request())
	switch {
	case err != nil:
	case step.Done:
		d.last = step
	default:
		d.step = step
	}
	return step, err
}

// request is the turn at hand.
func (d *dialog) request() Request {
	return Request{User: d.user, Answers: maps.Clone(d.answers)}
}

// take gives the answers to the step at hand, and returns what is next.
func (d *dialog) take(ctx context.Context, values map[string]string) (core.Step, error) {
	if d.turns++; d.turns > maxSteps {
		return core.Step{}, core.E(core.OverLimit, "register: dialog", "That has become too long. Please begin again.")
	}
	before := turn{withValues(d.step, values), d.answers}
	answers := maps.Clone(d.answers)
	if answers == nil {
		answers = map[string]string{} // nil would ask for the first step again
	}
	maps.Copy(answers, values)
	d.answers = answers
	step, err := d.run(ctx)
	if err != nil || step.Done {
		return step, err
	}
	if again(step, before.step) {
		d.step = fillIn(step, values)
	} else {
		d.past = append(d.past, before)
	}
	return d.step, nil
}

// back makes the step before this one the one at hand again.
func (d *dialog) back() bool {
	if len(d.past) == 0 {
		return false
	}
	last := d.past[len(d.past)-1]
	d.past = d.past[:len(d.past)-1]
	d.step, d.answers = last.step, last.answers
	return true
}

// withValues is a step with answers as its proposals, but for secrets.
func withValues(step core.Step, values map[string]string) core.Step {
	step.Fields = slices.Clone(step.Fields)
	for i := range step.Fields {
		f := &step.Fields[i]
		if v, ok := values[f.Name]; ok && f.Type != core.SecretField {
			f.Value = v
		}
	}
	return step
}

// fillIn has the questions of a step that is asked again keep their answers, where
// it proposes nothing itself: one of several was wrong. A secret that stays in
// Value is not shown.
func fillIn(step core.Step, values map[string]string) core.Step {
	if len(step.Fields) < 2 {
		return step
	}
	step.Fields = slices.Clone(step.Fields)
	for i := range step.Fields {
		if f := &step.Fields[i]; f.Value == "" {
			f.Value = values[f.Name]
		}
	}
	return step
}

// again reports whether a step asks only what the one before it did: then the
// answers would not do.
func again(step, before core.Step) bool {
	for _, f := range step.Fields {
		if !slices.ContainsFunc(before.Fields, func(g core.Field) bool { return g.Name == f.Name }) {
			return false
		}
	}
	return len(step.Fields) > 0
}

// asks reports whether a step wants anything answered.
func asks(step core.Step) bool {
	return slices.ContainsFunc(step.Fields, func(f core.Field) bool { return f.Type != core.NoteField })
}
