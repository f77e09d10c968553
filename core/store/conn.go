package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"runtime/debug"
	"slices"
)

// maxStatements bounds the prepared statements of a connection. A program has about a hundred queries; the bound
// is for one that is put together at run time.
const maxStatements = 256

// conn is one connection with its prepared statements. One transaction at a time uses it.
type conn struct {
	sc      *sql.Conn
	dialect Dialect
	stmts   map[string]statement
}

// statement is a prepared one; the connection closes it.
type statement struct{ *sql.Stmt }

func newConn(ctx context.Context, pool *sql.DB, d Dialect) (*conn, error) {
	sc, err := pool.Conn(ctx)
	if err != nil {
		return nil, err
	}
	return &conn{sc: sc, dialect: d, stmts: make(map[string]statement)}, nil
}

// prepare returns the statement for a query, prepared once per connection. It is kept until the connection is
// closed, or until there are too many.
func (c *conn) prepare(query string) (statement, error) {
	if s, ok := c.stmts[query]; ok {
		return s, nil
	}
	if len(c.stmts) >= maxStatements {
		if err := c.forget(); err != nil {
			return statement{}, err
		}
	}
	// Background: a statement lives longer than the call that needed it first.
	prepared, err := c.sc.PrepareContext(context.Background(), c.dialect.rebind(query))
	if err != nil {
		return statement{}, err
	}
	s := statement{prepared}
	c.stmts[query] = s
	return s, nil
}

// exec runs one of the statements that frame a transaction.
func (c *conn) exec(query string) error {
	s, err := c.prepare(query)
	if err != nil {
		return err
	}
	_, err = s.ExecContext(context.Background())
	return err
}

func (c *conn) forget() error {
	var errs []error
	for _, s := range c.stmts {
		errs = append(errs, s.Close())
	}
	clear(c.stmts)
	return errors.Join(errs...)
}

func (c *conn) close() error {
	return errors.Join(c.forget(), c.sc.Close())
}

// Tx is a transaction, for as long as the function it was given to runs. It belongs to that function's goroutine.
type Tx struct {
	c     *conn
	write bool
	hooks []hook
}

// hook is told how the transaction ended.
type hook struct{ committed, undone func() }

// Dialect says which SQL the database speaks.
func (tx *Tx) Dialect() Dialect { return tx.c.dialect }

// context is what statements run under. A writing transaction is shared: SQLite undoes all of it when a statement is
// interrupted, so one caller's end must not interrupt it.
func (tx *Tx) context(ctx context.Context) context.Context {
	if tx.write {
		return context.Background()
	}
	return ctx
}

// Exec runs a statement and returns how many rows it changed. Queries are prepared once and kept: put what varies
// into args, not into the text.
func (tx *Tx) Exec(ctx context.Context, query string, args ...any) (int64, error) {
	s, err := tx.c.prepare(query)
	if err != nil {
		return 0, wrapQuery(err, query)
	}
	r, err := s.ExecContext(tx.context(ctx), args...)
	if err != nil {
		return 0, wrapQuery(err, query)
	}
	return r.RowsAffected()
}

// Query runs a query. Its rows must be closed before the same query text is run again in this transaction, and
// before the transaction ends.
func (tx *Tx) Query(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	s, err := tx.c.prepare(query)
	if err != nil {
		return nil, wrapQuery(err, query)
	}
	rows, err := s.QueryContext(tx.context(ctx), args...)
	if err != nil {
		return nil, wrapQuery(err, query)
	}
	return rows, nil
}

// QueryRow runs a query for its first row.
func (tx *Tx) QueryRow(ctx context.Context, query string, args ...any) Row {
	s, err := tx.c.prepare(query)
	if err != nil {
		return Row{err: wrapQuery(err, query)}
	}
	return Row{row: s.QueryRowContext(tx.context(ctx), args...), query: query}
}

// Row is the first row of a query.
type Row struct {
	row   *sql.Row
	query string
	err   error
}

// Scan copies the row's columns into dest. sql.ErrNoRows, unwrapped, if there is no row.
func (r Row) Scan(dest ...any) error {
	if r.err != nil {
		return r.err
	}
	err := r.row.Scan(dest...)
	if err == nil || errors.Is(err, sql.ErrNoRows) {
		return err
	}
	return wrapQuery(err, r.query)
}

// OnCommit has fn called once the transaction is on disk, and not at all if it, or the Write it was called in, is
// undone. Such calls are made in the order of commits, before the next transaction begins and before Write returns:
// fn must be quick and must not use the database.
func (tx *Tx) OnCommit(fn func()) { tx.hooks = append(tx.hooks, hook{committed: fn}) }

// OnUndo has fn called if the transaction, or the Write it was called in, is undone: before anything else uses the
// database, the latest first. The duties are those of OnCommit.
func (tx *Tx) OnUndo(fn func()) { tx.hooks = append(tx.hooks, hook{undone: fn}) }

// end calls the hooks from the n-th on, and forgets them.
func (tx *Tx) end(n int, committed bool) {
	hooks := tx.hooks[n:]
	tx.hooks = tx.hooks[:n]
	if !committed {
		slices.Reverse(hooks)
	}
	for _, h := range hooks {
		switch {
		case committed && h.committed != nil:
			h.committed()
		case !committed && h.undone != nil:
			h.undone()
		}
	}
}

// savepoint runs fn so that its failure, or panic, undoes what it did and nothing else. A failure to undo is
// returned as fatal: the whole transaction is lost then.
func (tx *Tx) savepoint(fn func(*Tx) error) (err, fatal error) {
	hooks := len(tx.hooks)
	if err := classify(tx.c.exec("SAVEPOINT one")); err != nil {
		return err, err
	}
	err = safely(fn, tx)
	if errors.Is(err, ErrBroken) {
		return err, err
	}
	if err != nil {
		tx.end(hooks, false)
		if fatal := tx.c.exec("ROLLBACK TO one"); fatal != nil {
			// SQLite has undone everything by itself, as it does when the disk is full: err is the cause.
			return err, err
		}
	}
	return err, classify(tx.c.exec("RELEASE one"))
}

// safely turns a panic of fn into an error: it may be running on another caller's goroutine.
func safely(fn func(*Tx) error, tx *Tx) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = &PanicError{Value: p, Stack: debug.Stack()}
		}
	}()
	return fn(tx)
}

// wrapQuery adds the beginning of the query to a driver's error. Arguments stay out of it: they are people's data.
func wrapQuery(err error, query string) error {
	const most = 60
	if len(query) > most {
		query = query[:most] + "..."
	}
	return fmt.Errorf("%q: %w", query, classify(err))
}
