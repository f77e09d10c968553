package edgetest

import (
	"context"
	"slices"
	"sync"

	"gangway/core"
	"gangway/mapping"
)

// Alice is the user with an account; Mallory may not use the gateway at all, and
// Bob may but has no account.
const (
	Alice   core.UserID = "alice@example.org"
	Bob     core.UserID = "bob@example.org"
	Mallory core.UserID = "mallory@example.net"
)

// Account is Alice's.
func Account() core.Account {
	return core.Account{ID: "a1", User: Alice, Network: "mail", Own: "alice@mail.example"}
}

// Hall is the gateway, the accounts and the ledger as a test wants them. The
// zero Hall has Alice's account, takes everything and knows no message.
type Hall struct {
	mu        sync.Mutex
	submitted []core.Event
	enrolled  []map[string]string
	removed   bool
	met       []core.Address

	Refuse  error                                              // what Submit returns
	Step    func(answers map[string]string) (core.Step, error) // Enroll
	State   core.Status                                        // Status, if Link is set
	Entries []core.Entry                                       // of the ledger
	Names   map[core.Address]core.Address                      // exact addresses by folded ones
}

// Submitted returns what was taken since the last call.
func (h *Hall) Submitted() []core.Event {
	h.mu.Lock()
	defer h.mu.Unlock()
	all := h.submitted
	h.submitted = nil
	return all
}

// Enrolled returns the answers of every call of Enroll.
func (h *Hall) Enrolled() []map[string]string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Clone(h.enrolled)
}

// Submit takes an event, or refuses it.
func (h *Hall) Submit(_ context.Context, _ core.Account, e core.Event) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.Refuse != nil {
		return h.Refuse
	}
	h.submitted = append(h.submitted, e)
	return nil
}

// Account returns Alice's, on any realm.
func (h *Hall) Account(_ context.Context, user core.UserID, _, realm string) (core.Account, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if user != Alice || h.removed {
		return core.Account{}, core.E(core.Unenrolled, "test: account", "")
	}
	a := Account()
	a.Realm = realm
	return a, nil
}

// Speaker returns Alice's.
func (h *Hall) Speaker(ctx context.Context, user core.UserID, network string, t core.Target, _ ...string) (core.Account, error) {
	return h.Account(ctx, user, network, t.Realm)
}

// AccountOf is Account.
func (h *Hall) AccountOf(ctx context.Context, user core.UserID, network, realm string) (core.Account, error) {
	return h.Account(ctx, user, network, realm)
}

// Accounts returns Alice's.
func (h *Hall) Accounts(ctx context.Context, _ string) ([]core.Account, error) {
	return h.AccountsOf(ctx, Alice)
}

// AccountsOf returns Alice's, for her.
func (h *Hall) AccountsOf(_ context.Context, user core.UserID) ([]core.Account, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if user != Alice || h.removed {
		return nil, nil
	}
	return []core.Account{Account()}, nil
}

// Allowed is everybody but Mallory.
func (h *Hall) Allowed(user core.UserID) bool { return user != Mallory }

// Enroll asks Step.
func (h *Hall) Enroll(_ context.Context, _ core.UserID, _ string, answers map[string]string) (core.Step, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.enrolled = append(h.enrolled, answers)
	if h.Step == nil {
		return core.Step{}, core.E(core.Unsupported, "test: enrol", "Accounts are made by the administrator.")
	}
	return h.Step(answers)
}

// Change asks Step, as Enroll does.
func (h *Hall) Change(ctx context.Context, a core.Account, answers map[string]string) (core.Step, error) {
	return h.Enroll(ctx, a.User, a.Network, answers)
}

// Unenroll removes Alice's account.
func (h *Hall) Unenroll(_ context.Context, user core.UserID, _ string) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if user != Alice || h.removed {
		return core.E(core.Unenrolled, "test: unenrol", "You are not registered here.")
	}
	h.removed = true
	return nil
}

// Unlink removes Alice's account.
func (h *Hall) Unlink(ctx context.Context, _ core.AccountID) error {
	return h.Unenroll(ctx, Alice, "")
}

// Status returns State.
func (h *Hall) Status(id core.AccountID) core.Status {
	s := h.State
	s.Account = id
	return s
}

// Message finds an entry of the ledger.
func (h *Hall) Message(_ context.Context, id core.MessageID) (core.Entry, error) {
	return h.entry(func(e core.Entry) bool { return e.ID == id })
}

// ByRemote finds an entry of the ledger.
func (h *Hall) ByRemote(_ context.Context, a core.AccountID, id core.RemoteID) (core.Entry, error) {
	return h.entry(func(e core.Entry) bool { return e.Account == a && e.Remote == id })
}

// ByOrigin finds an entry of the ledger.
func (h *Hall) ByOrigin(_ context.Context, a core.AccountID, id string) (core.Entry, error) {
	return h.entry(func(e core.Entry) bool { return e.Account == a && e.Origin.ID == id })
}

func (h *Hall) entry(is func(core.Entry) bool) (core.Entry, error) {
	if i := slices.IndexFunc(h.Entries, is); i >= 0 {
		return h.Entries[i], nil
	}
	return core.Entry{}, core.E(core.NotFound, "test: ledger", "")
}

// Contact finds one of Names.
func (h *Hall) Contact(_ context.Context, id core.AccountID, a core.Address) (mapping.Contact, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	exact, ok := h.Names[core.Address(mapping.Fold(string(a)))]
	if !ok {
		return mapping.Contact{}, core.E(core.NotFound, "test: contact", "")
	}
	return mapping.Contact{Account: id, Address: exact}, nil
}

// Meet adds to Names.
func (h *Hall) Meet(_ context.Context, id core.AccountID, a core.Address, _ string) (mapping.Contact, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.Names == nil {
		h.Names = map[core.Address]core.Address{}
	}
	h.Names[core.Address(mapping.Fold(string(a)))] = a
	h.met = append(h.met, a)
	return mapping.Contact{Account: id, Address: a}, nil
}

// Met returns the addresses that Meet was called with.
func (h *Hall) Met() []core.Address {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Clone(h.met)
}
