package irc

import (
	"context"
	"errors"
	"strings"
	"time"

	"gopkg.in/irc.v4"

	"gangway/core"
	"gangway/transports/irc/format"
	"gangway/transports/irc/wire"
)

// handle takes one line of the network. One that is no message is left out, and said so in the log: there is
// nobody to answer.
func (s *session) handle(ctx context.Context, line []byte) {
	s.refresh(ctx)
	s.mu.Lock()
	defer s.mu.Unlock()
	l := s.link
	s.traffic.in.Add(1)
	l.heard, l.pinged = time.Now(), time.Time{}
	m, err := wire.Parse(line, s.reads(line), l.support.LineLen)
	switch {
	case errors.Is(err, wire.ErrTooLong):
		s.notice("", "The network sent a line that is too long. It was left out.")
		return
	case err != nil:
		s.t.log.Debug("line not understood", "account", s.account.ID, "err", err)
		return
	}
	s.on(m)
}

// on sends a message to whatever deals with its command.
func (s *session) on(m *irc.Message) {
	if m.Name == "" {
		m.Name = s.net.name // without a prefix the server itself speaks
	}
	if m.Command != "BATCH" && s.link.collected(m) {
		return
	}
	switch m.Command {
	case "PRIVMSG", "NOTICE":
		s.onText(m)
	case "TAGMSG":
		s.onTagmsg(m)
	case "REDACT":
		s.onRedact(m)
	case "CHATHISTORY":
		s.onTarget(m)
	case "MARKREAD":
		s.onRead(m)
	case "BOUNCER":
		s.onBouncer(m)
	case "SETNAME":
		s.onRealname(m)
	case "PING":
		s.urgent(wire.Pong(m.Trailing()))
	case "PONG":
		s.onPong(m)
	case "ERROR":
		s.onError(m)
	case "BATCH":
		s.onBatch(m)
	case "ACK":
		s.done(m)
	case "CAP":
		s.onCap(m)
	case "AUTHENTICATE":
		s.onAuthenticate(m)
	case "INVITE":
		s.onInvite(m)
	case "WALLOPS":
		s.notice("", format.Styled(m.Trailing()))
	case "JOIN", "PART", "QUIT", "KICK", "NICK", "AWAY", "ACCOUNT", "CHGHOST", "MODE", "TOPIC":
		mine := s.mine(m.Name)
		s.onChange(m)
		s.done(m)
		s.seen(m, mine)
	case "WARN", "NOTE":
		s.onRemark(m)
	default:
		s.onNumeric(m)
		s.done(m)
	}
}

// done ends the request that a message answers by its label alone; in a batch the batch's end does.
func (s *session) done(m *irc.Message) {
	if m.Tags["label"] == "" {
		return
	}
	if r := s.link.labelled(m); r != nil {
		s.answer(r, nil, nil)
	}
}

// seen ends the oldest request without a label that a change is the effect of, so that a refusal of a later one is
// not taken for its own.
func (s *session) seen(m *irc.Message, mine bool) {
	if !mine {
		return
	}
	target := s.fold.Fold(m.Param(0))
	for _, r := range s.link.asked {
		if r.label == "" && r.verb == m.Command && r.targets[0] == target {
			s.answer(r, nil, nil)
			return
		}
	}
}

// onChange deals with what happens to members and rooms.
func (s *session) onChange(m *irc.Message) {
	switch m.Command {
	case "JOIN":
		s.onJoin(m)
	case "PART":
		s.onPart(m)
	case "QUIT":
		s.onQuit(m)
	case "KICK":
		s.onKick(m)
	case "NICK":
		s.onNick(m)
	case "AWAY":
		away := m.Trailing() != ""
		s.everywhere(m.Name, func(one *member) { one.away = away })
		s.onContactAway(m)
	case "ACCOUNT":
		account := accountName(m.Param(0))
		s.everywhere(m.Name, func(one *member) { one.account = account })
	case "CHGHOST":
		s.onHost(m)
	case "MODE":
		s.onMode(m)
	case "TOPIC":
		s.onTopic(m)
	}
}

