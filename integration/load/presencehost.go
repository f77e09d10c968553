package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"syscall"
	"time"

	"gangway/core"
	"gangway/core/xmpp"
	"gangway/core/xmpp/edge"
	"gangway/core/xmpp/stream"
	"gangway/mapping"
)

// tally is what was sent, and how much of it was the same as the last from the same to the same.
type tally struct{ sent, redundant int }

// presenceHost is the host server, the hall and the tables in memory: it counts what it is given.
type presenceHost struct {
	domain   *edge.Domain
	accounts []core.Account
	byUser   map[core.UserID]core.Account
	contacts []mapping.Contact

	mu    sync.Mutex
	count tally
	last  map[string]string // by sender and recipient
	notes map[string][]byte
}

var _ xmpp.Sender = (*presenceHost)(nil)

func newPresenceHost(o presenceOptions) *presenceHost {
	h := &presenceHost{byUser: map[core.UserID]core.Account{}, last: map[string]string{}, notes: map[string][]byte{}}
	driver := core.Driver{Name: "load", Title: "Load", Type: "irc"}
	h.domain = &edge.Domain{Name: "load.gw", Network: &core.Network{Driver: driver, Transport: plainAddresses{}}, Link: h}
	for i := range o.users {
		a := core.Account{ID: core.AccountID(fmt.Sprint(i)), User: core.UserID(fmt.Sprintf("user%d@example.org", i)), Network: "load"}
		h.accounts = append(h.accounts, a)
		h.byUser[a.User] = a
	}
	for i := range o.contacts {
		h.contacts = append(h.contacts, mapping.Contact{Address: core.Address(fmt.Sprintf("contact%04d", i)), Listed: true})
	}
	return h
}

// take returns what was sent since the last call.
func (h *presenceHost) take() tally {
	h.mu.Lock()
	defer h.mu.Unlock()
	c := h.count
	h.count = tally{}
	return c
}

// rest waits until nothing has been sent for a second, and returns what was.
func (h *presenceHost) rest() (all tally) {
	for quiet := 0; quiet < 4; quiet++ {
		time.Sleep(250 * time.Millisecond)
		c := h.take()
		all.sent += c.sent
		all.redundant += c.redundant
		if c.sent > 0 {
			quiet = -1
		}
	}
	return all
}

