package muc

import (
	"context"
	"sync"

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

// Rooms are all rooms of all users, on every domain.
type Rooms struct {
	gw    Gateway
	mu    sync.RWMutex
	rooms map[core.Ref]*room
}

// New makes an empty table of rooms. It starts nothing.
func New(gw Gateway) *Rooms { return &Rooms{gw: gw, rooms: map[core.Ref]*room{}} }

// find returns a room, or nil.
func (r *Rooms) find(ref core.Ref) *room {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return r.rooms[ref]
}

// expect counts a resource among those who wait to be let in, in a room that is made if need be. Until the network
// has answered, the room is not dropped.
func (r *Rooms) expect(d *edge.Domain, a core.Account, peer core.Address, o core.Origin, nick string) (*room, error) {
	jid, err := d.JID(a.Realm, peer, true)
	if err != nil {
		return nil, err
	}
	ref := core.Ref{Account: a.ID, Peer: peer}
	r.mu.Lock()
	defer r.mu.Unlock()
	rm := r.rooms[ref]
	if rm == nil {
		rm = newRoom(d, a.Realm, jid)
	}
	if err := rm.expect(o, nick); err != nil {
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

// Close tells every resource in every room that the gateway is being stopped (XEP-0045 section 10.9, status 332):
// clients join again when it is back. It is called when no session is left.
func (r *Rooms) Close() {
	r.mu.Lock()
	all := r.rooms
	r.rooms = map[core.Ref]*room{}
	r.mu.Unlock()
	for _, rm := range all {
		// A link that is down has nobody to tell: the server has told the clients already.
		_ = rm.domain.Link.Write(rm.closed)
	}
}

var _ edge.Renderer = (*Rooms)(nil)
