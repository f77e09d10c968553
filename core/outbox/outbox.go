package outbox

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"gangway/core"
	"gangway/core/store"
)

//go:embed migrations/*/*.sql
var migrations embed.FS

// Journal is told of every item within the transaction that changes it, so that what it keeps (the ledger) is never
// out of step with the queue. It runs inside a group commit: it must be quick, use nothing but tx, and change nothing
// in memory, since the transaction may yet be undone and tried again.
type Journal interface {
	// Put is told of a new item, or of a dead letter that is to be tried again; its Seq is set. It may answer core.ErrDuplicate, having written nothing: then the
	// item is left out as a duplicate. Any other error refuses it.
	Put(ctx context.Context, tx *store.Tx, it *core.Item) error
	// Settle is told of a verdict, except for items that could not be decoded. If it keeps failing for a reason of
	// its own, the verdict is carried out without it: a message that was sent must not be sent again.
	Settle(ctx context.Context, tx *store.Tx, it *core.Item, v core.Verdict) error
}

// Config is what an Outbox is made of. The zero value will do.
type Config struct {
	Journal    Journal
	MaxPending int           // items on disk beyond which Put refuses; 0: 1,000,000
	Resident   int64         // bytes of events kept in memory; 0: 64 MiB
	DedupFor   DedupFor      // how long keys are remembered
	DeadFor    time.Duration // how long dead letters are kept; 0: 30 days
	Watch      time.Duration // between two looks for orders of other processes; 0: a second
	Logger     *slog.Logger  // nil: none
	// Trace.Attempted is called for the verdicts that the queue makes itself, over items it cannot decode and
	// handlers that panic; the handler reports its own.
	Trace *core.Trace
}

// DedupFor is how long the key of an item is remembered after it was taken.
type DedupFor struct {
	ToNetwork time.Duration // 0: a day
	ToXMPP    time.Duration // 0: 14 days
}

// Outbox is the queue. Its methods may be called from many goroutines.
type Outbox struct {
	cfg     Config
	db      *store.DB
	log     *slog.Logger
	puts    *store.Batch[*putting]
	begins  *store.Batch[*beginning]
	settles *store.Batch[*settling]
	lanes   *schedule
	running atomic.Bool
	kick    chan struct{} // holds one: there is an order

	pending atomic.Int64 // rows in the table
	seqs    seqs
	seen    seen
}

var _ core.Queue = (*Outbox)(nil)

// New brings the queue's tables up to date and looks how much is in them. Of a shared database only List, Get,
// Stats, Retry and Drop may be used.
func New(ctx context.Context, db *store.DB, cfg Config) (*Outbox, error) {
	cfg.MaxPending = orElse(cfg.MaxPending, 1_000_000)
	cfg.Resident = orElse(cfg.Resident, 64<<20)
	cfg.DedupFor.ToNetwork = orElse(cfg.DedupFor.ToNetwork, 24*time.Hour)
	cfg.DedupFor.ToXMPP = orElse(cfg.DedupFor.ToXMPP, 14*24*time.Hour)
	cfg.DeadFor = orElse(cfg.DeadFor, 30*24*time.Hour)
	cfg.Watch = orElse(cfg.Watch, time.Second)
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	o := &Outbox{cfg: cfg, db: db, log: cfg.Logger, kick: make(chan struct{}, 1), lanes: newSchedule(cfg.Resident)}
	o.puts = store.NewBatch(db, o.putAll)
	o.begins = store.NewBatch(db, o.beginAll)
	o.settles = store.NewBatch(db, o.settleAll)
	if err := db.Migrate(ctx, "outbox", migrations); err != nil {
		return nil, err
	}
	if err := o.recall(ctx); err != nil {
		return nil, fmt.Errorf("outbox: %w", err)
	}
	return o, nil
}

func orElse[T int | int64 | time.Duration](v, otherwise T) T {
	if v > 0 {
		return v
	}
	return otherwise
}

// recall reads what the queue must know before the first Put.
func (o *Outbox) recall(ctx context.Context) error {
	if o.db.Shared() {
		return nil
	}
	return o.db.Read(ctx, func(tx *store.Tx) error {
		var n int64
		if err := tx.QueryRow(ctx, "SELECT count(*) FROM outbox").Scan(&n); err != nil {
			return err
		}
		o.pending.Store(n)
		if err := o.seqs.load(ctx, tx); err != nil {
			return err
		}
		return o.seen.load(ctx, tx)
	})
}

