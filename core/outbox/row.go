package outbox

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"strings"
	"time"

	"gangway/core"
	"gangway/core/store"
)

// row is an item as it is written: encoded by the caller, so that the transaction's leader need not.
type row struct {
	it   *core.Item
	name string
	body []byte
	id   digest // of the key
	keep int64  // until when the key is remembered; 0: there is none
	dup  bool   // set by the transaction: it was taken before
}

// digest is what is remembered of a key: 128 bits of SHA-256.
type digest [16]byte

func (o *Outbox) newRow(it *core.Item, now time.Time) (*row, error) {
	name, body, err := core.EncodeEvent(it.Event)
	if err != nil {
		return nil, err
	}
	if it.Queued.IsZero() {
		it.Queued = now
	}
	it.Seq = 0
	r := &row{it: it, name: name, body: body}
	if it.Key != "" {
		r.id = keyDigest(it.Direction, it.Network, it.Key)
		r.keep = micros(now.Add(o.keepFor(it.Direction)))
	}
	return r, nil
}

func (o *Outbox) keepFor(d core.Direction) time.Duration {
	if d == core.ToXMPP {
		return o.cfg.DedupFor.ToXMPP
	}
	return o.cfg.DedupFor.ToNetwork
}

func keyDigest(d core.Direction, network, key string) (id digest) {
	b := make([]byte, 0, 128)
	b = append(b, byte(d))
	b = append(b, network...)
	b = append(b, 0) // not in a network's name
	b = append(b, key...)
	sum := sha256.Sum256(b)
	copy(id[:], sum[:])
	return id
}

// micros and moment turn times into what the tables keep and back; the zero time is 0.
func micros(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMicro()
}

func moment(us int64) time.Time {
	if us == 0 {
		return time.Time{}
	}
	return time.UnixMicro(us)
}

func encodeError(e *core.Error) string {
	if e == nil {
		return ""
	}
	b, err := json.Marshal(e)
	if err != nil { // strings only: it cannot be
		return `{"kind":0}`
	}
	return string(b)
}

func decodeError(s string) *core.Error {
	if s == "" {
		return nil
	}
	e := new(core.Error)
	if err := json.Unmarshal([]byte(s), e); err != nil {
		return core.Wrap(core.Internal, "outbox: stored error", err)
	}
	return e
}

// chunks are the numbers of rows for which there is a statement, so that few texts serve any number.
var chunks = [...]int{64, 32, 16, 8, 4, 2, 1}

// inChunks calls fn with the chunks of s, in order.
func inChunks[T any](s []T, fn func(chunk []T) error) error {
	for _, n := range chunks {
		for len(s) >= n {
			if err := fn(s[:n]); err != nil {
				return err
			}
			s = s[n:]
		}
	}
	return nil
}

// repeat returns "s,s,s": n of them.
func repeat(s string, n int) string { return strings.Repeat(s+",", n-1) + s }

func insertRows(ctx context.Context, tx *store.Tx, rows []*row) error {
	args := make([]any, 0, min(len(rows), chunks[0])*11)
	return inChunks(rows, func(rows []*row) error {
		args = args[:0]
		for _, r := range rows {
			it := r.it
			args = append(args, it.Seq, int64(it.Direction), it.Network, string(it.User), it.Lane, it.Key, r.name, r.body,
				micros(it.Queued), micros(it.NotBefore), micros(it.Expires))
		}
		_, err := tx.Exec(ctx, insertQuery(len(rows)), args...)
		return err
	})
}

func insertQuery(n int) string {
	return "INSERT INTO outbox (seq, direction, network, user_id, lane, dedup, event, body, queued, not_before, expires)" +
		" VALUES " + repeat("(?,?,?,?,?,?,?,?,?,?,?)", n)
}

// deleteRows deletes finished items.
func deleteRows(ctx context.Context, tx *store.Tx, seqs []int64) error {
	return inChunks(seqs, func(seqs []int64) error {
		args := make([]any, len(seqs))
		for i, s := range seqs {
			args[i] = s
		}
		_, err := tx.Exec(ctx, "DELETE FROM outbox WHERE seq IN ("+repeat("?", len(seqs))+")", args...)
		return err
	})
}

// columns are what scanItem reads of either table.
const columns = "seq, direction, network, user_id, lane, dedup, event, body, queued, expires, attempts, error"

// scanItem reads an item. An event that this program does not know, or cannot read, is left nil and reported as
// undecodable; err is for the database only.
func scanItem(scan func(...any) error, more ...any) (it *core.Item, undecodable, err error) {
	it = new(core.Item)
	var name, lastErr string
	var body []byte
	var queued, expires int64
	dest := []any{&it.Seq, &it.Direction, &it.Network, &it.User, &it.Lane, &it.Key, &name, &body,
		&queued, &expires, &it.Attempts, &lastErr}
	if err := scan(append(dest, more...)...); err != nil {
		return nil, nil, err
	}
	it.Queued, it.Expires, it.LastErr = moment(queued), moment(expires), decodeError(lastErr)
	it.Event, undecodable = core.DecodeEvent(name, body)
	return it, undecodable, nil
}
