package xmpptest

import (
	"context"
	"fmt"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"gangway/core/xmpp/addr"
	"gangway/core/xmpp/stream"
)

// Defaults of a Server.
const (
	Host   = "example.org" // the server's own domain
	Secret = "s3cret"      // of every component not given another
)

const patience = 10 * time.Second

// Server is a host server that does what the test says. Its methods are for the
// test's own goroutine; they end the test when something is not as expected.
type Server struct {
	Patience time.Duration // for what is expected; longer where the test's clock is not the real one

	t testing.TB
	m matcher

	mu       sync.Mutex
	changed  chan struct{} // closed and replaced at every change of what follows
	listener net.Listener
	ended    bool
	conns    map[string]*conn // logged in, by domain
	open     map[*conn]bool
	secrets  map[string]string
	refusals map[string]string
	kickOld  bool
	hold     bool
	held     []func() // answers to barrier pings
	pings    int
	paused   bool
	logins   map[string]int
	received []*stream.Stanza
	ignored  []*stream.Stanza
	running  sync.WaitGroup
}

// New returns a Server that ends with the test.
func New(t testing.TB) *Server {
	s := &Server{
		Patience: patience,
		t:        t, m: matcher{vars: map[string]string{}}, changed: make(chan struct{}),
		conns: map[string]*conn{}, open: map[*conn]bool{}, secrets: map[string]string{},
		refusals: map[string]string{}, logins: map[string]int{},
	}
	t.Cleanup(s.end)
	return s
}

func (s *Server) end() {
	s.mu.Lock()
	s.ended = true
	if s.listener != nil {
		s.listener.Close()
	}
	for c := range s.open {
		c.Close()
	}
	s.notify()
	s.mu.Unlock()
	s.running.Wait()
}

// notify wakes whoever waits. The lock is held.
func (s *Server) notify() {
	close(s.changed)
	s.changed = make(chan struct{})
}

func (s *Server) update(fn func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	fn()
	s.notify()
}

// await blocks until ready, called with the lock held, returns true. It returns
// false if that takes too long.
func (s *Server) await(ready func() bool) bool {
	deadline := time.NewTimer(s.Patience)
	defer deadline.Stop()
	for {
		s.mu.Lock()
		ok, changed := ready(), s.changed
		s.mu.Unlock()
		if ok {
			return true
		}
		select {
		case <-changed:
		case <-deadline.C:
			return false
		}
	}
}

// Addr returns the address to connect to on loopback; it listens from then on.
func (s *Server) Addr() string {
	s.t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.listener == nil {
		l, err := new(net.ListenConfig).Listen(s.t.Context(), "tcp", "127.0.0.1:0")
		if err != nil {
			s.t.Fatal(err)
		}
		s.listener = l
		s.running.Go(func() {
			for {
				c, err := l.Accept()
				if err != nil {
					return
				}
				s.serve(c)
			}
		})
	}
	return s.listener.Addr().String()
}

// Dial connects through memory instead, for Config.Dial: in a synctest bubble
// there is no network.
func (s *Server) Dial(context.Context, string, string) (net.Conn, error) {
	ours, theirs := net.Pipe()
	if !s.serve(ours) {
		return nil, net.ErrClosed
	}
	return theirs, nil
}

// SetSecret makes domain need another secret than Secret.
func (s *Server) SetSecret(domain, secret string) {
	s.update(func() { s.secrets[domain] = secret })
}

// Refuse answers every login of domain with a stream error; a condition of ""
// ends that.
func (s *Server) Refuse(domain, condition string) {
	s.update(func() { s.refusals[domain] = condition })
}

// KickOld lets a second connection of a domain end the first, as Prosody does
// with component_conflict_resolve = "kick_old". Without it the second is refused.
func (s *Server) KickOld() { s.update(func() { s.kickOld = true }) }

// Await waits until domain has logged in n times since the beginning and is
// connected.
func (s *Server) Await(domain string, n int) {
	s.t.Helper()
	if !s.await(func() bool { return s.logins[domain] >= n && s.conns[domain] != nil }) {
		s.t.Fatalf("xmpptest: %s has not logged in %d times", domain, n)
	}
}

// AwaitGone waits until domain is not connected.
func (s *Server) AwaitGone(domain string) {
	s.t.Helper()
	if !s.await(func() bool { return s.conns[domain] == nil }) {
		s.t.Fatalf("xmpptest: %s is still connected", domain)
	}
}

// Send sends a stanza, with captured $names replaced, to the component it is to.
func (s *Server) Send(xml string) {
	s.t.Helper()
	xml = s.m.known(xml)
	st, err := stream.Parse(xml)
	if err != nil {
		s.t.Fatalf("xmpptest: Send: %v: %s", err, xml)
	}
	to, err := addr.Parse(st.To)
	if err != nil {
		s.t.Fatalf("xmpptest: Send: to %q: %v", st.To, err)
	}
	s.Raw(to.Domain(), xml)
}

// Raw sends bytes as they are to a connected component.
func (s *Server) Raw(domain, bytes string) {
	s.t.Helper()
	c := s.conn(domain)
	if _, err := c.Write([]byte(bytes)); err != nil {
		s.t.Fatalf("xmpptest: %s: %v", domain, err)
	}
}