// Put implements core.Queue. The items are the queue's from then on. A duplicate's Seq stays 0.
func (o *Outbox) Put(ctx context.Context, items ...*core.Item) error {
	if len(items) == 0 {
		return nil
	}
	if o.db.Shared() {
		return core.Wrap(core.Internal, "outbox: put", errors.New("the database is open for administration only"))
	}
	if o.full(len(items)) {
		return errFull("outbox: put")
	}
	p := &putting{}
	now := time.Now()
	for _, it := range items {
		r, err := o.newRow(it, now)
		if err != nil {
			return core.Wrap(core.Internal, "outbox: put", err)
		}
		p.rows = append(p.rows, r)
	}
	if err := o.puts.Write(ctx, p); err != nil {
		return refused("outbox: put", err)
	}
	if len(p.rows) == 1 && p.rows[0].dup {
		return core.ErrDuplicate
	}
	return nil
}

// full says whether there is no room for n more items.
func (o *Outbox) full(n int) bool { return o.pending.Load()+int64(n) > int64(o.cfg.MaxPending) }

func errFull(op string) error {
	return core.E(core.OverLimit, op, "The gateway has too many messages waiting already. Please try again later.")
}

// refused is what a caller gets for a write that the store did not take.
func refused(op string, err error) error {
	switch {
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return err
	case errors.Is(err, store.ErrDiskFull):
		return &core.Error{Kind: core.OverLimit, Op: op, Err: err,
			Text: "The gateway has no room to store messages at the moment. Please try again later."}
	case errors.Is(err, store.ErrBroken), errors.Is(err, store.ErrBusy), errors.Is(err, store.ErrClosed):
		return &core.Error{Kind: core.Unavailable, Op: op, Err: err,
			Text: "The gateway cannot store messages at the moment. Please try again later."}
	}
	return core.Wrap(core.Internal, op, err)
}

// putting is one call of Put.
type putting struct{ rows []*row }

// putAll writes many calls' items: it is one transaction's share of puts.
func (o *Outbox) putAll(tx *store.Tx, ps []*putting) error {
	rows := make([]*row, 0, len(ps))
	for _, p := range ps {
		rows = append(rows, p.rows...)
	}
	return o.insert(tx, rows)
}

// insert writes rows that say something new, and hands them to the scheduler when they are on disk.
func (o *Outbox) insert(tx *store.Tx, rows []*row) error {
	ctx := context.Background() // a group commit is nobody's in particular
	fresh, err := o.seen.filter(ctx, tx, rows)
	if err != nil {
		return err
	}
	kept := fresh[:0]
	for _, r := range fresh {
		if err := o.admit(ctx, tx, r); err != nil {
			return err
		}
		if !r.dup {
			kept = append(kept, r)
		}
	}
	if len(kept) == 0 {
		return nil
	}
	if err := insertRows(ctx, tx, kept); err != nil {
		return err
	}
	if err := o.seen.append(ctx, tx, kept); err != nil {
		return err
	}
	tx.OnCommit(func() {
		for _, r := range kept {
			r.it.Notes = nil // they are written, and may be large
		}
		o.pending.Add(int64(len(kept)))
		o.lanes.push(kept)
	})
	return nil
}

// admit gives an item its seq and asks the journal.
func (o *Outbox) admit(ctx context.Context, tx *store.Tx, r *row) (err error) {
	if r.it.Seq, err = o.seqs.next(ctx, tx); err != nil || o.cfg.Journal == nil || r.it.Noted || r.it.Direction == core.Window {
		return err
	}
	err = o.cfg.Journal.Put(ctx, tx, r.it)
	if errors.Is(err, core.ErrDuplicate) {
		r.dup, r.it.Seq = true, 0
		return nil
	}
	return err
}

// beginning is one call of Begin.
type beginning struct {
	seq  int64
	at   int64
	gone bool
}

// Begin implements core.Queue. NotFound if the item has been dropped in the meantime.
func (o *Outbox) Begin(ctx context.Context, it *core.Item) error {
	now := time.Now()
	b := &beginning{seq: it.Seq, at: micros(now)}
	if err := o.begins.Write(ctx, b); err != nil {
		return refused("outbox: begin", err)
	}
	if b.gone {
		return core.E(core.NotFound, "outbox: begin", "The message was removed from the queue.")
	}
	it.Begun = now
	return nil
}

func (o *Outbox) beginAll(tx *store.Tx, bs []*beginning) error {
	for _, b := range bs {
		n, err := tx.Exec(context.Background(), "UPDATE outbox SET begun = ? WHERE seq = ?", b.at, b.seq)
		if err != nil {
			return err
		}
		b.gone = n == 0
	}
	return nil
}
