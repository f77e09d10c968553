package main

import (
	"os"
	"reflect"
	"strings"
	"testing"

	"gangway/transports/email"
	"gangway/transports/email/auth"
)

// TestRenderIsDocumented: every field that email render prints is in its documentation, and nothing else is in the tables.
func TestRenderIsDocumented(t *testing.T) {
	doc, err := os.ReadFile("../../docs/email-render.md")
	if err != nil {
		t.Fatal(err)
	}
	said := map[string]bool{}
	first := map[string]bool{} // in the first column
	for line := range strings.SplitSeq(string(doc), "\n") {
		for i, cell := range strings.Split(strings.Trim(line, "|"), "|") {
			for n, word := range strings.Split(cell, "`") {
				if n%2 == 1 {
					said[word] = true
					first[word] = first[word] || i == 0 && strings.HasPrefix(line, "| `")
				}
			}
		}
	}
	printed := map[string]bool{"file": true, "number": true}
	for _, v := range []any{email.Rendered{}, email.Verdicts{}} {
		fieldNames(reflect.TypeOf(v), func(name string) {
			printed[name] = true
			if !first[name] {
				t.Errorf("%q has no row", name)
			}
		})
	}
	for _, v := range []any{email.Correspondent{}, email.Thread{}, email.File{}, email.Report{}, auth.Result{}} {
		fieldNames(reflect.TypeOf(v), func(name string) {
			if !said[name] {
				t.Errorf("%q is not told", name)
			}
		})
	}
	for name := range first {
		if first[name] && !printed[name] {
			t.Errorf("%q is told, and not printed", name)
		}
	}
}

func fieldNames(t reflect.Type, fn func(string)) {
	for i := range t.NumField() {
		name, _, _ := strings.Cut(t.Field(i).Tag.Get("json"), ",")
		fn(name)
	}
}