// onNumeric deals with replies. What only greets is left out: the MOTD is noise in a chat.
func (s *session) onNumeric(m *irc.Message) {
	switch m.Command {
	case irc.RPL_WELCOME:
		s.onWelcome(m)
	case "005":
		s.onSupport(m)
	case irc.RPL_ENDOFMOTD:
		s.onReady()
	case irc.RPL_AWAY:
		s.onAway(m)
	case irc.RPL_TOPIC:
		s.onTopicIs(m)
	case "333": // RPL_TOPICWHOTIME
		s.onTopicBy(m)
	case irc.RPL_NAMREPLY:
		s.onNames(m)
	case irc.RPL_ENDOFNAMES:
		s.onNamesEnd(m)
	case irc.RPL_WHOREPLY:
		s.onWho(m)
	case "354": // RPL_WHOSPCRPL
		s.onWhox(m)
	case irc.RPL_ENDOFWHO:
		s.onWhoEnd(m)
	case irc.RPL_WHOISUSER:
		s.onWhoisUser(m)
	case "322": // RPL_LIST
		s.onListed(m)
	case "323": // the end of LIST
		s.onListEnd()
	case "324": // RPL_CHANNELMODEIS
		s.onModes(m)
	case "367": // RPL_BANLIST
		s.onBan(m)
	case irc.RPL_MONONLINE:
		s.onMonitor(m, core.Online)
	case irc.RPL_MONOFFLINE:
		s.onMonitor(m, core.Offline)
	case irc.RPL_ISON:
		s.onIsOn(m)
	case "396": // RPL_HOSTHIDDEN: our host as others see it from now on
		s.onHidden(m)
	case "470": // ERR_LINKCHANNEL: we are sent to another channel
		s.onForward(m)
	case irc.RPL_LOGGEDIN, irc.RPL_LOGGEDOUT, irc.RPL_SASLMECHS, irc.ERR_SASLALREADY, irc.RPL_SASLSUCCESS, irc.ERR_NICKLOCKED, irc.ERR_SASLFAIL, irc.ERR_SASLTOOLONG, irc.ERR_SASLABORTED:
		s.onSASL(m)
	default:
		if isError(m.Command) {
			s.onRefusal(m)
			return
		}
		s.answersRaw(m)
	}
}

// onText is a PRIVMSG or NOTICE: our own echo, a CTCP request, or something said in a room, to us, or by the network.
func (s *session) onText(m *irc.Message) {
	if s.mine(m.Name) && s.onEcho(m) {
		return
	}
	if len(m.Params) < 2 {
		return
	}
	text, other := s.readable(m)
	if other {
		s.onCTCP(m)
		return
	}
	if text == "" {
		return
	}
	sign, target := s.link.support.Channel(m.Param(0))
	switch {
	case s.link.support.IsChannel(target):
		if sign != "" {
			text = "[" + sign + "] " + text
		}
		s.heard(m, s.room(target), target, text)
	case s.isServer(m.Prefix):
		s.onServerNotice(m, text)
	case m.Command == "NOTICE" && s.aboutRoom(text) != nil:
		s.heard(m, s.aboutRoom(text), "", text)
	default:
		s.whispered(m, target, text)
	}
}

// readable is what the user is to see of a text from the network, and whether it is a CTCP message other than an ACTION.
func (s *session) readable(m *irc.Message) (shown string, other bool) {
	if !s.chosen.any() {
		return format.Readable(m.Trailing())
	}
	peer := m.Name
	if _, target := s.link.support.Channel(m.Param(0)); s.link.support.IsChannel(target) || s.mine(peer) {
		peer = target
	}
	if !s.chosen.styles(s.peerOf(peer)) {
		return format.Readable(format.Unstyled(m.Trailing()))
	}
	return format.Readable(m.Trailing())
}

// whispered is something said in private: to us, or by us from elsewhere.
func (s *session) whispered(m *irc.Message, target, text string) { s.told(m, target, text, false) }

// told shows something said in private, now or while we were away.
func (s *session) told(m *irc.Message, target, text string, past bool) {
	s.private = time.Now()
	peer := m.Name
	if s.mine(peer) {
		peer = target
	}
	if !addressable(peer) {
		s.notice("", "In private, with "+peer+", whose nick cannot be written as an address: "+text)
		return
	}
	addr := lower(peer)
	at := sentAt(m)
	s.stopped(typist{addr, m.Name})
	s.remember(addr, m)
	s.seenPrivately(s.lineOf(m, target))
	said := &core.Message{
		Ref: s.ref(addr), IDs: remote(m), At: at, Text: text, Notice: m.Command == "NOTICE", Past: past,
		Mine: s.mine(m.Name) && !s.mine(peer), ReplyTo: core.IDs{Remote: remoteOf(m, tagReply, "+reply")},
	}
	s.emit(said)
	s.attach(said)
}

