package irc

import (
	"context"
	"errors"
	"sync"
	"time"

	"gangway/core"
	"gangway/transports/irc/format"
	"gangway/transports/irc/isupport"
	"gangway/transports/irc/wire"
)

const (
	registerWithin = 60 * time.Second // from the connection to the end of the MOTD
	answerWithin   = 60 * time.Second // an answer that the network owes to a line
	drainWithin    = 5 * time.Second  // from QUIT to the end of the connection
)

// session is one user on one network; see the package's comment. All fields below mu are guarded by it.
type session struct {
	t       *transport
	net     *network
	account core.Account
	traffic *traffic
	secrets credentials // what the account shows to the network; nothing changes it

	delivering sync.Mutex // held by whoever delivers events: one at a time, in order

	mu      sync.Mutex
	ran     bool             // Run has been called
	link    *link            // nil between connections
	down    *core.Error      // why there is no connection, until there is one again
	wish    string           // the nick that the user wants; empty: nobody has said yet
	named   bool             // a join has said so, and later ones do not matter
	fold    isupport.Casemap // the network's, as last seen
	rooms   map[string]*room
	queue   []*command // not yet written, oldest first
	events  []core.Event
	chores  []func(context.Context) error // see chores.go
	have    seen                          // which private messages the user has
	keeping bool                          // that is about to be written
	behind  bouncer
	lasts   map[core.Address]last      // what was last said, by conversation
	waiting []*held                    // what waits for its correction, the oldest first
	markers map[core.Address]time.Time // up to when conversations are read, as the network knows
	absent  string                     // what AWAY says; empty: the user is there
	reacted []*reactions               // reactions to recent messages, the oldest first
	recent  map[core.Address][]recent  // what was said lately, the oldest first; see remember
	peers   []string                   // whom the user has written to, the latest last
	courier chan struct{}              // closed when the courier ends; nil: there is none
	list    *listing                   // as last asked for; nil: not in this connection
	private time.Time                  // when something private was last said, either way; zero: never
	away    map[string]string          // who of those the user wrote to is away, and how they say so

	queries []*query      // of people's programs, the oldest first
	pings   uint64        // of queries, made so far
	inquiry chan struct{} // closed when a client of the user's has been asked what it is; nil: none is

	fetches []linked           // what others link to and is to be fetched, the oldest first
	fetched []string           // what has been, lately
	pace    bucket             // of fetches
	fetcher chan struct{}      // closed when the one that fetches ends; nil: there is none
	giveUp  context.CancelFunc // ends it sooner; nil: it has not begun

	chosen   choices // what the user chose, as last asked
	chosenAt time.Time
}

func newSession(t *transport, n *network, a core.Account, secrets credentials) *session {
	return &session{
		t: t, net: n.chosen(a.Options), account: a, traffic: t.traffic[t.Group(n.name)], secrets: secrets, rooms: map[string]*room{},
		chosen: choices{t: t, realm: n.name}, pace: bucket{burst: 5, interval: 10 * time.Second},
	}
}

// Run connects, registers, enters the rooms that are wanted, and stays until the connection is lost or nobody needs
// it any more: nil. When ctx ends it writes what is queued, if that is quick, and quits.
func (s *session) Run(ctx context.Context) error {
	if !s.needed() {
		return nil
	}
	err := s.visit(ctx, "")
	for port, n := "", 0; n < 2 && ctx.Err() == nil; n++ { // to TLS, and to a bouncer's network
		up := upgradeOf(err)
		if up == "" && !errors.Is(err, errFound) {
			break
		}
		port = firstOf(up, port)
		err = s.visit(ctx, port)
	}
	s.end(ctx, err)
	s.flush(ctx)
	s.stopFetching()
	s.awaitCourier()
	s.awaitInquiry()
	return err
}

// needed says whether a connection has a purpose: rooms, something to say, or that it was just asked for.
func (s *session) needed() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	first := !s.ran
	s.ran = true
	if first || len(s.queue) > 0 || s.wanted() {
		return true
	}
	s.down = nil
	return false
}

// wanted says whether there is a room that somebody wants to be in.
func (s *session) wanted() bool {
	for _, r := range s.rooms {
		if r.wanted {
			return true
		}
	}
	return false
}

// visit lives one connection. upgrade is the port at which the network has just asked for TLS; empty: it has not.
func (s *session) visit(ctx context.Context, upgrade string) error {
	l, err := s.connect(ctx, upgrade)
	if err != nil {
		return err
	}
	return s.converse(ctx, l)
}

// connect opens the connection and begins to register.
func (s *session) connect(ctx context.Context, upgrade string) (*link, error) {
	n, secure, err := s.route(ctx, upgrade)
	if err != nil {
		return nil, err
	}
	s.choices(ctx)
	peers, seen := s.loadPeers(ctx), s.loadSeen(ctx)
	n, told, release, err := s.identify(ctx, n)
	if err != nil {
		return nil, err
	}
	conn, err := s.reach(ctx, n)
	if err != nil {
		release()
		return nil, s.unreachable(err)
	}
	l := newLink(conn, n)
	l.release, l.told = release, told
	l.secure = secure
	s.mu.Lock()
	defer s.mu.Unlock()
	s.link, s.peers, s.have = l, peers, seen
	s.register()
	return l, nil
}

