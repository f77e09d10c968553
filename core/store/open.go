package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"path/filepath"
	"strconv"
	"strings"
	"sync"

	_ "modernc.org/sqlite" // the driver "sqlite"
)

// Config says which database to open and how.
type Config struct {
	// URL is "sqlite:" and the file's path.
	URL string
	// Readers is how many reads run at once; 0 means 4.
	Readers int
	// Logger gets warnings about the file; nil: none.
	Logger *slog.Logger
}

// DB is an open database. Its methods may be called from many goroutines.
type DB struct {
	path    string
	dialect Dialect
	shared  bool
	pool    *sql.DB
	lock    *lock // nil if shared
	w       writer
	readers chan *conn // those not in use
	reading int        // how many there are
	closing sync.Once
}

// applicationID marks our files in SQLite's header: "Gway".
const applicationID = 0x47776179

// pragmas are set on every connection.
func pragmas() []string {
	return []string{
		"busy_timeout(5000)",           // ms: for the command line's short writes
		"cache_size(-8192)",            // KiB
		"foreign_keys(1)",              //
		"journal_size_limit(67108864)", // bytes kept of a WAL that has grown
		"synchronous(FULL)",            // a commit survives a power cut; NORMAL loses the last ones
		"temp_store(MEMORY)",           //
		"trusted_schema(0)",            // no functions from a schema that somebody else wrote
		"wal_autocheckpoint(2000)",     // pages: 16 MiB
	}
}

// Open opens the gateway's database, and makes it if there is none. Only one process may have it open so; see
// OpenShared for others. Close it after the last write.
func Open(ctx context.Context, cfg Config) (*DB, error) {
	path, err := parseURL(cfg.URL)
	if err != nil {
		return nil, err
	}
	if err := checkDirectory(path); err != nil {
		return nil, err
	}
	l, err := takeLock(path)
	if err != nil {
		return nil, err
	}
	db, err := open(ctx, cfg, path, l)
	if err != nil {
		l.release()
		return nil, err
	}
	return db, nil
}

// OpenShared opens a database that a gateway may have open at the same time, for the command line: to read, and for
// short writes. It neither makes a database (ErrMissing) nor brings a schema up to date (ErrOlder).
func OpenShared(ctx context.Context, cfg Config) (*DB, error) {
	path, err := parseURL(cfg.URL)
	if err != nil {
		return nil, err
	}
	if err := checkExists(path); err != nil {
		return nil, err
	}
	return open(ctx, cfg, path, nil)
}

// parseURL returns the file that a URL names.
func parseURL(s string) (path string, err error) {
	scheme, rest, ok := strings.Cut(s, ":")
	switch {
	case ok && scheme == "sqlite" && rest != "":
		path, err = filepath.Abs(strings.TrimPrefix(rest, "//"))
		if err != nil {
			return "", fmt.Errorf("store: %w", err)
		}
		return path, nil
	case scheme == "postgres" || scheme == "postgresql":
		return "", errors.New("store: PostgreSQL is not supported yet; use \"sqlite:/path/to/gangway.db\"")
	}
	// The URL is not repeated: it could be another database's, with a password in it.
	return "", errors.New("store: the url must be \"sqlite:\" and a path, as in \"sqlite:/var/lib/gangway/gangway.db\"")
}

func open(ctx context.Context, cfg Config, path string, l *lock) (_ *DB, err error) {
	if err := prepareFile(path, cfg.Logger); err != nil {
		return nil, err
	}
	pool, err := sql.Open("sqlite", dsn(path))
	if err != nil {
		return nil, fmt.Errorf("store: %w", err)
	}
	pool.SetMaxIdleConns(0) // the connections below are held; what else is needed is closed again
	db := &DB{path: path, dialect: SQLite, shared: l == nil, pool: pool, lock: l}
	db.w.idle.L = &db.w.mu
	if err := db.connect(ctx, cfg); err != nil {
		return nil, errors.Join(describe(path, err), db.closeConns())
	}
	return db, nil
}