// note counts presence and probes. A subscription request is not counted: a contact has one in its life.
func (h *presenceHost) note(st *stream.Stanza) {
	if st.Kind != stream.Presence || strings.Contains(st.Type, "subscribe") {
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.count.sent++
	if st.Type != "" && st.Type != "unavailable" {
		return
	}
	key, text := st.From+" "+st.To, st.String()
	if h.last[key] == text {
		h.count.redundant++
	}
	h.last[key] = text
}

// Domain implements xmpp.Sender.
func (h *presenceHost) Domain() string { return h.domain.Name }

// Write implements xmpp.Sender: what was written is read again, as a server would.
func (h *presenceHost) Write(fn func(*stream.Encoder)) error {
	e := stream.Encoder{Domain: h.domain.Name}
	fn(&e)
	if err := e.Err(); err != nil {
		return err
	}
	start := 0
	for _, end := range e.Ends() {
		st, err := stream.Parse(string(e.Bytes()[start:end]))
		if err != nil {
			return err
		}
		h.note(st)
		start = end
	}
	return nil
}

// WriteWait implements xmpp.Sender.
func (h *presenceHost) WriteWait(fn func(*stream.Encoder)) error { return h.Write(fn) }

// Send implements xmpp.Sender.
func (h *presenceHost) Send(fn func(*stream.Encoder)) (xmpp.Batch, error) {
	return xmpp.Batch{}, h.Write(fn)
}

// Confirm implements xmpp.Sender.
func (h *presenceHost) Confirm(context.Context, xmpp.Batch) error { return nil }

// IQ implements xmpp.Sender: nobody answers.
func (h *presenceHost) IQ(context.Context, string, string, func(*stream.Encoder)) (*stream.Stanza, error) {
	return nil, errors.New("nobody answers")
}

// IQFrom implements xmpp.Sender.
func (h *presenceHost) IQFrom(context.Context, string, string, string, func(*stream.Encoder)) (*stream.Stanza, error) {
	return nil, errors.New("nobody answers")
}

// Allowed and the following are the hall and its tables.
func (h *presenceHost) Allowed(core.UserID) bool { return true }

// Status says that all is well.
func (h *presenceHost) Status(id core.AccountID) core.Status {
	return core.Status{Ref: core.Ref{Account: id}, Link: core.Connected}
}

// Speaker is Account.
func (h *presenceHost) Speaker(ctx context.Context, user core.UserID, network string, t core.Target, _ ...string) (core.Account, error) {
	return h.Account(ctx, user, network, t.Realm)
}

// Account finds a user's account.
func (h *presenceHost) Account(ctx context.Context, user core.UserID, network, realm string) (core.Account, error) {
	return h.AccountOf(ctx, user, network, realm)
}

// AccountOf finds a user's account.
func (h *presenceHost) AccountOf(_ context.Context, user core.UserID, _, _ string) (core.Account, error) {
	a, ok := h.byUser[user]
	if !ok {
		return core.Account{}, core.E(core.Unenrolled, "load: account", "")
	}
	return a, nil
}

// AccountsOf returns a user's only account.
func (h *presenceHost) AccountsOf(ctx context.Context, user core.UserID) ([]core.Account, error) {
	a, err := h.AccountOf(ctx, user, "", "")
	return []core.Account{a}, err
}

// Accounts returns all.
func (h *presenceHost) Accounts(context.Context, string) ([]core.Account, error) {
	return h.accounts, nil
}

// With calls fn with a session that only has rooms.
func (h *presenceHost) With(_ context.Context, _ core.Account, fn func(core.Session) error) error {
	return fn(&roomer{})
}

// Submit takes everything.
func (h *presenceHost) Submit(context.Context, core.Account, core.Event) error { return nil }

// Contacts are the same for everybody.
func (h *presenceHost) Contacts(_ context.Context, _ core.AccountID, after core.Address, _ int) ([]mapping.Contact, error) {
	if after != "" {
		return nil, nil
	}
	return h.contacts, nil
}

// Contact finds none: nobody subscribes here.
func (h *presenceHost) Contact(context.Context, core.AccountID, core.Address) (mapping.Contact, error) {
	return mapping.Contact{}, core.E(core.NotFound, "load: contact", "")
}

// PutContact and RemoveContact change nothing.
func (h *presenceHost) PutContact(context.Context, mapping.Contact) error { return nil }

// Meet finds none: nobody is met here.
func (h *presenceHost) Meet(context.Context, core.AccountID, core.Address, string) (mapping.Contact, error) {
	return mapping.Contact{}, core.E(core.NotFound, "load: contact", "")
}

// RemoveContact changes nothing.
func (h *presenceHost) RemoveContact(context.Context, core.AccountID, core.Address) error { return nil }

// Put implements core.Notes.
func (h *presenceHost) Put(_ context.Context, key string, value []byte, _ time.Duration) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.notes[key] = value
	return nil
}

// Get implements core.Notes.
func (h *presenceHost) Get(_ context.Context, key string) ([]byte, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if v, ok := h.notes[key]; ok {
		return v, nil
	}
	return nil, core.E(core.NotFound, "load: note", "")
}

// Delete implements core.Notes.
func (h *presenceHost) Delete(_ context.Context, key string) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.notes, key)
	return nil
}

// plainAddresses is a network whose addresses are what they are; rooms begin with "#".
type plainAddresses struct{}

func (plainAddresses) Run(ctx context.Context) error { <-ctx.Done(); return nil }
func (plainAddresses) Parse(s string) (core.Target, error) {
	return core.Target{Address: core.Address(s), Room: strings.HasPrefix(s, "#")}, nil
}
func (plainAddresses) Format(t core.Target) string             { return string(t.Address) }
func (plainAddresses) Open(core.Account) (core.Session, error) { return &roomer{}, nil }

// roomer is a session that joins rooms; that it is in is told by the measurement.
type roomer struct{}

func (*roomer) Run(ctx context.Context) error                                   { <-ctx.Done(); return nil }
func (*roomer) Send(context.Context, *core.Message) (core.Taken, error)         { return core.Taken{}, nil }
func (*roomer) Join(context.Context, core.Address, core.Join) error             { return nil }
func (*roomer) Leave(context.Context, core.Address, string) error               { return nil }
func (*roomer) Rename(context.Context, core.Address, string, core.Origin) error { return nil }
func (*roomer) Occupant(_ core.Address, nick string) core.Address               { return core.Address(nick) }
func (*roomer) Snapshot(core.Address) (*core.RoomJoined, error) {
	return nil, core.E(core.NotFound, "load: room", "")
}

// processCPU is the processor time of this process.
func processCPU() time.Duration {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
