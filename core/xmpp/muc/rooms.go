package muc

import (
	"context"
	"slices"
	"sync"

	"gangway/core"
	"gangway/core/xmpp"
	"gangway/core/xmpp/edge"
	"gangway/core/xmpp/stream"
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

// room is one room as one account is in it.
type room struct {
	domain *edge.Domain
	realm  string
	jid    string // bare

	mu      sync.Mutex
	self    string             // our nick there; empty until joined
	in      []string           // the full JIDs of the resources that are in, in order of joining
	pending map[string]pending // what was asked for and not answered, by the id of the stanza
}

// pending is what an answer of the network has to be told by.
type pending struct {
	originID string // XEP-0359, of a message
	nick     string // that was asked for
}

// find returns a room, or nil.
func (r *Rooms) find(ref core.Ref) *room {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return r.rooms[ref]
}

// get returns a room, making it if need be.
func (r *Rooms) get(d *edge.Domain, a core.Account, peer core.Address) (*room, error) {
	ref := core.Ref{Account: a.ID, Peer: peer}
	if rm := r.find(ref); rm != nil {
		return rm, nil
	}
	jid, err := d.JID(a.Realm, peer, true)
	if err != nil {
		return nil, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if rm := r.rooms[ref]; rm != nil {
		return rm, nil
	}
	rm := &room{domain: d, realm: a.Realm, jid: jid, pending: map[string]pending{}}
	r.rooms[ref] = rm
	return rm, nil
}

// drop forgets a room that nobody is in.
func (r *Rooms) drop(ref core.Ref) {
	r.mu.Lock()
	defer r.mu.Unlock()
	rm := r.rooms[ref]
	if rm == nil {
		return
	}
	rm.mu.Lock()
	defer rm.mu.Unlock()
	if len(rm.in) == 0 {
		delete(r.rooms, ref)
	}
}

// has says whether a resource is in.
func (rm *room) has(full string) bool {
	if rm == nil {
		return false
	}
	rm.mu.Lock()
	defer rm.mu.Unlock()
	return slices.Contains(rm.in, full)
}

// enter counts a resource in, and returns all that are.
func (rm *room) enter(full, nick string) {
	rm.mu.Lock()
	defer rm.mu.Unlock()
	rm.self = nick
	if full != "" && !slices.Contains(rm.in, full) {
		rm.in = append(rm.in, full)
	}
}

// leave counts a resource out; it returns how many are left, and whether it was in.
func (rm *room) leave(full string) (left int, was bool) {
	rm.mu.Lock()
	defer rm.mu.Unlock()
	i := slices.Index(rm.in, full)
	if i >= 0 {
		rm.in = slices.Delete(rm.in, i, i+1)
	}
	return len(rm.in), i >= 0
}

// empty counts everybody out and returns them.
func (rm *room) empty() []string {
	rm.mu.Lock()
	defer rm.mu.Unlock()
	in := rm.in
	rm.in = nil
	return in
}

// present returns the resources that are in, and our nick.
func (rm *room) present() (in []string, self string) {
	rm.mu.Lock()
	defer rm.mu.Unlock()
	return slices.Clone(rm.in), rm.self
}

func (rm *room) rename(nick string) {
	rm.mu.Lock()
	defer rm.mu.Unlock()
	rm.self = nick
}

// await remembers what an answer will be told by. What is never answered is forgotten when there is too much of it.
func (rm *room) await(id string, p pending) {
	if id == "" {
		return
	}
	rm.mu.Lock()
	defer rm.mu.Unlock()
	if len(rm.pending) >= maxPending {
		clear(rm.pending)
	}
	rm.pending[id] = p
}

// answered returns what await remembered, and forgets it.
func (rm *room) answered(id string) pending {
	rm.mu.Lock()
	defer rm.mu.Unlock()
	p := rm.pending[id]
	delete(rm.pending, id)
	return p
}

// occupant is the address of a member.
func (rm *room) occupant(nick string) string { return rm.jid + "/" + nick }

// Close tells every resource in every room that the gateway is being stopped (XEP-0045 section 10.9, status 332):
// clients join again when it is back. It is called when no session is left.
func (r *Rooms) Close() {
	r.mu.Lock()
	all := r.rooms
	r.rooms = map[core.Ref]*room{}
	r.mu.Unlock()
	for _, rm := range all {
		in, self := rm.present()
		if len(in) == 0 {
			continue
		}
		// A link that is down has nobody to tell: the server has told the clients already.
		_ = rm.domain.Link.Write(func(enc *stream.Encoder) {
			for _, to := range in {
				rm.gone(enc, to, core.Member{Nick: self}, farewell{statuses: []string{"110", "332"}, reason: "The gateway is being restarted."})
			}
		})
	}
}

var _ edge.Renderer = (*Rooms)(nil)

// notIn is the answer to whoever speaks without having joined (XEP-0045 section 7.4).
func notIn() error {
	return xmpp.NewError("modify", "not-acceptable", "You are not in this room. Join it first.")
}
