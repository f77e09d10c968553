package register

import (
	"fmt"
	"strings"

	"gangway/core"
)

// question asks for a field.
func question(f core.Field) string {
	var b strings.Builder
	b.WriteString(strings.TrimRight(orDefault(f.Label, f.Name), ":?. "))
	switch f.Type {
	case core.BoolField:
		b.WriteString("? (yes or no)")
	case core.ChoiceField:
		b.WriteString(":")
		for i, o := range f.Options {
			fmt.Fprintf(&b, "\n%d. %s", i+1, orDefault(o.Label, o.Value))
		}
	case core.SecretField:
		b.WriteString("? (It stays in the history of this chat: delete it there afterwards.)")
	default:
		b.WriteString("?")
	}
	b.WriteString(keeping(f))
	return b.String()
}

// keeping says how to leave a field as it is. A secret is not shown.
func keeping(f core.Field) string {
	switch {
	case f.Value != "" && f.Type == core.SecretField:
		return "\n" + `Send "` + keep + `" to keep the present one.`
	case f.Value != "":
		return "\n" + `Send "` + keep + `" for: ` + label(f) + "."
	case !f.Required:
		return "\n" + `Send "` + keep + `" to leave it empty.`
	}
	return ""
}

// label is a field's value as it is shown.
func label(f core.Field) string {
	if f.Type == core.BoolField {
		if f.Value == "true" {
			return "yes"
		}
		return "no"
	}
	for _, o := range f.Options {
		if o.Value == f.Value && o.Label != "" {
			return o.Label
		}
	}
	return f.Value
}

// menu lists the commands by number.
func menu(title string, commands []Command) string {
	var b strings.Builder
	fmt.Fprintf(&b, "This is the gateway to %s. Send a number or a word:", title)
	for i, c := range commands {
		fmt.Fprintf(&b, "\n%d. %s: %s", i+1, strings.TrimSpace(c.Name+" "+c.Usage), lowerFirst(c.Title))
	}
	b.WriteString("\nOr send an address, and get the link to write to it.")
	return b.String()
}

// networkMenu says what can be said to a network, beside its own commands.
func networkMenu(place string, commands []Command) string {
	var b strings.Builder
	fmt.Fprintf(&b, "This is %s. Send a word:", place)
	for _, c := range commands {
		fmt.Fprintf(&b, "\n%s: %s", strings.TrimSpace(c.Name+" "+c.Usage), lowerFirst(c.Title))
	}
	return b.String()
}

// lowerFirst begins a sentence in the middle of another.
func lowerFirst(s string) string {
	if s == "" {
		return s
	}
	return strings.ToLower(s[:1]) + s[1:]
}

// join puts two paragraphs together, of which either may be empty.
func join(a, b string) string {
	if a == "" || b == "" {
		return a + b
	}
	return a + "\n\n" + b
}

func orDefault(s, def string) string {
	if s == "" {
		return def
	}
	return s
}
