package roster

import (
	"context"
	"fmt"
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

// Behaviours 13 and 18: by privilege, into our own group, and never again what the
// user has changed; the contacts are shown when the user is online.
func TestFillByPrivilege13(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := live(t, "bob@example.com", "carol@example.com")
		s.advertise(rosterPerms)
		s.greeted()
		s.rosterGet(`<item jid='` + bob + `' name='Bobby' subscription='both'><group>Work</group></item><item jid='dave@example.org' subscription='none'/>`)
		s.rosterSet(`<item jid='email.gw' name='E-mail' subscription='both'><group>E-mail</group></item>`, "")
		s.rosterSet(`<item jid='`+carol+`' name='carol@example.com' subscription='both'><group>E-mail</group></item>`, "")
		s.silent(t)

		s.srv.Send(`<presence from='alice@example.org/phone' to='email.gw'/>`)
		s.srv.Expect(`<presence type='!' from='` + bob + `/gateway' to='alice@example.org'/>`)
		s.srv.Expect(`<presence type='!' from='` + carol + `/gateway' to='alice@example.org'/>`)
		s.silent(t)

		// A new name of ours reaches the list; the user's own names stay.
		_ = s.book.PutContact(t.Context(), mapping.Contact{Account: "a1", Address: "bob@example.com", Alias: "Bob"})
		_ = s.book.PutContact(t.Context(), mapping.Contact{Account: "a1", Address: "carol@example.com", Alias: "Carol"})
		s.roster.Changed(edgetest.Alice, "mail")
		s.roster.Changed(edgetest.Alice, "other")
		s.rosterGet(`<item jid='email.gw' name='Mail' subscription='both'/><item jid='` + bob + `' name='Bobby' subscription='both'><group>Work</group></item>
			<item jid='` + carol + `' name='carol@example.com' subscription='both'><group>E-mail</group></item>`)
		s.rosterSet(`<item jid='`+carol+`' name='Carol' subscription='both'><group>E-mail</group></item>`, "")
		s.silent(t)

		// The same again asks nobody anything.
		s.roster.Changed(edgetest.Alice, "mail")
		s.silent(t)
	})
}

// Who unregisters finds what we have put on the list taken off it (behaviour 11).
func TestUnregisteredListIsCleaned11(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := live(t, "bob@example.com")
		s.advertise(rosterPerms)
		s.greeted()
		s.rosterGet("")
		s.rosterSet(`<item jid='email.gw'/>`, "")
		s.rosterSet(`<item jid='`+bob+`'/>`, "")
		_ = s.hall.Unenroll(t.Context(), edgetest.Alice, "mail")
		s.roster.Changed(edgetest.Alice, "mail")
		s.rosterGet(`<item jid='email.gw' subscription='both'><group>E-mail</group></item><item jid='` + bob + `' subscription='both'><group>E-mail</group></item>`)
		removed := []string{}
		for range 2 {
			s.srv.Unset("id")
			st := s.srv.Expect(`<iq type='set' id='$id' to='alice@example.org'><query xmlns='jabber:iq:roster'><item subscription='remove'/></query></iq>`)
			removed = append(removed, st.Only().Only().Attr("jid"))
			s.srv.Send(`<iq type='result' id='$id' from='alice@example.org' to='email.gw'/>`)
		}
		slices.Sort(removed)
		if fmt.Sprint(removed) != "["+bob+" email.gw]" {
			t.Errorf("removed %v", removed)
		}
		s.silent(t)
		if len(s.book.notes) != 0 {
			t.Errorf("still kept: %s", s.book.notes)
		}
	})
}

// Where the server refuses to change the roster after all (ejabberd does), or
// grants nothing, the user is asked, about one contact at a time.
func TestFillBySubscription13(t *testing.T) {
	for _, granted := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			s := live(t, "bob@example.com", "carol@example.com")
			if granted {
				s.advertise(`<perm access='roster' type='both'/>`)
			}
			s.greeted()
			s.probed()
			if granted {
				s.rosterGet("")
				s.rosterSet(`<item jid='email.gw'/>`, "forbidden")
				s.rosterGet("")
			}
			s.srv.Expect(`<presence type='subscribe' from='email.gw' to='alice@example.org'><nick xmlns='http://jabber.org/protocol/nick'>E-mail</nick></presence>`)
			begun := time.Now()
			s.presence("subscribed", "alice@example.org", "email.gw")
			if granted {
				s.rosterGet("")
			}
			s.srv.Expect(`<presence type='subscribe' from='` + bob + `' to='alice@example.org'><nick xmlns='http://jabber.org/protocol/nick'>bob@example.com</nick></presence>`)
			if d := time.Since(begun); d >= askPause {
				t.Errorf("an answer was not taken up for %s", d)
			}
			if granted {
				s.rosterGet("")
			}
			s.srv.Expect(`<presence type='subscribe' from='` + carol + `' to='alice@example.org'/>`)
			if d := time.Since(begun); d < askPause {
				t.Errorf("asked about two contacts within %s", d)
			}
			s.presence("unsubscribed", "alice@example.org", carol)
			s.silent(t)
			s.roster.Changed(edgetest.Alice, "mail") // nobody is asked twice
			s.silent(t)

			// What is a contact no more goes.
			_ = s.book.RemoveContact(t.Context(), "a1", "bob@example.com")
			s.roster.Changed(edgetest.Alice, "mail")
			s.srv.Expect(`<presence type='unsubscribe' from='` + bob + `' to='alice@example.org'/>`)
			s.srv.Expect(`<presence type='unsubscribed' from='` + bob + `' to='alice@example.org'/>`)
			s.srv.Expect(`<presence type='unavailable' from='` + bob + `' to='alice@example.org'/>`)
			s.silent(t)
		})
	}
}