// converse reads until the connection ends, and closes it.
func (s *session) converse(ctx context.Context, l *link) error {
	interrupt := context.AfterFunc(ctx, l.interrupt)
	defer interrupt()
	err := s.read(ctx, l)
	s.mu.Lock()
	l.closed = true
	writer, hangUp := l.writer, l.hangUp
	s.mu.Unlock()
	close(l.done)
	if hangUp != nil {
		hangUp()
	}
	l.conn.Close()
	l.release()
	if writer != nil {
		<-writer
	}
	return err
}

// read handles lines until the connection ends: nil if that was our wish.
func (s *session) read(ctx context.Context, l *link) error {
	for {
		if !l.lines.Buffered() {
			if over, err := s.tick(ctx, l); over || err != nil {
				return err
			}
			s.flush(ctx)
		}
		line, err := l.lines.Next()
		switch {
		case err == nil:
			s.handle(ctx, line)
		case errors.Is(err, wire.ErrTooLong):
			s.overlong()
		case isTimeout(err):
			continue
		default:
			return s.lost(l, err)
		}
		if !l.lines.Buffered() {
			s.flush(ctx)
		}
	}
}

// overlong tells the user that a line was thrown away.
func (s *session) overlong() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.notice("", "The network sent a line that is too long. It was left out.")
}

// tick looks what is due by the clock and sets how long to read at most. over: the connection has had its time.
func (s *session) tick(ctx context.Context, l *link) (over bool, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	if ctx.Err() != nil && l.quit.IsZero() {
		s.quit(now)
	}
	s.expire(now)
	due := s.due(l, now)
	if due.IsZero() {
		return true, s.lostLocked(l, errSilent)
	}
	l.conn.SetReadDeadline(due)
	if ctx.Err() != nil && l.quit.IsZero() { // ended between the two: the interruption was overwritten
		l.conn.SetReadDeadline(now)
	}
	return false, nil
}

// due does what is due and returns when something will be next; zero when the network has been silent for too long.
func (s *session) due(l *link, now time.Time) time.Time {
	switch {
	case !l.quit.IsZero():
		return unlessPast(l.quit.Add(drainWithin), now)
	case !l.ready:
		next := unlessPast(l.began.Add(registerWithin), now)
		if give := s.loginDue(now); !give.IsZero() && !next.IsZero() {
			next = earlier(next, give)
		}
		return next
	}
	next := l.heard.Add(time.Duration(s.t.cfg.PingEvery))
	if !l.pinged.IsZero() {
		next = l.pinged.Add(time.Duration(s.t.cfg.PingTimeout))
		if !now.Before(next) {
			return time.Time{}
		}
	} else if !now.Before(next) {
		l.pinged, l.pulse.asked = now, now
		s.urgent(wire.Ping(keepalive))
		next = now.Add(time.Duration(s.t.cfg.PingTimeout))
	}
	if ask := s.keepNick(l, now); !ask.IsZero() {
		next = earlier(next, ask)
	}
	if give := s.loginDue(now); !give.IsZero() {
		next = earlier(next, give)
	}
	if show := s.fillDue(now); !show.IsZero() {
		next = earlier(next, show)
	}
	if say := s.sayDue(now); !say.IsZero() {
		next = earlier(next, say)
	}
	if late := s.queriesDue(now); !late.IsZero() {
		next = earlier(next, late)
	}
	if stop := s.stopTyping(now); !stop.IsZero() {
		next = earlier(next, stop)
	}
	if settle := s.settleAll(now); !settle.IsZero() {
		next = earlier(next, settle)
	}
	if len(l.asked) > 0 {
		next = earlier(next, now.Add(answerWithin/4))
	}
	if over := s.over(l); !over.IsZero() {
		if !now.Before(over) {
			s.quit(now)
			return now.Add(drainWithin)
		}
		next = earlier(next, over)
	}
	return next
}

// unlessPast is t, or zero if it is not to come.
func unlessPast(t, now time.Time) time.Time {
	if !now.Before(t) {
		return time.Time{}
	}
	return t
}

// over returns when the connection has lost its purpose; zero if it has one.
func (s *session) over(l *link) time.Time {
	if len(s.queue) > 0 || len(l.asked) > 0 || len(s.waiting) > 0 || len(s.queries) > 0 || s.wanted() {
		return time.Time{}
	}
	if s.private.IsZero() {
		return l.began
	}
	return s.private.Add(time.Duration(s.t.cfg.Linger))
}

// quit puts QUIT behind what is queued; nothing is written after it. Before the registration is complete the queue
// is not written at all, and end answers for it.
func (s *session) quit(now time.Time) {
	if s.link.ready {
		s.sayHeld(func(*held) bool { return true })
	}
	s.link.quit = now
	if !s.link.ready {
		s.urgent(wire.Quit(format.OneLine(s.t.cfg.QuitMessage)))
		return
	}
	s.enqueue(&command{Command: wire.Quit(format.OneLine(s.t.cfg.QuitMessage))})
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}
