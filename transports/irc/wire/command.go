package wire

import (
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/text/encoding"
)

// Command is one line for the network. Only the functions of this file make one, each for a command that IRC has; what
// their arguments may not contain Append finds.
type Command struct {
	tags    []Tag
	verb    string
	params  []string
	charset encoding.Encoding // of the last parameter; nil: UTF-8
	err     error
}

// Tag is one message tag (IRCv3 message-tags). An empty value is none.
type Tag struct{ Key, Value string }

// Verb is the command's name.
func (c Command) Verb() string { return c.verb }

// Target is whom or what a command with text is about: its first parameter; empty if it has no text or no target.
func (c Command) Target() string {
	switch c.verb {
	case "PRIVMSG", "NOTICE", "TOPIC", "PART", "KICK":
		if len(c.params) > 1 {
			return c.params[0]
		}
	}
	return ""
}

// In has the last parameter written in an encoding; nil is UTF-8.
func (c Command) In(charset encoding.Encoding) Command {
	c.charset = charset
	return c
}

// With adds tags.
func (c Command) With(tags ...Tag) Command {
	c.tags = append(append([]Tag(nil), c.tags...), tags...)
	return c
}

func command(verb string, params ...string) Command { return Command{verb: verb, params: params} }

// optional adds a last parameter, if it is not empty.
func (c Command) optional(param string) Command {
	if param != "" {
		c.params = append(c.params, param)
	}
	return c
}

// words adds parameters of which none may have spaces, be empty, or begin with a colon, not even the last.
func (c Command) words(params ...string) Command {
	for _, p := range params {
		if p == "" || p[0] == ':' || strings.Contains(p, " ") {
			c.err = fmt.Errorf("%w: space or colon in a field", ErrUnwritable)
		}
	}
	c.params = append(c.params, params...)
	return c
}

// list adds one parameter of several that commas part.
func (c Command) list(elements []string) Command {
	for _, e := range elements {
		if strings.Contains(e, ",") {
			c.err = fmt.Errorf("%w: comma in a field", ErrUnwritable)
		}
	}
	return c.words(strings.Join(elements, ","))
}

// Registration: RFC 2812 section 3.1, IRCv3 capability-negotiation and sasl.

// CapLS asks what the network offers, in version 302.
func CapLS() Command { return command("CAP", "LS", "302") }

// CapReq asks for capabilities.
func CapReq(names ...string) Command { return command("CAP", "REQ", strings.Join(names, " ")) }

// CapEnd ends the negotiation.
func CapEnd() Command { return command("CAP", "END") }

// Authenticate carries one piece of a SASL exchange, a mechanism's name, "+" or "*".
func Authenticate(chunk string) Command { return command("AUTHENTICATE").words(chunk) }

// Pass gives the password of the server.
func Pass(password string) Command { return command("PASS", password) }

// Nick asks for a nick.
func Nick(nick string) Command { return command("NICK").words(nick) }

// User says who we are.
func User(username, realname string) Command { return command("USER", username, "0", "*", realname) }

// WebIRC says whom a trusted gateway connects for (IRCv3 webirc).
func WebIRC(password, gateway, host, address, options string) Command {
	return command("WEBIRC", password, gateway, host, address).optional(options)
}

// BouncerBind says which of a bouncer's networks the connection is for (soju.im/bouncer-networks).
func BouncerBind(id string) Command { return command("BOUNCER", "BIND").words(id) }

// BouncerListNetworks asks for a bouncer's networks.
func BouncerListNetworks() Command { return command("BOUNCER", "LISTNETWORKS") }

// Quit takes leave.
func Quit(reason string) Command { return command("QUIT").optional(reason) }

// Ping asks for a Pong.
func Ping(token string) Command { return command("PING", token) }

// Pong answers a PING.
func Pong(token string) Command { return command("PONG", token) }

// Messages.

// Privmsg says something to a nick or a channel.
func Privmsg(target, text string) Command { return command("PRIVMSG", target, text) }

// Notice says something that nobody may answer by itself.
func Notice(target, text string) Command { return command("NOTICE", target, text) }

// Tagmsg carries tags only.
func Tagmsg(target string) Command { return command("TAGMSG").words(target) }

// Redact takes back a message (draft/message-redaction).
func Redact(target, msgid, reason string) Command {
	return command("REDACT").words(target, msgid).optional(reason)
}

// MultilineOpen begins a batch that is one message of several lines (draft/multiline).
func MultilineOpen(ref, target string) Command {
	return command("BATCH").words("+"+ref, "draft/multiline", target)
}

