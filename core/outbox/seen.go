package outbox

import (
	"bytes"
	"context"
	"slices"

	"gangway/core/store"
)

// seen knows the keys that were taken. Writing each digest into the table at once would cost a page of it per item,
// since digests have no order: two thirds of a Put. So new ones are appended to a second table in the transaction
// that takes the item, are kept in memory as well, and are merged into the first in sorted order when there are many.
//
// All of it belongs to the leader of the transaction.
type seen struct {
	recent map[digest]int64 // appended and not merged: until when they are remembered
}

// mergeAt is how many recent digests start a merge: 2 MiB of memory.
const mergeAt = 32_768

func (s *seen) load(ctx context.Context, tx *store.Tx) error {
	s.recent = make(map[digest]int64)
	rows, err := tx.Query(ctx, "SELECT id, expires FROM outbox_seen_new")
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var id []byte
		var expires int64
		if err := rows.Scan(&id, &expires); err != nil {
			return err
		}
		var d digest
		copy(d[:], id)
		s.recent[d] = expires
	}
	return rows.Err()
}

// filter marks the duplicates among rows and returns the others, whose keys count as taken from now on, unless the
// transaction is undone.
func (s *seen) filter(ctx context.Context, tx *store.Tx, rows []*row) (fresh []*row, err error) {
	if err := s.markMerged(ctx, tx, rows); err != nil {
		return nil, err
	}
	var added []digest
	fresh = make([]*row, 0, len(rows))
	for _, r := range rows {
		if r.keep == 0 {
			fresh = append(fresh, r)
			continue
		}
		if until, ok := s.recent[r.id]; ok && until > micros(r.it.Queued) {
			r.dup = true
		}
		if r.dup {
			continue
		}
		s.recent[r.id] = r.keep
		added = append(added, r.id)
		fresh = append(fresh, r)
	}
	if len(added) > 0 {
		tx.OnUndo(func() {
			for _, id := range added {
				delete(s.recent, id)
			}
		})
	}
	return fresh, nil
}

// markMerged marks the rows whose keys are in the table.
func (s *seen) markMerged(ctx context.Context, tx *store.Tx, rows []*row) error {
	keyed := make([]*row, 0, len(rows))
	for _, r := range rows {
		r.dup = false // the transaction may be tried again
		if r.keep != 0 {
			keyed = append(keyed, r)
		}
	}
	args := make([]any, 0, chunks[0])
	return inChunks(keyed, func(rows []*row) error {
		args = args[:0]
		for _, r := range rows {
			args = append(args, r.id[:])
		}
		found, err := tx.Query(ctx, "SELECT id, expires FROM outbox_seen WHERE id IN ("+repeat("?", len(rows))+")", args...)
		if err != nil {
			return err
		}
		defer found.Close()
		for found.Next() {
			var id []byte
			var expires int64
			if err := found.Scan(&id, &expires); err != nil {
				return err
			}
			for _, r := range rows {
				r.dup = r.dup || bytes.Equal(r.id[:], id) && expires > micros(r.it.Queued)
			}
		}
		return found.Err()
	})
}

// append writes the keys of rows that have been given their seq.
func (s *seen) append(ctx context.Context, tx *store.Tx, rows []*row) error {
	keyed := make([]*row, 0, len(rows))
	for _, r := range rows {
		if r.keep != 0 {
			keyed = append(keyed, r)
		}
	}
	args := make([]any, 0, chunks[0]*3)
	return inChunks(keyed, func(rows []*row) error {
		args = args[:0]
		for _, r := range rows {
			args = append(args, r.it.Seq, r.id[:], r.keep)
		}
		_, err := tx.Exec(ctx, "INSERT INTO outbox_seen_new (seq, id, expires) VALUES "+repeat("(?,?,?)", len(rows)), args...)
		return err
	})
}

// merge moves the recent digests into the table, a slice at a time. Done twice, as after a crash in between, it does
// no harm.
func (o *Outbox) merge(ctx context.Context, atLeast int) error {
	type known struct {
		id      digest
		expires int64
	}
	var all []known
	var last int64
	err := o.db.Write(ctx, func(tx *store.Tx) error {
		if len(o.seen.recent) < atLeast {
			return nil
		}
		last = o.seqs.last
		all = make([]known, 0, len(o.seen.recent))
		for id, expires := range o.seen.recent {
			all = append(all, known{id, expires})
		}
		return nil
	})
	if err != nil || len(all) == 0 {
		return err
	}
	slices.SortFunc(all, func(a, b known) int { return bytes.Compare(a.id[:], b.id[:]) })
	for slice := range slices.Chunk(all, store.Slice) {
		err := o.db.Write(ctx, func(tx *store.Tx) error {
			args := make([]any, 0, chunks[0]*2)
			return inChunks(slice, func(ks []known) error {
				args = args[:0]
				for i := range ks {
					args = append(args, ks[i].id[:], ks[i].expires)
				}
				_, err := tx.Exec(ctx, "INSERT INTO outbox_seen (id, expires) VALUES "+repeat("(?,?)", len(ks))+
					" ON CONFLICT (id) DO UPDATE SET expires = excluded.expires", args...)
				return err
			})
		})
		if err != nil {
			return err
		}
	}
	_, err = o.db.Slices(ctx, func(tx *store.Tx) (int64, error) {
		return tx.Exec(ctx, "DELETE FROM outbox_seen_new WHERE seq IN "+
			"(SELECT seq FROM outbox_seen_new WHERE seq <= ? ORDER BY seq LIMIT ?)", last, store.Slice)
	})
	if err != nil {
		return err
	}
	return o.db.Write(ctx, func(tx *store.Tx) error {
		tx.OnCommit(func() {
			for _, k := range all {
				if o.seen.recent[k.id] == k.expires {
					delete(o.seen.recent, k.id)
				}
			}
		})
		return nil
	})
}

// forgetSeen removes the digests whose time is over. They are looked for beside the writes, and removed in slices.
func (o *Outbox) forgetSeen(ctx context.Context, now int64) error {
	last := []byte{}
	for {
		var ids []any
		err := o.db.Read(ctx, func(tx *store.Tx) error {
			rows, err := tx.Query(ctx, "SELECT id FROM outbox_seen WHERE id > ? AND expires <= ? ORDER BY id LIMIT ?",
				last, now, store.Slice)
			if err != nil {
				return err
			}
			defer rows.Close()
			for rows.Next() {
				var id []byte
				if err := rows.Scan(&id); err != nil {
					return err
				}
				ids = append(ids, id)
				last = id
			}
			return rows.Err()
		})
		if err != nil || len(ids) == 0 {
			return err
		}
		err = o.db.Write(ctx, func(tx *store.Tx) error {
			return inChunks(ids, func(ids []any) error {
				args := append(ids[:len(ids):len(ids)], now)
				_, err := tx.Exec(ctx, "DELETE FROM outbox_seen WHERE id IN ("+repeat("?", len(ids))+") AND expires <= ?", args...)
				return err
			})
		})
		if err != nil {
			return err
		}
	}
}
