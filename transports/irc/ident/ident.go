// Package ident answers the identification protocol (RFC 1413): an IRC network asks whose a connection is, and is told a
// word that stands for the user and tells nothing about them. It answers for connections of the gateway's own only.
//
// Goroutines: Run starts one for each connection to it, at most maxConns, and waits for them.
package ident

import (
	"bufio"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base32"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"time"
)

const (
	maxConns   = 100
	maxQueries = 10               // in one connection
	maxLine    = 512              // RFC 1413 section 4 allows 1000 characters of which no query needs more than 15
	within     = 30 * time.Second // from the connection's begin to its end
	settle     = 5 * time.Second  // how long a query for a connection that is just being made waits for it
)

// Word is what a user is called: ten letters and digits, made with a key, from which without the key nobody learns who
// it is, and always the same.
func Word(key []byte, user string) string {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte("ident\x00" + user))
	sum := mac.Sum(nil)
	letters := strings.ToLower(base32.StdEncoding.EncodeToString(sum))
	return string('a'+sum[31]%26) + letters[:9] // some networks want a letter first
}

// pair names a connection by its two ends.
type pair struct{ local, remote netip.AddrPort }

// Server knows whose the connections are. Its methods may be called from many goroutines.
type Server struct {
	mu      sync.Mutex
	words   map[pair]string
	dialing int
	changed chan struct{} // closed and replaced when a connection is made, or is not to be
}

// New makes a Server that knows of no connection.
func New() *Server { return &Server{words: map[pair]string{}, changed: make(chan struct{})} }

// Dialing says that a connection is being made; done says that it is, or is not going to be. A network may ask before
// whoever made a connection has been told that it is there.
func (s *Server) Dialing() (done func()) {
	s.mu.Lock()
	s.dialing++
	s.mu.Unlock()
	return sync.OnceFunc(func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.dialing--
		s.notify()
	})
}

func (s *Server) notify() {
	close(s.changed)
	s.changed = make(chan struct{})
}

// Add says whose a connection is, until remove is called.
func (s *Server) Add(conn net.Conn, word string) (remove func()) {
	local, err := ends(conn.LocalAddr())
	remote, errRemote := ends(conn.RemoteAddr())
	if err != nil || errRemote != nil {
		return func() {} // not TCP
	}
	p := pair{local, remote}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.words[p] = word
	s.notify()
	return sync.OnceFunc(func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.words, p)
	})
}

func ends(a net.Addr) (netip.AddrPort, error) {
	ap, err := netip.ParseAddrPort(a.String())
	return netip.AddrPortFrom(ap.Addr().Unmap().WithZone(""), ap.Port()), err
}

// find waits, for a moment, while connections are being made of which it may be one.
func (s *Server) find(ctx context.Context, p pair) string {
	ctx, cancel := context.WithTimeout(ctx, settle)
	defer cancel()
	for {
		s.mu.Lock()
		word, dialing, changed := s.words[p], s.dialing, s.changed
		s.mu.Unlock()
		if word != "" || dialing == 0 {
			return word
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return ""
		}
	}
}

// Run answers on a listener until ctx ends, and closes it.
func (s *Server) Run(ctx context.Context, l net.Listener) error {
	ctx, cancel := context.WithCancel(ctx)
	var conns sync.WaitGroup
	defer conns.Wait()
	defer cancel()
	stop := context.AfterFunc(ctx, func() { l.Close() })
	defer stop()
	defer l.Close()
	room := make(chan struct{}, maxConns)
	for {
		conn, err := l.Accept()
		switch {
		case ctx.Err() != nil:
			return nil
		case errors.Is(err, net.ErrClosed):
			return fmt.Errorf("ident: %w", err)
		case err != nil: // too many open files, or a peer that went
			select {
			case <-ctx.Done():
				return nil
			case <-time.After(100 * time.Millisecond):
			}
			continue
		}
		select {
		case room <- struct{}{}:
		default:
			conn.Close() // asked again, or not, which the network takes for no answer
			continue
		}
		conns.Go(func() {
			defer func() { <-room }()
			s.serve(ctx, conn)
		})
	}
}

// serve answers the queries of one connection.
func (s *Server) serve(ctx context.Context, conn net.Conn) {
	defer conn.Close()
	stop := context.AfterFunc(ctx, func() { conn.Close() })
	defer stop()
	if conn.SetDeadline(time.Now().Add(within)) != nil {
		return
	}
	local, err := ends(conn.LocalAddr())
	remote, errRemote := ends(conn.RemoteAddr())
	if err != nil || errRemote != nil {
		return
	}
	in := bufio.NewReader(io.LimitReader(conn, maxQueries*maxLine))
	for range maxQueries {
		line, err := in.ReadString('\n')
		if err != nil || len(line) > maxLine {
			return
		}
		if _, err := io.WriteString(conn, s.answer(ctx, line, local.Addr(), remote.Addr())); err != nil {
			return
		}
	}
}

// answer is the reply to one query (RFC 1413 section 4).
func (s *Server) answer(ctx context.Context, query string, local, remote netip.Addr) string {
	ours, theirs, ok := parse(query)
	if !ok {
		return "0, 0 : ERROR : INVALID-PORT\r\n"
	}
	ports := fmt.Sprintf("%d, %d", ours, theirs)
	word := s.find(ctx, pair{netip.AddrPortFrom(local, ours), netip.AddrPortFrom(remote, theirs)})
	if word == "" {
		return ports + " : ERROR : NO-USER\r\n"
	}
	return ports + " : USERID : UNIX : " + word + "\r\n"
}

// parse reads "6193, 23": a port here and one there.
func parse(query string) (ours, theirs uint16, ok bool) {
	left, right, ok := strings.Cut(strings.TrimRight(query, "\r\n"), ",")
	if !ok {
		return 0, 0, false
	}
	a, errA := strconv.ParseUint(strings.Trim(left, " \t"), 10, 16)
	b, errB := strconv.ParseUint(strings.Trim(right, " \t"), 10, 16)
	return uint16(a), uint16(b), errA == nil && errB == nil && a > 0 && b > 0
}