// MultilineLine is one line of such a batch; concat joins it to the one before.
func MultilineLine(ref, target, text string, concat bool) Command {
	c := Privmsg(target, text).With(Tag{"batch", ref})
	if concat {
		c = c.With(Tag{Key: "draft/multiline-concat"})
	}
	return c
}

// BatchClose ends a batch.
func BatchClose(ref string) Command { return command("BATCH").words("-" + ref) }

// Channels.

// Join enters channels. The first ones are those with keys.
func Join(channels, keys []string) Command {
	c := command("JOIN").list(channels)
	if len(keys) > 0 {
		c = c.list(keys)
	}
	return c
}

// Part leaves a channel.
func Part(channel, reason string) Command { return command("PART").words(channel).optional(reason) }

// Topic sets a topic; an empty one takes it away.
func Topic(channel, text string) Command { return command("TOPIC", channel, text) }

// Kick removes somebody from a channel.
func Kick(channel, nick, reason string) Command {
	return command("KICK").words(channel, nick).optional(reason)
}

// Invite asks somebody into a channel.
func Invite(nick, channel string) Command { return command("INVITE").words(nick, channel) }

// Mode changes the modes of a channel or of ourselves, or, without any, asks for them.
func Mode(target string, modes ...string) Command {
	return command("MODE").words(target).words(modes...)
}

// List asks for all channels.
func List() Command { return command("LIST") }

// People.

// Who asks who is in a channel.
func Who(channel string) Command { return command("WHO").words(channel) }

// Whox asks the same with the fields of WHOX that Whox replies are made of, under a token.
func Whox(channel, fields, token string) Command {
	return command("WHO").words(channel, "%"+fields+","+token)
}

// Away says that the user is away, or, without a text, back.
func Away(text string) Command { return command("AWAY").optional(text) }

// Setname changes the real name (IRCv3 setname).
func Setname(realname string) Command { return command("SETNAME", realname) }

// MonitorAdd asks to be told of people coming and going (IRCv3 monitor).
func MonitorAdd(nicks ...string) Command { return command("MONITOR", "+").list(nicks) }

// MonitorRemove takes that back.
func MonitorRemove(nicks ...string) Command { return command("MONITOR", "-").list(nicks) }

// IsOn asks who of some is there (RFC 2812 section 4.9).
func IsOn(nicks ...string) Command { return command("ISON", strings.Join(nicks, " ")) }

// Whois asks who somebody is.
func Whois(nick string) Command { return command("WHOIS").words(nick) }

// History.

// HistoryAfter asks for what was said in a conversation after a selector (draft/chathistory): "timestamp=..." or "msgid=...".
func HistoryAfter(target, selector string, limit int) Command {
	return command("CHATHISTORY", "AFTER").words(target, selector, strconv.Itoa(limit))
}

// HistoryBefore asks for the last of what was said in a conversation before a selector.
func HistoryBefore(target, selector string, limit int) Command {
	return command("CHATHISTORY", "BEFORE").words(target, selector, strconv.Itoa(limit))
}

// HistoryLatest asks for the last of what was said in a conversation.
func HistoryLatest(target string, limit int) Command {
	return command("CHATHISTORY", "LATEST").words(target, "*", strconv.Itoa(limit))
}

// HistoryTargets asks with whom anything was said between two moments, as server-time writes them.
func HistoryTargets(from, to string, limit int) Command {
	return command("CHATHISTORY", "TARGETS").words("timestamp="+from, "timestamp="+to, strconv.Itoa(limit))
}

// MarkRead says up to when a conversation is read (draft/read-marker); without a moment it asks.
func MarkRead(target, moment string) Command {
	c := command("MARKREAD").words(target)
	if moment != "" {
		c = c.words("timestamp=" + moment)
	}
	return c
}

// Raw is a line that the user wrote; its tags and its prefix are not theirs to say.
func Raw(line string) (Command, error) {
	if line == "" || strings.ContainsAny(line, "\r\n\x00") || strings.ContainsAny(line[:1], "@: ") {
		return Command{}, fmt.Errorf("%w: %s", ErrUnwritable, "not a command")
	}
	head, trailing, has := strings.Cut(line, " :")
	fields := strings.FieldsFunc(head, func(r rune) bool { return r == ' ' })
	if has {
		fields = append(fields, trailing)
	}
	c := command(strings.ToUpper(fields[0]), fields[1:]...)
	if !validCommand(c.verb) || c.verb[0] < 'A' {
		return Command{}, fmt.Errorf("%w: %s", ErrUnwritable, "not a command")
	}
	return c, nil
}
