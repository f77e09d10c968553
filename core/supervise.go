package core

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"sync"
	"time"
)

const (
	firstBackoff = time.Second
	lastBackoff  = 5 * time.Minute
	steady       = time.Minute     // a connection that lived so long starts backing off anew
	refusalHolds = 5 * time.Minute // a Denied session is not opened again before, whoever asks
)

// supervisor keeps one account's session running. It lives from the session's first use to its end.
type supervisor struct {
	g       *Gateway
	net     *Network
	account Account

	mu      sync.Mutex
	session Session
	status  Status
	uses    int           // calls in progress
	idle    chan struct{} // closed when uses falls to 0, if somebody waits for that
	touched bool          // used since Run last returned
	refusal *Error        // why it was Denied; nil if it was not
	refused time.Time     // when
	told    string        // what the user was told of a refusal, since it was last connected
	started bool          // a goroutine is or will be running it
	cancel  context.CancelFunc
	stopped bool // it shall end, and not come back
}

// With calls fn with the account's session, opening it if need be. The session stays open while fn runs. Denied if the
// account's user is suspended.
func (g *Gateway) With(ctx context.Context, a Account, fn func(Session) error) error {
	stops := g.stops.Load()
	if err := g.active(ctx, a.User); err != nil {
		return err
	}
	s, err := g.acquire(ctx, a)
	if err != nil {
		return err
	}
	defer s.release()
	if g.stops.Load() != stops { // perhaps this account's: it must not have come back for who was suspended meanwhile
		if err := g.active(ctx, a.User); err != nil {
			g.stop(a.ID)
			return err
		}
	}
	if err := ctx.Err(); err != nil {
		return Wrap(Unavailable, "core: session", err)
	}
	return fn(s.current())
}

// acquire finds or makes the account's supervisor and counts a use of it.
func (g *Gateway) acquire(ctx context.Context, a Account) (*supervisor, error) {
	n := g.networks[a.Network]
	if n == nil {
		return nil, E(NotFound, "core: session", "There is no such network here.")
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	for g.sessions[a.ID] == nil && !g.ended {
		if err := g.openOne(ctx, n, a); err != nil {
			return nil, err
		}
	}
	if g.ended { // perhaps while it was opened
		return nil, E(Unavailable, "core: session", "The gateway is stopping. Please send this again in a moment.")
	}
	s := g.sessions[a.ID]
	if err := s.use(); err != nil {
		return nil, err
	}
	if s.begin() {
		g.pending = append(g.pending, s)
		select {
		case g.wake <- struct{}{}:
		default:
		}
	}
	return s, nil
}

// opening is a session that a transport is asked for. Others who want it wait until done is closed.
type opening struct {
	done  chan struct{}
	stale bool // the account was stopped meanwhile: what comes of it is not for use
}

// openOne makes an account's supervisor, or waits for whoever is about to. It is called with g.mu held, and holds it
// again when it returns; the transport is asked without, as it may take its time. nil means: look again.
func (g *Gateway) openOne(ctx context.Context, n *Network, a Account) error {
	if o := g.opening[a.ID]; o != nil {
		g.mu.Unlock()
		defer g.mu.Lock()
		select {
		case <-o.done:
			return nil
		case <-ctx.Done():
			return Wrap(Unavailable, "core: session", ctx.Err())
		}
	}
	o := &opening{done: make(chan struct{})}
	g.opening[a.ID] = o
	s := &supervisor{g: g, net: n, account: a, status: Status{Ref: Ref{Account: a.ID}, Link: Connecting}}
	g.mu.Unlock()
	session, err := s.open()
	g.mu.Lock()
	close(o.done)
	if g.opening[a.ID] == o {
		delete(g.opening, a.ID)
	}
	switch {
	case err != nil:
		return err
	case o.stale:
		return &Error{Kind: Unavailable, Op: "core: session", After: time.Second,
			Text: "The account was changed at this moment. Please try again."}
	}
	s.session = session
	g.sessions[a.ID] = s
	return nil
}

// use counts a use, unless the session is refused for now.
func (s *supervisor) use() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.refusal != nil {
		if time.Since(s.refused) < refusalHolds {
			return s.refusal
		}
		s.refusal = nil
	}
	s.uses++
	s.touched = true
	return nil
}

// begin says whether somebody has to start running it: the first to ask.
func (s *supervisor) begin() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	first := !s.started
	s.started = true
	return first
}

func (s *supervisor) release() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.uses--
	s.touched = true
	if s.uses == 0 && s.idle != nil {
		close(s.idle)
		s.idle = nil
	}
}

// open asks the transport for the session.
func (s *supervisor) open() (session Session, err error) {
	defer s.g.recovered("open", s.account, &err)
	return s.net.Transport.Open(s.account)
}

func (s *supervisor) current() Session {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.session
}

func (s *supervisor) state() Status {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.status
}

// panicked is the cause of an error that was a panic.
type panicked struct{ value any }

