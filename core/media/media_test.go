package media

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/iotest"
	"time"

	"gangway/core"
	"gangway/core/store"
)

var (
	alice = core.Account{ID: "a1", User: "alice@example.org", Network: "email"}
	bella = core.Account{ID: "b1", User: "bella@example.org", Network: "email"}
	png   = []byte("\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR-and-some-more")
)

// clock is a Media's time, for tests to move.
type clock struct {
	mu sync.Mutex
	at time.Time
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clock) pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

type house struct {
	*Media
	*clock
	db  *store.DB
	dir string
}

// open makes a Media that serves files at files.test, unless change says otherwise.
func open(t testing.TB, change func(*Config)) *house {
	t.Helper()
	dir := t.TempDir()
	db, err := store.Open(t.Context(), store.Config{URL: "sqlite:" + filepath.Join(dir, "gangway.db")})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return openOn(t, db, filepath.Join(dir, "media"), change)
}

func openOn(t testing.TB, db *store.DB, dir string, change func(*Config)) *house {
	t.Helper()
	cfg := Config{Dir: dir, MaxSize: 1 << 20, URL: "https://files.test/media"}
	if change != nil {
		change(&cfg)
	}
	m, err := New(t.Context(), db, cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { m.Close() })
	c := &clock{at: time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)}
	m.now = c.now
	return &house{Media: m, clock: c, db: db, dir: dir}
}

