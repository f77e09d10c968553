package muc

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"gangway/core"
	"gangway/core/xmpp/edge"
)

const (
	maxResources = 32  // of one user in one room
	maxPending   = 256 // things asked for in one room and not answered yet
)

// Gateway is what the rooms ask of the hall.
type Gateway interface {
	Account(ctx context.Context, user core.UserID, network, realm string) (core.Account, error)
	With(ctx context.Context, a core.Account, fn func(core.Session) error) error
	Submit(ctx context.Context, a core.Account, e core.Event) error
}

// Choices is the mapping's table of what users chose: see mapping.Map.
type Choices interface {
	Preferences(ctx context.Context, user core.UserID, network string) (core.Preferences, error)
	ChangePreferences(ctx context.Context, user core.UserID, network string, change func(*core.Preferences) error) error
}

// Config is what Rooms are made of. All but the Gateway may be left out.
type Config struct {
	Gateway Gateway
	Archive Archive // nil: nothing is kept, and joins have no history
	// Secret keys the occupant-ids (XEP-0421), so that nobody else can tell who is who from room to room. It must
	// stay the same.
	Secret []byte
	// Features are what others answer for at a room's address, such as "urn:xmpp:mam:2".
	Features []string
	// Notes is where it is noted in which rooms users stay, for each network; nil: there are no persistent rooms.
	Notes   func(network string) core.Notes
	Choices Choices // nil: nobody has chosen anything, and nobody can
	Logger  *slog.Logger
}

// Rooms are all rooms of all users, on every domain.
type Rooms struct {
	gw       Gateway
	cfg      Config
	log      *slog.Logger
	whispers whispers
	statuses statuses
	macs     sync.Pool // of *keyed

	wake chan struct{} // a room holds something back
	now  func() time.Time

	mu    sync.RWMutex
	rooms map[core.Ref]*room
	busy  map[*room]bool // those that hold something back
}

var _ edge.Renderer = (*Rooms)(nil)

// New makes an empty table of rooms. It starts nothing.
func New(cfg Config) *Rooms {
	log := cfg.Logger
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	return &Rooms{
		gw: cfg.Gateway, cfg: cfg, log: log, rooms: map[core.Ref]*room{}, busy: map[*room]bool{}, wake: make(chan struct{}, 1), now: time.Now,
	}
}

// find returns a room, or nil.
func (r *Rooms) find(ref core.Ref) *room {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return r.rooms[ref]
}

// of returns the room as an event of it is to be shown: one that nobody is in, if there is none.
func (r *Rooms) of(d *edge.Domain, a core.Account, ref core.Ref) (*room, error) {
	if rm := r.find(ref); rm != nil {
		return rm, nil
	}
	jid, err := d.JID(a.Realm, ref.Peer, true)
	if err != nil {
		return nil, err
	}
	return r.newRoom(d, a, ref, jid), nil
}

// expect counts a resource among those who wait to be let in, in a room that is made if need be. Until the network
// has answered, the room is not dropped.
func (r *Rooms) expect(d *edge.Domain, a core.Account, peer core.Address, o core.Origin, w waiting) (*room, error) {
	jid, err := d.JID(a.Realm, peer, true)
	if err != nil {
		return nil, err
	}
	ref := core.Ref{Account: a.ID, Peer: peer}
	r.mu.Lock()
	defer r.mu.Unlock()
	rm := r.rooms[ref]
	if rm == nil {
		rm = r.newRoom(d, a, ref, jid)
	}
	if err := rm.expect(o, w); err != nil {
		return nil, err
	}
	r.rooms[ref] = rm
	return rm, nil
}

// drop forgets a room that nobody is in or waits for.
func (r *Rooms) drop(ref core.Ref) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if rm := r.rooms[ref]; rm != nil && rm.count() == 0 {
		delete(r.rooms, ref)
	}
}

// having returns the rooms of an account that a resource is in.
func (r *Rooms) having(full string) []*room {
	r.mu.RLock()
	defer r.mu.RUnlock()
	var all []*room
	for _, rm := range r.rooms {
		if rm.has(full) {
			all = append(all, rm)
		}
	}
	return all
}

// Close tells every resource in every room that the gateway is being stopped (XEP-0045 section 10.9, status 332):
// clients join again when it is back. It is called when no session is left.
func (r *Rooms) Close() {
	r.mu.Lock()
	all := r.rooms
	r.rooms = map[core.Ref]*room{}
	r.mu.Unlock()
	for _, rm := range all {
		// A link that is down has nobody to tell: the server has told the clients already.
		_ = rm.domain.Link.WriteWait(rm.closed)
	}
}
