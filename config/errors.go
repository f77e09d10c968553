package config

import (
	"cmp"
	"errors"
	"io/fs"
	"slices"
	"strconv"
	"strings"
)

// Error says what is wrong, where, why and what to do about it. It never holds a secret.
type Error struct {
	File string
	Line int    // from 1; 0 if it concerns no line
	Key  string // dotted, as in "xmpp.server"; empty if it concerns no key
	Why  string
	Next string // the next step; may be empty
}

// Error returns "file:line: key: why; next step".
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString(e.File)
	if e.Line > 0 {
		b.WriteString(":" + strconv.Itoa(e.Line))
	}
	if e.Key != "" {
		b.WriteString(": " + e.Key)
	}
	b.WriteString(": " + e.Why)
	if e.Next != "" {
		b.WriteString("; " + e.Next)
	}
	return b.String()
}

// joined returns errs as one error in the order of their lines, nil if there are none.
func joined(errs []*Error) error {
	slices.SortStableFunc(errs, func(a, b *Error) int { return cmp.Compare(a.Line, b.Line) })
	all := make([]error, len(errs))
	for i, e := range errs {
		all[i] = e
	}
	if len(all) == 1 {
		return all[0]
	}
	return errors.Join(all...)
}

// cause strips the operation and the path from a file error: the sentence around it names them.
func cause(err error) string {
	var p *fs.PathError
	if errors.As(err, &p) {
		return p.Err.Error()
	}
	return err.Error()
}
