// Package form reads and writes data forms (XEP-0004).
//
// What is written is made by the code and may be of any size that a stanza can
// hold. What is read comes from clients: Parse bounds it, and refuses what no
// client of good will sends.
package form

import (
	"strings"

	"gangway/core/xmpp/stream"
)

// NS is the namespace of data forms.
const NS = "jabber:x:data"

// TypeVar is the variable that says what a form is about (XEP-0068).
const TypeVar = "FORM_TYPE"

// Form is a form to be shown.
type Form struct {
	Type         string // "form" or "result"
	FormType     string // the FORM_TYPE; empty: none
	Title        string
	Instructions string // each line is one <instructions/>
	Fields       []Field
}

// Field is one field of a Form.
type Field struct {
	Var, Type, Label string // Type as XEP-0004 section 3.3 has it, such as "text-single"
	Values           []string
	Options          []Option
	Required         bool
}

// Option is one choice of a list field.
type Option struct{ Value, Label string }

// Write appends the form.
func (f Form) Write(enc *stream.Encoder) {
	enc.Start("x", NS, "type", f.Type)
	if f.Title != "" {
		enc.Leaf("title", "", f.Title)
	}
	for line := range strings.Lines(f.Instructions) {
		if line = strings.TrimSpace(line); line != "" {
			enc.Leaf("instructions", "", line)
		}
	}
	if f.FormType != "" {
		Field{Var: TypeVar, Type: "hidden", Values: []string{f.FormType}}.write(enc)
	}
	for _, field := range f.Fields {
		field.write(enc)
	}
	enc.End()
}

func (f Field) write(enc *stream.Encoder) {
	enc.Start("field", "", "var", f.Var, "type", f.Type, "label", f.Label)
	if f.Required {
		enc.Empty("required", "")
	}
	for _, v := range f.Values {
		enc.Leaf("value", "", v)
	}
	for _, o := range f.Options {
		enc.Start("option", "", "label", o.Label)
		enc.Leaf("value", "", o.Value)
		enc.End()
	}
	enc.End()
}

// Find returns the data form among the children of an element, or nil.
func Find(el *stream.Element) *stream.Element { return el.Child(NS, "x") }
