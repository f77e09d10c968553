package config

import (
	"maps"
	"slices"
	"strconv"
	"strings"
)

// Transport is a [transport.NAME] table: the keys that every transport has, and the rest for Decode.
type Transport struct {
	Name   string `toml:"-"`
	Driver string `toml:"driver"` // which kind of network; the name, if it is not set
	Domain string `toml:"domain"` // the component's domain
	Secret Secret `toml:"secret"` // the component's secret, shared with the host server
	Server string `toml:"server"` // host:port; [xmpp] server, if it is not set

	doc   hidden[*document]
	table hidden[map[string]any]
}

// commonKeys are those of Transport. A transport's own settings need not have them, and get them if they do.
func commonKeys() []string { return []string{"driver", "domain", "secret", "server"} }

func (t *Transport) path(keys ...string) []string {
	return append([]string{transportTable, t.Name}, keys...)
}

// Decode copies the transport's own settings into a pointer to a struct with `toml` tags; without a tag a field's
// key is its name in lower case. What the file does not set keeps its value. An unknown key is an error that names
// its line and the key that was probably meant, and so is a value that does not fit. A field may be a text, number,
// bool, duration ("30s"), list, table, or anything with UnmarshalText. Where it is a string or []byte, the file may
// say { file = "..." }, { env = "..." } or { credential = "..." } instead of the text. The keys that every transport has
// are no error; a struct that has a field for one gets it, the domain for instance.
func (t *Transport) Decode(into any) error {
	d := decoder{doc: t.doc.get()}
	d.decode(t.path(), t.table.get(), into, commonKeys()...)
	return joined(d.errs)
}

// Errorf makes an error about one of the transport's keys, with the line it stands on. An empty key means the
// whole table.
func (t *Transport) Errorf(key, why, next string) *Error {
	if key == "" {
		return t.doc.get().errorf(t.path(), why, next)
	}
	return t.doc.get().errorf(t.path(strings.Split(key, ".")...), why, next)
}

// resolved is a secret form, fetched when the file was read, so that two readings of the file differ when the secret
// does.
type resolved struct {
	table   map[string]any
	secret  Secret
	problem *Error // reported only if the target turns out to be a text
}

// transportTable is the table that the transports' tables are in.
const transportTable = "transport"

func (d *decoder) transports() []Transport {
	v, ok := d.doc.root[transportTable]
	if !ok {
		return nil
	}
	tables, ok := v.(map[string]any)
	if !ok {
		d.fail([]string{transportTable}, "must be a table, not "+found(v), "write [transport.NAME]")
		return nil
	}
	var all []Transport
	for _, name := range slices.Sorted(maps.Keys(tables)) {
		t := Transport{Name: name, Driver: name, doc: hide(d.doc)}
		table, ok := tables[name].(map[string]any)
		if !ok {
			d.fail(t.path(), "must be a table, not "+found(tables[name]), "write [transport."+quoteKey(name)+"]")
			continue
		}
		t.table = hide(table)
		d.decode(t.path(), only(table, commonKeys()), &t)
		all = append(all, t)
	}
	return all
}

func only(table map[string]any, keys []string) map[string]any {
	m := make(map[string]any)
	for _, k := range keys {
		if v, ok := table[k]; ok {
			m[k] = v
		}
	}
	return m
}

// resolveTable returns a copy of a table in which every secret form is fetched.
func (d *decoder) resolveTable(path []string, table map[string]any) map[string]any {
	m := make(map[string]any, len(table))
	for key, v := range table {
		m[key] = d.resolveValue(append(slices.Clone(path), key), v)
	}
	return m
}

func (d *decoder) resolveValue(path []string, v any) any {
	switch v := v.(type) {
	case map[string]any:
		form, name, ok := secretForm(v)
		if !ok {
			return d.resolveTable(path, v)
		}
		r := &resolved{table: v}
		var warning *Error
		r.secret, r.problem, warning = d.src.resolve(form, name)
		if warning != nil {
			d.warnings = append(d.warnings, d.doc.errorf(path, warning.Why, warning.Next))
		}
		return r
	case []any:
		list := make([]any, len(v))
		for i := range v {
			list[i] = d.resolveValue(append(slices.Clone(path), strconv.Itoa(i)), v[i])
		}
		return list
	}
	return v
}
