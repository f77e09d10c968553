package outbox

import (
	"bytes"
	"context"
	"slices"

	"gangway/core/store"
)

// known is a digest on its way into the table.
type known struct {
	id      digest
	expires int64
}

// merge moves the recent digests into the table, if there are so many, a slice at a time. Done twice, as after a
// crash in between, it does no harm.
func (o *Outbox) merge(ctx context.Context, atLeast int64) error {
	if o.seen.size.Load() < atLeast {
		return nil
	}
	var all []known
	var last int64
	err := o.db.Write(ctx, func(*store.Tx) error {
		last = o.seqs.last
		all = make([]known, 0, len(o.seen.recent))
		for id, expires := range o.seen.recent {
			all = append(all, known{id, expires})
		}
		return nil
	})
	if err != nil {
		return err
	}
	slices.SortFunc(all, func(a, b known) int { return bytes.Compare(a.id[:], b.id[:]) })
	for slice := range slices.Chunk(all, store.Slice) {
		err := o.db.Write(ctx, func(tx *store.Tx) error { return insertSeen(ctx, tx, slice) })
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
		tx.OnCommit(func() { o.seen.merged(all) })
		return nil
	})
}

// merged forgets what is in the table now, unless it was taken again in the meantime.
func (s *seen) merged(all []known) {
	for _, k := range all {
		if s.recent[k.id] == k.expires {
			delete(s.recent, k.id)
		}
	}
	s.size.Store(int64(len(s.recent)))
}

func insertSeen(ctx context.Context, tx *store.Tx, all []known) error {
	args := make([]any, 0, min(len(all), chunks[0])*2)
	return inChunks(all, func(ks []known) error {
		args = args[:0]
		for i := range ks {
			args = append(args, ks[i].id[:], ks[i].expires)
		}
		_, err := tx.Exec(ctx, "INSERT INTO outbox_seen (id, expires) VALUES "+repeat("(?,?)", len(ks))+
			" ON CONFLICT (id) DO UPDATE SET expires = excluded.expires", args...)
		return err
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
				args := slices.Concat([]any{now}, ids)
				_, err := tx.Exec(ctx, "DELETE FROM outbox_seen WHERE expires <= ? AND id IN ("+repeat("?", len(ids))+")", args...)
				return err
			})
		})
		if err != nil {
			return err
		}
	}
}
