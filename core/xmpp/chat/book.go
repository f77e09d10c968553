package chat

import (
	"context"
	"log/slog"
	"time"

	"gangway/core"
	"gangway/mapping"
)

// Contacts is the mapping's table of correspondents: see mapping.Map.
type Contacts interface {
	// Contact returns a contact by any spelling of its address. NotFound if there
	// is none.
	Contact(ctx context.Context, account core.AccountID, address core.Address) (mapping.Contact, error)
	// Meet notes how a contact spells its address.
	Meet(ctx context.Context, account core.AccountID, address core.Address, name string) (mapping.Contact, error)
}

// book is how the addresses of correspondents are really written: a JID has no
// case, and some networks do. It spares the table a look for every message.
type book struct {
	contacts Contacts // nil: addresses are as Transport.Parse returns them
	log      *slog.Logger
	spelt    *fresh[bookKey, spelling]
}

type bookKey struct {
	account core.AccountID
	folded  string
}

type spelling struct {
	address core.Address
	name    string // what its owner is called; empty if nobody knows
	met     bool   // it stands in the table so
	since   time.Time
}

func newBook(c Contacts, log *slog.Logger, now func() time.Time) book {
	return book{contacts: c, log: log, spelt: newFresh[bookKey, spelling](now, time.Minute, 20_000)}
}

// exact returns an address as its owner was last seen to write it.
func (b book) exact(ctx context.Context, a core.AccountID, peer core.Address) core.Address {
	if b.contacts == nil || peer == "" {
		return peer
	}
	k := bookKey{a, mapping.Fold(string(peer))}
	if s, ok := b.spelt.get(k); ok {
		return s.address
	}
	c, err := b.contacts.Contact(ctx, a, peer)
	switch {
	case err == nil:
		b.spelt.put(k, spelling{c.Address, bounded(c.Name, maxName), true, c.Created})
		return c.Address
	case core.KindOf(err) == core.NotFound:
		b.spelt.put(k, spelling{address: peer})
	default:
		b.log.Warn("contact not found out", "account", a, "err", err)
	}
	return peer // nothing better is known; most networks do not mind
}

// meet notes the address of somebody who wrote, and returns what they are called
// and since when they are known.
func (b book) meet(ctx context.Context, a core.AccountID, peer core.Address) (name string, since time.Time) {
	if b.contacts == nil || peer == "" {
		return "", time.Time{}
	}
	k := bookKey{a, mapping.Fold(string(peer))}
	if s, ok := b.spelt.get(k); ok && s.met && s.address == peer {
		return s.name, s.since
	}
	c, err := b.contacts.Meet(ctx, a, peer, "")
	if err != nil {
		b.log.Warn("contact not noted", "account", a, "err", err)
		return "", time.Time{} // the message matters more
	}
	name = bounded(c.Name, maxName)
	b.spelt.put(k, spelling{peer, name, true, c.Created})
	return name, c.Created
}
