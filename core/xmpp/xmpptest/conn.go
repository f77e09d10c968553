package xmpptest

import (
	"crypto/sha1"
	"encoding/hex"
	"errors"
	"io"
	"net"
	"strconv"
	"sync"

	"gangway/core/xmpp/addr"
	"gangway/core/xmpp/stream"
)

// conn is one connection of a component.
type conn struct {
	net.Conn
	srv    *Server
	write  sync.Mutex
	domain string
}

// Write keeps the writes of the test and of the server's own answers apart.
func (c *conn) Write(b []byte) (int, error) {
	c.write.Lock()
	defer c.write.Unlock()
	return c.Conn.Write(b)
}

// Read gives nothing on while the server is paused.
func (c *conn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	for {
		c.srv.mu.Lock()
		paused, changed := c.srv.paused && !c.srv.ended, c.srv.changed
		c.srv.mu.Unlock()
		if !paused {
			return n, err
		}
		<-changed
	}
}

// serve starts a connection's goroutine, unless the test is over.
func (s *Server) serve(nc net.Conn) bool {
	c := &conn{Conn: nc, srv: s}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended {
		nc.Close()
		return false
	}
	s.open[c] = true
	s.running.Go(func() {
		defer s.update(func() {
			delete(s.open, c)
			if s.conns[c.domain] == c {
				delete(s.conns, c.domain)
			}
		})
		defer c.Close()
		s.talk(c)
	})
	return true
}

func (s *Server) talk(c *conn) {
	rd := stream.NewReader(c, stream.Limits{})
	h, err := rd.ReadHeader()
	if err != nil {
		return
	}
	c.domain = h.To
	id := "stream-" + strconv.Itoa(len(h.To)) + "&'<"
	_, err = c.Write([]byte("<?xml version='1.0'?><stream:stream xmlns='" + stream.NSComponent + "' xmlns:stream='" + stream.NSStream +
		"' id='stream-" + strconv.Itoa(len(h.To)) + "&amp;&apos;&lt;' from='" + h.To + "'>"))
	if err != nil {
		return
	}
	st, err := rd.Next()
	if err != nil || st.Local() != "handshake" {
		return
	}
	if condition := s.login(c, id, st.Text()); condition != "" {
		c.fail(condition)
		return
	}
	s.loop(c, rd)
}

func (c *conn) fail(condition string) {
	_, _ = c.Write([]byte("<stream:error><" + condition + " xmlns='" + stream.NSStreams + "'/></stream:error>" + stream.CloseTag))
}

// login returns why the component may not come in, "" if it may.
func (s *Server) login(c *conn, id, digest string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	secret, ok := s.secrets[c.domain]
	if !ok {
		secret = Secret
	}
	sum := sha1.Sum([]byte(id + secret))
	old := s.conns[c.domain]
	switch {
	case s.refusals[c.domain] != "":
		return s.refusals[c.domain]
	case digest != hex.EncodeToString(sum[:]):
		return "not-authorized"
	case old != nil && !s.kickOld:
		return "conflict"
	case old != nil:
		old.fail("conflict")
		old.Close()
	}
	if _, err := c.Write([]byte("<handshake/>")); err != nil {
		return "internal-server-error"
	}
	s.conns[c.domain] = c
	s.logins[c.domain]++
	s.notify()
	return ""
}

// loop reads what a component says until it stops.
func (s *Server) loop(c *conn, rd *stream.Reader) {
	for {
		st, err := rd.Next()
		var refused *stream.StanzaError
		var bad *stream.StreamError
		switch {
		case errors.As(err, &refused), errors.As(err, &bad):
			s.t.Errorf("xmpptest: %s sent what ends its stream: %v", c.domain, err)
			c.fail("not-well-formed")
			return
		case errors.Is(err, io.EOF):
			_, _ = c.Write([]byte(stream.CloseTag))
			return
		case err != nil:
			return
		}
		if !s.accept(c, st) {
			return
		}
	}
}

// accept does with a stanza what a server does.
func (s *Server) accept(c *conn, st *stream.Stanza) bool {
	from, err := addr.Parse(st.From)
	if st.Kind != stream.Other && (err != nil || from.Domain() != c.domain || st.To == "") {
		s.t.Errorf("xmpptest: %s sent a stanza from %q to %q, which ends its stream", c.domain, st.From, st.To)
		c.fail("invalid-from")
		return false
	}
	if st.Kind == stream.IQ && st.To == Host && st.Child("urn:xmpp:ping", "ping") != nil {
		s.ping(c, st)
		return true
	}
	s.update(func() {
		v := s.viewOf(st.To)
		v.received = append(v.received, st)
	})
	return true
}

// ping answers a ping to the host, now or when pings are released.
func (s *Server) ping(c *conn, st *stream.Stanza) {
	answer := func() {
		var e stream.Encoder
		e.Empty("iq", "", "type", "result", "id", st.ID, "from", Host, "to", st.From)
		_, _ = c.Write(e.Bytes()) // a component that is gone needs no answer
	}
	s.mu.Lock()
	s.pings++
	hold := s.hold
	if hold {
		s.held = append(s.held, answer)
	}
	s.notify()
	s.mu.Unlock()
	if !hold {
		answer()
	}
}
