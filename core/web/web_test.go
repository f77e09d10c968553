package web_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"testing"

	"gangway/core/web"
)

func serve(t *testing.T, cfg web.Config) *web.Server {
	t.Helper()
	cfg.Listen, cfg.Hooks, cfg.Logger = "127.0.0.1:0", "127.0.0.1:0", slog.New(slog.DiscardHandler)
	s := web.New(cfg)
	if err := s.Bind(t.Context()); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return s
}

func get(t *testing.T, url string) (int, string) {
	t.Helper()
	res, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	if res.Header.Get("X-Content-Type-Options") != "nosniff" {
		t.Errorf("%s: without nosniff", url)
	}
	return res.StatusCode, string(body)
}

func TestHealthAndReadiness(t *testing.T) {
	parts := []web.Part{{Name: "store", OK: true}}
	s := serve(t, web.Config{Ready: func() []web.Part { return parts }})
	base := "http://" + s.Addr(0)
	if code, body := get(t, base+"/healthz"); code != 200 || body != "ok\n" {
		t.Errorf("healthz: %d %q", code, body)
	}
	if code, body := get(t, base+"/readyz"); code != 200 || !strings.Contains(body, `"ready":true`) {
		t.Errorf("readyz: %d %q", code, body)
	}
	parts = append(parts, web.Part{Name: "link sms.test", Text: "not connected"})
	if code, body := get(t, base+"/readyz"); code != 503 || !strings.Contains(body, "not connected") {
		t.Errorf("readyz: %d %q", code, body)
	}
}

func TestTheWorldReachesWebhooksOnly(t *testing.T) {
	hook := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, "sms got "+r.URL.Path) })
	s := serve(t, web.Config{
		Ready: func() []web.Part { return nil }, Metrics: hook, Webhooks: map[string]http.Handler{"sms": hook},
	})
	if code, body := get(t, "http://"+s.Addr(1)+"/hooks/sms/status"); code != 200 || body != "sms got /status" {
		t.Errorf("webhook: %d %q", code, body)
	}
	for _, path := range []string{"/metrics", "/healthz", "/readyz", "/hooks/irc/x", "/hooks/sms/../../metrics", "/"} {
		if code, _ := get(t, "http://"+s.Addr(1)+path); code != 404 {
			t.Errorf("hooks listener answers %s with %d", path, code)
		}
	}
	if code, _ := get(t, "http://"+s.Addr(0)+"/hooks/sms/status"); code != 404 {
		t.Errorf("admin listener serves webhooks: %d", code)
	}
}

func TestTakenPortIsNamed(t *testing.T) {
	s := serve(t, web.Config{Ready: func() []web.Part { return nil }})
	other := web.New(web.Config{Hooks: s.Addr(0), Logger: slog.New(slog.DiscardHandler)})
	if err := other.Bind(t.Context()); err == nil || !strings.Contains(err.Error(), "web.hooks") {
		t.Errorf("Bind = %v", err)
	}
}

func TestFilesAreBesideTheWebhooks(t *testing.T) {
	files := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Security-Policy", "sandbox")
		fmt.Fprint(w, "file "+r.URL.Path)
	})
	s := serve(t, web.Config{Ready: func() []web.Part { return nil }, Media: files})
	if code, body := get(t, "http://"+s.Addr(1)+"/media/token/name.png"); code != 200 || body != "file /token/name.png" {
		t.Errorf("%d %q", code, body)
	}
	if code, _ := get(t, "http://"+s.Addr(0)+"/media/token/name.png"); code != 404 {
		t.Errorf("admin listener serves files: %d", code)
	}
	without := serve(t, web.Config{Ready: func() []web.Part { return nil }})
	if code, _ := get(t, "http://"+without.Addr(1)+"/media/token/name.png"); code != 404 {
		t.Errorf("without files: %d", code)
	}
}
