package register

import (
	"context"
	"maps"
	"strconv"
	"strings"

	"gangway/core"
)

// keep is what a user types to leave a field as it is, or empty.
const keep = "."

// maxAnswer bounds what is taken for one field, in bytes.
const maxAnswer = 4096

// talk is a command in the middle of its steps, asked for field by field.
type talk struct {
	command Command
	answers map[string]string // to all steps so far
	step    core.Step
	field   int // of step, that is asked for now
}

// begin runs a command's first step, with what was typed after its name.
func begin(ctx context.Context, user core.UserID, c Command, arg string) (reply string, next *talk) {
	t := &talk{command: c}
	if c.Arg != "" && arg != "" {
		t.answers = map[string]string{c.Arg: arg}
	}
	return t.run(ctx, user)
}

// run takes the command one step further. A talk that is over is nil.
func (t *talk) run(ctx context.Context, user core.UserID) (reply string, next *talk) {
	step, err := t.command.Run(ctx, Request{User: user, Answers: maps.Clone(t.answers)})
	if err != nil {
		return core.AsError(err).Sentence(), nil
	}
	if step.Done {
		return orDefault(step.Text, "Done."), nil
	}
	t.step, t.field = step, 0
	if len(step.Fields) == 0 {
		return join(step.Text, `Send "`+keep+`" to go on.`), t
	}
	return join(step.Text, question(step.Fields[0])), t
}

// turn takes what the user typed as the answer to the field that was asked for.
func (t *talk) turn(ctx context.Context, user core.UserID, text string) (reply string, next *talk) {
	if t.field < len(t.step.Fields) {
		f := t.step.Fields[t.field]
		value, wrong := answer(f, text)
		if wrong != "" {
			return join(wrong, question(f)), t
		}
		t.set(f.Name, value)
		t.field++
	}
	if t.field < len(t.step.Fields) {
		return question(t.step.Fields[t.field]), t
	}
	if t.answers == nil {
		t.answers = map[string]string{} // nil would ask for the first step again
	}
	return t.run(ctx, user)
}

func (t *talk) set(name, value string) {
	if t.answers == nil {
		t.answers = map[string]string{}
	}
	t.answers[name] = strings.Clone(value) // not the whole stanza with it
}

// answer reads what was typed for a field, or says what is wrong with it.
func answer(f core.Field, text string) (value, wrong string) {
	if len(text) > maxAnswer {
		return "", "That is too long."
	}
	if text == keep {
		if f.Value == "" && f.Required {
			return "", "An answer is needed here."
		}
		return f.Value, ""
	}
	switch f.Type {
	case core.BoolField:
		switch strings.ToLower(text) {
		case "yes", "y", "true", "1":
			return "true", ""
		case "no", "n", "false", "0":
			return "false", ""
		}
		return "", "Please answer yes or no."
	case core.ChoiceField:
		return choose(f.Options, text)
	case core.TextField, core.SecretField:
	}
	return text, ""
}

// choose takes an option by its number in the list, its value or its label.
func choose(options []core.Option, text string) (value, wrong string) {
	if n, err := strconv.Atoi(text); err == nil && n >= 1 && n <= len(options) {
		return options[n-1].Value, ""
	}
	for _, o := range options {
		if strings.EqualFold(text, o.Value) || strings.EqualFold(text, o.Label) {
			return o.Value, ""
		}
	}
	return "", "Please answer with one of the numbers."
}
