package vcard

import (
	"context"
	"crypto/sha1" //nolint:gosec // XEP-0084 and XEP-0153 name it; nothing is secured by it
	"encoding/hex"
	"regexp"
	"strings"
	"sync"
	"time"

	"gangway/core"
	"gangway/core/xmpp/addr"
	"gangway/core/xmpp/edge"
	"gangway/mapping"
)

// Gateway is what the cards ask of the hall.
type Gateway interface {
	Allowed(user core.UserID) bool
	Status(id core.AccountID) core.Status
	With(ctx context.Context, a core.Account, fn func(core.Session) error) error
}

// Accounts is the mapping's table of accounts.
type Accounts interface {
	AccountOf(ctx context.Context, user core.UserID, network, realm string) (core.Account, error)
}

// Contacts is the mapping's table of correspondents.
type Contacts interface {
	Contact(ctx context.Context, account core.AccountID, address core.Address) (mapping.Contact, error)
}

// Config is what Cards stand on; Contacts may be left out.
type Config struct {
	Gateway  Gateway
	Accounts Accounts
	Contacts Contacts
}

// Watcher is told that something of the card of a user's contact, by bare JID, has
// become known or has changed.
type Watcher func(d *edge.Domain, user core.UserID, jid string, what Parts)

// Parts are what of a card is meant.
type Parts uint8

// The parts of a card. Each is what one node of personal eventing tells.
const (
	Name    Parts = 1 << iota // nsNick
	Picture                   // nsMetadata
	Rest                      // node4, which has the others, too
)

// Cards knows who contacts are.
type Cards struct {
	cfg   Config
	now   func() time.Time
	watch Watcher // nil: nobody

	mu    sync.Mutex
	known map[key]known
	logos map[string]picture // of gateways, by type
}

type key struct {
	user core.UserID
	jid  string
}

// known is a card and until when it is good.
type known struct {
	card  Card
	until time.Time
}

// Card is what there is to say about somebody.
type Card struct {
	Name, Note string
	said       string // the name that the network has told; empty if it has not
	photo      picture
}

// picture is an image and the hash that it is known by.
type picture struct {
	typ, sum string
	data     []byte
}

const (
	keep      = time.Hour
	keepMost  = 5_000            // cards
	mayTake   = 10 * time.Second // a network, to say who somebody is
	photoMost = 96 << 10         // bytes: a card with it fits into a stanza, in Base64
	textMost  = 2 << 10
)

// New makes Cards. It starts nothing.
func New(cfg Config) *Cards {
	return &Cards{cfg: cfg, now: time.Now, known: map[key]known{}, logos: map[string]picture{}}
}

// Watch has fn told of each change; fn must be quick. It is called before anything
// is served.
func (c *Cards) Watch(fn Watcher) { c.watch = fn }

// Learn takes what a network says of a contact, by bare JID, without being asked.
// What it leaves out stays as it was.
func (c *Cards) Learn(d *edge.Domain, user core.UserID, jid string, p *core.Profile) {
	k := key{user, addr.Key(jid)}
	c.change(d, k, jid, func(old known) known {
		if p.Name != "" {
			old.card.said = cut(p.Name)
			old.card.Name = old.card.said
		}
		if p.Note != "" {
			old.card.Note = cut(p.Note)
		}
		if photo := pictureOf(p.Avatar.Type, p.Avatar.Data); photo.sum != "" {
			old.card.photo = photo
		}
		return old // for as long as it was good: what was left out may be asked for
	})
}

// change replaces a card, and tells who watches what of it is news.
func (c *Cards) change(d *edge.Domain, k key, jid string, fn func(known) known) {
	c.mu.Lock()
	old, there := c.known[k]
	next := fn(old)
	if !there {
		c.makeRoom()
	}
	c.known[k] = next
	c.mu.Unlock()
	if what := next.card.differs(old.card); what != 0 && c.watch != nil {
		c.watch(d, k.user, jid, what)
	}
}

// differs is what of a card is other than it was, as far as the network has told.
func (c Card) differs(old Card) (what Parts) {
	if c.said != old.said {
		what |= Name
	}
	if c.photo.sum != old.photo.sum {
		what |= Picture
	}
	if what != 0 || c.Note != old.Note {
		what |= Rest
	}
	return what
}

