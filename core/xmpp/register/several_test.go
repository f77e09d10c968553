package register

import (
	"context"
	"sync"
	"testing"

	"gangway/core"
	"gangway/core/xmpp/edge/edgetest"
)

// severalAccounts are Alice's, on a network where all of them reach the same people.
type severalAccounts struct {
	*hall

	mu  sync.Mutex
	all []core.Account
}

func (h *severalAccounts) AccountsOf(_ context.Context, user core.UserID) ([]core.Account, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if user != edgetest.Alice {
		return nil, nil
	}
	return append([]core.Account(nil), h.all...), nil
}

func (h *severalAccounts) Unlink(_ context.Context, id core.AccountID) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	for i, a := range h.all {
		if a.ID == id {
			h.all = append(h.all[:i:i], h.all[i+1:]...)
			return nil
		}
	}
	return core.E(core.NotFound, "test: unlink", "")
}

func stageSeveral(t *testing.T) (*scene, *severalAccounts) {
	t.Helper()
	second := core.Account{ID: "a2", User: edgetest.Alice, Network: "mail", Realm: "alice@box.example", Own: "alice@box.example"}
	var h *severalAccounts
	s := stage(t, func(c *Config) {
		h = &severalAccounts{hall: newHall(), all: []core.Account{edgetest.Account(), second}}
		c.Domain.Network.Driver.Shared = true
		c.Gateway, c.Accounts = h, h
	})
	return s, h
}

// TestUnregisterOneOfSeveral asks which, and leaves the others.
func TestUnregisterOneOfSeveral(t *testing.T) {
	s, h := stageSeveral(t)
	s.say(alice, "unregister")
	s.hear(alice, "This deletes an account*1. alice@mail.example*2. alice@box.example*3. none*4. all of them*")
	s.say(alice, "3")
	s.hear(alice, "Nothing was changed.")
	s.say(alice, "unregister")
	s.hear(alice, "*2. alice@box.example*")
	s.say(alice, "2")
	s.hear(alice, "alice@box.example is not used here any more.")
	if all, _ := h.AccountsOf(t.Context(), edgetest.Alice); len(all) != 1 || all[0].ID != "a1" {
		t.Errorf("%+v", all)
	}
	s.say(alice, "unregister")
	s.hear(alice, "*Delete it? (yes or no)")
}

// TestChooseSpeaker keeps an account of the user's only; the oldest is what holds without a choice.
func TestChooseSpeaker(t *testing.T) {
	_, h := stageSeveral(t)
	all, err := h.AccountsOf(t.Context(), edgetest.Alice)
	if err != nil || len(all) != 2 {
		t.Fatal(all, err)
	}
	p := core.Preferences{}
	chooseSpeaker(&p, all, "a2")
	if p.Account != "a2" {
		t.Errorf("%+v", p)
	}
	chooseSpeaker(&p, all, "somebody else's")
	if p.Account != "a2" {
		t.Errorf("%+v", p)
	}
	chooseSpeaker(&p, all, "a1")
	if p.Account != "" {
		t.Errorf("%+v", p)
	}
}
