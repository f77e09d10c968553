// Package biboumi reads the SQLite database of biboumi, the IRC gateway whose users are to find everything as it was:
// what they chose for servers and channels, whom they know, and what was said. It never writes to it.
//
// The tables are those of biboumi 9. A database of an earlier version may lack some of their columns, which then count
// as not chosen.
package biboumi

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// The reasons for which a database cannot be read.
var (
	ErrNotBiboumi = errors.New("this is no database of biboumi")
	ErrNewer      = errors.New("this is a database of a later biboumi than is known here")
	ErrLocked     = errors.New("the database is in use: stop biboumi first")
	ErrUnfinished = errors.New("biboumi was cut off in the middle of writing")
	ErrDamaged    = errors.New("the database is damaged")
	ErrPostgres   = errors.New("this is a database of PostgreSQL, and only SQLite is read")
)

// columns are the tables of biboumi 9, and of each what is read.
func columns() map[string][]string {
	return map[string][]string{
		"globaloptions_": {"id_", "owner_", "maxhistorylength_", "recordhistory_", "persistent_"},
		"ircserveroptions_": {
			"id_", "owner_", "server_", "pass_", "tlsports_", "ports_", "username_", "realname_", "verifycert_", "trustedfingerprint_",
			"encodingout_", "encodingin_", "maxhistorylength_", "address_", "nick_", "saslpassword_", "throttlelimit_",
		},
		"ircchanneloptions_": {
			"id_", "owner_", "server_", "channel_", "encodingout_", "encodingin_", "maxhistorylength_", "persistent_", "recordhistory_",
		},
		"after_connection_commands_": {"id_", "fk_", "afterconnectioncommand_"},
		"muclogline_":                {"id_", "uuid_", "owner_", "ircchanname_", "ircservername_", "date_", "body_", "nick_"},
		"roster":                     {"local", "remote"},
	}
}

// needed are the tables without which it is another program's database.
func needed() []string { return []string{"ircserveroptions_", "ircchanneloptions_", "muclogline_"} }

// DB is a database that is open to be read.
type DB struct {
	db      *sql.DB
	has     map[string][]string // columns by table
	unknown []string
}

// Open opens a database. Its error is one of those above, or says why the file cannot be read. A database with more in
// it than is known here is ErrNewer, unless newer is set: what is not known is then left out; see Unknown.
func Open(ctx context.Context, path string, newer bool) (*DB, error) {
	if strings.HasPrefix(path, "postgres://") || strings.HasPrefix(path, "postgresql://") {
		return nil, ErrPostgres // as db_name of biboumi.cfg may have it
	}
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	if info, err := os.Stat(path); err != nil {
		return nil, err
	} else if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%w: %s is no file", ErrNotBiboumi, path)
	} else if isDump(path) {
		return nil, ErrPostgres
	}
	q := url.Values{"mode": {"ro"}, "_pragma": {"busy_timeout(2000)", "query_only(1)"}}
	pool, err := sql.Open("sqlite", (&url.URL{Scheme: "file", OmitHost: true, Path: path, RawQuery: q.Encode()}).String())
	if err != nil {
		return nil, err
	}
	pool.SetMaxOpenConns(1)
	d := &DB{db: pool}
	if err := d.look(ctx, newer); err != nil {
		return nil, errors.Join(explain(err), pool.Close())
	}
	return d, nil
}

// isDump says whether a file is what pg_dump makes.
func isDump(path string) bool {
	f, err := os.Open(path) //nolint:gosec // the administrator's own file
	if err != nil {
		return false
	}
	defer f.Close()
	begin := make([]byte, 64)
	n, _ := io.ReadFull(f, begin)
	return bytes.HasPrefix(begin[:n], []byte("PGDMP")) || bytes.Contains(begin[:n], []byte("PostgreSQL database dump"))
}

// Close closes the database.
func (d *DB) Close() error { return d.db.Close() }

// Unknown are the tables and columns that a later biboumi has.
func (d *DB) Unknown() []string { return slices.Clone(d.unknown) }

// look finds out what the database has.
func (d *DB) look(ctx context.Context, newer bool) error {
	d.has = map[string][]string{}
	const query = `SELECT m.name, c.name FROM sqlite_master AS m JOIN pragma_table_info(m.name) AS c
		WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite\_%' ESCAPE '\' ORDER BY m.name, c.cid`
	err := d.each(ctx, func(scan func(...any) error) error {
		var table, column string
		err := scan(&table, &column)
		d.has[table] = append(d.has[table], column)
		return err
	}, query)
	if err != nil {
		return err
	}
	known := columns()
	for _, table := range needed() {
		if !slices.Contains(d.has[table], "owner_") {
			return fmt.Errorf("%w: it has no table %s", ErrNotBiboumi, table)
		}
	}
	for table, names := range d.has {
		if known[table] == nil {
			d.unknown = append(d.unknown, table)
			continue
		}
		for _, name := range names {
			if !slices.Contains(known[table], name) {
				d.unknown = append(d.unknown, table+"."+name)
			}
		}
	}
	if slices.Sort(d.unknown); len(d.unknown) > 0 && !newer {
		return fmt.Errorf("%w: it has %s", ErrNewer, strings.Join(d.unknown, ", "))
	}
	return nil
}

// selected lists columns of a table for a SELECT: those that an earlier biboumi did not have are NULL.
func (d *DB) selected(table string, names ...string) string {
	list := make([]string, len(names))
	for i, name := range names {
		if list[i] = name; !slices.Contains(d.has[table], name) {
			list[i] = "NULL"
		}
	}
	return strings.Join(list, ", ")
}

// each calls fn for every row of a query. It holds the database no longer than that takes.
func (d *DB) each(ctx context.Context, fn func(scan func(...any) error) error, query string, args ...any) error {
	rows, err := d.db.QueryContext(ctx, query, args...)
	if err != nil {
		return explain(err)
	}
	defer rows.Close()
	for rows.Next() {
		if err := fn(rows.Scan); err != nil {
			return explain(err)
		}
	}
	return explain(rows.Err())
}

// explain says in the words of this package why the database cannot be read.
func explain(err error) error {
	var e *sqlite.Error
	if !errors.As(err, &e) {
		return err
	}
	switch e.Code() & 0xff {
	case sqlite3.SQLITE_NOTADB:
		return fmt.Errorf("%w: %w", ErrNotBiboumi, err)
	case sqlite3.SQLITE_CORRUPT:
		return fmt.Errorf("%w: %w", ErrDamaged, err)
	case sqlite3.SQLITE_READONLY: // a journal beside it waits to be played back
		return fmt.Errorf("%w: %w", ErrUnfinished, err)
	case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED:
		return fmt.Errorf("%w (%w)", ErrLocked, err)
	}
	return err
}
