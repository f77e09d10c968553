package irc

import (
	"strings"

	"gopkg.in/irc.v4"

	"gangway/core"
	"gangway/transports/irc/format"
)

// refusal turns an error numeric, or FAIL (IRCv3 standard-replies), into an error in the network's own words.
func refusal(op string, m *irc.Message) *core.Error {
	e := &core.Error{Kind: kindOf(m.Command), Op: op, Code: m.Command}
	words := format.Styled(m.Trailing())
	if m.Command == "FAIL" {
		e.Code = m.Param(1)
		e.Kind = kindOfFail(e.Code)
	} else if subject := m.Param(1); len(m.Params) > 2 && subject != "" && subject != "*" {
		words = subject + ": " + words
	}
	e.Text = words
	if m.Command == irc.ERR_CHANNELISFULL && strings.Contains(words, "(+R)") { // as ngIRCd says that one must have an account
		e.Code, e.Kind = "477", core.Denied
	}
	return e
}

// kindOf is what an error numeric means for whoever asked.
func kindOf(numeric string) core.Kind {
	switch numeric {
	case "263", // RPL_TRYAGAIN
		irc.ERR_UNAVAILRESOURCE, irc.ERR_CHANNELISFULL, "439": // ERR_TARGETTOOFAST
		return core.Unavailable
	case irc.ERR_NOSUCHNICK, irc.ERR_NOSUCHSERVER, irc.ERR_NOSUCHCHANNEL, irc.ERR_WASNOSUCHNICK,
		irc.ERR_USERNOTINCHANNEL, irc.ERR_NOTONCHANNEL:
		return core.NotFound
	case irc.ERR_TOOMANYCHANNELS, irc.ERR_TOOMANYTARGETS:
		return core.OverLimit
	case irc.ERR_UNKNOWNCOMMAND, irc.ERR_UNKNOWNMODE:
		return core.Unsupported
	case irc.ERR_ERRONEUSNICKNAME, irc.ERR_BADCHANMASK, irc.ERR_NEEDMOREPARAMS, irc.ERR_NOTEXTTOSEND,
		irc.ERR_NONICKNAMEGIVEN, irc.ERR_NICKNAMEINUSE, irc.ERR_NICKCOLLISION, "479", "417":
		return core.Invalid
	}
	return core.Denied
}

// kindOfFail is what the code of a FAIL means for whoever asked.
func kindOfFail(code string) core.Kind {
	switch code {
	case "INVALID_MSGID", "UNKNOWN_MSGID", "INVALID_TARGET", "NO_SUCH_CHANNEL", "INVALID_NETID":
		return core.NotFound
	case "NEED_MORE_PARAMS", "INVALID_PARAMS", "INVALID_UTF8", "INVALID_MSGREFTYPE", "MULTILINE_INVALID", "MULTILINE_INVALID_TARGET":
		return core.Invalid
	case "MULTILINE_MAX_BYTES", "MULTILINE_MAX_LINES":
		return core.TooLarge
	case "UNKNOWN_COMMAND", "REDACT_WINDOW_EXPIRED":
		return core.Unsupported
	case "TEMPORARILY_UNAVAILABLE", "MESSAGE_ERROR", "INTERNAL_ERROR", "TRY_AGAIN":
		return core.Unavailable
	case "RATE_LIMITED", "TOO_MANY_REQUESTS":
		return core.OverLimit
	}
	return core.Denied
}

// onRemark is a WARN or a NOTE (IRCv3 standard-replies): told where what it is about was said, if that is known.
func (s *session) onRemark(m *irc.Message) {
	peer := core.Address("")
	if r := s.link.labelled(m); r != nil && r.part != nil {
		peer = r.part.of.Peer
	}
	s.notice(peer, format.Styled(m.Trailing()))
	s.done(m)
}

// isError says whether a command is an error numeric.
func isError(command string) bool {
	return len(command) == 3 && (command[0] == '4' || command[0] == '5') || command == "263" ||
		command == "716" || command == "717" || command == "FAIL"
}

// aboutNick says whether a numeric refuses a nick.
func aboutNick(m *irc.Message) bool {
	switch m.Command {
	case irc.ERR_NONICKNAMEGIVEN, irc.ERR_ERRONEUSNICKNAME, irc.ERR_NICKNAMEINUSE, irc.ERR_NICKCOLLISION, "438", "447",
		irc.ERR_RESTRICTED, "485":
		return true
	case irc.ERR_UNAVAILRESOURCE:
		return !isChannel(m.Param(1))
	}
	return false
}

// onRefusal finds whom an error numeric is for: the registration, a join, a leave, another request, or nobody who
// is known, and then the user.
func (s *session) onRefusal(m *irc.Message) {
	l := s.link
	if r := l.labelled(m); r != nil {
		s.answer(r, refusal("irc: "+strings.ToLower(r.verb), m), nil)
		return
	}
	switch m.Command {
	case irc.ERR_YOUREBANNEDCREEP, irc.ERR_PASSWDMISMATCH:
		s.refuse(m)
		return
	case irc.ERR_NOMOTD:
		s.onReady()
		return
	}
	if s.onBindRefused(m) {
		return
	}
	if l.reg != nil {
		s.onRegistrationRefused(m)
		return
	}
	if aboutNick(m) {
		s.onNickKept(m)
		return
	}
	if s.onRoomRefused(m) {
		return
	}
	params := m.Params[min(1, len(m.Params)):]
	if m.Command == "FAIL" {
		params = m.Params
	}
	if r := l.find(s.fold, m.Command, params); r != nil {
		s.answer(r, refusal("irc: "+strings.ToLower(r.verb), m), nil)
		return
	}
	s.notice("", refusal("", m).Text)
}

// onRegistrationRefused deals with errors before 001: a network without CAP says 421, one without the nick 433.
func (s *session) onRegistrationRefused(m *irc.Message) {
	switch {
	case aboutNick(m):
		s.onNickRefused(m)
	case m.Command == irc.ERR_UNKNOWNCOMMAND, m.Command == irc.ERR_NOTREGISTERED, m.Command == "410":
	default:
		s.notice("", refusal("", m).Text)
	}
}

// onNickKept answers a Rename that failed. The gateway's own tries to get a nick back fail in silence.
func (s *session) onNickKept(m *irc.Message) {
	for _, r := range s.link.asked {
		if r.verb == "NICK" {
			s.answer(r, refusal("irc: nick", m), nil)
			return
		}
	}
}
