package store

import (
	"strings"
	"testing"
)

func TestRebind(t *testing.T) {
	for in, want := range map[string]string{
		"SELECT 1":                             "SELECT 1",
		"a = ? AND b = ?":                      "a = $1 AND b = $2",
		"a = '?' AND b = ?":                    "a = '?' AND b = $1",
		"a = 'it''s ?' AND b = ?":              "a = 'it''s ?' AND b = $1",
		`"odd?" = ? -- why?` + "\nAND b = ?":   `"odd?" = $1 -- why?` + "\nAND b = $2",
		"/* ? */ ?":                            "/* ? */ $1",
		"? '?":                                 "$1 '?",
		"VALUES (?,?,?,?,?,?,?,?,?,?), (?)":    "VALUES ($1,$2,$3,$4,$5,$6,$7,$8,$9,$10), ($11)",
		"/*":                                   "/*",
		"name = '\xff?' AND snow = '☃' OR x=?": "name = '\xff?' AND snow = '☃' OR x=$1",
	} {
		if got := Postgres.rebind(in); got != want {
			t.Errorf("%q: got %q, want %q", in, got, want)
		}
		if got := SQLite.rebind(in); got != in {
			t.Errorf("%q: SQLite got %q", in, got)
		}
	}
}

func FuzzRebind(f *testing.F) {
	f.Add("a = ? AND b = '?'")
	f.Add("/* ? */ -- ?\n\"?\" ?")
	f.Fuzz(func(t *testing.T, query string) {
		got := Postgres.rebind(query)
		if !strings.Contains(query, "?") && got != query {
			t.Errorf("%q became %q", query, got)
		}
		if n := strings.Count(query, "?"); len(got) < len(query) || strings.Count(got, "?") > n {
			t.Errorf("%q became %q", query, got)
		}
	})
}
