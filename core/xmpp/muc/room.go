package muc

import (
	"slices"
	"strings"
	"sync"

	"gangway/core"
	"gangway/core/xmpp"
	"gangway/core/xmpp/addr"
	"gangway/core/xmpp/edge"
)

// room is one room as one account is in it.
type room struct {
	rooms  *Rooms
	domain *edge.Domain
	user   core.UserID
	realm  string
	ref    core.Ref
	jid    string // bare

	mu      sync.Mutex
	me      core.Member             // the account there; no nick until joined
	in      []string                // the full JIDs of the resources that are in, in order of joining
	joins   map[core.Origin]waiting // who waits to be let in; nil: nobody, as in most rooms most of the time
	pending map[core.Origin]pending // what else was asked for and not answered; nil: nothing ever was
	crowd   crowd                   // what has not been shown of the members yet
}

// waiting is how a resource asked to be let in.
type waiting struct {
	asked   string // the resource, as it was written
	history history
}

const (
	maxOtherIDs = 4    // stanza-ids of others that a reflection keeps
	maxOtherID  = 4096 // octets that one of them and whose it is may have
)

// ids are the names that a message was sent with besides its id (XEP-0359), which its reflection has too.
type ids struct {
	origin string
	others []stanzaID // that other entities than a room of ours gave it
}

// stanzaID is a name that an entity has given a message.
type stanzaID struct{ by, id string }

// pending is what an answer of the network has to be told by.
type pending struct {
	ids   ids            // of a message
	said  core.MessageID // the message; empty: it is none
	asked string         // the resource that was asked for instead of the one there is
	// done is told the answer in place of the client, by who waits for it; nil: nobody does. It holds one.
	done chan<- error
}

func (r *Rooms) newRoom(d *edge.Domain, a core.Account, ref core.Ref, jid string) *room {
	return &room{
		rooms: r, domain: d, user: a.User, realm: a.Realm, ref: ref, jid: jid,
	}
}

// occupant is the address of a member.
func (rm *room) occupant(nick string) string { return rm.jid + "/" + rm.rooms.resource(nick) }

// wanted is the nick that is asked for by a resource: our own is known by what it is shown as; of one that was shown
// before the program began, what it looked like.
func (rm *room) wanted(resource string) string {
	if rm != nil && rm.is(resource) {
		_, me := rm.present()
		return me.Nick
	}
	wanted := prepared(resource)
	if marked := strings.LastIndex(wanted, marker); marked > 0 && numbered(wanted[marked+len(marker):]) {
		return wanted[:marked]
	}
	return wanted
}

// index is where a resource is among those that are in, -1 if it is not. The lock is held.
func (rm *room) index(full string) int {
	return slices.IndexFunc(rm.in, func(in string) bool { return addr.Same(in, full) })
}

// has says whether a resource is in.
func (rm *room) has(full string) bool {
	if rm == nil {
		return false
	}
	rm.mu.Lock()
	defer rm.mu.Unlock()
	return rm.index(full) >= 0
}

// expect remembers who waits to be let in.
func (rm *room) expect(o core.Origin, w waiting) error {
	rm.mu.Lock()
	defer rm.mu.Unlock()
	if len(rm.in)+len(rm.joins) >= maxResources && rm.index(o.From) < 0 || len(rm.joins) >= maxResources {
		return core.E(core.OverLimit, "muc: join", "You are in this room with too many clients.")
	}
	if rm.joins == nil {
		rm.joins = map[core.Origin]waiting{}
	}
	rm.joins[o] = w
	return nil
}

// noMore takes somebody out of those who wait. The lock is held.
func (rm *room) noMore(o core.Origin) (w waiting, waited bool) {
	w, waited = rm.joins[o]
	if delete(rm.joins, o); len(rm.joins) == 0 {
		rm.joins = nil
	}
	return w, waited
}

