package irc

import (
	"strconv"
	"strings"
	"time"

	"gopkg.in/irc.v4"

	"gangway/core"
	"gangway/transports/irc/format"
	"gangway/transports/irc/isupport"
)

// request is a line whose answer somebody waits for. The answer is a response with its label; without labels it is
// the echo of a message (echo-message), or the answer to a barrier written behind it, or an error numeric that
// names it.
type request struct {
	verb    string
	targets [2]string // as an error would name them: folded channel and nick
	label   string
	barrier uint64 // zero: the echo answers
	written time.Time
	raw     int // a user's own command: how much of the answer may still be told

	profile *core.Profile     // what WHOIS tells is put there
	part    *part             // what it is a part of, if it is a message
	done    func(*core.Error) // otherwise; called once, under the session's mutex; nil: it was done
}

// outgoing is a message on its way out, in one or more lines.
type outgoing struct {
	core.Ref
	id      core.MessageID
	origin  core.Origin
	room    bool
	replyTo core.IDs       // what it answers
	fixes   []core.Message // corrections that it was said with
	left    int            // parts that are not answered
	failed  bool           // the user has been told
}

// part is one line of a message.
type part struct {
	of    *outgoing
	first bool // keeps the id
	wire  string
	text  string
}

// echoes says whether the network shows us what it made of the request.
func (l *link) echoes(r *request) bool { return r.part != nil && l.caps&capEcho != 0 }

// answered takes the request out of those that wait.
func (l *link) answered(r *request) {
	for i, other := range l.asked {
		if other == r {
			l.asked = append(l.asked[:i], l.asked[i+1:]...)
			break
		}
	}
	if len(l.asked) == 0 {
		l.asked = nil
	}
}

// onPong is the answer to a keepalive or a barrier: what was written before it has been processed.
func (s *session) onPong(m *irc.Message) {
	l := s.link
	if m.Trailing() == keepalive {
		l.pinged = time.Time{}
		l.pulse.beat(l.pulse.asked)
		l.pulse.asked = time.Time{}
		return
	}
	number, ok := strings.CutPrefix(m.Trailing(), barrierPrefix)
	barrier, err := strconv.ParseUint(number, 10, 64)
	if !ok || err != nil {
		return
	}
	for _, r := range append([]*request(nil), l.asked...) {
		if r.barrier != 0 && r.barrier <= barrier {
			s.answer(r, nil, nil)
		}
	}
}

// find returns the oldest unlabelled request that an error with this command and these parameters can be about.
func (l *link) find(fold isupport.Casemap, command string, params []string) *request {
	var other *request
	for _, r := range l.asked {
		if r.label != "" || !concerns(command, r) {
			continue
		}
		for _, p := range params {
			if p = fold.Fold(p); p != "" && (p == r.targets[0] || p == r.targets[1] || strings.EqualFold(p, r.verb)) {
				return r
			}
		}
		if other == nil && r.part == nil {
			other = r
		}
	}
	return other
}

// concerns says whether an error numeric is one that a command can get.
func concerns(numeric string, r *request) bool {
	switch numeric {
	case irc.ERR_CANNOTSENDTOCHAN, irc.ERR_NOTEXTTOSEND, irc.ERR_NORECIPIENT:
		return r.part != nil
	case irc.ERR_CHANOPRIVSNEEDED, irc.ERR_USERNOTINCHANNEL, irc.ERR_UNKNOWNMODE, irc.ERR_KEYSET, "478", "696":
		return r.part == nil && r.verb != "WHO"
	}
	return true
}

// expire answers requests and joins that the network has forgotten.
func (s *session) expire(now time.Time) {
	for _, r := range s.rooms {
		if r.stage == joining && now.Sub(r.since) >= 2*answerWithin {
			s.refused(r, &core.Error{Kind: core.Unavailable, Op: "irc: join", Err: errSilent,
				Text: s.net.name + " did not answer whether you may enter " + r.name + "."})
		}
	}
	for _, r := range append([]*request(nil), s.link.asked...) {
		if now.Sub(r.written) >= answerWithin {
			s.answer(r, &core.Error{Kind: core.Uncertain, Op: "irc: send", Err: errSilent,
				Text: "The network did not say whether it took this."}, nil)
		}
	}
}

// answer ends a request: with what was said about it, or with the network's echo of it, if it has one.
func (s *session) answer(r *request, err *core.Error, echo *irc.Message) {
	if l := s.link; l != nil {
		l.answered(r)
		if err == nil {
			l.pulse.beat(r.written)
		}
	}
	if r.done != nil {
		done := r.done
		r.done = nil
		done(err)
	}
	if r.part != nil {
		s.spoken(r.part, err, echo)
	}
}

// spoken tells the user what became of a part of a message.
func (s *session) spoken(p *part, err *core.Error, echo *irc.Message) {
	o := p.of
	o.left--
	ids := core.IDs{ID: o.id}
	if echo != nil {
		ids.Remote = core.RemoteID(echo.Tags["msgid"])
	}
	switch {
	case err != nil && !o.failed:
		o.failed = true
		s.emit(&core.Receipt{Ref: o.Ref, IDs: core.IDs{ID: o.id}, Origin: o.origin, State: core.Failed, Err: err})
	case err != nil:
	case o.room:
		s.reflect(p, ids, echo)
	case o.left == 0 && !o.failed:
		s.emit(&core.Receipt{Ref: o.Ref, IDs: ids, Origin: o.origin, State: core.Delivered})
	}
	if err == nil && !o.room {
		s.saidPrivately(p, echo)
	}
	if err != nil || o.left == 0 {
		s.corrected(o, err)
	}
}

// reflect shows a room's line to those who sent it, as the network took it.
func (s *session) reflect(p *part, ids core.IDs, echo *irc.Message) {
	m := &core.Message{
		Ref: p.of.Ref, IDs: ids, Origin: p.of.origin, Room: true, Author: core.Address(s.nick()), Mine: true,
		At: time.Now(), Text: p.text, ReplyTo: p.of.replyTo,
	}
	if !p.first {
		m.ID, m.Origin, m.ReplyTo = "", core.Origin{}, core.IDs{}
	}
	if echo != nil {
		s.remember(p.of.Peer, echo)
		m.At = sentAt(echo)
		if text, _ := format.Readable(echo.Trailing()); echo.Trailing() != p.wire && text != "" {
			m.Text = text
		}
	}
	s.emit(m)
}
