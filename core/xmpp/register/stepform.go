package register

import (
	"strings"

	"gangway/core"
	"gangway/core/xmpp/form"
)

// formOf is a step's questions as a form. Secrets are never filled in.
func formOf(step core.Step, formType string) form.Form {
	x := form.Form{Type: "form", FormType: formType, Title: step.Title, Instructions: step.Text}
	for _, f := range step.Fields {
		x.Fields = append(x.Fields, fieldOf(f))
	}
	return x
}

func fieldOf(f core.Field) form.Field {
	out := form.Field{Var: f.Name, Label: f.Label, Required: f.Required}
	if f.Value != "" {
		out.Values = []string{f.Value}
	}
	switch f.Type {
	case core.TextField:
		out.Type = "text-single"
	case core.SecretField:
		out.Type = "text-private"
		if f.Value != "" {
			out.Values, out.Required = nil, false // empty keeps the present one
			out.Label += " (empty: as it is)"
		}
	case core.ChoiceField:
		out.Type = "list-single"
		for _, o := range f.Options {
			out.Options = append(out.Options, form.Option(o))
		}
	case core.BoolField:
		out.Type = "boolean"
	case core.LongField:
		out.Type = "text-multi"
		if f.Value != "" {
			out.Values = strings.Split(f.Value, "\n")
		}
	case core.PersonField:
		out.Type = "jid-single"
	case core.NoteField:
		out.Type, out.Var, out.Required = "fixed", "", false
	}
	return out
}

// resultOf is what a user keeps of a command that is done; false if it is only
// what its text says.
func resultOf(step core.Step) (form.Form, bool) {
	x := form.Form{Type: "result", Title: step.Title}
	if step.File != nil {
		x.Fields = append(x.Fields, form.Field{Var: "url", Type: "text-single", Label: "File", Values: []string{step.File.URL}})
	}
	if step.Document != "" && len(step.Document) <= maxInAnswer {
		x.Fields = append(x.Fields, form.Field{Var: "document", Type: "text-multi", Label: "Text", Values: strings.Split(step.Document, "\n")})
	}
	return x, len(x.Fields) > 0
}
