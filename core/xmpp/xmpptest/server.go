package xmpptest

import (
	"context"
	"net"
	"sync"
	"testing"
	"time"

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
	*View

	mu       sync.Mutex
	views    map[string]*View // of others than the test that made the server, by bare JID
	changed  chan struct{}    // closed and replaced at every change of what follows
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
	running  sync.WaitGroup
}

// New returns a Server that ends with the test.
func New(t testing.TB) *Server {
	s := &Server{
		changed: make(chan struct{}), views: map[string]*View{},
		conns: map[string]*conn{}, open: map[*conn]bool{}, secrets: map[string]string{},
		refusals: map[string]string{}, logins: map[string]int{},
	}
	s.View = newView(s, t)
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

// Raw sends bytes as they are to a connected component.
func (s *Server) Raw(domain, bytes string) {
	s.t.Helper()
	s.raw(s.t, domain, bytes)
}

func (s *Server) raw(t testing.TB, domain, bytes string) {
	t.Helper()
	if _, err := s.conn(t, domain).Write([]byte(bytes)); err != nil {
		t.Fatalf("xmpptest: %s: %v", domain, err)
	}
}

func (s *Server) conn(t testing.TB, domain string) *conn {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.conns[domain]
	if c == nil {
		t.Fatalf("xmpptest: %s is not connected", domain)
	}
	return c
}

// Cut ends the connection of a component without a word: with a reset, on TCP.
func (s *Server) Cut(domain string) {
	s.t.Helper()
	c := s.conn(s.t, domain)
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
