package twilio

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"testing"
)

func TestWait(t *testing.T) {
	s := start(t, Config{})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.Wait(ctx, func() bool { return false }); !errors.Is(err, context.Canceled) {
		t.Errorf("Wait: %v", err)
	}
	if err := s.Wait(ctx, func() bool { return true }); err != nil {
		t.Errorf("what is already so must not fail: %v", err)
	}
	found := make(chan Message, 1)
	go func() {
		m, _ := s.WaitMessage(patience(t), func(m *Message) bool { return m.Body == "awaited" })
		found <- m
	}()
	create(t, s, text("other"))
	sid := create(t, s, text("awaited"))
	if m := <-found; m.SID != sid {
		t.Errorf("WaitMessage: %+v", m)
	}
	if err := s.WaitStatus(patience(t), sid, Delivered); err != nil {
		t.Error(err)
	}
	if err := s.WaitStatus(ctx, "SM0", Delivered); err == nil {
		t.Error("unknown message: no error")
	}
}

func TestSnapshotsDoNotChange(t *testing.T) {
	s := start(t, Config{})
	form := text("x")
	form["MediaUrl"] = []string{"https://m.example/a"}
	sid := create(t, s, form)
	before, _ := s.Message(sid)
	before.Media[0] = "changed"
	if after, _ := s.Message(sid); after.Media[0] == "changed" {
		t.Error("the caller changed the server's state")
	}
}

// Many clients at once, for the race detector and for the count of paid sends.
func TestConcurrentClients(t *testing.T) {
	hook := newHook(t, nil)
	s := start(t, Config{Numbers: []Number{{E164: ours, SMSURL: hook.URL + "/in"}}})
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 10 {
				resp, body, err := send(t, s, http.MethodPost, "/Messages.json", text("x", "StatusCallback", hook.URL+"/status"))
				if err != nil || resp.StatusCode != 201 {
					t.Errorf("%v %s", err, body)
				}
				if _, err := s.Inbound(patience(t), peer, ours, "in"); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	idle(t, s)
	if n := s.Paid()["x"]; n != 80 {
		t.Errorf("%d paid", n)
	}
	if n := len(hook.got("SmsStatus")); n != 80+160 {
		t.Errorf("%d webhooks", n)
	}
	if hook.badSignatures() != 0 {
		t.Errorf("%d bad signatures", hook.badSignatures())
	}
}
