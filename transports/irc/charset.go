package irc

import (
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/unicode"

	"gangway/core"
	"gangway/transports/irc/charset"
	"gangway/transports/irc/wire"
)

// peerOf is the conversation that a target of a line stands for.
func (s *session) peerOf(target string) core.Address {
	if r := s.room(target); r != nil {
		return r.addr
	}
	return lower(target)
}

// reads is how a line of the network is to be read, if it is not UTF-8: as the user chose for the channel or the
// network; what the user writes in the same; or as the administrator has it for the network.
func (s *session) reads(line []byte) encoding.Encoding {
	switch {
	case s.link.support.UTF8Only:
		return unicode.UTF8
	case utf8.Valid(line):
		return s.net.charset
	}
	peer := s.peerOf(charset.Target(line))
	if peer == "" {
		peer = s.speaker(line)
	}
	pair := s.chosen.charsets(peer)
	switch {
	case pair.In != nil:
		return pair.In
	case pair.Out != nil:
		return pair.Out
	}
	return s.net.charset
}

// speaker is the nick in a line's prefix; empty if that is a server's, or none. The line need not be well-formed.
func (s *session) speaker(line []byte) core.Address {
	nick := charset.Nick(line)
	if !validNick(nick) {
		return ""
	}
	return lower(nick)
}

// written has the text of a command written as the user chose.
func (s *session) written(c wire.Command) wire.Command {
	if target := c.Target(); target != "" && s.chosen.any() && !s.link.support.UTF8Only {
		return c.In(s.chosen.charsets(s.peerOf(target)).Out)
	}
	return c
}