// unexpected forgets who waited, and returns the resource that was asked for.
func (rm *room) unexpected(o core.Origin) string {
	rm.mu.Lock()
	defer rm.mu.Unlock()
	w, _ := rm.noMore(o)
	return w.asked
}

// enter counts in the resource that waited, and returns the history that it asked for. False for one that did not
// wait, or does not any more.
func (rm *room) enter(o core.Origin, me core.Member) (history, bool) {
	rm.mu.Lock()
	defer rm.mu.Unlock()
	rm.me = me
	w, waited := rm.noMore(o)
	if rm.index(o.From) >= 0 {
		return w.history, true
	}
	if waited {
		rm.in = append(rm.in, strings.Clone(o.From)) // it is a piece of the whole stanza
	}
	return w.history, waited
}

// leave counts a resource out, or out of those who wait. It returns the resource of the room that it had or wanted, how
// many others are in or wait, and whether it was there at all.
func (rm *room) leave(full string) (known string, left int, was bool) {
	rm.mu.Lock()
	defer rm.mu.Unlock()
	for o, w := range rm.joins {
		if addr.Same(o.From, full) {
			known, was = w.asked, true
			rm.noMore(o)
		}
	}
	if i := rm.index(full); i >= 0 {
		known, was = rm.rooms.resource(rm.me.Nick), true
		rm.in = slices.Delete(rm.in, i, i+1)
	}
	return known, len(rm.in) + len(rm.joins), was
}

// empty counts everybody out and returns them. Who waits goes on waiting: the network has not answered them.
func (rm *room) empty() []string {
	rm.mu.Lock()
	defer rm.mu.Unlock()
	in := rm.in
	rm.in, rm.crowd = nil, crowd{}
	return in
}

// count is how many resources are in or wait.
func (rm *room) count() int {
	rm.mu.Lock()
	defer rm.mu.Unlock()
	return len(rm.in) + len(rm.joins)
}

// present returns the resources that are in, and who we are there.
func (rm *room) present() (in []string, me core.Member) {
	rm.mu.Lock()
	defer rm.mu.Unlock()
	return slices.Clone(rm.in), rm.me
}

// is says whether a resource, as clients write it, is ours.
func (rm *room) is(resource string) bool {
	_, me := rm.present()
	return me.Nick != "" && prepared(resource) == rm.rooms.resource(me.Nick)
}

// update takes note of what we are now. Another nick answers whoever asked for one.
func (rm *room) update(me core.Member) (old string) {
	rm.mu.Lock()
	defer rm.mu.Unlock()
	if old = rm.me.Nick; old != me.Nick {
		for o, p := range rm.pending {
			if p.asked == "" {
				continue
			}
			if delete(rm.pending, o); p.done != nil {
				p.done <- nil
			}
		}
	}
	rm.me = me
	return old
}

// await remembers what an answer will be told by. Of what is never answered some is forgotten when there is too much.
func (rm *room) await(o core.Origin, p pending) {
	rm.mu.Lock()
	defer rm.mu.Unlock()
	if len(rm.pending) >= maxPending {
		for some := range rm.pending {
			delete(rm.pending, some)
			break
		}
	}
	if rm.pending == nil {
		rm.pending = map[core.Origin]pending{}
	}
	rm.pending[o] = p
}

// answered returns what await remembered, and forgets it.
func (rm *room) answered(o core.Origin) pending {
	rm.mu.Lock()
	defer rm.mu.Unlock()
	p := rm.pending[o]
	delete(rm.pending, o)
	return p
}

// unsaid returns our name of a message that a client has sent under an id, and that the network has not taken yet: it
// may be waiting for its correction.
func (rm *room) unsaid(by, id string) (core.MessageID, bool) {
	rm.mu.Lock()
	defer rm.mu.Unlock()
	said := rm.pending[core.Origin{ID: id, From: by}].said
	return said, said != ""
}

// notIn is the answer to whoever speaks without having joined (XEP-0045 section 7.4).
func notIn() error {
	return xmpp.NewError("modify", "not-acceptable", "You are not in this room. Join it first.")
}
