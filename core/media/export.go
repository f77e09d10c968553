package media

import (
	"context"
	"time"

	"gangway/core"
	"gangway/core/store"
)

// Exported is a file that a user was given, as an export has it.
type Exported struct {
	Name    string    `json:"name"`
	Type    string    `json:"type"`
	Size    int64     `json:"size"`
	URL     string    `json:"url,omitempty"` // where it is; left out if the world does not reach it
	Expires time.Time `json:"expires"`
}

const (
	selectOf   = "SELECT " + columns + " FROM media WHERE user_id = ? AND id > ? AND expires > ? ORDER BY id LIMIT ?"
	exportPage = 500
)

// Export gives yield the list of the files that a user was given and that are still there. An error of yield ends it and
// is returned.
func (m *Media) Export(ctx context.Context, user core.UserID, yield func(Exported) error) error {
	for after := ""; ; {
		page, err := m.pageOf(ctx, user, after)
		if err != nil {
			return err
		}
		for _, r := range page {
			after = r.id
			e := Exported{Name: r.Name, Type: r.Type, Size: r.Size, URL: r.url, Expires: r.expires.UTC()}
			if r.token != "" && m.cfg.URL != "" {
				e.URL = m.ownURL(r)
			}
			if err := yield(e); err != nil {
				return err
			}
		}
		if len(page) < exportPage {
			return nil
		}
	}
}

func (m *Media) pageOf(ctx context.Context, user core.UserID, after string) (page []row, err error) {
	err = m.db.Read(ctx, func(tx *store.Tx) error {
		page = nil
		rows, err := tx.Query(ctx, selectOf, string(user), after, m.now().UnixMilli(), exportPage)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			r, err := scanRow(rows)
			if err != nil {
				return err
			}
			page = append(page, r)
		}
		return rows.Err()
	})
	return page, fault("media: export", err)
}
