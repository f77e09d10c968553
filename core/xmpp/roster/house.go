package roster

import (
	"context"
	"sync"
	"time"

	"gangway/core"
	"gangway/core/xmpp"
	"gangway/core/xmpp/disco"
	"gangway/core/xmpp/edge"
)

const (
	workers = 8                      // users who are served at once
	settle  = 20 * time.Second       // a connection that fails and comes back within it is not seen on contacts
	greeted = 500 * time.Millisecond // for the host server to say what it grants, before anybody is told anything
)

// house is one domain with the people who use it.
type house struct {
	roster *Roster
	domain *edge.Domain
	disco  *disco.Handler
	notes  core.Notes // nil: no list is filled
	caps   capsTable
	rows   [64]sync.Mutex // held while a user's row is changed, by a hash of the user

	mu     sync.Mutex
	people map[core.UserID]*person
	jobs   map[core.UserID]*job
	online int // connections so far
	greet  int // connections that users were greeted over

	wake chan struct{} // holds one
}

// job is what is to be done for one user.
type job struct {
	fill bool          // bring the list up to date
	ask  bool          // go on with asking for subscriptions
	show bool          // bring the presence of all contacts up to date
	to   []string      // devices that are to see all contacts, though others have
	tell []string      // devices that are to be told of all pictures
	news news          // what devices are to be told of cards
	soon time.Duration // not before, from now on

	at, showAt, tellAt time.Time // when the list, the contacts, and the cards have their turn
	busy               bool
}

func newHouse(r *Roster, d *edge.Domain, dh *disco.Handler) *house {
	h := &house{
		roster: r, domain: d, disco: dh, caps: newCapsTable(),
		people: map[core.UserID]*person{}, jobs: map[core.UserID]*job{}, wake: make(chan struct{}, 1),
	}
	if r.cfg.Notes != nil && r.cfg.Contacts != nil {
		h.notes = r.cfg.Notes(notesName(d.Network.Driver.Name))
	}
	return h
}

// notesName is whose rows ours are, of a network: its transport has its own.
func notesName(network string) string { return "roster " + network }

// State takes what becomes of a domain's link. Call it from xmpp.Trace.State.
func (r *Roster) State(d *edge.Domain, s xmpp.Status) {
	h := r.domains[d]
	if h == nil || s.State != xmpp.Online {
		return
	}
	h.mu.Lock()
	h.online++
	h.mu.Unlock()
	h.poke()
}

func (h *house) poke() {
	select {
	case h.wake <- struct{}{}:
	default:
	}
}

// want adds to what is to be done for a user. What is not done yet is joined with
// it, and waits for the longer of the two.
func (h *house) want(user core.UserID, more job) {
	h.mu.Lock()
	defer h.mu.Unlock()
	j := h.jobs[user]
	if j == nil {
		j = &job{}
		h.jobs[user] = j
	}
	j.fill, j.ask, j.show = j.fill || more.fill, j.ask || more.ask, j.show || more.show
	if len(j.to) < maxClients {
		j.to = append(j.to, more.to...)
	}
	if len(j.tell) < maxClients {
		j.tell = append(j.tell, more.tell...)
	}
	j.news = j.news.with(more.news)
	at := time.Now().Add(more.soon)
	if more.lists() && (at.After(j.at) || more.soon == 0) {
		j.at = at
	}
	if more.shows() && (at.After(j.showAt) || more.soon == 0) {
		j.showAt = at
	}
	if more.tells() && at.After(j.tellAt) {
		j.tellAt = at
	}
	h.poke()
}

func (j *job) lists() bool { return j.fill || j.ask }
func (j *job) shows() bool { return j.show || len(j.to) > 0 }
func (j *job) tells() bool { return len(j.tell) > 0 || len(j.news) > 0 }
func (j *job) empty() bool { return !j.lists() && !j.shows() && !j.tells() }

// take returns what of a job is due, leaving the rest, and when that will be.
func (j *job) take(now time.Time) (due job, next time.Time) {
	next = now.Add(time.Hour)
	switch {
	case !j.lists():
	case j.at.After(now):
		next = j.at
	default:
		due.fill, due.ask = j.fill, j.ask
		j.fill, j.ask = false, false
	}
	switch {
	case !j.shows():
	case j.showAt.After(now):
		if j.showAt.Before(next) {
			next = j.showAt
		}
	default:
		due.show, due.to = j.show, j.to
		j.show, j.to = false, nil
	}
	switch {
	case !j.tells():
	case j.tellAt.After(now):
		if j.tellAt.Before(next) {
			next = j.tellAt
		}
	default:
		due.tell, due.news = j.tell, j.news
		j.tell, j.news = nil, nil
	}
	return due, next
}

// next takes the job of a user whose turn it is; otherwise it says when to come
// again. The jobs that wait are few: this one looks at them all.
func (h *house) next() (user core.UserID, j job, wait time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	now := time.Now()
	wait = time.Hour
	for u, waiting := range h.jobs {
		if waiting.busy {
			continue
		}
		due, next := waiting.take(now)
		if !due.empty() {
			waiting.busy = true
			return u, due, 0
		}
		wait = min(wait, next.Sub(now))
	}
	return "", job{}, wait
}

// done ends a user's turn.
func (h *house) done(user core.UserID) {
	h.mu.Lock()
	defer h.mu.Unlock()
	j := h.jobs[user]
	if j.busy = false; j.empty() {
		delete(h.jobs, user)
		return
	}
	h.poke()
}

// run serves users until ctx ends.
func (h *house) run(ctx context.Context) {
	var work sync.WaitGroup
	defer work.Wait()
	free := make(chan struct{}, workers)
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		if h.newLink() {
			h.greetAll(ctx)
		}
		user, j, wait := h.next()
		if user == "" {
			timer.Reset(wait)
			select {
			case <-ctx.Done():
				return
			case <-h.wake:
			case <-timer.C:
			}
			continue
		}
		select {
		case <-ctx.Done():
			return
		case free <- struct{}{}:
		}
		work.Go(func() {
			defer func() { <-free }()
			defer h.done(user)
			h.serve(ctx, user, j)
		})
	}
}

// newLink reports, once for each, that there is a connection that nobody was
// greeted over.
func (h *house) newLink() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	is := h.greet < h.online
	h.greet = h.online
	return is
}

// serve does a user's job. What the link did not take is tried again.
func (h *house) serve(ctx context.Context, user core.UserID, j job) {
	var err error
	if j.lists() {
		err = h.fill(ctx, user, j.fill)
	}
	if err == nil && j.shows() {
		err = h.showContacts(ctx, user, j)
	}
	if err == nil && j.tells() {
		err = h.tellCards(ctx, user, j)
	}
	if err == nil || ctx.Err() != nil {
		return
	}
	level := h.roster.log.Debug
	if core.KindOf(err) == core.Internal {
		level = h.roster.log.Warn
	}
	level("contact list not brought up to date; tried again", "domain", h.domain.Name, "err", err)
	j.soon = time.Minute
	h.want(user, j)
}
