package roster

import (
	"context"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"gangway/core"
	"gangway/core/xmpp"
	"gangway/core/xmpp/disco"
	"gangway/core/xmpp/edge"
	"gangway/core/xmpp/edge/edgetest"
	"gangway/core/xmpp/privilege"
	"gangway/core/xmpp/xmpptest"
	"gangway/mapping"
)

// book is the table of contacts and the rows of the roster.
type book struct {
	mu       sync.Mutex
	contacts []mapping.Contact
	notes    map[string][]byte
}

func (b *book) Contacts(_ context.Context, _ core.AccountID, after core.Address, _ int) (some []mapping.Contact, _ error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, c := range b.contacts {
		if c.Address > after {
			some = append(some, c)
		}
	}
	return some, nil
}

func (b *book) Contact(_ context.Context, _ core.AccountID, a core.Address) (mapping.Contact, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, c := range b.contacts {
		if c.Address == a {
			return c, nil
		}
	}
	return mapping.Contact{}, core.E(core.NotFound, "test: contact", "")
}

func (b *book) PutContact(_ context.Context, c mapping.Contact) error {
	c.Listed = true
	b.mu.Lock()
	defer b.mu.Unlock()
	b.contacts = append(slices.DeleteFunc(b.contacts, func(o mapping.Contact) bool { return o.Address == c.Address }), c)
	slices.SortFunc(b.contacts, func(x, y mapping.Contact) int { return strings.Compare(string(x.Address), string(y.Address)) })
	return nil
}

func (b *book) Meet(_ context.Context, account core.AccountID, a core.Address, name string) (mapping.Contact, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for i, c := range b.contacts {
		if c.Address == a {
			b.contacts[i].Name = name
			return b.contacts[i], nil
		}
	}
	c := mapping.Contact{Account: account, Address: a, Name: name}
	b.contacts = append(b.contacts, c)
	return c, nil
}

func (b *book) RemoveContact(_ context.Context, _ core.AccountID, a core.Address) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.contacts = slices.DeleteFunc(b.contacts, func(o mapping.Contact) bool { return o.Address == a })
	return nil
}

func (b *book) Put(_ context.Context, key string, value []byte, _ time.Duration) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.notes[key] = value
	return nil
}

func (b *book) Get(_ context.Context, key string) ([]byte, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if v, ok := b.notes[key]; ok {
		return v, nil
	}
	return nil, core.E(core.NotFound, "test: note", "")
}

func (b *book) Delete(_ context.Context, key string) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.notes, key)
	return nil
}

// Keys implements what mapping's notes have beside core.Notes.
func (b *book) Keys(_ context.Context, after string, limit int) (keys []string, _ error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for key := range b.notes {
		if key > after {
			keys = append(keys, key)
		}
	}
	slices.Sort(keys)
	return keys[:min(limit, len(keys))], nil
}

func (b *book) names() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	var all []string
	for _, c := range b.contacts {
		all = append(all, string(c.Address))
	}
	return strings.Join(all, " ")
}

// alive is a scene whose Run runs, in a synctest bubble.
type alive struct {
	*scene
	book *book
	mood *mood
}

// mood is a hall whose accounts change while they are looked at.
type mood struct {
	*edgetest.Hall
	mu    sync.Mutex
	state core.Status
	owner core.UserID // who has Alice's account; empty: she, unless she has unregistered
}

func (m *mood) AccountsOf(ctx context.Context, user core.UserID) ([]core.Account, error) {
	m.mu.Lock()
	owner := m.owner
	m.mu.Unlock()
	switch {
	case owner == "":
		return m.Hall.AccountsOf(ctx, user)
	case user != owner:
		return nil, nil
	}
	a := edgetest.Account()
	a.User = owner
	return []core.Account{a}, nil
}

func (m *mood) Accounts(ctx context.Context, _ string) ([]core.Account, error) {
	m.mu.Lock()
	owner := m.owner
	m.mu.Unlock()
	if owner == "" {
		owner = edgetest.Alice
	}
	return m.AccountsOf(ctx, owner)
}

func (m *mood) AccountOf(ctx context.Context, user core.UserID, _, _ string) (core.Account, error) {
	all, err := m.AccountsOf(ctx, user)
	if err != nil || len(all) == 0 {
		return core.Account{}, core.E(core.Unenrolled, "test: account", "")
	}
	return all[0], nil
}

// moveTo gives Alice's account to somebody.
func (m *mood) moveTo(user core.UserID) core.Account {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.owner = user
	a := edgetest.Account()
	a.User = user
	return a
}

