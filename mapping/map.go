package mapping

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io"
	"time"

	"gangway/core"
	"gangway/core/store"
)

//go:embed migrations
var migrations embed.FS

// Options say what cannot be seen from the rows.
type Options struct {
	// Shared are the networks on which all accounts of a user reach the same correspondents: core.Driver.Shared.
	Shared []string
	// Retired are the networks whose own addresses are never given to another person: e-mail aliases.
	Retired []string
	// Quarantine is how long a released address of the other networks is kept from other people; 0: 90 days.
	Quarantine time.Duration
	// Keep is how long the ledger remembers a message; 0: 90 days.
	Keep time.Duration
}

const day = 24 * time.Hour

// Map is the mapping table. Its methods may be called from many goroutines.
type Map struct {
	db     *store.DB
	sealer *Sealer
	opts   Options
	cache  *cache
	puts   *store.Batch[note]
	now    func() time.Time

	people  *memo[core.UserID, core.Person]
	chosen  *memo[chosenKey, core.Preferences]
	welcome *memo[welcomeKey, bool]
	blocked *memo[core.AccountID, blocked]
	spoken  *memo[spokenKey, core.AccountID]
	aliases *memo[aliasKey, string]
}

var (
	_ core.Accounts = (*Map)(nil)
	_ core.Ledger   = (*Map)(nil)
)

// Open brings the tables up to date and makes sure that the sealer's key is the one that sealed what is in them.
func Open(ctx context.Context, db *store.DB, sealer *Sealer, opts Options) (*Map, error) {
	if opts.Quarantine <= 0 {
		opts.Quarantine = 90 * day
	}
	if opts.Keep <= 0 {
		opts.Keep = 90 * day
	}
	if err := db.Migrate(ctx, "mapping", migrations); err != nil {
		return nil, err
	}
	m := &Map{db: db, sealer: sealer, opts: opts, cache: newCache(cacheSize), now: time.Now,
		puts:    store.NewBatch(db, putNotes),
		people:  newMemo[core.UserID, core.Person](peopleSize),
		chosen:  newMemo[chosenKey, core.Preferences](chosenSize),
		blocked: newMemo[core.AccountID, blocked](blockedSize),
		welcome: newMemo[welcomeKey, bool](welcomeSize),
		spoken:  newMemo[spokenKey, core.AccountID](spokenSize),
		aliases: newMemo[aliasKey, string](aliasSize),
	}
	if err := m.checkKey(ctx); err != nil {
		return nil, err
	}
	return m, nil
}

// Format prints nothing of what is inside: the cache holds opened secrets.
func (m *Map) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "[mapping]") }

// proof is what every key seals once, so that a wrong one is noticed at once and not at the first login.
const proof = "gangway"

// checkKey refuses a key that does not fit. A key is new where none has been used, or next to one that fits.
func (m *Map) checkKey(ctx context.Context) error {
	var sealed []sealedRow
	err := m.db.Read(ctx, func(tx *store.Tx) (err error) {
		sealed, err = store.Collect(ctx, tx, scanSealedRow, selectVault)
		return err
	})
	if err != nil {
		return fmt.Errorf("mapping: check the key: %w", err)
	}
	fits := len(sealed) == 0
	for _, row := range sealed {
		plain, err := m.sealer.open("", "proof", row.sealed)
		if err != nil || string(plain) != proof {
			continue
		}
		if row.id == m.sealer.current {
			return nil
		}
		fits = true
	}
	if !fits {
		return fmt.Errorf("mapping: the key (%s) is not the one that sealed the secrets in this database (%s); "+
			"put that one back where store.key says", m.sealer.current, sealed[0].id)
	}
	err = m.db.Write(ctx, func(tx *store.Tx) error {
		_, err := tx.Exec(ctx, insertVault, m.sealer.current, m.sealer.seal("", "proof", []byte(proof)))
		return err
	})
	if err != nil {
		return fmt.Errorf("mapping: note the key: %w", err)
	}
	return nil
}

// millis and fromMillis are how times are stored; the zero time is 0.
func millis(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

func fromMillis(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}

func flag(on bool) int {
	if on {
		return 1
	}
	return 0
}

// fault turns an error of the database into one that may cross a door. Errors that are ours already pass unchanged.
func fault(op string, err error) error {
	var ours *core.Error
	switch {
	case err == nil:
		return nil
	case errors.As(err, &ours):
		return err
	case errors.Is(err, store.ErrDiskFull):
		return &core.Error{Kind: core.OverLimit, Op: "mapping: " + op, Err: err,
			Text: "The gateway has no room to store anything at the moment. Please try again later."}
	case errors.Is(err, store.ErrBusy), errors.Is(err, store.ErrClosed),
		errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return core.Wrap(core.Unavailable, "mapping: "+op, err)
	}
	return core.Wrap(core.Internal, "mapping: "+op, err)
}

// none turns the lack of a row into NotFound with a sentence.
func none(err error, op, text string) error {
	if errors.Is(err, sql.ErrNoRows) {
		return core.E(core.NotFound, "mapping: "+op, text)
	}
	return err
}
