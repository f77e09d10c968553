package roster

import (
	"context"
	"log/slog"
	"strings"
	"sync"

	"gangway/core"
	"gangway/core/xmpp/disco"
	"gangway/core/xmpp/edge"
	"gangway/core/xmpp/stream"
	"gangway/core/xmpp/vcard"
	"gangway/mapping"
)

// Gateway is what the roster asks of the hall.
type Gateway interface {
	Allowed(user core.UserID) bool
	Status(id core.AccountID) core.Status
	// Speaker is the account with which the user speaks to a target.
	Speaker(ctx context.Context, user core.UserID, network string, t core.Target, about ...string) (core.Account, error)
}

// Accounts is the mapping's table as far as it is needed here: see core.Accounts.
type Accounts interface {
	// AccountsOf returns the user's accounts on all networks.
	AccountsOf(ctx context.Context, user core.UserID) ([]core.Account, error)
	Accounts(ctx context.Context, network string) ([]core.Account, error)
	AccountOf(ctx context.Context, user core.UserID, network, realm string) (core.Account, error)
}

// Contacts is the mapping's table of correspondents: see mapping.Map.
type Contacts interface {
	Contacts(ctx context.Context, account core.AccountID, after core.Address, limit int) ([]mapping.Contact, error)
	Contact(ctx context.Context, account core.AccountID, address core.Address) (mapping.Contact, error)
	PutContact(ctx context.Context, c mapping.Contact) error
	Meet(ctx context.Context, account core.AccountID, address core.Address, name string) (mapping.Contact, error)
	RemoveContact(ctx context.Context, account core.AccountID, address core.Address) error
}

// Sessions opens the sessions that know contacts themselves: see core.Gateway.
type Sessions interface {
	With(ctx context.Context, a core.Account, fn func(core.Session) error) error
}

// Cards knows who contacts are: see vcard.Cards.
type Cards interface {
	// Photo returns the SHA-1 in hexadecimal of the picture of a contact, or of
	// the gateway, by bare JID, as far as it is known without asking the network;
	// "" if there is none.
	Photo(d *edge.Domain, user core.UserID, jid string) string
	// Learn takes what a network says of a contact.
	Learn(d *edge.Domain, user core.UserID, jid string, p *core.Profile)
	// Tell writes to one device what the contact's own account would tell it.
	Tell(enc *stream.Encoder, d *edge.Domain, user core.UserID, jid, to string, what vcard.Parts)
}

// Config is what a Roster stands on. Without Contacts and Notes no list is
// filled; Sessions, Cards and Logger may be left out, too.
type Config struct {
	Gateway  Gateway
	Accounts Accounts
	Contacts Contacts
	Sessions Sessions
	Notes    func(network string) core.Notes // rows of our own, one set for each network
	Cards    Cards
	Logger   *slog.Logger
}

// Roster is the presence of all domains.
type Roster struct {
	cfg    Config
	log    *slog.Logger
	health health

	domains map[*edge.Domain]*house
}

var _ edge.Renderer = (*Roster)(nil)

// New makes a Roster without domains. It starts nothing.
func New(cfg Config) *Roster {
	log := cfg.Logger
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	return &Roster{cfg: cfg, log: log, health: newHealth(), domains: map[*edge.Domain]*house{}}
}

// On adds a domain, whose capabilities dh answers for, and returns the handler of
// its presence. All calls come before anything is rendered.
func (r *Roster) On(d *edge.Domain, dh *disco.Handler) *Handler {
	h := newHouse(r, d, dh)
	r.domains[d] = h
	return &Handler{house: h}
}

// Run brings lists and presence up to date until ctx ends.
func (r *Roster) Run(ctx context.Context) error {
	var all sync.WaitGroup
	for _, h := range r.domains {
		all.Go(func() { h.run(ctx) })
	}
	all.Wait()
	return nil
}

// Changed says that a user's accounts or contacts on a network have changed. It
// is quick: see mapping.Map.Watch.
func (r *Roster) Changed(user core.UserID, network string) {
	for d, h := range r.domains {
		if d.Network.Driver.Name == network {
			h.want(user, job{fill: true})
		}
	}
}

// Render implements edge.Renderer.
func (r *Roster) Render(ctx context.Context, enc *stream.Encoder, d *edge.Domain, a core.Account, ev core.Event) error {
	h := r.domains[d]
	if h == nil {
		return core.E(core.Internal, "roster: render", "")
	}
	if st, ok := ev.(*core.Status); ok {
		h.status(enc, a, st)
		return h.reached(ctx, enc, a, st)
	}
	contact, err := d.Contact(a.Realm, ev.Where().Peer)
	if err != nil {
		return err
	}
	bare, _, _ := strings.Cut(contact, "/")
	switch ev := ev.(type) {
	case *core.Presence:
		h.changed(enc, a, bare, ev)
	case *core.Profile:
		return h.learn(ctx, a, bare, ev)
	default:
		return core.E(core.Unsupported, "roster: render", "")
	}
	return nil
}

