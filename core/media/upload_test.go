package media

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"gangway/core"
)

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
