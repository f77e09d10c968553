package email

import (
	"os"
	"reflect"
	"regexp"
	"strings"
	"testing"
)

// exampleTables are the tables of the commented configuration that are about e-mail, by name, each as if all its
// comments were taken away.
func exampleTables(t *testing.T) map[string]string {
	t.Helper()
	text, err := os.ReadFile("../../config/example.toml")
	if err != nil {
		t.Fatal(err)
	}
	tables, name := map[string]string{}, ""
	for line := range strings.Lines(string(text)) {
		line = strings.TrimPrefix(line, "# ")
		if found := regexp.MustCompile(`^\[([^]]+)\]`).FindStringSubmatch(line); found != nil {
			name = found[1]
			continue
		}
		tables[name] += line
	}
	return tables
}

// keysOf are the keys that a struct of settings takes.
func keysOf(s reflect.Type) (all []string) {
	for i := range s.NumField() {
		f := s.Field(i)
		switch key := f.Tag.Get("toml"); {
		case f.Anonymous:
			all = append(all, keysOf(f.Type)...)
		case f.Type.Kind() != reflect.Map:
			all = append(all, key)
		}
	}
	return all
}

// Every key has its line in the example, once, and every line there is of a key.
func TestExampleHasEveryKey(t *testing.T) {
	line := regexp.MustCompile(`(?m)^([a-z_]+) = \S`)
	tables := exampleTables(t)
	for table, s := range map[string]reflect.Type{
		"transport.email": reflect.TypeFor[settings](), "transport.email.oauth.google": reflect.TypeFor[oauthSettings](),
	} {
		count := map[string]int{}
		for _, found := range line.FindAllStringSubmatch(tables[table], -1) {
			count[found[1]]++
		}
		for _, common := range []string{"driver", "server", "secret"} { // not ours
			delete(count, common)
		}
		for _, key := range keysOf(s) {
			if count[key] != 1 {
				t.Errorf("[%s] has %d lines for %q", table, count[key], key)
			}
			delete(count, key)
		}
		for key := range count {
			t.Errorf("[%s] has %q, which is no key", table, key)
		}
	}
}