// connect opens the connections, the writer's first: it is the one that makes the database.
func (db *DB) connect(ctx context.Context, cfg Config) (err error) {
	if db.w.c, err = newConn(ctx, db.pool, db.dialect); err != nil {
		return err
	}
	if err := db.claim(ctx); err != nil {
		return err
	}
	n := cfg.Readers
	if n <= 0 {
		n = 4
	}
	db.readers = make(chan *conn, n)
	for range n {
		c, err := newConn(ctx, db.pool, db.dialect)
		if err != nil {
			return err
		}
		db.readers <- c
		db.reading++
		if err := c.exec("PRAGMA query_only = 1"); err != nil {
			return err
		}
	}
	return nil
}

// claim checks that the file is ours and in WAL mode; a new one it makes ours.
func (db *DB) claim(ctx context.Context) error {
	var id, tables int
	var mode string
	row := db.w.c.sc.QueryRowContext(ctx, "SELECT (SELECT application_id FROM pragma_application_id), "+
		"(SELECT count(*) FROM sqlite_master), (SELECT journal_mode FROM pragma_journal_mode)")
	if err := row.Scan(&id, &tables, &mode); err != nil {
		return err
	}
	switch {
	case id == 0 && tables == 0 && db.shared:
		return ErrMissing
	case id == 0 && tables == 0:
		return db.create(ctx)
	case id != applicationID:
		return fmt.Errorf("%w: it belongs to another program", ErrNotDatabase)
	case mode != "wal":
		return errNotWAL(mode)
	}
	return nil
}

// create sets what is for ever, in the order that SQLite wants: the size of a page, then how free ones are given
// back, then the journal.
func (db *DB) create(ctx context.Context) error {
	for _, p := range []string{
		"page_size = 8192", // a group of messages of 1 KiB takes fewer writes than with 4096
		"auto_vacuum = INCREMENTAL",
	} {
		if _, err := db.w.c.sc.ExecContext(ctx, "PRAGMA "+p); err != nil {
			return err
		}
	}
	var mode string
	if err := db.w.c.sc.QueryRowContext(ctx, "PRAGMA journal_mode = WAL").Scan(&mode); err != nil {
		return err
	}
	if mode != "wal" {
		return errNotWAL(mode)
	}
	// Last: a file without it is one that has still to be made.
	_, err := db.w.c.sc.ExecContext(ctx, "PRAGMA application_id = "+strconv.Itoa(applicationID))
	return err
}

func errNotWAL(mode string) error {
	return fmt.Errorf("the file system cannot keep a write-ahead log (journal mode is %q); use a local disk", mode)
}

func dsn(path string) string {
	q := url.Values{
		"mode":      {"rw"}, // prepareFile has made it
		"_txlock":   {"immediate"},
		"_pragma":   pragmas(),
		"_error_rc": {"1"},
	}
	return (&url.URL{Scheme: "file", OmitHost: true, Path: path, RawQuery: q.Encode()}).String()
}

// Dialect says which SQL the database speaks.
func (db *DB) Dialect() Dialect { return db.dialect }

// Shared says that the database was opened with OpenShared.
func (db *DB) Shared() bool { return db.shared }

// Err returns why nothing can be written any more, ErrBroken or ErrClosed, or nil.
func (db *DB) Err() error {
	db.w.mu.Lock()
	defer db.w.mu.Unlock()
	return db.w.stopped
}

// Close waits for the transactions under way, moves the write-ahead log into the database and closes it. Writes and
// reads that come later get ErrClosed.
func (db *DB) Close() (err error) {
	db.closing.Do(func() {
		db.w.stop()
		if !errors.Is(db.w.stopped, ErrBroken) {
			err = db.w.c.exec("PRAGMA wal_checkpoint(TRUNCATE)")
		}
		err = errors.Join(err, db.closeConns())
		if db.lock != nil {
			db.lock.release()
		}
	})
	if err != nil {
		return fmt.Errorf("store: close: %w", classify(err))
	}
	return nil
}

// closeConns closes what connect has opened. Readers are waited for.
func (db *DB) closeConns() error {
	var errs []error
	for range db.reading {
		c := <-db.readers
		errs = append(errs, c.close())
	}
	if db.readers != nil {
		close(db.readers)
	}
	if db.w.c != nil {
		errs = append(errs, db.w.c.close())
	}
	return errors.Join(append(errs, db.pool.Close())...)
}