// status shows what became of an account's connection, if that is news.
func (h *house) status(enc *stream.Encoder, a core.Account, st *core.Status) {
	trouble, known := troubleOf(a, st)
	if !known {
		return
	}
	line, changed := h.roster.health.set(h.domain.Name, a, trouble)
	if !changed {
		return
	}
	h.show(enc, a.User, h.domain.Name, stateOf(line))
	h.mu.Lock()
	offline := h.person(a.User).offline()
	h.mu.Unlock()
	if !offline {
		h.want(a.User, job{show: true, soon: settle})
	}
}

// reached shows who has a network itself on their list whether there is a connection to it.
func (h *house) reached(ctx context.Context, enc *stream.Encoder, a core.Account, st *core.Status) error {
	if a.Realm == "" || st.Link == core.Connecting || h.notes == nil {
		return nil
	}
	jid, err := h.domain.JID(a.Realm, "", false)
	if err != nil {
		return err
	}
	l, err := h.load(ctx, a.User)
	if err == nil && l.Entries[jid].State == subscribed {
		h.show(enc, a.User, jid, linked(st))
	}
	return err
}

// linked is what a network looks like as a contact.
func linked(st *core.Status) state {
	if st.Link == core.Connected {
		return state{available: true}
	}
	s := state{}
	if s.text, _ = troubleOf(core.Account{}, st); s.text != "" {
		s.lang = "en"
	}
	return s
}

// changed shows what the network says of a contact, if that is news.
func (h *house) changed(enc *stream.Encoder, a core.Account, contact string, p *core.Presence) {
	show, available := showOf(p.Show)
	s := state{available: available, show: show, text: bounded(p.Text, maxStatus)}
	h.mu.Lock()
	h.person(a.User).network(contact, s)
	h.mu.Unlock()
	if trouble, _ := troubleOf(core.Account{}, h.accountStatus(a.ID)); trouble != "" && available {
		return // the contacts of a broken connection are shown as such until it is well
	}
	h.show(enc, a.User, contact, s)
}

// learn takes what the network says of a contact. The name goes to the table of
// contacts, whose change brings the list up to date; what else is news is told to
// the devices that want to know it.
func (h *house) learn(ctx context.Context, a core.Account, contact string, p *core.Profile) error {
	if h.roster.cfg.Cards != nil {
		h.roster.cfg.Cards.Learn(h.domain, a.User, contact, p)
	}
	if p.Name == "" || h.roster.cfg.Contacts == nil {
		return nil
	}
	_, err := h.roster.cfg.Contacts.Meet(ctx, a.ID, p.Peer, p.Name)
	return err
}

func (h *house) accountStatus(id core.AccountID) *core.Status {
	st := h.roster.cfg.Gateway.Status(id)
	return &st
}

// registered reports whether the user has any account on the network.
func (h *house) registered(ctx context.Context, user core.UserID) (bool, error) {
	all, err := h.accountsOf(ctx, user)
	return len(all) > 0, err
}

// accountsOf returns the user's accounts on this network.
func (h *house) accountsOf(ctx context.Context, user core.UserID) ([]core.Account, error) {
	all, err := h.roster.cfg.Accounts.AccountsOf(ctx, user)
	var here []core.Account
	for _, a := range all {
		if a.Network == h.domain.Network.Driver.Name {
			here = append(here, a)
		}
	}
	return here, err
}

// standing is how the account that reaches a contact is. It makes none: where
// accounts are implicit, one that is not there yet is as good as one at rest.
func (h *house) standing(ctx context.Context, user core.UserID, t core.Target) (core.Account, core.Status, error) {
	d := h.domain.Network.Driver
	if d.Shared {
		a, err := h.roster.cfg.Gateway.Speaker(ctx, user, d.Name, t)
		if err != nil {
			return core.Account{}, core.Status{}, err
		}
		return a, *h.accountStatus(a.ID), nil
	}
	a, err := h.roster.cfg.Accounts.AccountOf(ctx, user, d.Name, t.Realm)
	switch {
	case err == nil:
		return a, *h.accountStatus(a.ID), nil
	case core.KindOf(err) == core.Unenrolled && d.Implicit && h.roster.cfg.Gateway.Allowed(user):
		return core.Account{}, core.Status{Link: core.Closed}, nil
	}
	return core.Account{}, core.Status{}, err
}
