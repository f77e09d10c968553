package irc

import (
	"strconv"
	"strings"
)

// isupport is what a network says of itself in RPL_ISUPPORT (005), with the defaults of RFC 1459.
type isupport struct {
	casemap   casemap
	modes     string    // PREFIX: the modes that rank members, highest first: "qaohv"
	prefixes  string    // and the signs for them: "~&@%+"
	chanModes [4]string // CHANMODES: with a list, always, when set, never a parameter
	statusMsg string    // STATUSMSG: signs that may stand before a channel
	chanTypes string
	nickLen   int
	lineLen   int  // LINELEN, with CRLF
	perMode   int  // MODES: changes in one command
	utf8Only  bool // UTF8ONLY: what is not UTF-8 is broken, and no other charset
}

func defaultSupport() isupport {
	return isupport{
		modes: "ov", prefixes: "@+", chanModes: [4]string{"beI", "k", "l", "imnpst"}, chanTypes: "#&",
		nickLen: 30, lineLen: maxBody, perMode: 3,
	}
}

// add reads the tokens of one line. What makes no sense is left as it was.
func (s *isupport) add(tokens []string) {
	for _, token := range tokens {
		name, value, _ := strings.Cut(token, "=")
		s.set(name, value)
	}
}

func (s *isupport) set(name, value string) {
	switch name {
	case "CASEMAPPING":
		s.casemap = casemapNamed(value)
	case "PREFIX":
		modes, prefixes, ok := strings.Cut(strings.TrimPrefix(value, "("), ")")
		if ok && len(modes) == len(prefixes) && len(modes) <= maxRanks {
			s.modes, s.prefixes = strings.Clone(modes), strings.Clone(prefixes)
		}
	case "CHANMODES":
		if kinds := strings.Split(value, ","); len(kinds) >= len(s.chanModes) {
			for i := range s.chanModes {
				s.chanModes[i] = strings.Clone(kinds[i])
			}
		}
	case "CHANTYPES":
		s.chanTypes = strings.Clone(value)
	case "STATUSMSG":
		s.statusMsg = strings.Clone(value)
	case "NICKLEN", "MAXNICKLEN":
		setNumber(&s.nickLen, value, 1, maxNick)
	case "LINELEN":
		setNumber(&s.lineLen, value, maxBody, maxLineLen)
	case "MODES":
		setNumber(&s.perMode, value, 1, 20)
	case "UTF8ONLY":
		s.utf8Only = true
	}
}

// setNumber takes a number that is within reason.
func setNumber(into *int, value string, least, most int) {
	if n, err := strconv.Atoi(value); err == nil && n >= least {
		*into = min(n, most)
	}
}

// isChannel says whether a target of this network is a channel.
func (s *isupport) isChannel(name string) bool {
	return name != "" && strings.IndexByte(s.chanTypes, name[0]) >= 0
}

// channel splits "@#chan", a message to a channel's operators, into its sign and the channel.
func (s *isupport) channel(target string) (sign, channel string) {
	if target != "" && strings.IndexByte(s.statusMsg, target[0]) >= 0 && s.isChannel(target[1:]) {
		return target[:1], target[1:]
	}
	return "", target
}
