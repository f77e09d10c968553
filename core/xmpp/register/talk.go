package register

import (
	"context"
	"strings"

	"gangway/core"
)

// talk is a dialog in a chat, asked for field by field.
type talk struct {
	*dialog
	field  int               // of step, that is asked for now
	values map[string]string // answers to the step at hand
}

// beginTalk runs a command's first step, with what was typed after its name.
func beginTalk(ctx context.Context, user core.UserID, c Command, arg string) (reply, *talk) {
	var given map[string]string
	if c.Arg != "" && arg != "" {
		given = map[string]string{c.Arg: strings.Clone(arg)} // not the whole stanza with it
	}
	d, step, err := begin(ctx, user, c, given)
	return talkAbout(d, step, err)
}

// talkAbout says what a step says. A talk that is over is nil.
func talkAbout(d *dialog, step core.Step, err error) (reply, *talk) {
	switch {
	case err != nil:
		return reply{text: core.AsError(err).Sentence(), dialog: d}, nil
	case step.Done:
		return reply{text: orDefault(step.Text, "Done."), document: step.Document, file: step.File, dialog: d}, nil
	}
	t := &talk{dialog: d, values: map[string]string{}}
	t.field = -1
	notes := t.next()
	if t.field == len(step.Fields) {
		return reply{text: join(join(step.Text, notes), `Send "`+keep+`" to go on.`)}, t
	}
	return reply{text: join(join(step.Text, notes), question(step.Fields[t.field]))}, t
}

// next goes on to the next field that wants an answer, and returns the notes on
// the way there.
func (t *talk) next() (notes string) {
	for t.field++; t.field < len(t.step.Fields) && t.step.Fields[t.field].Type == core.NoteField; t.field++ {
		f := t.step.Fields[t.field]
		note := f.Value
		if f.Label != "" {
			note = f.Label + ": " + f.Value
		}
		notes = join(notes, note)
	}
	return notes
}

// fits reports whether a text can be the answer to what is asked for, also where
// it is the name of a command.
func (t *talk) fits(text string) bool {
	if t.field >= len(t.step.Fields) {
		return false
	}
	_, wrong := typed(t.step.Fields[t.field], text)
	return wrong == ""
}

// turn takes what the user typed as the answer to the field that was asked for.
func (t *talk) turn(ctx context.Context, text string) (reply, *talk) {
	notes := ""
	if t.field < len(t.step.Fields) {
		f := t.step.Fields[t.field]
		value, wrong := typed(f, text)
		if wrong != "" {
			return reply{text: join(wrong+` Send "cancel" to leave it.`, question(f))}, t
		}
		t.values[f.Name] = strings.Clone(value) // not the whole stanza with it
		notes = t.next()
	}
	if t.field < len(t.step.Fields) {
		return reply{text: join(notes, question(t.step.Fields[t.field]))}, t
	}
	step, err := t.take(ctx, t.values)
	return talkAbout(t.dialog, step, err)
}
