package register

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"time"

	"gangway/core"
	"gangway/core/xmpp/edge/edgetest"
	"gangway/mapping"
)

// hall is the shared double with what commands ask beyond it: Mallory is not
// admitted, and Root is the administrator.
type hall struct {
	*edgetest.Hall

	mu      sync.Mutex
	people  map[core.UserID]core.Person
	told    []string
	moved   []string
	invited []string
	limits  core.Limits
}

const root = "root@example.org"

func newHall() *hall { return &hall{Hall: &edgetest.Hall{}, people: map[core.UserID]core.Person{}} }

func (h *hall) Admit(_ context.Context, user core.UserID) error {
	if user == edgetest.Mallory {
		return core.E(core.Denied, "test: access", "This gateway is not open to your address. Ask its administrator.")
	}
	return nil
}

func (h *hall) Enroll(ctx context.Context, user core.UserID, network string, answers map[string]string) (core.Step, error) {
	if err := h.Admit(ctx, user); err != nil {
		return core.Step{}, err
	}
	return h.Hall.Enroll(ctx, user, network, answers)
}

func (h *hall) Admin(user core.UserID) bool { return user == root }

func (h *hall) Limits() core.Limits { return h.limits }

func (h *hall) Person(_ context.Context, user core.UserID) (core.Person, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	p := h.people[user]
	p.User = user
	return p, nil
}

func (h *hall) People(_ context.Context, f core.PeopleFilter) ([]core.Person, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	var all []core.Person
	for _, p := range h.people {
		if f.Standing == core.Stranger || p.Standing == f.Standing {
			all = append(all, p)
		}
	}
	slices.SortFunc(all, func(a, b core.Person) int { return strings.Compare(string(a.User), string(b.User)) })
	all = slices.DeleteFunc(all, func(p core.Person) bool { return p.User <= f.After })
	if f.Limit > 0 {
		all = all[:min(f.Limit, len(all))]
	}
	return all, nil
}

func (h *hall) set(user core.UserID, change func(*core.Person)) (core.Person, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	p := h.people[user]
	p.User = user
	change(&p)
	h.people[user] = p
	return p, nil
}

func (h *hall) Approve(_ context.Context, user core.UserID) (core.Person, error) {
	return h.set(user, func(p *core.Person) { p.Standing = core.Registered })
}

func (h *hall) Reject(_ context.Context, user core.UserID) error {
	_, err := h.set(user, func(p *core.Person) { p.Standing = core.Stranger })
	return err
}

func (h *hall) Suspend(_ context.Context, user core.UserID, why string) (core.Person, error) {
	if h.Admin(user) {
		return core.Person{}, core.E(core.Invalid, "test: suspend", "They are an administrator.")
	}
	return h.set(user, func(p *core.Person) { p.Standing, p.Note = core.Suspended, why })
}

func (h *hall) Resume(_ context.Context, user core.UserID) (core.Person, error) {
	return h.set(user, func(p *core.Person) { p.Standing = core.Registered })
}

func (h *hall) Allow(_ context.Context, user core.UserID, n int) (core.Person, error) {
	return h.set(user, func(p *core.Person) { p.Messages = n })
}

func (h *hall) Announce(_ context.Context, network, text string) (int, error) {
	h.told = append(h.told, network+": "+text)
	return 3, nil
}

func (h *hall) Move(_ context.Context, from, to core.UserID) error {
	h.moved = append(h.moved, string(from+" to "+to))
	return nil
}

func (h *hall) Identified(_ context.Context, text string) ([]core.Account, error) {
	if text != "~w0rd@host" {
		return nil, core.E(core.NotFound, "test: identify", "Nobody here is known by that.")
	}
	return []core.Account{{User: "bob@example.org", Network: "irc", Realm: "irc.test"}, {User: "bob@example.org", Network: "irc", Realm: "irc.other.test", Own: "bo"}}, nil
}

func (h *hall) Invite(_ context.Context, by core.UserID, network string, uses int, expires time.Time) (string, error) {
	h.invited = append(h.invited, fmt.Sprint(by, " ", network, " ", uses, " ", expires.IsZero()))
	return "abcd-efgh", nil
}

