package irc

import (
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/unicode"

	"gangway/core"
	"gangway/transports/irc/charset"
	"gangway/transports/irc/wire"
)

// What a user chose for an account about encodings; keys of core.Account.Options.
const (
	optionReads    = "encoding_in"  // what is not UTF-8
	optionWrites   = "encoding_out" // empty: UTF-8
	optionCharsets = "encodings"    // of channels; see charset.ParseRooms
)

// charsetsOf is what an account's user chose. What was kept and means nothing any more counts as not chosen.
func charsetsOf(a core.Account) (c charset.Choice) {
	c.Network, _ = charset.NamedPair(a.Options[optionReads], a.Options[optionWrites])
	c.Rooms, _ = charset.ParseRooms(a.Options[optionCharsets])
	return c
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
	pair := s.charset.For(charset.Target(line), s.fold.Fold)
	switch {
	case pair.In != nil:
		return pair.In
	case pair.Out != nil:
		return pair.Out
	}
	return s.net.charset
}

// written has the text of a command written as the user chose.
func (s *session) written(c wire.Command) wire.Command {
	if target := c.Target(); target != "" && !s.link.support.UTF8Only {
		return c.In(s.charset.For(target, s.fold.Fold).Out)
	}
	return c
}
