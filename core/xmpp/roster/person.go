package roster

import (
	"maps"
	"strings"
	"time"

	"gangway/core"
	"gangway/core/xmpp/addr"
	"gangway/core/xmpp/stream"
)

// state is an availability as it is shown. The zero state is unavailable.
type state struct {
	available         bool
	show, text, photo string
	lang              string // of the text, if it is ours
}

// stateOf is the state of whom nothing is wrong with, or trouble.
func stateOf(trouble string) state {
	if trouble == "" {
		return state{available: true}
	}
	return state{available: true, show: "xa", text: trouble, lang: "en"}
}

// person is what is known of one user. The house's lock guards it.
type person struct {
	clients map[string]client // by full JID: the devices that are online
	before  map[string]bool   // devices that were online before the link was lost
	until   time.Time         // when all that are still there will have said so
	told    bool              // their server tells us: without a device they are offline
	owed    bool              // they are to see their contacts as soon as they are found online
	shown   map[string]state  // by bare JID: what all their devices have seen last
	said    map[string]state  // by bare JID: what the network says of a contact
	asking  string            // the contact that they are being asked about
	since   time.Time         // when they were
	erased  *list             // of whom nothing may be kept: what is to be taken back
}

// client is a device and what it says that it can do (XEP-0115).
type client struct {
	node, ver string
	domain    bool // it has told the gateway itself, not only a contact
}

const (
	reappear   = 30 * time.Second
	maxClients = 32     // devices of one user
	maxSaid    = 10_000 // contacts of one user that the network speaks of
	maxPeople  = 50_000 // users of whom it is kept that they are offline
)

// person finds or makes one. The lock is held.
func (h *house) person(user core.UserID) *person {
	p := h.people[user]
	if p == nil {
		p = &person{}
		h.people[user] = p
	}
	return p
}

// offline reports whether nothing needs to be sent to somebody.
func (p *person) offline() bool { return p.told && len(p.clients) == 0 }

// network keeps what the network says of a contact.
func (p *person) network(contact string, s state) {
	if p.said == nil {
		p.said = map[string]state{}
	}
	if _, known := p.said[contact]; known || len(p.said) < maxSaid {
		p.said[contact] = s
	}
}

// show writes the presence of the gateway or of a contact to all devices of a
// user, if it is not what they have seen already and if there may be any.
func (h *house) show(enc *stream.Encoder, user core.UserID, from string, s state) {
	s = h.dress(user, from, s)
	h.mu.Lock()
	defer h.mu.Unlock()
	p := h.person(user)
	if p.offline() || p.shown[from] == s {
		return // nothing was ever shown of a contact: that is the zero state, unavailable
	}
	h.noteShown(enc, user, p, from, s)
	h.write(enc, from, string(user), s)
}

// noteShown notes what all devices of a user see, unless the link does not take
// it: then it is still to be shown. The lock is held.
func (h *house) noteShown(enc *stream.Encoder, user core.UserID, p *person, from string, s state) {
	before := p.shown[from]
	p.noteShown(from, s)
	enc.OnRefuse(func() {
		h.mu.Lock()
		if p.shown[from] == s {
			p.noteShown(from, before)
		}
		h.mu.Unlock()
		h.want(user, job{show: true, soon: afterRefusal})
	})
}

// afterRefusal is how long a link that has refused a presence is left alone.
const afterRefusal = time.Second

// dress adds what goes with a presence beside the availability.
func (h *house) dress(user core.UserID, from string, s state) state {
	if s.available && h.roster.cfg.Cards != nil {
		s.photo = h.roster.cfg.Cards.Photo(h.domain, user, from)
	}
	return s
}

func (p *person) noteShown(from string, s state) {
	if p.shown == nil {
		p.shown = map[string]state{}
	}
	p.shown[from] = s
	if s == (state{}) {
		delete(p.shown, from)
	}
}

// arrival is what follows from a device that is online.
type arrival struct {
	news bool // it was not
	owed bool // all of the user's contacts are to be shown, to all devices or to it alone
	tell bool // it has not been told of cards, or says that it wants to know other things
}

// arrive notes that a device is online.
func (h *house) arrive(user core.UserID, j addr.JID, c client) arrival {
	h.mu.Lock()
	defer h.mu.Unlock()
	p := h.person(user)
	full := strings.Clone(j.String())
	old, known := p.clients[full]
	c.domain = c.domain || old.domain
	if c.ver == "" { // a server may leave out what it has told (XEP-0115 section 8.4)
		c.node, c.ver = old.node, old.ver
	}
	if !known && (len(p.clients) >= maxClients || j.IsBare()) {
		return arrival{}
	}
	if p.clients == nil {
		p.clients = map[string]client{}
	}
	p.clients[full] = c
	p.told = true
	if known {
		return arrival{tell: c.ver != "" && c.ver != old.ver}
	}
	if p.owed {
		p.owed = false
		return arrival{news: true, owed: true, tell: c.ver != ""}
	}
	if p.before == nil || time.Now().After(p.until) {
		p.before = nil
		return arrival{news: true, tell: c.ver != ""} // its server asks for what it wants to know
	}
	was := p.before[full]
	delete(p.before, full)
	return arrival{news: true, owed: !was, tell: !was && c.ver != ""}
}

// depart notes that a device, or with a bare address all of them, is offline. A
// server says so to a contact who is taken off the list, too: what a device has
// told the gateway counts more than what it tells a contact.
func (h *house) depart(user core.UserID, j addr.JID, toDomain bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	p := h.people[user]
	if p == nil && len(h.people) >= maxPeople {
		return
	}
	p = h.person(user)
	maps.DeleteFunc(p.clients, func(full string, c client) bool {
		return (toDomain || !c.domain) && (j.IsBare() || full == j.String())
	})
	p.told = true
	if len(p.clients) > 0 {
		return
	}
	p.shown, p.clients, p.owed = nil, nil, false
	if len(h.people) > maxPeople && p.said == nil {
		delete(h.people, user)
	}
}

// lost notes that the link was down: who came and went meanwhile is not known.
func (h *house) lost() {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, p := range h.people {
		p.before, p.until = map[string]bool{}, time.Now().Add(reappear)
		for full := range p.clients {
			p.before[full] = true
		}
		p.clients, p.told, p.asking = nil, false, ""
	}
}

// now is what a contact of a user looks like at present.
func (h *house) now(user core.UserID, contact string, st *core.Status) state {
	if trouble, _ := troubleOf(core.Account{}, st); trouble != "" {
		return stateOf(trouble)
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if p := h.people[user]; p != nil {
		if s, ok := p.said[contact]; ok {
			return s
		}
	}
	return stateOf("")
}