// Photo returns the SHA-1 of the picture of a contact or of the gateway, as far as
// it is known without asking the network; "" if there is none.
func (c *Cards) Photo(d *edge.Domain, user core.UserID, jid string) string {
	if jid == d.Name {
		return c.logo(d.Network.Driver.Type).sum
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.known[key{user, addr.Key(jid)}].card.photo.sum
}

func (c *Cards) logo(typ string) picture {
	c.mu.Lock()
	defer c.mu.Unlock()
	p, ok := c.logos[typ]
	if !ok {
		p = pictureOf("image/png", drawLogo(typ))
		c.logos[typ] = p
	}
	return p
}

// imageType is a media type of images, as far as its form goes (RFC 6838 section
// 4.2): it stands in a URI.
var imageType = regexp.MustCompile(`^image/[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]*$`)

func pictureOf(typ string, data []byte) picture {
	if len(data) == 0 || len(data) > photoMost || len(typ) > 64 || !imageType.MatchString(typ) {
		return picture{}
	}
	sum := sha1.Sum(data) //nolint:gosec // see above
	return picture{typ: typ, sum: hex.EncodeToString(sum[:]), data: data}
}

// gateway is the card of a domain.
func (c *Cards) gateway(d *edge.Domain) Card {
	return Card{
		Name: d.Network.Driver.Title, photo: c.logo(d.Network.Driver.Type),
		Note: `A gateway. Write "help" to it to see what can be done.`,
	}
}

// contact is the card of a correspondent, for a user who could write to them.
func (c *Cards) contact(ctx context.Context, d *edge.Domain, user core.UserID, t core.Target) (Card, error) {
	driver := d.Network.Driver
	a, err := c.cfg.Accounts.AccountOf(ctx, user, driver.Name, t.Realm)
	if err != nil && (core.KindOf(err) != core.Unenrolled || !driver.Implicit || !c.cfg.Gateway.Allowed(user)) {
		return Card{}, err
	}
	jid, err := d.JID(t.Realm, t.Address, false)
	if err != nil {
		return Card{}, err
	}
	k := key{user, addr.Key(jid)}
	c.mu.Lock()
	have, ok := c.known[k]
	c.mu.Unlock()
	if ok && c.now().Before(have.until) {
		return have.card, nil
	}
	card := c.ask(ctx, d, a, t, have.card)
	c.change(d, k, jid, func(known) known { return known{card, c.now().Add(keep)} })
	return card, nil
}

// makeRoom drops cards while there are too many. The lock is held.
func (c *Cards) makeRoom() {
	if len(c.known) < keepMost {
		return
	}
	for old := range c.known { // which ones go is left to chance
		delete(c.known, old)
		if len(c.known) < keepMost*7/8 {
			return
		}
	}
}

// ask finds out what there is to say: the address is the least. What the network
// has told before is good until it tells something else.
func (c *Cards) ask(ctx context.Context, d *edge.Domain, a core.Account, t core.Target, before Card) Card {
	card := before
	card.Name = d.Network.Transport.Format(t)
	if a.ID == "" {
		return card
	}
	if c.cfg.Contacts != nil {
		if m, err := c.cfg.Contacts.Contact(ctx, a.ID, t.Address); err == nil && m.Name != "" {
			card.Name = m.Name
		}
	}
	if card.said != "" {
		card.Name = card.said
	}
	if d.Network.Caps.Profiler == nil || c.cfg.Gateway.Status(a.ID).Link != core.Connected {
		return card // to look somebody up is no reason to connect
	}
	ctx, cancel := context.WithTimeout(ctx, mayTake)
	defer cancel()
	_ = c.cfg.Gateway.With(ctx, a, func(s core.Session) error {
		p := core.CapsOf(s).Profiler
		if p == nil {
			return nil
		}
		profile, err := p.Profile(ctx, t.Address)
		if err == nil && profile != nil {
			card.add(profile)
		}
		return err
	})
	return card
}

// add takes all that the network has to say.
func (c *Card) add(p *core.Profile) {
	if p.Name != "" {
		c.said = cut(p.Name)
		c.Name = c.said
	}
	c.Note = cut(p.Note)
	c.photo = pictureOf(p.Avatar.Type, p.Avatar.Data)
}

func cut(s string) string { return strings.ToValidUTF8(s[:min(len(s), textMost)], "") }
