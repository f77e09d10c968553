package media

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
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

func TestExpiry(t *testing.T) {
	h := open(t, func(c *Config) { c.Keep = 24 * time.Hour })
	first := h.mustPut(t, alice, core.Attachment{Name: "a.png"}, png)
	h.pass(20 * time.Hour)
	second := h.mustPut(t, alice, core.Attachment{Name: "b.png"}, png)
	h.mustPut(t, alice, core.Attachment{Name: "c.txt"}, []byte("c"))
	h.pass(4 * time.Hour)
	if _, err := h.content(t, first.URL); core.KindOf(err) != core.NotFound {
		t.Errorf("expired: %v", err)
	}
	if n, err := h.Sweep(t.Context()); n != 0 || err != nil { // b.png has the same bytes
		t.Errorf("swept %d, %v", n, err)
	}
	if got, err := h.content(t, second.URL); err != nil || !bytes.Equal(got, png) {
		t.Errorf("%q, %v", got, err)
	}
	h.mustPut(t, alice, core.Attachment{Name: "c.txt"}, []byte("c")) // has its time anew
	h.pass(20 * time.Hour)
	if n, err := h.Sweep(t.Context()); n != 1 || err != nil {
		t.Errorf("swept %d, %v", n, err)
	}
	if n := len(h.files(t)); n != 1 {
		t.Errorf("left: %v", h.files(t))
	}
}