func (p panicked) Error() string { return fmt.Sprintf("panic: %v", p.value) }

// recovered, deferred, turns a panic of a session into its error, so that it is nobody else's.
func (g *Gateway) recovered(op string, a Account, err *error) {
	if v := recover(); v != nil {
		g.log.Error("panic in a session", "op", op, "network", a.Network, "account", a.ID, "panic", v,
			"stack", string(debug.Stack()))
		*err = &Error{Kind: Internal, Op: a.Network + ": " + op, Err: panicked{v}}
	}
}

// run lives the session's connections until ctx ends, the session has nothing more to do, or it is Denied.
func (s *supervisor) run(ctx context.Context) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	s.mu.Lock()
	s.cancel = cancel
	if s.stopped {
		cancel()
	}
	s.mu.Unlock()

	for tries := 0; ; tries++ {
		if !sleep(ctx, s.g.pace(s.net.Driver, s.account.Realm)) {
			break
		}
		s.report(ctx, Status{Link: Connecting})
		began := time.Now()
		err := s.once(ctx)
		if ctx.Err() != nil {
			break
		}
		if err == nil {
			if s.finish() {
				s.report(ctx, Status{Link: Closed})
				return
			}
			tries = -1
			continue
		}
		e := AsError(err)
		if e.Kind == Denied {
			s.refuse(ctx, e)
			return
		}
		if time.Since(began) >= steady {
			tries = 0
		}
		delay := max(backoff(tries), e.After)
		s.report(ctx, Status{Link: Waiting, Err: e, Text: e.Sentence(), Retry: delay})
		if !sleep(ctx, delay) {
			break
		}
	}
	last := s.g.forget(s)
	s.takeLeave(ctx)
	if last {
		s.report(context.WithoutCancel(ctx), Status{Link: Closed})
	}
}

// once runs one connection. A session that panicked is not to be trusted: a new one takes its place.
func (s *supervisor) once(ctx context.Context) error {
	err := func() (err error) {
		defer s.g.recovered("run", s.account, &err)
		return s.current().Run(ctx)
	}()
	if !errors.As(err, new(panicked)) {
		return err
	}
	session, openErr := s.open()
	if openErr != nil {
		return openErr
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.session = session
	return err
}

// finish ends a session that has nothing more to do, unless it was used meanwhile: then it is to be run again.
func (s *supervisor) finish() bool {
	for idle := s.idling(); idle != nil; idle = s.idling() {
		<-idle
	}
	s.g.mu.Lock()
	defer s.g.mu.Unlock()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.touched || s.uses > 0 {
		s.touched = false
		return false
	}
	if s.g.sessions[s.account.ID] == s {
		delete(s.g.sessions, s.account.ID)
	}
	return true
}

// refuse stops after a Denied: the session stays in the table, so that nobody opens it again at once. What it was handed
// in this moment is answered with the refusal.
func (s *supervisor) refuse(ctx context.Context, e *Error) {
	text := e.Sentence()
	s.mu.Lock()
	s.refusal, s.refused = e, time.Now()
	s.mu.Unlock()
	over, end := context.WithCancelCause(ctx)
	end(e)
	s.takeLeave(over)
	s.mu.Lock()
	s.started = false
	news := s.told != text
	s.told = text
	s.mu.Unlock()
	s.report(ctx, Status{Link: Refused, Err: e, Text: text})
	if news {
		s.g.tell(ctx, s.account.Network, s.account.User, s.account.label()+text+` Send "register" to change what it logs in with.`)
	}
}

// label begins a sentence about an account where a user may have several; empty if it has no name.
func (a Account) label() string {
	switch {
	case a.Realm != "":
		return a.Realm + ": "
	case a.Own != "":
		return string(a.Own) + ": "
	}
	return ""
}

// report makes st the session's state and shows it.
func (s *supervisor) report(ctx context.Context, st Status) {
	st.Account = s.account.ID
	s.mu.Lock()
	if st.Since = s.status.Since; st.Link != s.status.Link || st.Since.IsZero() {
		st.Since = time.Now()
	}
	if st.Link == Connected {
		s.told = ""
	}
	if st.Last, st.LastAt = s.status.Last, s.status.LastAt; st.Err != nil {
		st.Last, st.LastAt = st.Err, time.Now()
	}
	s.status = st
	s.mu.Unlock()
	s.g.cfg.Trace.session(s.account, &st)
	if err := s.g.edge.Show(ctx, s.account, &st); err != nil {
		s.g.log.Debug("status not shown", "account", s.account.ID, "err", err)
	}
}

// forget takes a supervisor out of the table. It says whether the account is without a session now: if another has
// taken the place, the account's state is that one's.
func (g *Gateway) forget(s *supervisor) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.sessions[s.account.ID] == s {
		delete(g.sessions, s.account.ID)
	}
	return g.sessions[s.account.ID] == nil
}
