package register

import (
	"gangway/core"
	"gangway/core/xmpp/stream"
)

// legacyName is the field of XEP-0077 section 3.1 that old clients can fill in for
// a question; empty if there is none.
func legacyName(f core.Field) string {
	switch f.Name {
	case "username", "login", "alias", "user":
		return "username"
	case "nick", "password", "name", "first", "last", "email", "address", "city", "state", "zip", "phone", "url", "date", "misc", "text":
		return f.Name
	case "number":
		return "phone"
	case "invite":
		return "key"
	case "note":
		return "text"
	}
	if f.Type == core.SecretField {
		return "password"
	}
	return ""
}

// legacyNames are the fields of old for a step's questions; of two that would have
// the same one, the first has it.
func legacyNames(step core.Step) map[string]string {
	names := map[string]string{} // by Field.Name
	taken := map[string]bool{}
	for _, f := range step.Fields {
		if name := legacyName(f); name != "" && !taken[name] && f.Type != core.NoteField {
			taken[name], names[f.Name] = true, name
		}
	}
	return names
}

// writeLegacy appends the fields of old, with what is known, but for secrets.
func writeLegacy(enc *stream.Encoder, step core.Step) {
	names := legacyNames(step)
	for _, f := range step.Fields {
		name, ok := names[f.Name]
		switch {
		case !ok:
		case f.Type == core.SecretField:
			enc.Empty(name, "")
		default:
			enc.Leaf(name, "", f.Value)
		}
	}
}

// legacyFilled reads the fields of old. A question that they have no room for
// keeps its proposal: the client could not show it.
func legacyFilled(step core.Step, query *stream.Element) (values map[string]string, wrong string) {
	names := legacyNames(step)
	values = map[string]string{}
	for _, f := range step.Fields {
		if f.Type == core.NoteField {
			continue
		}
		v, why := f.Value, ""
		if el := query.Child("", names[f.Name]); names[f.Name] != "" && el != nil {
			v, why = filledField(f, []string{el.Text()})
		}
		if why == "" && v == "" && f.Required {
			why = needed
		}
		if values[f.Name] = v; why != "" && wrong == "" {
			wrong = fieldWrong(f, why)
		}
	}
	return values, wrong
}
