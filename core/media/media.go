package media

import (
	"context"
	"crypto/rand"
	"embed"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"gangway/core"
	"gangway/core/store"
)

//go:embed migrations
var migrations embed.FS

// What is in force where Config has zero.
const (
	DefaultMaxSize   = 25 << 20 // what most mail servers take; Prosody's upload service takes 10 MiB unless told otherwise
	DefaultKeep      = 30 * 24 * time.Hour
	DefaultQuota     = 10 << 30
	DefaultUserQuota = 1 << 30
)

// reuse is how long a file with the upload service is taken to be there still. Servers keep files for days at least;
// a mail is delivered twice within hours.
const reuse = 12 * time.Hour

// Config is what Media stands on.
type Config struct {
	Dir       string        // our folder; made if it is not there
	MaxSize   int64         // bytes of one file, in either direction
	Keep      time.Duration // how long our own URLs work
	Quota     int64         // bytes in our folder
	UserQuota int64         // of them for one user
	URL       string        // where the world reaches the handler, without a slash at the end; empty: no own URLs
	Trusted   []string      // host:port that may be fetched from although they are private addresses
	Slots     Slots         // the host server's upload service; nil: it is not used
	Logger    *slog.Logger
}

// Bounds are how much is taken, and for how long. Zero stands for the defaults.
type Bounds struct {
	MaxSize   int64         // bytes of one file, in either direction
	Keep      time.Duration // how long our own URLs work, of what is kept from now on
	Quota     int64         // bytes in our folder
	UserQuota int64         // of them for one user
}

// Media is the store of files. It is safe for concurrent use.
type Media struct {
	cfg   Config // but for its bounds
	bound atomic.Pointer[Bounds]
	db    *store.DB
	log   *slog.Logger
	root  *os.Root
	fetch *fetcher
	put   *putter
	serve chan struct{} // downloads at once
	now   func() time.Time

	mu sync.Mutex // held while a file is placed with its row, or removed after its last one
}

var _ core.Blobs = (*Media)(nil)

// New brings the tables up to date and opens the folder. Close it after the last use.
func New(ctx context.Context, db *store.DB, cfg Config) (*Media, error) {
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	if err := db.Migrate(ctx, "media", migrations); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(cfg.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("media: %w", err)
	}
	root, err := os.OpenRoot(cfg.Dir)
	if err != nil {
		return nil, fmt.Errorf("media: %w", err)
	}
	m := &Media{
		cfg: cfg, db: db, log: cfg.Logger, root: root, fetch: newFetcher(cfg.Trusted), put: newPutter(),
		serve: make(chan struct{}, maxDownloads), now: time.Now,
	}
	m.Rebound(Bounds{cfg.MaxSize, cfg.Keep, cfg.Quota, cfg.UserQuota})
	return m, nil
}

// Rebound puts other bounds in force, at once.
func (m *Media) Rebound(b Bounds) {
	orElse(&b.MaxSize, DefaultMaxSize)
	orElse(&b.Keep, DefaultKeep)
	orElse(&b.Quota, DefaultQuota)
	orElse(&b.UserQuota, DefaultUserQuota)
	m.bound.Store(&b)
}

func orElse[T int64 | time.Duration](v *T, otherwise T) {
	if *v <= 0 {
		*v = otherwise
	}
}

// Close closes the folder.
func (m *Media) Close() error {
	m.fetch.close()
	m.put.close()
	return m.root.Close()
}

// MaxSize is the largest file that is taken, in bytes.
func (m *Media) MaxSize() int64 { return m.bound.Load().MaxSize }

// Put implements core.Blobs.
func (m *Media) Put(ctx context.Context, a core.Account, f core.Attachment, content io.Reader) (core.Attachment, error) {
	if m.cfg.Slots == nil && m.cfg.URL == "" {
		return core.Attachment{}, noPlace()
	}
	if f.Size > m.bound.Load().MaxSize {
		return core.Attachment{}, m.tooLarge()
	}
	s, err := m.spool(ctx, content)
	if err != nil {
		return core.Attachment{}, err
	}
	defer s.discard()
	switch {
	case s.size == 0:
		return core.Attachment{}, core.E(core.Invalid, "media: put", "The file is empty.")
	case f.Size > 0 && f.Size != s.size:
		return core.Attachment{}, core.Wrap(core.Unavailable, "media: put", errors.New("not as long as promised"))
	}
	f.Type = fileType(f.Type, f.Name, s.head)
	f.Name = fileName(f.Name, f.Type)
	f.Size, f.URL = s.size, ""
	r := row{
		id: core.Digest("media", string(a.User), s.digest, f.Name, f.Type), user: a.User, digest: s.digest, Attachment: f,
	}
	if known, err := m.known(ctx, r.id); err != nil || known.URL != "" {
		return known, err
	}
	return m.place(ctx, a, r, s)
}

