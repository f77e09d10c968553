package mapping

import (
	"context"
	"errors"

	"gangway/core"
	"gangway/core/store"
)

var _ core.Requests = (*Map)(nil)

const (
	welcomeSize = 65536    // correspondents known to be none that asks, kept in memory
	maxWaiting  = 500      // events of strangers that wait for one account
	maxWaitEach = 20       // of them of one stranger
	maxWaitBody = 64 << 10 // bytes of one
)

const (
	selectWelcome = `SELECT COUNT(*) FROM contacts WHERE account = ? AND folded = ? AND (welcome = 1 OR listed = 1 OR alias <> '')`
	selectWritten = `SELECT COUNT(*) FROM contacts WHERE account = ? AND folded = ? AND welcome = 1`
	welcome       = `INSERT INTO contacts (account, folded, address, name, alias, alias_key, blocked, listed, created, welcome)
		VALUES (?, ?, ?, '', '', '', 0, 0, ?, 1) ON CONFLICT (account, folded) DO UPDATE SET welcome = 1`
	countRequests  = `SELECT COUNT(*), COALESCE(SUM(CASE WHEN folded = ? THEN 1 ELSE 0 END), 0) FROM requests WHERE account = ?`
	insertRequest  = `INSERT INTO requests (account, folded, address, name, kind, body, at) VALUES (?, ?, ?, ?, ?, ?, ?)`
	findRequest    = `SELECT COUNT(*) FROM requests WHERE account = ? AND folded = ? AND name = ?`
	selectRequests = `SELECT account, MIN(address), SUM(CASE WHEN kind = 'message' THEN 1 ELSE 0 END), MIN(at) FROM requests
		WHERE account = ? OR ? = '' GROUP BY account, folded ORDER BY MIN(seq) LIMIT 10000`
	selectRequest  = `SELECT seq, kind, body FROM requests WHERE account = ? AND folded = ? ORDER BY seq`
	deleteRequests = `DELETE FROM requests WHERE account = ? AND folded = ? AND seq <= ?`
)

// welcomeKey is one correspondent of an account.
type welcomeKey struct {
	account core.AccountID
	folded  string
}

// Welcome implements core.Requests.
func (m *Map) Welcome(ctx context.Context, account core.AccountID, peer core.Address) (waiting bool, err error) {
	key := welcomeKey{account, Fold(string(peer))}
	if _, ok, _ := m.welcome.get(key); ok {
		return false, nil
	}
	_, _, generation := m.welcome.get(key)
	var known int
	err = m.db.Read(ctx, func(tx *store.Tx) error {
		if err := tx.QueryRow(ctx, selectWritten, string(account), key.folded).Scan(&known); err != nil {
			return err
		}
		waiting, err = waits(ctx, tx, key)
		return err
	})
	if err == nil && known == 0 {
		err = m.db.Write(ctx, func(tx *store.Tx) error {
			if _, err := tx.Exec(ctx, welcome, string(account), key.folded, string(peer), millis(m.now())); err != nil {
				return err
			}
			waiting, err = waits(ctx, tx, key)
			return err
		})
	}
	if err == nil && !waiting {
		m.welcome.fill(generation, key, true)
	}
	return waiting, fault("welcome", err)
}

func waits(ctx context.Context, tx *store.Tx, key welcomeKey) (bool, error) {
	all, err := store.Collect(ctx, tx, scanWaited, selectRequest, string(key.account), key.folded)
	return len(all) > 0, err
}

// Welcomed implements core.Requests.
func (m *Map) Welcomed(ctx context.Context, account core.AccountID, peer core.Address) (bool, error) {
	var n int
	err := m.db.Read(ctx, func(tx *store.Tx) error {
		return tx.QueryRow(ctx, selectWelcome, string(account), Fold(string(peer))).Scan(&n)
	})
	return n > 0, fault("welcomed", err)
}

// Wait implements core.Requests.
func (m *Map) Wait(ctx context.Context, account core.AccountID, name string, e core.Event) error {
	kind, body, err := core.EncodeEvent(e)
	if err != nil {
		return fault("wait", err)
	}
	if len(body) > maxWaitBody {
		return core.E(core.TooLarge, "mapping: wait", "That is longer than a first message may be.")
	}
	peer := e.Where().Peer
	folded := Fold(string(peer))
	return fault("wait", m.db.Write(ctx, func(tx *store.Tx) error {
		var known, all, each int
		if err := tx.QueryRow(ctx, findRequest, string(account), folded, name).Scan(&known); err != nil {
			return err
		}
		if known > 0 {
			return core.ErrDuplicate
		}
		if err := tx.QueryRow(ctx, countRequests, folded, string(account)).Scan(&all, &each); err != nil {
			return err
		}
		if all >= maxWaiting || each >= maxWaitEach {
			return core.E(core.OverLimit, "mapping: wait", "Too much waits already for this person to let you in.")
		}
		_, err := tx.Exec(ctx, insertRequest, string(account), folded, string(peer), name, kind, string(body), millis(m.now()))
		return err
	}))
}

// Waiting implements core.Requests.
func (m *Map) Waiting(ctx context.Context, account core.AccountID) (all []core.Request, err error) {
	err = m.db.Read(ctx, func(tx *store.Tx) error {
		all, err = store.Collect(ctx, tx, func(row store.Scanner) (r core.Request, err error) {
			var since int64
			err = row.Scan(&r.Account, &r.Peer, &r.Messages, &since)
			r.Since = fromMillis(since)
			return r, err
		}, selectRequests, string(account), string(account))
		return err
	})
	return all, fault("waiting", err)
}

// waited is one row of what waits.
type waited struct {
	seq  int64
	kind string
	body string
}

func scanWaited(row store.Scanner) (w waited, err error) {
	err = row.Scan(&w.seq, &w.kind, &w.body)
	return w, err
}

// Waited implements core.Requests.
func (m *Map) Waited(ctx context.Context, account core.AccountID, peer core.Address) (all []core.Event, last int64, err error) {
	var rows []waited
	err = m.db.Read(ctx, func(tx *store.Tx) error {
		rows, err = store.Collect(ctx, tx, scanWaited, selectRequest, string(account), Fold(string(peer)))
		return err
	})
	for _, r := range rows {
		e, bad := core.DecodeEvent(r.kind, []byte(r.body))
		err = errors.Join(err, bad)
		all, last = append(all, e), r.seq
	}
	return all, last, fault("waited", err)
}

// DropWaited implements core.Requests.
func (m *Map) DropWaited(ctx context.Context, account core.AccountID, peer core.Address, last int64) error {
	return fault("drop waited", m.db.Write(ctx, func(tx *store.Tx) error {
		_, err := tx.Exec(ctx, deleteRequests, string(account), Fold(string(peer)), last)
		return err
	}))
}

// ExportedRequest is something that waits for the user to let its sender in.
type ExportedRequest struct {
	Account core.AccountID `json:"account"`
	Peer    core.Address   `json:"peer"`
	Event   core.Event     `json:"event"`
}

// exportRequests yields what waits for an account.
func (m *Map) exportRequests(ctx context.Context, account core.AccountID, yield func(kind string, record any) error) error {
	requests, err := m.Waiting(ctx, account)
	if err != nil {
		return err
	}
	for _, r := range requests {
		all, _, err := m.Waited(ctx, account, r.Peer)
		if err != nil {
			return err
		}
		for _, e := range all {
			if err := yield("request", ExportedRequest{account, r.Peer, e}); err != nil {
				return err
			}
		}
	}
	return nil
}
