package media

import (
	"context"
	"database/sql"
	"errors"
	"io/fs"
	"net/url"
	"strings"
	"time"

	"gangway/core"
	"gangway/core/store"
)

// row is a file that a user was given.
type row struct {
	core.Attachment

	id, digest, token, url string
	user                   core.UserID
	expires                time.Time
}

const (
	columns     = "id, user_id, digest, name, type, size, token, url, expires"
	selectByID  = "SELECT " + columns + " FROM media WHERE id = ? AND expires > ?"
	selectToken = "SELECT " + columns + " FROM media WHERE token = ? AND token <> '' AND expires > ?"
	insertRow   = "INSERT INTO media (" + columns + ") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET " +
		"digest = excluded.digest, token = excluded.token, url = excluded.url, expires = excluded.expires"
	extendRow = "UPDATE media SET expires = ? WHERE id = ? AND token <> ''"
	usedAll   = "SELECT coalesce(sum(size), 0) FROM media WHERE token <> ''"
	usedBy    = "SELECT coalesce(sum(size), 0) FROM media WHERE token <> '' AND user_id = ?"
)

func scanRow(s interface{ Scan(dest ...any) error }) (row, error) {
	var r row
	var expires int64
	err := s.Scan(&r.id, &r.user, &r.digest, &r.Name, &r.Type, &r.Size, &r.token, &r.url, &expires)
	r.expires = time.UnixMilli(expires)
	return r, err
}

// find reads one row; the zero one if there is none, or no longer.
func (m *Media) find(ctx context.Context, query, key string) (r row, err error) {
	err = m.db.Read(ctx, func(tx *store.Tx) error {
		r, err = scanRow(tx.QueryRow(ctx, query, key, m.now().UnixMilli()))
		return err
	})
	if errors.Is(err, sql.ErrNoRows) {
		return row{}, nil
	}
	return r, fault("media: find", err)
}

// fault turns an error of the database into one that may cross a door.
func fault(op string, err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, store.ErrDiskFull), errors.Is(err, store.ErrBusy), errors.Is(err, store.ErrClosed),
		errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return core.Wrap(core.Unavailable, op, err)
	}
	return core.Wrap(core.Internal, op, err)
}

// known returns a file that the user was given before, and keeps it for as long as a new one. Zero if there is none.
func (m *Media) known(ctx context.Context, id string) (core.Attachment, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.again(ctx, id)
}

// again is known with the mutex held.
func (m *Media) again(ctx context.Context, id string) (core.Attachment, error) {
	r, err := m.find(ctx, selectByID, id)
	switch {
	case err != nil || r.id == "":
		return core.Attachment{}, err
	case r.token == "":
		r.URL = r.url
		return r.Attachment, nil
	case m.cfg.URL == "":
		return core.Attachment{}, nil // the world does not reach it any more
	}
	if _, err := m.root.Stat(r.digest); err != nil {
		return core.Attachment{}, nil //nolint:nilerr // somebody took it away: it is put anew
	}
	err = m.db.Write(ctx, func(tx *store.Tx) error {
		_, err := tx.Exec(ctx, extendRow, m.now().Add(m.bound.Load().Keep).UnixMilli(), id)
		return err
	})
	if err != nil {
		return core.Attachment{}, fault("media: extend", err)
	}
	r.URL = m.ownURL(r)
	return r.Attachment, nil
}

// insert writes a row.
func (m *Media) insert(ctx context.Context, r row) error {
	return fault("media: insert", m.db.Write(ctx, func(tx *store.Tx) error {
		_, err := tx.Exec(ctx, insertRow, r.id, string(r.user), r.digest, r.Name, r.Type, r.Size, r.token, r.url, r.expires.UnixMilli())
		return err
	}))
}

// keep gives a spooled file its place in our folder: first the bytes, safe on disk, then the row.
func (m *Media) keep(ctx context.Context, r row, s *spooled) (core.Attachment, error) {
	if err := s.file.Sync(); err != nil {
		return core.Attachment{}, core.Wrap(core.Unavailable, "media: keep", err)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if known, err := m.again(ctx, r.id); err != nil || known.URL != "" { // somebody was faster
		return known, err
	}
	if err := m.room(ctx, r); err != nil {
		return core.Attachment{}, err
	}
	if err := m.root.Rename(s.name, r.digest); err != nil { // the same bytes may be there: no matter whose stay
		return core.Attachment{}, core.Wrap(core.Unavailable, "media: keep", err)
	}
	s.kept = true
	if err := m.syncFolder(); err != nil {
		return core.Attachment{}, core.Wrap(core.Unavailable, "media: keep", err)
	}
	r.expires = m.now().Add(m.bound.Load().Keep)
	if err := m.insert(ctx, r); err != nil {
		return core.Attachment{}, err // the sweep removes the file
	}
	r.URL = m.ownURL(r)
	return r.Attachment, nil
}

func (m *Media) syncFolder() error {
	d, err := m.root.Open(".")
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// room says whether there is space for a file, after sweeping if need be. The mutex is held.
func (m *Media) room(ctx context.Context, r row) error {
	err := m.within(ctx, r)
	if err == nil || core.KindOf(err) != core.OverLimit {
		return err
	}
	if _, err := m.expire(ctx); err != nil {
		return err
	}
	return m.within(ctx, r)
}

func (m *Media) within(ctx context.Context, r row) error {
	var all, theirs int64
	err := m.db.Read(ctx, func(tx *store.Tx) error {
		if err := tx.QueryRow(ctx, usedAll).Scan(&all); err != nil {
			return err
		}
		return tx.QueryRow(ctx, usedBy, string(r.user)).Scan(&theirs)
	})
	switch {
	case err != nil:
		return fault("media: space", err)
	case theirs+r.Size > m.bound.Load().UserQuota:
		return core.E(core.OverLimit, "media: space", "Your space for files at this gateway is used up. Files leave it after a while.")
	case all+r.Size > m.bound.Load().Quota:
		m.log.Warn("no room for files: raise media.quota, or lower media.keep", "used", all, "quota", m.bound.Load().Quota)
		return core.E(core.OverLimit, "media: space", "This gateway has no room for more files at the moment.")
	}
	return nil
}

// ownURL is where the world finds a file that is kept here.
func (m *Media) ownURL(r row) string { return m.cfg.URL + "/" + r.token + "/" + url.PathEscape(r.Name) }

// ownToken returns the token of a URL that is ours.
func (m *Media) ownToken(address string) (string, bool) {
	if m.cfg.URL == "" {
		return "", false
	}
	rest, ok := strings.CutPrefix(address, m.cfg.URL+"/")
	if !ok {
		return "", false
	}
	token, _, _ := strings.Cut(rest, "/")
	return token, true
}

// getOwn reads a file that is kept here.
func (m *Media) getOwn(ctx context.Context, token string, limit int64) (*core.Blob, error) {
	r, err := m.find(ctx, selectToken, token)
	if err != nil {
		return nil, err
	}
	if r.id == "" {
		return nil, gone()
	}
	if r.Size > limit {
		return nil, tooLarge(limit)
	}
	f, err := m.root.Open(r.digest)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, gone()
	case err != nil:
		return nil, core.Wrap(core.Unavailable, "media: get", err)
	}
	r.URL = m.ownURL(r)
	return &core.Blob{Attachment: r.Attachment, Body: f}, nil
}

func gone() *core.Error { return core.E(core.NotFound, "media: get", "The file is gone.") }
