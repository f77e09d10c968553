package ircv3

import "strings"

// Cut breaks the connection of a nick without a word; false if there is none.
func (s *Server) Cut(nick string) bool {
	return s.at(nick, func(c *conn) { c.socket.Close() })
}

// Freeze keeps everything that is to be sent to a nick until Thaw.
func (s *Server) Freeze(nick string) bool {
	return s.at(nick, func(c *conn) {
		c.mu.Lock()
		c.frozen = true
		c.mu.Unlock()
	})
}

// Thaw ends Freeze.
func (s *Server) Thaw(nick string) bool {
	return s.at(nick, func(c *conn) {
		c.mu.Lock()
		c.frozen = false
		c.mu.Unlock()
		c.wake()
	})
}

// Garbage sends bytes as they are to a nick; line ends are the caller's.
func (s *Server) Garbage(nick, raw string) bool {
	return s.at(nick, func(c *conn) { c.raw(raw) })
}

// Oversized sends a line of n bytes to a nick.
func (s *Server) Oversized(nick string, n int) bool {
	return s.Garbage(nick, ":"+s.conf.Name+" NOTICE "+nick+" :"+strings.Repeat("x", n)+"\r\n")
}

func (s *Server) at(nick string, do func(*conn)) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	u := s.users[fold(nick)]
	if u == nil || u.conn == nil {
		return false
	}
	do(u.conn)
	return true
}
