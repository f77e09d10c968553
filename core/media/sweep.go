package media

import (
	"context"
	"io/fs"
	"slices"
	"strings"
	"time"

	"gangway/core"
	"gangway/core/store"
)

const (
	sweepEvery = time.Hour
	orphanAge  = 24 * time.Hour // after which a file without a row was left behind by a crash
)

// Run removes what has been kept for long enough, until ctx ends.
func (m *Media) Run(ctx context.Context) error {
	for {
		if n, err := m.Sweep(ctx); err != nil && ctx.Err() == nil {
			m.log.Warn("files not swept", "err", err)
		} else if n > 0 {
			m.log.Info("files swept", "files", n)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(sweepEvery):
		}
	}
}

// Sweep forgets what has expired, removes its files and what crashes left behind, and returns how many files went.
func (m *Media) Sweep(ctx context.Context) (int, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	n, err := m.expire(ctx)
	if err != nil {
		return n, err
	}
	left, err := m.orphans(ctx)
	return n + left, err
}

var _ core.Keeper = (*Media)(nil)

// Move implements core.Keeper: the files of a user, and the space they take, are the new name's.
func (m *Media) Move(ctx context.Context, from, to core.UserID) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	return fault("media: move", m.db.Write(ctx, func(tx *store.Tx) error {
		_, err := tx.Exec(ctx, "UPDATE media SET user_id = ? WHERE user_id = ?", string(to), string(from))
		return err
	}))
}

// Erase implements core.Keeper: it removes everything that a user was given, and their URLs end now.
func (m *Media) Erase(ctx context.Context, user core.UserID) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	_, err := m.drop(ctx, "DELETE FROM media WHERE user_id = ? RETURNING digest, token", string(user))
	return err
}

// expire forgets what has expired. The mutex is held.
func (m *Media) expire(ctx context.Context) (int, error) {
	return m.drop(ctx, "DELETE FROM media WHERE expires <= ? RETURNING digest, token", m.now().UnixMilli())
}

// drop deletes rows, and the files that were theirs alone. The mutex is held.
func (m *Media) drop(ctx context.Context, statement string, arg any) (int, error) {
	var unused []string
	err := m.db.Write(ctx, func(tx *store.Tx) error {
		digests, err := deleted(ctx, tx, statement, arg)
		if err != nil {
			return err
		}
		for _, d := range digests {
			used, err := inUse(ctx, tx, d)
			if err != nil {
				return err
			}
			if !used {
				unused = append(unused, d)
			}
		}
		return nil
	})
	if err != nil {
		return 0, fault("media: drop", err)
	}
	n := 0
	slices.Sort(unused)
	for _, d := range slices.Compact(unused) {
		if m.remove(d) {
			n++
		}
	}
	return n, nil
}

func deleted(ctx context.Context, tx *store.Tx, statement string, arg any) ([]string, error) {
	rows, err := tx.Query(ctx, statement, arg)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var all []string
	for rows.Next() {
		var digest, token string
		if err := rows.Scan(&digest, &token); err != nil {
			return nil, err
		}
		if token != "" {
			all = append(all, digest)
		}
	}
	return all, rows.Err()
}

func inUse(ctx context.Context, tx *store.Tx, digest string) (bool, error) {
	var n int
	err := tx.QueryRow(ctx, "SELECT count(*) FROM media WHERE digest = ? AND token <> ''", digest).Scan(&n)
	return n > 0, err
}

// remove removes a file. What cannot be removed now is an orphan to the next sweep.
func (m *Media) remove(name string) bool {
	if err := m.root.Remove(name); err != nil {
		m.log.Warn("file not removed", "err", err)
		return false
	}
	return true
}

// orphans removes files that no row speaks of. The mutex is held.
func (m *Media) orphans(ctx context.Context) (int, error) {
	entries, err := fs.ReadDir(m.root.FS(), ".")
	if err != nil {
		return 0, core.Wrap(core.Internal, "media: orphans", err)
	}
	used, err := m.digests(ctx)
	if err != nil {
		return 0, err
	}
	n := 0
	for _, e := range entries {
		if !used[e.Name()] && m.isLeft(e) && m.remove(e.Name()) {
			n++
		}
	}
	return n, nil
}

// digests are the files that rows speak of.
func (m *Media) digests(ctx context.Context) (map[string]bool, error) {
	used := map[string]bool{}
	err := m.db.Read(ctx, func(tx *store.Tx) error {
		rows, err := tx.Query(ctx, "SELECT digest FROM media WHERE token <> ''")
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var d string
			if err := rows.Scan(&d); err != nil {
				return err
			}
			used[d] = true
		}
		return rows.Err()
	})
	return used, fault("media: orphans", err)
}

// isLeft says whether a file is ours by its name, and older than anything that is being received.
func (m *Media) isLeft(e fs.DirEntry) bool {
	if !e.Type().IsRegular() || !strings.HasPrefix(e.Name(), spoolPrefix) && !isDigest(e.Name()) {
		return false
	}
	info, err := e.Info()
	return err == nil && m.now().Sub(info.ModTime()) >= orphanAge
}

func isDigest(s string) bool {
	return len(s) == 64 && strings.Trim(s, "0123456789abcdef") == ""
}
