package isupport

import (
	"slices"
	"strconv"
	"strings"

	"gangway/transports/irc/wire"
)

// MaxNick is the longest nick that is believed in: bytes.
const MaxNick = 64

// Support is what a network says of itself in RPL_ISUPPORT (005), with the defaults of RFC 1459.
type Support struct {
	Casemap   Casemap
	Modes     string    // PREFIX: the modes that rank members, highest first: "qaohv"
	Prefixes  string    // and the signs for them: "~&@%+"
	ChanModes [4]string // CHANMODES: with a list, always, when set, never a parameter
	StatusMsg string    // STATUSMSG: signs that may stand before a channel
	ChanTypes string
	NickLen   int
	LineLen   int    // LINELEN, with CRLF
	PerMode   int    // MODES: changes in one command
	UTF8Only  bool   // UTF8ONLY: what is not UTF-8 is broken, and no other charset
	Whox      bool   // WHOX
	Monitor   int    // MONITOR: how many people can be watched; 0: any number; -1: nobody
	History   int    // CHATHISTORY: the most messages in one answer; 0: as many as are asked for; -1: there is none
	NoMsgID   bool   // MSGREFTYPES does not name msgid: history is asked for by the time only
	Bound     string // BOUNCER_NETID: which of a bouncer's networks the connection is for
	TagDeny   string // CLIENTTAGDENY: which client-only tags are not passed on
}

// Default is what holds for a network that says nothing.
func Default() Support {
	return Support{
		Modes: "ov", Prefixes: "@+", ChanModes: [4]string{"beI", "k", "l", "imnpst"}, ChanTypes: "#&",
		NickLen: 30, LineLen: wire.MaxBody, PerMode: 3, Monitor: -1, History: -1,
	}
}

// Add reads the tokens of one line. What makes no sense is left as it was.
func (s *Support) Add(tokens []string) {
	for _, token := range tokens {
		name, value, _ := strings.Cut(token, "=")
		s.set(name, value)
	}
}

func (s *Support) set(name, value string) {
	switch name {
	case "CASEMAPPING":
		s.Casemap = CasemapNamed(value)
	case "PREFIX":
		modes, prefixes, ok := strings.Cut(strings.TrimPrefix(value, "("), ")")
		if ok && len(modes) == len(prefixes) && len(modes) <= MaxRanks {
			s.Modes, s.Prefixes = strings.Clone(modes), strings.Clone(prefixes)
		}
	case "CHANMODES":
		if kinds := strings.Split(value, ","); len(kinds) >= len(s.ChanModes) {
			for i := range s.ChanModes {
				s.ChanModes[i] = strings.Clone(kinds[i])
			}
		}
	case "CHANTYPES":
		s.ChanTypes = strings.Clone(value)
	case "STATUSMSG":
		s.StatusMsg = strings.Clone(value)
	case "NICKLEN", "MAXNICKLEN":
		setNumber(&s.NickLen, value, 1, MaxNick)
	case "LINELEN":
		setNumber(&s.LineLen, value, wire.MaxBody, wire.MaxLine)
	case "MODES":
		setNumber(&s.PerMode, value, 1, 20)
	case "UTF8ONLY":
		s.UTF8Only = true
	case "WHOX":
		s.Whox = true
	case "MONITOR":
		s.Monitor = 0
		setNumber(&s.Monitor, value, 1, 1000)
	case "CHATHISTORY", "draft/CHATHISTORY":
		s.History = 0
		setNumber(&s.History, value, 1, 1000)
	case "MSGREFTYPES":
		s.NoMsgID = !slices.Contains(strings.Split(value, ","), "msgid")
	case "BOUNCER_NETID":
		s.Bound = strings.Clone(value)
	case "CLIENTTAGDENY":
		s.TagDeny = strings.Clone(value)
	}
}

// setNumber takes a number that is within reason.
func setNumber(into *int, value string, least, most int) {
	if n, err := strconv.Atoi(value); err == nil && n >= least {
		*into = min(n, most)
	}
}

// Denies says whether the network does not pass a client-only tag on; its name is without the "+".
func (s *Support) Denies(tag string) bool {
	denied := false
	for entry := range strings.SplitSeq(s.TagDeny, ",") {
		switch entry {
		case "*", tag:
			denied = true
		case "-" + tag:
			return false
		}
	}
	return denied
}

// IsChannel says whether a target of this network is a channel.
func (s *Support) IsChannel(name string) bool {
	return name != "" && strings.IndexByte(s.ChanTypes, name[0]) >= 0
}

// Channel splits "@#chan", a message to a channel's operators, into its sign and the channel.
func (s *Support) Channel(target string) (sign, channel string) {
	if target != "" && strings.IndexByte(s.StatusMsg, target[0]) >= 0 && s.IsChannel(target[1:]) {
		return target[:1], target[1:]
	}
	return "", target
}