func (m *mood) Status(id core.AccountID) core.Status {
	m.mu.Lock()
	defer m.mu.Unlock()
	st := m.state
	st.Account = id
	return st
}

func (m *mood) set(st core.Status) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.state = st
}

func live(t *testing.T, contacts ...core.Address) *alive {
	t.Helper()
	return liveWith(t, nil, contacts...)
}

// liveWith lives with a roster that is made otherwise.
func liveWith(t *testing.T, change func(*Config), contacts ...core.Address) *alive {
	t.Helper()
	s := &alive{scene: &scene{srv: xmpptest.New(t), hall: &edgetest.Hall{}}, book: &book{notes: map[string][]byte{}}}
	s.srv.Patience = time.Minute
	s.mood = &mood{Hall: s.hall}
	for _, a := range contacts {
		_ = s.book.PutContact(t.Context(), mapping.Contact{Account: "a1", Address: a})
	}
	s.domain = &edge.Domain{Name: "email.gw", Network: edgetest.Network((*edgetest.Plain)(nil))}
	s.domain.Privileges = privilege.New(privilege.Config{Domain: "email.gw", Host: xmpptest.Host})
	cfg := Config{Gateway: s.mood, Accounts: s.mood, Contacts: s.book, Notes: func(string) core.Notes { return s.book }}
	if change != nil {
		change(&cfg)
	}
	s.roster = New(cfg)
	h := s.roster.On(s.domain, disco.New(disco.Config{Domain: s.domain, Gateway: s.hall}))
	router := xmpp.NewRouter(xmpp.RouterConfig{})
	router.Presence(&edge.Switch{Domain: s.domain, Self: h, Contact: h})
	router.IQ("get", xmpp.NSPing, "ping", xmpp.Ping())
	s.domain.Privileges.Register(router, xmpp.HandlerFunc(func(context.Context, xmpp.Sender, *stanza) error { return nil }))
	link := xmpptest.Start(t, s.srv, "email.gw", router, func(c *xmpp.Config) {
		c.Dial = s.srv.Dial
		c.Trace = &xmpp.Trace{State: func(_ string, st xmpp.Status) {
			s.domain.Privileges.State(st)
			s.roster.State(s.domain, st)
		}}
	})
	s.domain.Link = link
	s.domain.Privileges.Attach(link)
	var err error
	if s.edge, err = edge.New(edge.Config{Domains: []*edge.Domain{s.domain}, Chat: s.roster, Roster: s.roster}); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- s.roster.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		<-done
	})
	return s
}

func (s *alive) advertise(perms string) {
	s.srv.Send(`<message from='example.org' to='email.gw'><privilege xmlns='urn:xmpp:privilege:2'>` + perms + `</privilege></message>`)
}

// greeted expects what every start begins with.
func (s *alive) greeted() {
	s.srv.Expect(`<presence type='!' from='email.gw' to='alice@example.org'><c xmlns='http://jabber.org/protocol/caps'/></presence>`)
}

func (s *alive) probed() {
	s.srv.Expect(`<presence type='probe' from='email.gw' to='alice@example.org'/>`)
}

// silent expects that nothing is sent for an hour.
func (s *alive) silent(t *testing.T) {
	t.Helper()
	time.Sleep(time.Hour)
	synctest.Wait()
	s.srv.Quiet("alice@example.org/x", "email.gw")
}

const (
	rosterPerms = `<perm access='roster' type='both'/><perm access='presence' type='managed_entity'/>`
	carol       = `carol\40example.com@email.gw`
)

func (s *alive) rosterGet(items string) {
	s.srv.Unset("id")
	s.srv.Expect(`<iq type='get' id='$id' to='alice@example.org'><query xmlns='jabber:iq:roster'/></iq>`)
	s.srv.Send(`<iq type='result' id='$id' from='alice@example.org' to='email.gw'><query xmlns='jabber:iq:roster'>` + items + `</query></iq>`)
}

func (s *alive) rosterSet(item, reply string) {
	s.srv.Unset("id")
	s.srv.Expect(`<iq type='set' id='$id' to='alice@example.org'><query xmlns='jabber:iq:roster'>` + item + `</query></iq>`)
	if reply == "" {
		s.srv.Send(`<iq type='result' id='$id' from='alice@example.org' to='email.gw'/>`)
	} else {
		s.srv.Send(`<iq type='error' id='$id' from='alice@example.org' to='email.gw'><error type='auth'><` + reply +
			` xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>`)
	}
}
