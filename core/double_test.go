package core_test

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"gangway/core"
)

// memAccounts is a core.Accounts in memory.
type memAccounts struct {
	mu       sync.Mutex
	all      []core.Account
	onUnlink func() // called before an account is removed, if set
}

func (m *memAccounts) find(kind core.Kind, match func(core.Account) bool) (core.Account, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, a := range m.all {
		if match(a) {
			return a, nil
		}
	}
	return core.Account{}, core.E(kind, "accounts", "")
}

func (m *memAccounts) Account(_ context.Context, id core.AccountID) (core.Account, error) {
	return m.find(core.NotFound, func(a core.Account) bool { return a.ID == id })
}

func (m *memAccounts) AccountOf(_ context.Context, u core.UserID, network, realm string) (core.Account, error) {
	return m.find(core.Unenrolled, func(a core.Account) bool {
		return a.User == u && a.Network == network && a.Realm == realm
	})
}

func (m *memAccounts) Owner(_ context.Context, network string, own, _ core.Address) (core.Account, error) {
	return m.find(core.NotFound, func(a core.Account) bool { return a.Network == network && a.Own == own })
}

func (m *memAccounts) Accounts(_ context.Context, network string) ([]core.Account, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var all []core.Account
	for _, a := range m.all {
		if a.Network == network {
			all = append(all, a)
		}
	}
	return all, nil
}

func (m *memAccounts) Link(_ context.Context, a core.Account) (core.Account, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for i := range m.all {
		if m.all[i].ID == a.ID {
			m.all[i] = a
			return a, nil
		}
	}
	if a.ID == "" {
		a.ID = core.AccountID(core.NewID())
	}
	m.all = append(m.all, a)
	return a, nil
}

func (m *memAccounts) Unlink(_ context.Context, id core.AccountID) error {
	if m.onUnlink != nil {
		m.onUnlink()
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	for i := range m.all {
		if m.all[i].ID == id {
			m.all = append(m.all[:i:i], m.all[i+1:]...)
			return nil
		}
	}
	return core.E(core.NotFound, "accounts", "")
}

// memEdge records what is shown.
type memEdge struct {
	mu    sync.Mutex
	shown []core.Event
	fail  error
	said  []told

	stopped []core.AccountID
}

func (m *memEdge) Stopped(a core.Account) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.stopped = append(m.stopped, a.ID)
}

func (m *memEdge) Show(_ context.Context, _ core.Account, e core.Event) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.shown = append(m.shown, e)
	return nil
}

func (m *memEdge) Hand(_ context.Context, hs []core.Handing) []error {
	m.mu.Lock()
	defer m.mu.Unlock()
	errs := make([]error, len(hs))
	for i, h := range hs {
		if errs[i] = m.fail; errs[i] != nil {
			continue
		}
		if n, ok := h.Event.(*core.Notice); ok {
			m.said = append(m.said, told{h.Account.Network, h.Account.User, n.Text})
			continue
		}
		m.shown = append(m.shown, h.Event)
	}
	return errs
}

func (m *memEdge) refuse(err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.fail = err
}

// told is what the gateway said to somebody itself.
type told struct {
	network string
	user    core.UserID
	text    string
}

// heard returns what somebody was told, and forgets it. It is called in a bubble.
func (m *memEdge) heard(user core.UserID) []string {
	synctest.Wait()
	m.mu.Lock()
	defer m.mu.Unlock()
	var texts []string
	kept := m.said[:0]
	for _, s := range m.said {
		if s.user == user {
			texts = append(texts, s.text)
		} else {
			kept = append(kept, s)
		}
	}
	m.said = kept
	return texts
}

// of returns what was shown of one type of event.
func of[E core.Event](m *memEdge) []E {
	m.mu.Lock()
	defer m.mu.Unlock()
	var all []E
	for _, e := range m.shown {
		if e, ok := e.(E); ok {
			all = append(all, e)
		}
	}
	return all
}

// fakeNet is a transport whose sessions do what the test says. It is the transport and, for each account, the
// session.
type fakeNet struct {
	host core.Host
	mu   sync.Mutex
	run  func(ctx context.Context, a core.Account, n int) error // n counts the runs of the account, from 1
	send func(m *core.Message, n int) (core.Taken, error)       // n counts all sends, from 1
	runs map[core.AccountID]int
	sent []*core.Message
}

func (f *fakeNet) driver(d core.Driver) core.Driver {
	d.Name, d.Title, d.Type = "fake", "Fake", "fake"
	if d.Lifetime == 0 {
		d.Lifetime = time.Hour
	}
	if d.Session == nil {
		d.Session = (*fakeSession)(nil)
	}
	f.runs = map[core.AccountID]int{}
	d.New = func(h core.Host, _ core.Decoder) (core.Transport, error) {
		f.host = h
		return f, nil
	}
	return d
}

func (f *fakeNet) Run(ctx context.Context) error { <-ctx.Done(); return nil }

