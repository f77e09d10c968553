package archive

import (
	"strings"
	"testing"

	"gangway/core/store"
)

// TestPlans holds every statement that looks for something to an index: a room may have a million events, and there may
// be ten thousand rooms. The arguments are only counted: the plan does not depend on them.
func TestPlans(t *testing.T) {
	r := newStill(t, Config{})
	for name, c := range map[string]struct {
		query string
		index string // that it goes by
		sort  bool   // that it has to order what it finds
	}{
		"room":             {query: selectRoom, index: "sqlite_autoindex_archive_rooms_1"},
		"rooms":            {query: selectRooms, index: "INTEGER PRIMARY KEY"},
		"rooms of":         {query: selectRoomsOf, index: "sqlite_autoindex_archive_rooms_1", sort: true},
		"accounts":         {query: selectAccounts, index: "COVERING INDEX sqlite_autoindex_archive_rooms_1"},
		"delete room":      {query: deleteRoom, index: "COVERING INDEX archive_"},
		"named":            {query: selectNamed, index: "archive_remote"},
		"said":             {query: selectSaid, index: "archive_said (room=? AND said=? AND at>? AND at<?)"},
		"learn a name":     {query: updateRemote, index: "INTEGER PRIMARY KEY"},
		"target":           {query: selectTarget, index: "archive_id"},
		"target's name":    {query: selectTarget, index: "archive_remote"},
		"versions":         {query: selectVersions, index: "archive_id"},
		"corrections":      {query: selectVersions, index: "archive_about"},
		"retraction":       {query: selectRetraction, index: "archive_about"},
		"by id":            {query: selectByID, index: "archive_id"},
		"by remote":        {query: selectByRemote, index: "archive_remote"},
		"by origin":        {query: selectByOrigin, index: "archive_origin", sort: true}, // of very few
		"page":             {query: selectPage, index: "archive_at (room=? AND at>? AND at<?)"},
		"tail":             {query: selectTail, index: "archive_at (room=? AND at>? AND at<?)"},
		"page of one":      {query: selectPageBy, index: "archive_at (room=? AND at>? AND at<?)"},
		"tail of one":      {query: selectTailBy, index: "archive_at (room=? AND at>? AND at<?)"},
		"count":            {query: countAll, index: "COVERING INDEX archive_at (room=? AND at>? AND at<?)"},
		"count of one":     {query: countBy, index: "archive_at (room=? AND at>? AND at<?)"},
		"old":              {query: deleteOld, index: "COVERING INDEX archive_at (room=? AND at<?)"},
		"excess":           {query: selectExcess, index: "COVERING INDEX archive_at (room=?)"},
		"delete excess":    {query: deleteExcess, index: "COVERING INDEX archive_at (room=? AND at<?)"},
		"delete all":       {query: deleteEvents, index: "COVERING INDEX archive_"},
		"newest with name": {query: selectNewestNamed, index: "archive_at (room=?)"},
		"gap":              {query: selectGap, index: "INTEGER PRIMARY KEY"},
		"open gap":         {query: openGap, index: "INTEGER PRIMARY KEY"},
		"move gap":         {query: moveGap, index: "INTEGER PRIMARY KEY"},
		"close gap":        {query: closeGap, index: "sqlite_autoindex_archive_rooms_1"},
	} {
		plan := r.plan(c.query)
		if !strings.Contains(plan, c.index) {
			t.Errorf("%s does not go by %s:\n%s", name, c.index, plan)
		}
		if strings.Contains(plan, "SCAN archive") && name != "accounts" || strings.Contains(plan, "TEMP B-TREE") != c.sort {
			t.Errorf("%s looks at, or sorts, too much:\n%s", name, plan)
		}
	}
}

// plan is how SQLite means to carry out a statement.
func (r *rig) plan(query string) string {
	r.t.Helper()
	var plan []string
	err := r.db.Read(r.t.Context(), func(tx *store.Tx) (err error) {
		plan, err = store.Collect(r.t.Context(), tx, func(s store.Scanner) (detail string, err error) {
			var id, parent, unused int
			err = s.Scan(&id, &parent, &unused, &detail)
			return detail, err
		}, "EXPLAIN QUERY PLAN "+query, make([]any, strings.Count(query, "?"))...)
		return err
	})
	if err != nil {
		r.t.Fatal(err)
	}
	return strings.Join(plan, "\n")
}
