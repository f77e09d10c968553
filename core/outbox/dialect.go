package outbox

import "gangway/core/store"

// highestSeq asks for the highest seq ever given out. AUTOINCREMENT remembers it in SQLite.
func highestSeq(d store.Dialect) string {
	if d == store.Postgres {
		return "SELECT last_value FROM outbox_seq_seq"
	}
	return "SELECT coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'outbox'), 0)"
}
