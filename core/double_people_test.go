package core_test

import (
	"context"
	"sync"

	"gangway/core"
)

const mallory = core.UserID("mallory@example.test")

// memPeople is a core.People in memory, and notes what a Keeper is told.
type memPeople struct {
	accounts *memAccounts
	kept     memKeeper

	mu      sync.Mutex
	all     map[core.UserID]core.Person
	invites map[string]int // uses left, by token
}

func (m *memPeople) Person(_ context.Context, user core.UserID) (core.Person, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	p := m.all[user]
	p.User = user
	return p, nil
}

func (m *memPeople) People(context.Context, core.PeopleFilter) ([]core.Person, error) {
	return nil, nil
}

func (m *memPeople) ChangePerson(_ context.Context, user core.UserID, change func(*core.Person) error) (core.Person, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	p := m.all[user]
	p.User = user
	if err := change(&p); err != nil {
		return core.Person{}, err
	}
	m.all[user] = p
	return p, nil
}

func (m *memPeople) Redeem(_ context.Context, user core.UserID, _, token string) (core.Person, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.invites[token] == 0 {
		return core.Person{}, core.E(core.NotFound, "people", "")
	}
	m.invites[token]--
	p := core.Person{User: user, Standing: core.Registered}
	m.all[user] = p
	return p, nil
}

func (m *memPeople) AccountsOf(_ context.Context, user core.UserID) ([]core.Account, error) {
	m.accounts.mu.Lock()
	defer m.accounts.mu.Unlock()
	var all []core.Account
	for _, a := range m.accounts.all {
		if a.User == user {
			all = append(all, a)
		}
	}
	return all, nil
}

func (m *memPeople) Move(_ context.Context, from, to core.UserID) error {
	m.accounts.mu.Lock()
	defer m.accounts.mu.Unlock()
	found := false
	for i := range m.accounts.all {
		if m.accounts.all[i].User == from {
			m.accounts.all[i].User, found = to, true
		}
	}
	if !found {
		return core.E(core.NotFound, "people", "")
	}
	return nil
}

func (m *memPeople) Erase(_ context.Context, user core.UserID) error {
	m.accounts.mu.Lock()
	defer m.accounts.mu.Unlock()
	kept := m.accounts.all[:0:0]
	for _, a := range m.accounts.all {
		if a.User != user {
			kept = append(kept, a)
		}
	}
	if len(kept) == len(m.accounts.all) {
		return core.E(core.NotFound, "people", "")
	}
	m.accounts.all = kept
	return nil
}

// memKeeper notes its orders.
type memKeeper struct {
	mu     sync.Mutex
	orders []string
}

func (k *memKeeper) Move(_ context.Context, from, to core.UserID) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.orders = append(k.orders, "move "+string(from)+" "+string(to))
	return nil
}

func (k *memKeeper) Erase(_ context.Context, user core.UserID) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.orders = append(k.orders, "erase "+string(user))
	return nil
}

// memChoices is a core.Choices in memory: what alice chose.
type memChoices struct {
	mu      sync.Mutex
	chosen  core.Preferences
	blocked core.Address
}

func (m *memChoices) choose(p core.Preferences, blocked core.Address) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.chosen, m.blocked = p, blocked
}

func (m *memChoices) Preferences(context.Context, core.UserID, string) (core.Preferences, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.chosen, nil
}

func (m *memChoices) Blocked(_ context.Context, _ core.AccountID, peer core.Address) (bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.blocked != "" && m.blocked == peer, nil
}
