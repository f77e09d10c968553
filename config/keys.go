package config

import (
	"reflect"
	"slices"
	"strings"
)

// keysOf returns the dotted keys of a struct type, in the order of its fields. Structs inside it are tables.
func keysOf(t reflect.Type) []string {
	var keys []string
	for i := range t.NumField() {
		f := t.Field(i)
		tag := f.Tag.Get("toml")
		if !f.IsExported() || tag == "-" || tag == "" {
			continue
		}
		if f.Type.Kind() != reflect.Struct || isSecret(f.Type) {
			keys = append(keys, tag)
			continue
		}
		for _, k := range keysOf(f.Type) {
			keys = append(keys, tag+"."+k)
		}
	}
	return keys
}

// places says of keys that are often written under the wrong table where they belong.
func places() map[string]string {
	m := make(map[string]string)
	for _, k := range slices.Backward(keysOf(reflect.TypeFor[Config]())) {
		table, key, ok := strings.Cut(k, ".")
		if ok {
			m[key] = "under [" + table + "]"
		} else {
			m[k] = "at the top of the file, before the first [table]"
		}
	}
	return m
}