func (s *Server) conn(domain string) *conn {
	s.t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.conns[domain]
	if c == nil {
		s.t.Fatalf("xmpptest: %s is not connected", domain)
	}
	return c
}

// Cut ends the connection of a component without a word: with a reset, on TCP.
func (s *Server) Cut(domain string) {
	s.t.Helper()
	c := s.conn(domain)
	if tcp, ok := c.Conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
	c.Close()
	s.AwaitGone(domain)
}

// Close ends the stream of a component politely and waits for it to do so too.
func (s *Server) Close(domain string) {
	s.t.Helper()
	s.Raw(domain, stream.CloseTag)
	s.AwaitGone(domain)
}

// Pause stops reading from all components, as a server that is stuck.
func (s *Server) Pause() { s.update(func() { s.paused = true }) }

// Resume reads on.
func (s *Server) Resume() { s.update(func() { s.paused = false }) }

// HoldPings leaves pings to Host unanswered until ReleasePings.
func (s *Server) HoldPings() { s.update(func() { s.hold = true }) }

// ReleasePings answers the pings that were held, and all later ones at once.
func (s *Server) ReleasePings() {
	s.mu.Lock()
	held := s.held
	s.hold, s.held = false, nil
	s.notify()
	s.mu.Unlock()
	for _, answer := range held {
		answer()
	}
}

// AwaitPings waits until n pings to Host have come since the beginning and
// returns how many have.
func (s *Server) AwaitPings(n int) int {
	s.t.Helper()
	if !s.await(func() bool { return s.pings >= n }) {
		s.t.Fatalf("xmpptest: less than %d pings to the host", n)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.pings
}

// Ignore drops what matches the pattern, then and later, before Expect sees it.
func (s *Server) Ignore(pattern string) {
	s.t.Helper()
	p := s.pattern(pattern)
	s.update(func() { s.ignored = append(s.ignored, p) })
}

// Var returns what $name captured.
func (s *Server) Var(name string) string { return s.m.vars[name] }

// Unset forgets what $name captured.
func (s *Server) Unset(name string) { delete(s.m.vars, name) }

func (s *Server) pattern(xml string) *stream.Stanza {
	s.t.Helper()
	p, err := stream.Parse(strings.TrimSpace(xml))
	if err != nil {
		s.t.Fatalf("xmpptest: pattern: %v: %s", err, xml)
	}
	return p
}

// next waits for the next stanza that is not ignored; nil if there is none in time.
func (s *Server) next() *stream.Stanza {
	var st *stream.Stanza
	s.await(func() bool {
		for st == nil && len(s.received) > 0 {
			st = s.received[0]
			s.received = s.received[1:]
			for _, p := range s.ignored {
				m := matcher{vars: map[string]string{}}
				if len(m.diff(p.Element, st.Element, "")) == 0 {
					st = nil
					break
				}
			}
		}
		return st != nil
	})
	return st
}

// Next returns the next stanza from any component.
func (s *Server) Next() *stream.Stanza {
	s.t.Helper()
	st := s.next()
	if st == nil {
		s.t.Fatal("xmpptest: expected a stanza, received none")
	}
	return st
}

// Expect fails unless the next stanza from any component matches the pattern. It
// returns that stanza.
func (s *Server) Expect(pattern string) *stream.Stanza {
	s.t.Helper()
	p := s.pattern(pattern)
	st := s.next()
	if st == nil {
		s.t.Fatalf("xmpptest: received nothing, expected\n%s", pretty(p.Element))
	}
	if d := s.m.try(p.Element, st.Element, ""); len(d) > 0 {
		s.t.Fatalf("xmpptest: expected\n%sreceived\n%sdifferences\n    %s",
			pretty(p.Element), pretty(st.Element), strings.Join(d, "\n    "))
	}
	return st
}

// ExpectAll fails unless the next stanzas match the patterns, in any order.
func (s *Server) ExpectAll(patterns ...string) {
	s.t.Helper()
	left := make([]*stream.Stanza, len(patterns))
	for i, xml := range patterns {
		left[i] = s.pattern(xml)
	}
	for len(left) > 0 {
		st := s.next()
		i := 0
		for st != nil && i < len(left) && len(s.m.try(left[i].Element, st.Element, "")) > 0 {
			i++
		}
		if st == nil || i == len(left) {
			s.t.Fatal(explain(left, st))
		}
		left = append(left[:i], left[i+1:]...)
	}
}

func explain(left []*stream.Stanza, st *stream.Stanza) string {
	var b strings.Builder
	b.WriteString("xmpptest: expected one of\n")
	for _, p := range left {
		b.WriteString(pretty(p.Element))
	}
	if st == nil {
		b.WriteString("received nothing")
	} else {
		b.WriteString("received\n" + pretty(st.Element))
	}
	return b.String()
}

// Quiet fails if a component has anything more to say to a user who has sent it
// something: it sends a request as this user, which is answered after all
// before, and expects the answer next.
func (s *Server) Quiet(from, to string) {
	s.t.Helper()
	id := fmt.Sprintf("quiet-%d", time.Now().UnixNano())
	s.Send(fmt.Sprintf("<iq type='get' id='%s' from='%s' to='%s'><ping xmlns='urn:xmpp:ping'/></iq>", id, from, to))
	if st := s.next(); st == nil || st.ID != id {
		s.t.Fatalf("xmpptest: expected nothing, received\n%s", pretty(st.Element))
	}
}