// A client that says that it takes offers (XEP-0144) gets one, to add only.
func TestFillByExchange13(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := live(t, "bob@example.com")
		info := disco.Info{
			Identities: []disco.Identity{{Category: "client", Type: "pc", Name: "Gajim"}}, Features: []string{nsExchange, disco.NSInfo},
		}
		s.srv.Send(`<presence from='alice@example.org/gajim' to='email.gw'><c xmlns='http://jabber.org/protocol/caps' hash='sha-1' node='https://gajim.org' ver='` + info.Ver() + `'/></presence>`)
		s.greeted()
		ask := `<iq type='get' id='$id' to='alice@example.org/gajim'><query xmlns='` + disco.NSInfo + `' node='https://gajim.org#` + info.Ver() + `'/></iq>`
		s.srv.Ignore(`<presence from='` + bob + `/gateway' to='alice@example.org'/>`)
		s.srv.Expect(ask)
		s.srv.Send(`<iq type='result' id='$id' from='alice@example.org/gajim' to='email.gw'><query xmlns='` + disco.NSInfo + `'>
			<identity category='client' type='pc' name='Gajim'/><feature var='` + nsExchange + `'/><feature var='` + disco.NSInfo + `'/></query></iq>`)
		s.srv.Expect(`<message from='email.gw' to='alice@example.org/gajim'><body/><x xmlns='` + nsExchange + `'>
			<item action='add' jid='email.gw' name='E-mail'><group>E-mail</group></item>
			<item action='add' jid='` + bob + `' name='bob@example.com'><group>E-mail</group></item></x></message>`)
		s.silent(t)
		// The next contact goes to the same kind of client without another question.
		_ = s.book.PutContact(t.Context(), mapping.Contact{Account: "a1", Address: "carol@example.com"})
		s.roster.Changed(edgetest.Alice, "mail")
		s.srv.Expect(`<message to='alice@example.org/gajim'><x xmlns='` + nsExchange + `'><item action='add' jid='` + carol + `'/></x></message>`)
		s.silent(t)
	})
}

// A client that lies about its hash speaks for itself only.
func TestForgedCaps(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := live(t)
		s.srv.Send(`<presence from='alice@example.org/x' to='email.gw'><c xmlns='http://jabber.org/protocol/caps' hash='sha-1' node='n' ver='forged'/></presence>`)
		s.greeted()
		s.srv.Expect(`<iq type='get' id='$id' to='alice@example.org/x'/>`)
		s.srv.Send(`<iq type='result' id='$id' from='alice@example.org/x' to='email.gw'><query xmlns='` + disco.NSInfo + `'><feature var='` + nsExchange + `'/></query></iq>`)
		s.srv.Expect(`<message to='alice@example.org/x'><x xmlns='` + nsExchange + `'/></message>`)
		if n := len(s.roster.domains[s.domain].caps.known); n != 0 {
			t.Errorf("%d kinds are held to be known", n)
		}
	})
}

