package register

import (
	"context"
	"sync"
	"testing"
	"time"

	"gangway/core"
	"gangway/core/xmpp/edge/edgetest"
)

// window is what Alice has written and what is let go of it.
type window struct {
	mu    sync.Mutex
	items []*core.Item
}

func (w *window) Hold() core.Hold { return core.Hold{Quiet: 15 * time.Second} }

func (w *window) Waiting(_ context.Context, user core.UserID, network string) ([]*core.Item, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if user != edgetest.Alice || network != "mail" {
		return nil, nil
	}
	return w.items, nil
}

func (w *window) SendNow(_ context.Context, a core.Account, peer core.Address) (lines int, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	var kept []*core.Item
	for _, it := range w.items {
		if h := it.Event.(*core.Held); h.Account == a.ID && (peer == "" || h.Peer == peer) {
			lines += len(h.Lines)
			continue
		}
		kept = append(kept, it)
	}
	w.items = kept
	return lines, nil
}

func (w *window) hold(now time.Time, peer core.Address, texts ...string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	h := &core.Held{Ref: core.Ref{Account: "a1", Peer: peer}}
	for _, text := range texts {
		h.Lines = append(h.Lines, &core.Message{Text: text})
	}
	w.items = append(w.items, &core.Item{Event: h, NotBefore: now.Add(12 * time.Second)})
}

func TestSendNow(t *testing.T) {
	w := &window{}
	s := stage(t, func(cfg *Config) {
		cfg.Window = w
		cfg.Domain.Network.TransportCaps.Holder = w
	})
	s.say(alice, "send")
	s.hear(alice, "Nothing waits to be sent*")
	w.hold(s.now(), "bob@example.com", "Hello,\nBob", "Bye")
	w.hold(s.now(), "carol@example.com", "Hi")
	waiting := "Waiting to be sent:*2 lines to bob@example.com*: Hello, Bob. It goes within 12 seconds.*A line to carol@example.com*: Hi.*Send \"send\"*"
	s.say(alice, "status")
	s.hear(alice, "*"+waiting)
	s.say(alice, "undelivered")
	s.hear(alice, waiting+"No message waits to be tried again*")
	s.letters.all = []Letter{{Seq: 7, Peer: "dave@example.com", Text: "Ho"}}
	s.say(alice, "undelivered")
	s.hear(alice, waiting+"1 not delivered*")
	s.say(alice, "send")
	s.hear(alice, "The 3 lines that you wrote are being sent.")
	w.hold(s.now(), "bob@example.com", "Once more")
	w.hold(s.now(), "carol@example.com", "Hi")
	s.srv.Send(`<iq type='set' id='x1' from='` + alice + `/phone' to='bob\40example.com@email.gw'>
		<command xmlns='http://jabber.org/protocol/commands' node='send' action='execute'/></iq>`)
	s.srv.Expect(`<iq type='result' id='x1'><command xmlns='http://jabber.org/protocol/commands' node='send' status='completed'>
		<note type='info'>What you wrote is being sent.</note></command></iq>`)
	if n := len(w.items); n != 1 {
		t.Errorf("%d are held", n)
	}
	s.say(bob, "send")
	s.hear(bob, "You are not registered here*")
}

// Where nothing is held there is nothing to send.
func TestSendWithoutWindow(t *testing.T) {
	s := stage(t)
	s.say(alice, "send")
	s.hear(alice, "*help*")
}
