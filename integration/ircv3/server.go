package ircv3

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Config says what a server is like.
type Config struct {
	Name     string            // as it calls itself; empty: "irc.test"
	Without  []string          // capabilities that it does not offer
	Accounts map[string]string // passwords by account
	// Fingerprint names the account of a client certificate (EXTERNAL); nil: none has one.
	Fingerprint func(tls.ConnectionState) string
	TLS         *tls.Config // of the listener; nil: plain
	Page        int         // most messages of one CHATHISTORY; 0: 100
	STS         string      // the value of the capability sts; empty: not offered
	Nameless    bool        // messages have no msgid, and history goes by the time (MSGREFTYPES=timestamp), as soju's does
	Networks    []string    // of the bouncer: "1 name=Libera;state=connected"
	Rooms       []string    // that the bouncer has its users in, who speak to one of its networks
}

// Server is an IRC network of one server.
type Server struct {
	conf Config

	mu       sync.Mutex
	listener net.Listener
	conns    map[*conn]bool
	users    map[string]*user // by folded nick
	channels map[string]*channel
	markers  map[string]string // by account or nick, and target
	history  []*said           // oldest first
	lastID   int
	lastTime time.Time
	still    bool // see Still
	batches  int
	serving  sync.WaitGroup
}

// New makes a server; it starts nothing.
func New(conf Config) *Server {
	if conf.Name == "" {
		conf.Name = "irc.test"
	}
	if conf.Page == 0 {
		conf.Page = 100
	}
	return &Server{
		conf: conf, conns: map[*conn]bool{}, users: map[string]*user{},
		channels: map[string]*channel{}, markers: map[string]string{},
	}
}

// Start listens on an address and returns it; port 0 is any.
func (s *Server) Start(ctx context.Context, addr string) (string, error) {
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", addr)
	if err != nil {
		return "", fmt.Errorf("ircv3: %w", err)
	}
	addr = l.Addr().String()
	if s.conf.TLS != nil {
		l = tls.NewListener(l, s.conf.TLS)
	}
	s.mu.Lock()
	s.listener = l
	s.mu.Unlock()
	s.serving.Go(func() {
		for {
			socket, err := l.Accept()
			if err != nil {
				return
			}
			s.serve(socket)
		}
	})
	return addr, nil
}

// Stop closes the listener and all connections, and waits for them. What was said is kept.
func (s *Server) Stop() {
	s.mu.Lock()
	if s.listener != nil {
		s.listener.Close()
	}
	for c := range s.conns {
		c.socket.Close()
	}
	s.mu.Unlock()
	s.serving.Wait()
}

// caps are what is offered, with values as CAP LS 302 has them.
func (s *Server) caps() []string {
	all := []string{
		"account-notify", "account-tag", "away-notify", "batch", "cap-notify", "chghost", "draft/chathistory",
		"draft/event-playback", "draft/message-redaction", "draft/multiline=max-bytes=4096,max-lines=24",
		"draft/read-marker", "echo-message", "extended-join", "extended-monitor", "invite-notify", "labeled-response",
		"message-tags", "multi-prefix", "no-implicit-names", "sasl=PLAIN,EXTERNAL,SCRAM-SHA-256", "server-time", "setname",
		"standard-replies", "userhost-in-names",
	}
	if s.conf.STS != "" {
		all = append(all, "sts="+s.conf.STS)
	}
	if len(s.conf.Networks) > 0 {
		all = append(all, "soju.im/bouncer-networks")
	}
	return slices.DeleteFunc(all, func(c string) bool {
		name, _, _ := strings.Cut(c, "=")
		return slices.Contains(s.conf.Without, name)
	})
}

func (s *Server) offers(name string) bool {
	return slices.ContainsFunc(s.caps(), func(c string) bool {
		offered, _, _ := strings.Cut(c, "=")
		return offered == name
	})
}

// Still has the network's clock stand still, so that everything is said in one moment, or go on.
func (s *Server) Still(still bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.now(); still != s.still {
		s.still = still
	}
}

// now is a time that no two messages share unless the clock stands still, in the unit that it is written in.
func (s *Server) now() time.Time {
	if s.still {
		return s.lastTime
	}
	t := time.Now().UTC().Truncate(time.Millisecond)
	if !t.After(s.lastTime) {
		t = s.lastTime.Add(time.Millisecond)
	}
	s.lastTime = t
	return t
}

func (s *Server) newID() string {
	s.lastID++
	return "m" + strconv.Itoa(s.lastID)
}

func (s *Server) newBatch() string {
	s.batches++
	return "b" + strconv.Itoa(s.batches)
}

func stamp(t time.Time) string { return t.UTC().Format(stampForm) }

// fold is CASEMAPPING=ascii.
func fold(s string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'A' && r <= 'Z' {
			return r + 'a' - 'A'
		}
		return r
	}, s)
}

func isChannel(name string) bool { return strings.HasPrefix(name, "#") }
