package store

import (
	"strconv"
	"strings"
)

// Dialect is the kind of SQL that the database speaks. Statements are written with "?" placeholders in the portable
// part of the language (ON CONFLICT and RETURNING are in both); the few that must differ stand side by side in one
// file of their package.
type Dialect string

// The dialects. Their names are those of the folders that Migrate looks in.
const (
	SQLite   Dialect = "sqlite"
	Postgres Dialect = "postgres"
)

// rebind turns "?" placeholders into the dialect's own. Question marks in quotes and comments are left alone.
func (d Dialect) rebind(query string) string {
	if d != Postgres || !strings.Contains(query, "?") {
		return query
	}
	var b strings.Builder
	b.Grow(len(query) + 16)
	n := 0
	for i := 0; i < len(query); {
		end := i + quotedLen(query[i:])
		if end > i {
			b.WriteString(query[i:end])
			i = end
			continue
		}
		if query[i] == '?' {
			n++
			b.WriteByte('$')
			b.WriteString(strconv.Itoa(n))
		} else {
			b.WriteByte(query[i])
		}
		i++
	}
	return b.String()
}

// quotedLen returns the length of the literal, quoted name or comment that s begins with; 0 if with none.
func quotedLen(s string) int {
	var closing string
	switch {
	case s[0] == '\'' || s[0] == '"':
		closing = s[:1]
	case strings.HasPrefix(s, "--"):
		closing = "\n"
	case strings.HasPrefix(s, "/*"):
		closing = "*/"
	default:
		return 0
	}
	i := strings.Index(s[len(closing):], closing)
	if i < 0 {
		return len(s)
	}
	return len(closing) + i + len(closing)
}

// begin opens a writing transaction: SQLite takes the write lock at once, where waiting for it cannot deadlock.
func (d Dialect) begin() string {
	if d == SQLite {
		return "BEGIN IMMEDIATE"
	}
	return "BEGIN"
}

// snapshot opens a reading transaction.
func (d Dialect) snapshot() string {
	if d == SQLite {
		return "BEGIN"
	}
	return "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
}