// place finds a place for a file: the upload service, or our own folder.
func (m *Media) place(ctx context.Context, a core.Account, r row, s *spooled) (core.Attachment, error) {
	url, err := m.upload(ctx, a, r.Attachment, s)
	switch {
	case err == nil:
		r.URL, r.url, r.expires = url, url, m.now().Add(reuse)
		if err := m.insert(ctx, r); err != nil { // it is there: only a repetition would be uploaded again
			m.log.Warn("upload not noted", "account", a.ID, "err", err)
		}
		return r.Attachment, nil
	case m.cfg.URL == "":
		return core.Attachment{}, err
	case ctx.Err() != nil:
		return core.Attachment{}, core.Wrap(core.Unavailable, "media: put", ctx.Err())
	}
	if m.cfg.Slots != nil && core.KindOf(err) != core.Unsupported {
		m.log.Info("upload service not used", "account", a.ID, "err", err)
	}
	r.token = rand.Text()
	return m.keep(ctx, r, s)
}

func noPlace() *core.Error {
	return core.E(core.Unsupported, "media: put", "This gateway has no place for files: its host server takes no "+
		"uploads, and it has no public address of its own.")
}

func (m *Media) tooLarge() *core.Error { return tooLarge(m.bound.Load().MaxSize) }

func tooLarge(limit int64) *core.Error {
	return core.E(core.TooLarge, "media", "The file is larger than "+bytesText(limit)+", which is the most that is carried here.")
}

// bytesText writes a number of bytes as people read it.
func bytesText(n int64) string {
	switch {
	case n < 1<<10:
		return fmt.Sprintf("%d bytes", n)
	case n < 1<<20:
		return fmt.Sprintf("%d KiB", n>>10)
	}
	return strings.TrimSuffix(fmt.Sprintf("%.1f", float64(n)/(1<<20)), ".0") + " MiB"
}

// Get implements core.Blobs.
func (m *Media) Get(ctx context.Context, f core.Attachment, limit int64) (*core.Blob, error) {
	if limit <= 0 || limit > m.bound.Load().MaxSize {
		limit = m.bound.Load().MaxSize
	}
	if f.Size > limit {
		return nil, tooLarge(limit)
	}
	if token, ok := m.ownToken(f.URL); ok {
		return m.getOwn(ctx, token, limit)
	}
	return m.fetch.get(ctx, f, limit)
}

// Check says whether files can be carried: for "gangway check".
func (m *Media) Check(ctx context.Context) []core.Finding {
	all := []core.Finding{m.checkFolder()}
	if m.cfg.Slots != nil {
		service, err := m.cfg.Slots.Find(ctx)
		f := core.Finding{Name: "upload", Text: "the host server takes files at " + service}
		if err != nil {
			f = core.Finding{Name: "upload", Warn: true, Err: err, Text: "files are served from here instead"}
			if m.cfg.URL == "" {
				f.Text = "set web.public_url and web.hooks, so that files can be served from here"
			}
		}
		all = append(all, f)
	}
	if m.cfg.Slots == nil && m.cfg.URL == "" {
		all = append(all, core.Finding{Name: "place", Warn: true, Err: noPlace(), Text: "set web.public_url and web.hooks, or media.upload = true"})
	}
	return all
}

func (m *Media) checkFolder() core.Finding {
	name := spoolPrefix + rand.Text()
	f, err := m.root.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err == nil {
		err = errors.Join(f.Close(), m.root.Remove(name))
	}
	if err != nil {
		return core.Finding{Name: "folder", Err: err, Text: "let the user that gangway runs as write to " + m.cfg.Dir}
	}
	text := m.cfg.Dir + " can be written to"
	if m.cfg.URL != "" {
		text += "; files are served at " + m.cfg.URL + "/"
	}
	return core.Finding{Name: "folder", Text: text}
}