func (f *fakeNet) Parse(s string) (core.Target, error) {
	return core.Target{Address: core.Address(s)}, nil
}
func (f *fakeNet) Format(t core.Target) string { return string(t.Address) }

func (f *fakeNet) Open(a core.Account) (core.Session, error) { return &fakeSession{f, a}, nil }

func (f *fakeNet) sends() []*core.Message {
	f.mu.Lock()
	defer f.mu.Unlock()
	return append([]*core.Message(nil), f.sent...)
}

func (f *fakeNet) ran(a core.AccountID) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.runs[a]
}

type fakeSession struct {
	net     *fakeNet
	account core.Account
}

func (s *fakeSession) Run(ctx context.Context) error {
	if ctx.Err() != nil {
		return nil //nolint:nilerr // it keeps nothing that it would answer for
	}
	s.net.mu.Lock()
	s.net.runs[s.account.ID]++
	n, run := s.net.runs[s.account.ID], s.net.run
	s.net.mu.Unlock()
	if run == nil {
		<-ctx.Done()
		return nil
	}
	return run(ctx, s.account, n)
}

// Send is cut off, as a real one would be, if ctx has ended by the time it is done.
func (s *fakeSession) Send(ctx context.Context, m *core.Message) (core.Taken, error) {
	s.net.mu.Lock()
	s.net.sent = append(s.net.sent, m)
	n, send := len(s.net.sent), s.net.send
	s.net.mu.Unlock()
	if send == nil {
		return core.Taken{Remote: core.RemoteID("r-" + m.ID), State: core.Accepted}, nil
	}
	taken, err := send(m, n)
	if ctx.Err() != nil {
		return core.Taken{}, core.Wrap(core.Unavailable, "fake: send", ctx.Err())
	}
	return taken, err
}

// hall is a gateway on doubles, running.
type hall struct {
	alerts atomic.Int32
	*core.Gateway
	net      *fakeNet
	queue    *memQueue
	ledger   *memLedger
	accounts *memAccounts
	people   *memPeople
	choices  *memChoices
	access   atomic.Pointer[core.Access]
	edge     *memEdge
	archive  *memArchive
	stop     func() error
}

var (
	alice = core.Account{ID: "alice1", User: "alice@example.test", Network: "fake", Own: "alice"}
	bob   = core.Account{ID: "bob1", User: "bob@example.test", Network: "fake", Own: "bob"}
)

func newHall(t *testing.T, net *fakeNet, d core.Driver) *hall {
	t.Helper()
	return newHallOf(t, net, net.driver(d))
}

// newHallOf is newHall for a driver that is complete.
func newHallOf(t *testing.T, net *fakeNet, d core.Driver) *hall {
	t.Helper()
	return newHallWith(t, net, d, func(*core.Config) {})
}

// newHallWith is newHallOf with other parts; change may leave the driver to be completed.
func newHallWith(t *testing.T, net *fakeNet, d core.Driver, change func(*core.Config)) *hall {
	t.Helper()
	if d.New == nil {
		d = net.driver(d)
	}
	h := &hall{
		net: net, ledger: &memLedger{entries: map[core.MessageID]core.Entry{}, newest: map[string]core.MessageID{}},
		accounts: &memAccounts{all: []core.Account{alice, bob}}, edge: &memEdge{}, choices: &memChoices{},
		archive: &memArchive{known: map[core.MessageID]core.Archived{}},
	}
	h.people = &memPeople{accounts: h.accounts, all: map[core.UserID]core.Person{}, invites: map[string]int{}}
	h.access.Store(&core.Access{Allow: func(u core.UserID) bool { return u != mallory }})
	h.queue = newMemQueue(h.ledger)
	cfg := core.Config{
		Queue: h.queue, Accounts: h.accounts, Ledger: h.ledger,
		Notes:  func(string) core.Notes { return nil },
		People: h.people, Routes: &memRoutes{accounts: h.accounts, last: map[core.Address]core.AccountID{}},
		Choices: h.choices, Archive: h.archive, Keepers: []core.Keeper{&h.people.kept},
		Access: func() *core.Access { return h.access.Load() },
		Trace:  &core.Trace{Alerted: func(string, *core.Error) { h.alerts.Add(1) }},
	}
	change(&cfg)
	h.Gateway = core.NewGateway(cfg)
	if err := h.Add(d, func(any) error { return nil }); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- h.Run(ctx, h.edge) }()
	synctest.Wait() // Run is under way
	h.stop = sync.OnceValue(func() error { cancel(); return <-done })
	return h
}

func message(text string) *core.Message {
	return &core.Message{
		Ref: core.Ref{Account: alice.ID, Peer: "peer"}, IDs: core.IDs{ID: core.NewID()},
		Origin: core.Origin{ID: "o-" + text, From: "alice@example.test/phone"}, Text: text,
	}
}

var errAway = core.E(core.Unavailable, "fake", "The network is away.")

func kind(err error) core.Kind {
	if err == nil {
		return 255
	}
	var e *core.Error
	if !errors.As(err, &e) {
		return 254
	}
	return e.Kind
}