func (h *house) mustPut(t testing.TB, a core.Account, f core.Attachment, content []byte) core.Attachment {
	t.Helper()
	got, err := h.Put(t.Context(), a, f, bytes.NewReader(content))
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func (h *house) content(t testing.TB, url string) ([]byte, error) {
	t.Helper()
	b, err := h.Get(t.Context(), core.Attachment{URL: url}, 0)
	if err != nil {
		return nil, err
	}
	defer b.Body.Close()
	return io.ReadAll(b.Body)
}

// files are what lies in the folder.
func (h *house) files(t testing.TB) []string {
	t.Helper()
	entries, err := os.ReadDir(h.dir)
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, e := range entries {
		all = append(all, e.Name())
	}
	return all
}

func TestPutKeepsOnce(t *testing.T) {
	h := open(t, nil)
	first := h.mustPut(t, alice, core.Attachment{Name: "a/../cat", Type: "image/png"}, png)
	if first.Name != "cat.png" || first.Type != "image/png" || first.Size != int64(len(png)) {
		t.Errorf("%+v", first)
	}
	if !strings.HasPrefix(first.URL, "https://files.test/media/") || !strings.HasSuffix(first.URL, "/cat.png") {
		t.Errorf("URL %s", first.URL)
	}
	if token, _ := h.ownToken(first.URL); len(token) < 26 { // base32: 130 bits
		t.Errorf("token %q can be guessed", token)
	}
	if again := h.mustPut(t, alice, core.Attachment{Name: "cat.png"}, png); again != first {
		t.Errorf("again: %+v, want %+v", again, first)
	}
	other := h.mustPut(t, bella, core.Attachment{Name: "cat.png"}, png)
	if other.URL == first.URL {
		t.Error("two users share a URL")
	}
	if n := len(h.files(t)); n != 1 {
		t.Errorf("%d files: %v", n, h.files(t))
	}
	if got, err := h.content(t, other.URL); err != nil || !bytes.Equal(got, png) {
		t.Errorf("%q, %v", got, err)
	}
}

func TestSurvivesRestart(t *testing.T) {
	h := open(t, nil)
	f := h.mustPut(t, alice, core.Attachment{Name: "cat.png"}, png)
	h.Close()
	again := openOn(t, h.db, h.dir, nil)
	if got, err := again.content(t, f.URL); err != nil || !bytes.Equal(got, png) {
		t.Errorf("%q, %v", got, err)
	}
	if same := again.mustPut(t, alice, core.Attachment{Name: "cat.png"}, png); same.URL != f.URL {
		t.Error("another URL after the restart")
	}
}

func TestSizes(t *testing.T) {
	h := open(t, nil)
	exact := bytes.Repeat([]byte("x"), 1<<20)
	h.mustPut(t, alice, core.Attachment{}, exact)
	for name, c := range map[string]struct {
		f       core.Attachment
		content io.Reader
		want    core.Kind
	}{
		"one byte more": {core.Attachment{}, bytes.NewReader(append(exact, 'x')), core.TooLarge},
		"endless":       {core.Attachment{}, endless{}, core.TooLarge},
		"promised":      {core.Attachment{Size: 1<<20 + 1}, strings.NewReader("x"), core.TooLarge},
		"empty":         {core.Attachment{}, strings.NewReader(""), core.Invalid},
		"shorter":       {core.Attachment{Size: 2}, strings.NewReader("x"), core.Unavailable},
		"longer":        {core.Attachment{Size: 2}, strings.NewReader("xyz"), core.Unavailable},
		"broken":        {core.Attachment{}, iotest.ErrReader(errors.New("x")), core.Unavailable},
	} {
		if _, err := h.Put(t.Context(), alice, c.f, c.content); core.KindOf(err) != c.want {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
	if n := len(h.files(t)); n != 1 {
		t.Errorf("left behind: %v", h.files(t))
	}
	u := h.mustPut(t, alice, core.Attachment{}, []byte("four"))
	if _, err := h.Get(t.Context(), u, 3); core.KindOf(err) != core.TooLarge {
		t.Errorf("Get of 4 bytes within 3: %v", err)
	}
}

type endless struct{}

func (endless) Read(b []byte) (int, error) { return len(b), nil }

func TestStoppedPutLeavesNothing(t *testing.T) {
	h := open(t, nil)
	ctx, cancel := context.WithCancel(t.Context())
	r := readerFunc(func(b []byte) (int, error) {
		cancel()
		return len(b), nil
	})
	if _, err := h.Put(ctx, alice, core.Attachment{}, r); core.KindOf(err) != core.Unavailable {
		t.Errorf("%v", err)
	}
	if all := h.files(t); len(all) != 0 {
		t.Errorf("left behind: %v", all)
	}
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(b []byte) (int, error) { return f(b) }

func TestNoPlace(t *testing.T) {
	h := open(t, func(c *Config) { c.URL = "" })
	if _, err := h.Put(t.Context(), alice, core.Attachment{}, bytes.NewReader(png)); core.KindOf(err) != core.Unsupported {
		t.Errorf("%v", err)
	}
}

func TestCheck(t *testing.T) {
	u := startUploads(t)
	h := open(t, func(c *Config) { c.Slots = u })
	for _, f := range h.Check(t.Context()) {
		if f.Err != nil || f.Text == "" {
			t.Errorf("%+v", f)
		}
	}
	u.slotErr = core.E(core.Unsupported, "test", "none")
	bad := 0
	for _, f := range h.Check(t.Context()) {
		if f.Err != nil {
			bad++
		}
	}
	if bad != 1 {
		t.Errorf("%d findings without an upload service", bad)
	}
}

func TestManyAtOnce(t *testing.T) {
	h := open(t, nil)
	var all sync.WaitGroup
	urls := make([]string, 16)
	for i := range urls {
		all.Go(func() {
			f, err := h.Put(t.Context(), alice, core.Attachment{Name: "x.png"}, bytes.NewReader(png))
			if err != nil {
				t.Error(err)
			}
			urls[i] = f.URL
		})
		all.Go(func() {
			if _, err := h.Sweep(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if n := len(h.files(t)); n != 1 {
		t.Errorf("files: %v", h.files(t))
	}
	for _, url := range urls {
		if got, err := h.content(t, url); err != nil || !bytes.Equal(got, png) {
			t.Errorf("%s: %v", url, err)
		}
	}
}
