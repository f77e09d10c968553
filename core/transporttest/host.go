package transporttest

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"gangway/core"
)

// patience is how long anything is waited for before the test fails.
const patience = time.Minute

// Host is a core.Host in memory. It records what is delivered, can refuse, and recognises what it had before.
// It is safe for concurrent use.
type Host struct {
	// Webhook is what WebhookURL returns. It is set before the transport is made.
	Webhook string
	// Files are what Blobs returns.
	Files Blobs
	// Chosen are the preferences of everybody. They are set before the transport is used; after that see Choose.
	Chosen core.Preferences
	// Turned are the answers of Receives that are not nil. It is set before the transport is used.
	Turned map[core.Ref]error
	// Client is what Software answers; without a Name there is no client. It is set before the transport is used.
	Client core.Software

	t testing.TB

	mu       sync.Mutex
	accounts []core.Account
	events   []core.Event
	seen     map[string]bool
	refusal  error
	refused  bool // ever
	notes    map[string][]byte
	kept     []*core.Message        // of an earlier life
	gaps     map[core.Ref]core.Mark // that are open
	begun    map[core.Ref]core.Mark // rooms that were entered for the first time, and when
	changed  chan struct{}          // closed and renewed at every delivery
}

// NewHost makes a host that knows these accounts.
func NewHost(t testing.TB, accounts ...core.Account) *Host {
	return &Host{
		t: t, accounts: accounts, seen: map[string]bool{}, notes: map[string][]byte{}, gaps: map[core.Ref]core.Mark{}, begun: map[core.Ref]core.Mark{},
		changed: make(chan struct{}),
	}
}

// Add makes one more account known.
func (h *Host) Add(a core.Account) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.accounts = append(h.accounts, a)
}

// Refuse makes every Deliver fail with err, until it is called with nil.
func (h *Host) Refuse(err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.refusal = err
	h.refused = h.refused || err != nil
}

// hasRefused says whether Refuse was ever called with an error.
func (h *Host) hasRefused() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.refused
}

// Deliver records e. As in the gateway, a message or receipt delivered before is taken without effect.
func (h *Host) Deliver(ctx context.Context, e core.Event) error {
	if err := ctx.Err(); err != nil {
		return core.Wrap(core.Unavailable, "transporttest: deliver", err)
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.refusal != nil {
		return h.refusal
	}
	key := ""
	switch e := e.(type) {
	case *core.Message:
		if e.Remote != "" {
			key = core.Digest("message", string(e.Account), string(e.Remote))
		}
	case *core.Receipt:
		key = core.Digest("receipt", string(e.Account), string(e.ID), string(e.Remote), e.State.String())
	}
	if key != "" && h.seen[key] {
		return nil
	}
	h.seen[key] = true
	if m, ok := e.(*core.Message); ok {
		for _, n := range m.Notes {
			h.notes[n.Key] = bytes.Clone(n.Value)
		}
	}
	h.add(e)
	return nil
}

// add records an event. The lock is held.
func (h *Host) add(e core.Event) {
	h.events = append(h.events, e)
	close(h.changed)
	h.changed = make(chan struct{})
}

// Events returns what has been delivered so far.
func (h *Host) Events() []core.Event {
	h.mu.Lock()
	defer h.mu.Unlock()
	return append([]core.Event(nil), h.events...)
}

// Wait returns the first event, delivered already or to come, that match accepts. It fails the test if none comes.
func (h *Host) Wait(what string, match func(core.Event) bool) core.Event {
	h.t.Helper()
	deadline := time.After(patience)
	for {
		h.mu.Lock()
		events, changed := h.events, h.changed
		h.mu.Unlock()
		for _, e := range events {
			if match(e) {
				return e
			}
		}
		select {
		case <-changed:
		case <-deadline:
			h.t.Fatalf("%s did not come; delivered were %d events: %s", what, len(events), describe(events))
		}
	}
}

// WaitMessage waits for a message with this text.
func (h *Host) WaitMessage(text string) *core.Message {
	h.t.Helper()
	e := h.Wait("message "+text, func(e core.Event) bool {
		m, ok := e.(*core.Message)
		return ok && m.Text == text
	})
	return e.(*core.Message)
}

// Owner finds the account with this own address, compared without case.
func (h *Host) Owner(_ context.Context, own, _ core.Address) (core.Account, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, a := range h.accounts {
		if strings.EqualFold(string(a.Own), string(own)) {
			return a, nil
		}
	}
	return core.Account{}, core.E(core.NotFound, "transporttest: owner", "")
}

// Receives returns what Turned says.
func (h *Host) Receives(_ context.Context, id core.AccountID, peer core.Address) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.Turned[core.Ref{Account: id, Peer: peer}]
}

// Account finds an account by its id.
func (h *Host) Account(_ context.Context, id core.AccountID) (core.Account, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, a := range h.accounts {
		if a.ID == id {
			return a, nil
		}
	}
	return core.Account{}, core.E(core.NotFound, "transporttest: account", "")
}

// AccountsOf finds a user's accounts.
func (h *Host) AccountsOf(_ context.Context, user core.UserID) ([]core.Account, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(h.accounts), func(a core.Account) bool { return a.User != user }), nil
}

// Renew replaces the secret of an account.
func (h *Host) Renew(_ context.Context, id core.AccountID, s core.Secret) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	for i := range h.accounts {
		if h.accounts[i].ID == id {
			h.accounts[i].Secret = s
			return nil
		}
	}
	return core.E(core.NotFound, "transporttest: renew", "")
}

// Notes are kept in memory; nothing expires.
func (h *Host) Notes() core.Notes { return notes{h} }

// Blobs returns Files.
func (h *Host) Blobs() core.Blobs { return &h.Files }

// Choose changes Chosen while the transport is used.
func (h *Host) Choose(p core.Preferences) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.Chosen = p
}

// Preferences returns Chosen.
func (h *Host) Preferences(context.Context, core.AccountID) (core.Preferences, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.Chosen, nil
}

// Software returns Client.
func (h *Host) Software(ctx context.Context, _ core.AccountID, _ core.Address) (core.Software, error) {
	if h.Client.Name == "" {
		return core.Software{}, core.E(core.NotFound, "transporttest: software", "")
	}
	return h.Client, ctx.Err()
}

// WebhookURL returns the field Webhook.
func (h *Host) WebhookURL() string { return h.Webhook }

// Logger writes to the test's log when it fails, or with -v.
func (h *Host) Logger() *slog.Logger {
	if !testing.Verbose() {
		return slog.New(slog.DiscardHandler)
	}
	return slog.New(slog.NewTextHandler(h.t.(interface{ Output() io.Writer }).Output(), nil))
}

type notes struct{ h *Host }

func (n notes) Put(_ context.Context, key string, value []byte, _ time.Duration) error {
	n.h.mu.Lock()
	defer n.h.mu.Unlock()
	n.h.notes[key] = append([]byte(nil), value...)
	return nil
}

func (n notes) Get(_ context.Context, key string) ([]byte, error) {
	n.h.mu.Lock()
	defer n.h.mu.Unlock()
	v, ok := n.h.notes[key]
	if !ok {
		return nil, core.E(core.NotFound, "transporttest: note", "")
	}
	return append([]byte(nil), v...), nil
}

func (n notes) Delete(_ context.Context, key string) error {
	n.h.mu.Lock()
	defer n.h.mu.Unlock()
	delete(n.h.notes, key)
	return nil
}