// Behaviours 12 and 14: to subscribe to a contact lists it, to unsubscribe forgets it.
func TestSubscriptionsChangeContacts12(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := live(t)
		s.greeted()
		s.probed()
		s.srv.Expect(`<presence type='subscribe' from='email.gw'/>`)
		s.presence("subscribed", "alice@example.org", "email.gw")
		s.presence("subscribe", "alice@example.org", bob)
		s.srv.Expect(`<presence type='subscribed' from='` + bob + `' to='alice@example.org'/>`)
		s.srv.Expect(`<presence type='!' from='` + bob + `/gateway' to='alice@example.org'/>`)
		s.srv.Expect(`<presence type='subscribe' from='` + bob + `' to='alice@example.org'/>`)
		s.presence("subscribed", "alice@example.org", bob)
		s.silent(t)
		if s.book.names() != "bob@example.com" {
			t.Errorf("contacts after subscribe: %q", s.book.names())
		}
		s.presence("unsubscribe", "alice@example.org", bob)
		s.presence("unsubscribed", "alice@example.org", bob)
		s.srv.Expect(`<presence type='unsubscribed' from='` + bob + `' to='alice@example.org'/>`)
		s.srv.Expect(`<presence type='unavailable' from='` + bob + `' to='alice@example.org'/>`)
		s.silent(t)
		if s.book.names() != "" {
			t.Errorf("contacts after unsubscribe: %q", s.book.names())
		}
	})
}

func TestPlan13(t *testing.T) {
	item := func(jid, name, sub string, groups ...string) privilege.Item {
		return privilege.Item{JID: jid, Name: name, Subscription: sub, Groups: groups}
	}
	both := func(jid, name string) privilege.Item { return item(jid, name, "both", "Mail") }
	us := contact{jid: "gw", name: "Mail"}
	a := contact{jid: "a@gw", name: "Anna"}
	ours := map[string]entry{"gw": {"Mail", set}, "a@gw": {"Anna", set}}
	for name, c := range map[string]struct {
		wanted  []contact
		have    []privilege.Item
		before  map[string]entry
		set     []privilege.Item
		removed string
	}{
		"new":              {[]contact{us, a}, nil, nil, []privilege.Item{both("gw", "Mail"), both("a@gw", "Anna")}, ""},
		"in step":          {[]contact{us, a}, []privilege.Item{both("gw", "Mail"), both("a@gw", "Anna")}, ours, nil, ""},
		"renamed by user":  {[]contact{us, a}, []privilege.Item{both("gw", "Mail"), both("a@gw", "Sis")}, ours, nil, ""},
		"regrouped":        {[]contact{us, a}, []privilege.Item{both("gw", "Mail"), item("a@gw", "Anna", "both", "Kin")}, ours, nil, ""},
		"renamed by us":    {[]contact{us, {jid: "a@gw", name: "Ann"}}, []privilege.Item{both("gw", "Mail"), item("a@gw", "Anna", "both", "Kin")}, ours, []privilege.Item{item("a@gw", "Ann", "both", "Kin")}, ""},
		"half a contact":   {[]contact{us, a}, []privilege.Item{both("gw", "Mail"), item("a@gw", "Sis", "to", "Kin")}, nil, []privilege.Item{item("a@gw", "Sis", "both", "Kin")}, ""},
		"nameless":         {[]contact{us, a}, []privilege.Item{both("gw", "Mail"), item("a@gw", "", "both")}, nil, []privilege.Item{item("a@gw", "Anna", "both")}, ""},
		"removed by user":  {[]contact{us, a}, []privilege.Item{both("gw", "Mail")}, ours, nil, "a@gw"},
		"an empty roster":  {[]contact{us, a}, []privilege.Item{both("x@y", "X")}, ours, []privilege.Item{both("gw", "Mail"), both("a@gw", "Anna")}, ""},
		"not wanted":       {[]contact{us}, []privilege.Item{both("gw", "Mail"), both("a@gw", "Anna"), both("b@gw", "B"), both("a@other", "")}, ours, []privilege.Item{item("a@gw", "", "remove")}, ""},
		"not wanted, kept": {[]contact{us}, []privilege.Item{both("gw", "Mail"), item("a@gw", "Anna", "both", "Mail", "Kin")}, ours, nil, ""},
		"strange items":    {[]contact{us}, []privilege.Item{both("gw", "Mail"), both("", ""), both("a@gw/x", ""), both("@", "")}, ours, nil, ""},
	} {
		p := planFor("gw", "Mail", c.wanted, c.have, c.before)
		if fmt.Sprint(p.set) != fmt.Sprint(c.set) || strings.Join(p.removed, " ") != c.removed {
			t.Errorf("%s: set %v, removed %v", name, p.set, p.removed)
		}
		again := planFor("gw", "Mail", c.wanted, apply(c.have, p.set), p.entries)
		if len(again.set) > 0 || len(again.removed) > 0 {
			t.Errorf("%s: not at rest: %+v", name, again)
		}
	}
}

// apply makes of a roster what was set.
func apply(have, set []privilege.Item) []privilege.Item {
	have = slices.Clone(have)
	for _, it := range set {
		have = slices.DeleteFunc(have, func(o privilege.Item) bool { return o.JID == it.JID })
		if it.Subscription != "remove" {
			have = append(have, it)
		}
	}
	return have
}
