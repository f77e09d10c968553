package form

import (
	"errors"
	"strings"

	"gangway/core/xmpp/stream"
)

// What a submitted form may have at most. No form of ours asks for as much.
const (
	MaxFields = 100
	MaxValues = 500       // of one field
	MaxBytes  = 128 << 10 // of all values
)

// Errors of Parse.
var (
	ErrType      = errors.New("the form is not of type submit")
	ErrDuplicate = errors.New("the form has a field twice")
	ErrLimit     = errors.New("the form is too large")
)

// Submission is what a client filled in: the values by variable. A field without
// <value/> is there without values.
type Submission struct {
	Canceled bool // the form is of type "cancel": it has no values
	values   map[string][]string
}

// Parse reads an <x/> of type "submit" or "cancel". What it returns does not hold
// on to the stanza. Fields that nobody asked for are kept: whoever reads the
// submission looks for those that it knows.
func Parse(x *stream.Element) (Submission, error) {
	switch x.Attr("type") {
	case "cancel":
		return Submission{Canceled: true}, nil
	case "submit":
	default:
		return Submission{}, ErrType
	}
	s := Submission{values: map[string][]string{}}
	bytes := 0
	for el := range x.Children() {
		if !el.Is(NS, "field") {
			continue
		}
		name := strings.Clone(el.Attr("var"))
		if name == "" {
			continue // a fixed field that came back: XEP-0004 section 3.3 lets it have no var
		}
		if _, twice := s.values[name]; twice {
			return Submission{}, ErrDuplicate
		}
		values := []string{}
		for v := range el.Children() {
			if !v.Is(NS, "value") {
				continue
			}
			text := strings.Clone(v.Text())
			values = append(values, text)
			bytes += len(text)
		}
		bytes += len(name)
		if s.values[name] = values; len(s.values) > MaxFields || len(values) > MaxValues || bytes > MaxBytes {
			return Submission{}, ErrLimit
		}
	}
	return s, nil
}

// Has reports whether the field was sent, with or without values.
func (s Submission) Has(name string) bool {
	_, ok := s.values[name]
	return ok
}

// Get returns the field's first value, "" if there is none.
func (s Submission) Get(name string) string {
	if v := s.values[name]; len(v) > 0 {
		return v[0]
	}
	return ""
}

// Values returns all values of a field.
func (s Submission) Values(name string) []string { return s.values[name] }

// Type returns the FORM_TYPE, "" if there is none.
func (s Submission) Type() string { return s.Get(TypeVar) }