func TestSweepRemovesWhatCrashesLeft(t *testing.T) {
	h := open(t, nil)
	kept := h.mustPut(t, alice, core.Attachment{}, []byte("kept"))
	digest := strings.Repeat("ab", 32)
	for _, name := range []string{digest, spoolPrefix + "OLD", "README"} {
		if err := os.WriteFile(filepath.Join(h.dir, name), []byte("x"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	h.at = time.Now()
	if n, err := h.Sweep(t.Context()); n != 0 || err != nil {
		t.Errorf("swept %d of what may be in hand, %v", n, err)
	}
	h.pass(orphanAge + time.Minute)
	if n, err := h.Sweep(t.Context()); n != 2 || err != nil {
		t.Errorf("swept %d, %v", n, err)
	}
	if n := len(h.files(t)); n != 2 { // README is not ours
		t.Errorf("left: %v", h.files(t))
	}
	h.at = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	if got, err := h.content(t, kept.URL); string(got) != "kept" {
		t.Errorf("%q, %v", got, err)
	}
}

func TestSpace(t *testing.T) {
	h := open(t, func(c *Config) { c.UserQuota, c.Quota, c.Keep = 10, 15, time.Hour })
	put := func(a core.Account, content string) error {
		_, err := h.Put(t.Context(), a, core.Attachment{}, strings.NewReader(content))
		return err
	}
	if err := put(alice, "12345678"); err != nil {
		t.Fatal(err)
	}
	if err := put(alice, "abc"); core.KindOf(err) != core.OverLimit {
		t.Errorf("over the user's: %v", err)
	}
	if err := put(alice, "12345678"); err != nil {
		t.Errorf("what is there already: %v", err)
	}
	if err := put(bella, "12345678"); core.KindOf(err) != core.OverLimit {
		t.Errorf("over all: %v", err)
	}
	h.pass(2 * time.Hour) // room is made at once, not at the next sweep
	if err := put(bella, "87654321"); err != nil {
		t.Error(err)
	}
	if n := len(h.files(t)); n != 1 {
		t.Errorf("left: %v", h.files(t))
	}
	h.Rebound(Bounds{Quota: 20, UserQuota: 20}) // in force at once
	if err := put(bella, "1234567890"); err != nil {
		t.Errorf("with more room: %v", err)
	}
}

func TestErase(t *testing.T) {
	h := open(t, nil)
	hers := h.mustPut(t, alice, core.Attachment{}, png)
	other := h.mustPut(t, bella, core.Attachment{}, png)
	h.mustPut(t, alice, core.Attachment{}, []byte("only alice"))
	moved := alice
	moved.User = "alice@elsewhere.example"
	if err := h.Move(t.Context(), alice.User, moved.User); err != nil {
		t.Fatal(err)
	}
	if err := h.Erase(t.Context(), alice.User); err != nil {
		t.Fatal(err)
	}
	if _, err := h.content(t, hers.URL); err != nil {
		t.Errorf("the file did not move: %v", err)
	}
	if err := h.Erase(t.Context(), moved.User); err != nil {
		t.Fatal(err)
	}
	if _, err := h.content(t, hers.URL); core.KindOf(err) != core.NotFound {
		t.Errorf("%v", err)
	}
	if _, err := h.content(t, other.URL); err != nil {
		t.Errorf("bella's: %v", err)
	}
	if n := len(h.files(t)); n != 1 {
		t.Errorf("left: %v", h.files(t))
	}
}

func TestLostFileIsPutAnew(t *testing.T) {
	h := open(t, nil)
	f := h.mustPut(t, alice, core.Attachment{}, png)
	if err := os.Remove(filepath.Join(h.dir, h.files(t)[0])); err != nil {
		t.Fatal(err)
	}
	if _, err := h.content(t, f.URL); core.KindOf(err) != core.NotFound {
		t.Errorf("%v", err)
	}
	again := h.mustPut(t, alice, core.Attachment{}, png)
	if got, err := h.content(t, again.URL); err != nil || !bytes.Equal(got, png) {
		t.Errorf("%q, %v", got, err)
	}
}

// uploads is an upload service: slots, and the server that they lead to.
type uploads struct {
	*httptest.Server
	slotErr error
	status  int
	plain   bool // the slot's addresses are not https

	mu    sync.Mutex
	slots int
	files map[string]string
	last  http.Header
}

func startUploads(t testing.TB) *uploads {
	u := &uploads{files: map[string]string{}, status: http.StatusCreated}
	u.Server = httptest.NewServer(http.HandlerFunc(u.serve))
	t.Cleanup(u.Close)
	return u
}

func (u *uploads) serve(w http.ResponseWriter, r *http.Request) {
	b, err := io.ReadAll(r.Body)
	u.mu.Lock()
	defer u.mu.Unlock()
	if r.Method != http.MethodPut || err != nil || int64(len(b)) != r.ContentLength {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	u.last = r.Header
	u.files[r.URL.Path] = string(b)
	w.WriteHeader(u.status)
}

func (u *uploads) Find(context.Context) (string, error) { return "upload.example.org", u.slotErr }

func (u *uploads) Slot(_ context.Context, _ core.Account, f core.Attachment) (Slot, error) {
	if u.slotErr != nil {
		return Slot{}, u.slotErr
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	u.slots++
	base := u.URL
	if u.plain {
		base = "http://upload.example.org"
	}
	path := "/" + strings.Repeat("i", u.slots) + "/" + f.Name
	return Slot{
		Put: base + path, Get: "https://upload.example.org" + path,
		Header: map[string]string{"authorization": "Basic x\r\nEvil: 1", "Host": "evil.example", "X-Evil": "1", "Expires": "soon"},
	}, nil
}

func TestUpload(t *testing.T) {
	u := startUploads(t)
	h := open(t, func(c *Config) { c.Slots = u })
	f := h.mustPut(t, alice, core.Attachment{Name: "cat.png"}, png)
	if f.URL != "https://upload.example.org/i/cat.png" || u.files["/i/cat.png"] != string(png) {
		t.Errorf("%+v", f)
	}
	if h := u.last; h.Get("Authorization") != "Basic xEvil: 1" || h.Get("X-Evil") != "" || h.Get("Expires") != "soon" ||
		h.Get("Content-Type") != "image/png" {
		t.Errorf("header %v", h)
	}
	if again := h.mustPut(t, alice, core.Attachment{Name: "cat.png"}, png); again != f || u.slots != 1 {
		t.Errorf("again: %+v, %d slots", again, u.slots)
	}
	if all := h.files(t); len(all) != 0 {
		t.Errorf("kept here, too: %v", all)
	}
	h.pass(reuse) // who knows whether it is there still
	if again := h.mustPut(t, alice, core.Attachment{Name: "cat.png"}, png); again.URL == f.URL || u.slots != 2 {
		t.Errorf("much later: %+v, %d slots", again, u.slots)
	}
}

func TestUploadFails(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*uploads)
		want   core.Kind // where there is no other place
	}{
		"no service":   {func(u *uploads) { u.slotErr = core.E(core.Unsupported, "test", "") }, core.Unsupported},
		"not for us":   {func(u *uploads) { u.slotErr = core.E(core.Denied, "test", "") }, core.Denied},
		"too large":    {func(u *uploads) { u.status = http.StatusRequestEntityTooLarge }, core.TooLarge},
		"refused":      {func(u *uploads) { u.status = http.StatusForbidden }, core.Unavailable},
		"broken":       {func(u *uploads) { u.status = http.StatusBadGateway }, core.Unavailable},
		"redirected":   {func(u *uploads) { u.status = http.StatusTemporaryRedirect }, core.Unavailable},
		"not https":    {func(u *uploads) { u.plain = true }, core.Unavailable},
		"not there":    {func(u *uploads) { u.Close() }, core.Unavailable},
		"link is down": {func(u *uploads) { u.slotErr = core.E(core.Unavailable, "test", "") }, core.Unavailable},
	} {
		t.Run(name, func(t *testing.T) {
			u := startUploads(t)
			c.change(u)
			here := open(t, func(cfg *Config) { cfg.Slots = u })
			f := here.mustPut(t, alice, core.Attachment{}, png)
			if got, err := here.content(t, f.URL); err != nil || !bytes.Equal(got, png) {
				t.Errorf("not kept here instead: %v", err)
			}
			nowhere := open(t, func(cfg *Config) { cfg.Slots, cfg.URL = u, "" })
			if _, err := nowhere.Put(t.Context(), alice, core.Attachment{}, bytes.NewReader(png)); core.KindOf(err) != c.want {
				t.Errorf("without another place: %v, want %v", err, c.want)
			}
			if all := nowhere.files(t); len(all) != 0 {
				t.Errorf("left behind: %v", all)
			}
		})
	}
}

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
