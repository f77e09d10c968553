package register

import (
	"strconv"
	"strings"

	"gangway/core"
	"gangway/core/xmpp/form"
)

// keep is what a user types to leave a field as it is, or empty.
const keep = "."

// Bounds of what is taken for one field, in bytes.
const (
	maxAnswer = 4096
	maxLong   = 32 << 10
)

const needed = "An answer is needed here."

// typed reads what was typed for a field, or says what is wrong with it.
func typed(f core.Field, text string) (value, wrong string) {
	if text == keep {
		if f.Value == "" && f.Required {
			return "", needed
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
	}
	return text, tooLong(f, text)
}

func tooLong(f core.Field, text string) (wrong string) {
	if most := mostOf(f); len(text) > most {
		return "That is too long."
	}
	return ""
}

func mostOf(f core.Field) int {
	if f.Type == core.LongField {
		return maxLong
	}
	return maxAnswer
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

// filled reads what a form has for the fields of a step, or says what is wrong
// with one. A field that is not there is empty; an empty secret is the present
// one.
func filled(step core.Step, s form.Submission) (values map[string]string, wrong string) {
	values = map[string]string{}
	for _, f := range step.Fields {
		if f.Type == core.NoteField {
			continue
		}
		v, why := filledField(f, s.Values(f.Name))
		if why == "" && v == "" && f.Required {
			why = needed
		}
		if values[f.Name] = v; why != "" && wrong == "" {
			wrong = fieldWrong(f, why)
		}
	}
	return values, wrong
}

// fieldWrong says which field of a form is wrong, and why.
func fieldWrong(f core.Field, why string) string {
	return strings.TrimRight(orDefault(f.Label, f.Name), ":?. ") + ": " + why
}

func filledField(f core.Field, given []string) (value, wrong string) {
	text := strings.Join(given, "\n")
	if f.Type != core.LongField && f.Type != core.SecretField {
		text = strings.TrimSpace(text)
	}
	if len(given) > 1 && f.Type != core.LongField {
		return "", "Only one answer is possible here."
	}
	switch f.Type {
	case core.SecretField:
		if text == "" {
			return f.Value, ""
		}
	case core.BoolField:
		switch strings.ToLower(text) {
		case "true", "1":
			return "true", ""
		case "", "false", "0":
			return "false", ""
		}
		return "", "This is yes or no."
	case core.ChoiceField:
		for _, o := range f.Options {
			if o.Value == text {
				return text, ""
			}
		}
		if text == "" {
			return "", ""
		}
		return "", "That is none of the choices."
	case core.TextField, core.PersonField:
		text = strings.Join(strings.FieldsFunc(text, func(r rune) bool { return r == '\n' || r == '\r' }), " ")
	}
	return text, tooLong(f, text)
}