// isServer says whether a prefix is a server's.
func (s *session) isServer(p *irc.Prefix) bool {
	return p.User == "" && (strings.Contains(p.Name, ".") || p.Name == s.net.name || p.Name == s.link.server)
}

// heard is something said in a room.
func (s *session) heard(m *irc.Message, r *room, channel, text string) {
	addr := lower(channel)
	if r != nil {
		addr = r.addr
	}
	s.stopped(typist{addr, m.Name})
	s.remember(addr, m)
	said := s.inRoomSaid(m, r, addr, text)
	s.emit(said)
	s.attach(said)
}

// inRoomSaid is a message in a room as the edge knows messages.
func (s *session) inRoomSaid(m *irc.Message, r *room, addr core.Address, text string) *core.Message {
	said := &core.Message{
		Ref: s.ref(addr), IDs: remote(m), Room: true, Author: core.Address(m.Name), Mine: s.mine(m.Name),
		ReplyTo: core.IDs{Remote: remoteOf(m, tagReply, "+reply")}, Person: s.personOf(r, m.Name),
		At: sentAt(m), Text: text, Notice: m.Command == "NOTICE",
	}
	if account := accountName(m.Tags["account"]); said.Person == "" && account != (name{}) && !s.knows(r, m.Name) {
		said.Person = "account " + account.String() // account-tag, of somebody who is not in
	}
	return said
}

// knows says whether somebody is in a room.
func (s *session) knows(r *room, nick string) bool {
	if r == nil || s.mine(nick) {
		return r != nil
	}
	_, ok := r.members.get(s.key(nick))
	return ok
}

// aboutRoom returns the room that services mean by "[#chan] ..." in a notice.
func (s *session) aboutRoom(text string) *room {
	if !strings.HasPrefix(text, "[") {
		return nil
	}
	channel, _, ok := strings.Cut(text[1:], "]")
	if !ok || !s.link.support.IsChannel(channel) {
		return nil
	}
	return s.room(channel)
}

// onServerNotice is the network speaking. What it says while it looks us up, and of the connection itself (InspIRCd
// tells the cipher), is noise.
func (s *session) onServerNotice(m *irc.Message, text string) {
	if strings.HasPrefix(text, "***") && (!s.link.ready || strings.HasPrefix(text, "*** You are connected ")) {
		return
	}
	s.emit(&core.Message{Ref: s.ref(""), IDs: remote(m), At: sentAt(m), Text: text, Notice: true})
}

// onInvite tells of an invitation: to us, or (invite-notify), in the room, to somebody else.
func (s *session) onInvite(m *irc.Message) {
	room := wire.Bare(m.Trailing())
	if !s.mine(m.Param(0)) {
		if r := s.room(room); r != nil && r.shown() {
			s.notice(r.addr, m.Name+" invited "+m.Param(0)+" into this channel.")
		}
		return
	}
	if !isChannel(room) || !validChannel(room) {
		return
	}
	s.emit(&core.Invited{Ref: s.ref(lower(room)), By: lower(m.Name), Nick: m.Name})
}

// onAway tells that somebody who was written to is away, once for each way of saying so.
func (s *session) onAway(m *irc.Message) {
	nick, text := m.Param(1), format.Styled(m.Trailing())
	key := s.fold.Fold(nick)
	if nick == "" || s.away[key] == text {
		return
	}
	s.isAway(key, text)
	s.emit(&core.Presence{Ref: s.ref(lower(nick)), Show: core.Away, Text: text})
}

// isAway notes how somebody says that they are away, so that it is told once.
func (s *session) isAway(key, text string) {
	if s.away == nil || len(s.away) >= 100 {
		s.away = map[string]string{}
	}
	s.away[key] = text
}

// remote is the network's name for a message (IRCv3 msgid).
func remote(m *irc.Message) core.IDs { return core.IDs{Remote: core.RemoteID(m.Tags["msgid"])} }

// sentAt is when the network says that something was said (IRCv3 server-time), else now.
func sentAt(m *irc.Message) time.Time {
	t, err := time.Parse(time.RFC3339Nano, m.Tags["time"])
	if err != nil {
		return time.Now()
	}
	return orNow(t)
}
