package outbox

import (
	"bytes"
	"context"
	"encoding/binary"
	"sync/atomic"

	"gangway/core/store"
)

// seen knows the keys that were taken. Writing each digest into the table at once would cost a page of it per item,
// since digests have no order: two thirds of a Put. So new ones are appended to a second table in the transaction
// that takes the item, are kept in memory as well, and are merged into the first in sorted order when there are many.
//
// All of it belongs to the leader of the transaction.
type seen struct {
	recent map[digest]int64 // appended and not merged: until when they are remembered
	size   atomic.Int64     // of recent, for everybody
}

// seenSize is what a digest and its expiry take in outbox_seen_new.
const seenSize = 16 + 8

// mergeAt is how many recent digests start a merge: 2 MiB of memory.
const mergeAt = 32_768

func (s *seen) load(ctx context.Context, tx *store.Tx) error {
	s.recent = make(map[digest]int64)
	rows, err := tx.Query(ctx, "SELECT digests FROM outbox_seen_new")
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var b []byte
		if err := rows.Scan(&b); err != nil {
			return err
		}
		for ; len(b) >= seenSize; b = b[seenSize:] {
			s.recent[digest(b[:16])] = int64(binary.BigEndian.Uint64(b[16:]))
		}
	}
	s.size.Store(int64(len(s.recent)))
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
	if len(added) == 0 {
		return fresh, nil
	}
	s.size.Store(int64(len(s.recent)))
	tx.OnUndo(func() { s.forget(added) })
	return fresh, nil
}

func (s *seen) forget(ids []digest) {
	for _, id := range ids {
		delete(s.recent, id)
	}
	s.size.Store(int64(len(s.recent)))
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
	args := make([]any, 0, min(len(keyed), chunks[0]))
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
	b := make([]byte, 0, len(rows)*seenSize)
	for _, r := range rows {
		if r.keep != 0 {
			b = append(b, r.id[:]...)
			b = binary.BigEndian.AppendUint64(b, uint64(r.keep))
		}
	}
	if len(b) == 0 {
		return nil
	}
	_, err := tx.Exec(ctx, "INSERT INTO outbox_seen_new (seq, digests) VALUES (?, ?)", rows[0].it.Seq, b)
	return err
}
