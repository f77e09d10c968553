package config

import (
	"maps"
	"reflect"
	"slices"
	"strings"
)

// Changes are the dotted keys in which two readings of the file differ, values and secrets included.
type Changes struct {
	Reload     []string // take effect when the program is told to reload
	Restart    []string // take effect when it is started again
	Transports []string // the transports of which only settings in Reload changed
}

// Empty says whether nothing has changed.
func (c Changes) Empty() bool { return len(c.Reload) == 0 && len(c.Restart) == 0 }

// Diff compares two configurations that Load returned. Who is allowed, what is logged, how much of the history and of
// files is kept, and the settings of a transport can be reloaded. Where things are kept, who is listened to and which
// components there are cannot.
func Diff(before, after *Config) Changes {
	a, b := make(map[string]any), make(map[string]any)
	flatten(nil, before.values(), a)
	flatten(nil, after.values(), b)
	keys := maps.Clone(a)
	maps.Copy(keys, b)
	var c Changes
	for _, key := range slices.Sorted(maps.Keys(keys)) {
		x, hadIt := a[key]
		y, hasIt := b[key]
		if hadIt && hasIt && reflect.DeepEqual(x, y) {
			continue
		}
		path := strings.Split(key, "\x00")
		if !reloadable(path, before, after) {
			c.Restart = append(c.Restart, dotted(path))
			continue
		}
		c.Reload = append(c.Reload, dotted(path))
		if path[0] == transportTable && !slices.Contains(c.Transports, path[1]) {
			c.Transports = append(c.Transports, path[1])
		}
	}
	return c
}

func reloadable(path []string, before, after *Config) bool {
	switch path[0] {
	case "admins", "access", "limits", "log":
		return true
	case "archive":
		return path[1] != "enabled"
	case "media":
		return slices.Contains([]string{"max_size", "keep", "quota", "user_quota"}, path[1])
	case transportTable:
		return len(path) > 2 && !slices.Contains(commonKeys(), path[2]) && before.has(path[1]) && after.has(path[1])
	}
	return false
}

func (c *Config) has(transport string) bool {
	return slices.ContainsFunc(c.Transports, func(t Transport) bool { return t.Name == transport })
}

func (c *Config) values() map[string]any {
	if doc := c.doc.get(); doc != nil {
		return doc.root
	}
	return nil
}

// flatten writes the leaves of a table by pathKey. An empty table is a leaf.
func flatten(path []string, v any, into map[string]any) {
	t, ok := v.(map[string]any)
	if len(path) > 0 && (!ok || len(t) == 0) {
		into[pathKey(path)] = v
		return
	}
	for key, inner := range t {
		flatten(append(slices.Clone(path), key), inner, into)
	}
}