func (h *hall) Export(_ context.Context, user core.UserID, w io.Writer) error {
	_, err := io.WriteString(w, `{"user":"`+string(user)+`"}`)
	return err
}

func (h *hall) Erase(ctx context.Context, user core.UserID) error {
	return h.Unenroll(ctx, user, "mail")
}

// book is Alice's contacts, in memory.
type book struct {
	mu  sync.Mutex
	all map[string]mapping.Contact // by folded address
}

func newBook(addresses ...core.Address) *book {
	b := &book{all: map[string]mapping.Contact{}}
	for _, a := range addresses {
		b.all[mapping.Fold(string(a))] = mapping.Contact{Account: edgetest.Account().ID, Address: a}
	}
	return b
}

func (b *book) Contact(_ context.Context, _ core.AccountID, address core.Address) (mapping.Contact, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	c, ok := b.all[mapping.Fold(string(address))]
	if !ok {
		return c, core.E(core.NotFound, "test: contact", "")
	}
	return c, nil
}

func (b *book) ContactByAlias(_ context.Context, _ core.AccountID, alias string) (mapping.Contact, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, c := range b.all {
		if c.Alias != "" && strings.EqualFold(c.Alias, alias) {
			return c, nil
		}
	}
	return mapping.Contact{}, core.E(core.NotFound, "test: contact", "")
}

func (b *book) Contacts(_ context.Context, _ core.AccountID, after core.Address, _ int) ([]mapping.Contact, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	var all []mapping.Contact
	for _, c := range b.all {
		if c.Address > after {
			all = append(all, c)
		}
	}
	slices.SortFunc(all, func(x, y mapping.Contact) int { return strings.Compare(string(x.Address), string(y.Address)) })
	return all, nil
}

func (b *book) PutContact(_ context.Context, c mapping.Contact) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, other := range b.all {
		if c.Alias != "" && strings.EqualFold(other.Alias, c.Alias) && other.Address != c.Address {
			return core.E(core.Invalid, "test: contact", "You call another contact by that name already.")
		}
	}
	c.Listed = true
	b.all[mapping.Fold(string(c.Address))] = c
	return nil
}

func (b *book) RemoveContact(_ context.Context, _ core.AccountID, address core.Address) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.all, mapping.Fold(string(address)))
	return nil
}

func (b *book) Block(_ context.Context, id core.AccountID, address core.Address, on bool) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	c, ok := b.all[mapping.Fold(string(address))]
	if !ok {
		c = mapping.Contact{Account: id, Address: address}
	}
	c.Blocked = on
	b.all[mapping.Fold(string(address))] = c
	return nil
}

func (b *book) get(address core.Address) mapping.Contact {
	c, _ := b.Contact(context.Background(), "", address)
	return c
}

// timeline knows one conversation.
type timeline []Moment

func (t timeline) Timeline(_ context.Context, _ core.Account, peer core.Address, limit int) ([]Moment, error) {
	if peer == "long@example.com" { // one message a minute, as long as anybody wants to see
		t = nil
		for i := range 25 {
			t = append(t, Moment{At: at9.Add(-time.Duration(i) * time.Minute)})
		}
	} else if peer != "bob@example.com" {
		return nil, nil
	}
	return t[:min(limit, len(t))], nil
}

// choices keeps one user's preferences.
type choices struct{ p core.Preferences }

func (c *choices) Preferences(context.Context, core.UserID, string) (core.Preferences, error) {
	return c.p, nil
}

func (c *choices) ChangePreferences(_ context.Context, _ core.UserID, _ string, change func(*core.Preferences) error) error {
	return change(&c.p)
}

// blobs keeps files at a URL.
type blobs struct {
	content string
	err     error
}

func (b *blobs) Put(_ context.Context, _ core.Account, file core.Attachment, content io.Reader) (core.Attachment, error) {
	if b.err != nil {
		return file, b.err
	}
	data, err := io.ReadAll(content)
	b.content = string(data)
	file.URL = "https://files.example.org/x/" + file.Name
	return file, err
}

func (b *blobs) Get(context.Context, core.Attachment, int64) (*core.Blob, error) {
	return nil, core.E(core.Unsupported, "test: blobs", "")
}
