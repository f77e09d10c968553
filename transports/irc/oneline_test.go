package irc

import (
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"gangway/core"
)

// lineSeparator is Unicode's, which to IRC is a letter like any other.
const lineSeparator = "x\u2028QUIT"

// evils are what must not part a line, or end one.
func evils() []string {
	return []string{"x\r\nQUIT", "x\nQUIT", "x\rQUIT", "x\x00QUIT", "\r\nQUIT\r\n", lineSeparator, "x\u0085QUIT", "x QUIT", "x,QUIT"}
}

// field is something of XMPP's that reaches the network, or might. verbs are what it may be written with, parted by
// spaces; several lines are several of these.
type field struct {
	verbs string
	write func(evil string)
}

// fields are all of them, by the method of the session that takes them and what it takes.
func fields(p *play) map[string]field {
	s, ctx := p.s, p.t.Context()
	choose := func(name, value string) { p.host.Choose(core.Preferences{Own: map[string]string{name: value}}) }
	const room, bob = core.Address("#chan"), core.Address("bob")
	ref := func(peer core.Address) core.Ref { return core.Ref{Account: "a1", Peer: peer} }
	target := func(evil string) core.Address { return core.Address("#" + evil) }
	msg := func(peer core.Address, text string) *core.Message { return &core.Message{Ref: ref(peer), Text: text} }
	edit := func(policy string) func(string) {
		return func(evil string) {
			choose(editsChoice, policy)
			was := msg(room, "was x")
			was.ID = "was"
			s.Send(ctx, was)
			now := msg(room, "was "+evil)
			now.Replaces.ID = was.ID
			s.Edit(ctx, now)
		}
	}
	return map[string]field{
		"Send room":         {"PRIVMSG", func(e string) { s.Send(ctx, msg(room, e)) }},
		"Send private":      {"PRIVMSG", func(e string) { s.Send(ctx, msg(bob, e)) }},
		"Send action":       {"PRIVMSG", func(e string) { s.Send(ctx, msg(bob, "/me "+e)) }},
		"Send styled":       {"PRIVMSG", func(e string) { s.Send(ctx, msg(room, "*"+e+"* `"+e+"`")) }},
		"Send to":           {"", func(e string) { s.Send(ctx, msg(core.Address(e), "x")) }},
		"Send to a channel": {"", func(e string) { s.Send(ctx, msg(target(e), "x")) }},
		"Send raw":          {"X", func(e string) { s.Send(ctx, msg("", e)) }},
		"Send raw argument": {"WHOIS", func(e string) { s.Send(ctx, msg("", "WHOIS "+e)) }},
		"Send modes":        {"MODE PRIVMSG", func(e string) { s.Send(ctx, msg(room, "/mode +b "+e)) }},
		"Send reply": {"PRIVMSG", func(e string) {
			m := msg(room, "x")
			m.ReplyTo.Remote = core.RemoteID(e)
			s.Send(ctx, m)
		}},
		"Send link": {"PRIVMSG", func(e string) {
			m := msg(room, "")
			m.Attachments = []core.Attachment{{URL: "https://x.test/" + e, Name: e, Type: e}}
			s.Send(ctx, m)
		}},
		"Send paste": {"PRIVMSG", func(e string) {
			choose(pastesChoice, "1")
			s.Send(ctx, msg(room, e+"\n"+e))
		}},
		"Edit mark": {"PRIVMSG", edit(editsMark)},
		"Edit sed":  {"PRIVMSG", edit(editsSed)},
		"Edit hold": {"PRIVMSG", edit(editsHold)},
		"Edit peer": {"", func(e string) {
			m := msg(core.Address(e), "x")
			m.Replaces.ID = "was"
			s.Edit(ctx, m)
		}},
		"React emoji": {"TAGMSG", func(e string) {
			s.React(ctx, &core.Reaction{Ref: ref(room), IDs: core.IDs{Remote: "m1"}, Emoji: []string{e}})
		}},
		"React message": {"TAGMSG", func(e string) {
			s.React(ctx, &core.Reaction{Ref: ref(room), IDs: core.IDs{Remote: core.RemoteID(e)}, Emoji: []string{"x"}})
		}},
		"React peer": {"", func(e string) {
			s.React(ctx, &core.Reaction{Ref: ref(target(e)), IDs: core.IDs{Remote: "m1"}, Emoji: []string{"x"}})
		}},
		"Retract message": {"REDACT", func(e string) {
			s.Retract(ctx, &core.Retraction{Ref: ref(room), IDs: core.IDs{Remote: core.RemoteID(e)}})
		}},
		"Retract reason": {"REDACT", func(e string) {
			s.Retract(ctx, &core.Retraction{Ref: ref(room), IDs: core.IDs{Remote: "m1"}, Reason: e})
		}},
		"Retract peer": {"", func(e string) {
			s.Retract(ctx, &core.Retraction{Ref: ref(core.Address(e)), IDs: core.IDs{Remote: "m1"}})
		}},
		"Typing peer": {"", func(e string) { s.Typing(ctx, &core.Typing{Ref: ref(core.Address(e)), On: true}) }},
		"Read message": {"", func(e string) {
			s.Read(ctx, &core.Receipt{Ref: ref(room), IDs: core.IDs{Remote: core.RemoteID(e)}})
		}},
		"SetPresence text":   {"AWAY", func(e string) { s.SetPresence(ctx, &core.Presence{Show: core.Away, Text: e}) }},
		"Join channel":       {"JOIN", func(e string) { s.Join(ctx, target(e), core.Join{}) }},
		"Join key":           {"JOIN", func(e string) { s.Join(ctx, "#key", core.Join{Password: e}) }},
		"Join nick":          {"JOIN", func(e string) { s.Join(ctx, "#nick", core.Join{Nick: e}) }},
		"Leave reason":       {"PART", func(e string) { s.Leave(ctx, "#left", e) }},
		"Leave channel":      {"", func(e string) { s.Leave(ctx, target(e), "") }},
		"Rename nick":        {"NICK", func(e string) { s.Rename(ctx, room, e, core.Origin{}) }},
		"SetTopic text":      {"TOPIC", func(e string) { s.SetTopic(ctx, room, e, core.Origin{}) }},
		"SetTopic channel":   {"", func(e string) { s.SetTopic(ctx, target(e), "x", core.Origin{}) }},
		"Kick nick":          {"KICK", func(e string) { s.Kick(ctx, room, e, "x") }},
		"Kick reason":        {"KICK", func(e string) { s.Kick(ctx, room, "bob", e) }},
		"SetRank nick":       {"MODE", func(e string) { s.SetRank(ctx, room, e, core.Operator) }},
		"Ban nick":           {"MODE", func(e string) { s.Ban(ctx, room, e, "x") }},
		"Ban mask":           {"MODE", func(e string) { s.Ban(ctx, room, "*!*@"+e, "x") }},
		"Ban reason":         {"MODE KICK", func(e string) { s.Ban(ctx, room, "carol", e) }},
		"Unban mask":         {"MODE", func(e string) { s.Unban(ctx, room, e) }},
		"Bans channel":       {"", func(e string) { s.Bans(ctx, target(e)) }},
		"Invite nick":        {"INVITE", func(e string) { s.Invite(ctx, room, core.Address(e)) }},
		"Invite channel":     {"", func(e string) { s.Invite(ctx, target(e), bob) }},
		"Settings channel":   {"", func(e string) { s.Settings(ctx, target(e)) }},
		"Configure password": {"MODE", func(e string) { s.Configure(ctx, room, core.Settings{Password: e}) }},
		"Configure channel":  {"", func(e string) { s.Configure(ctx, target(e), core.Settings{Limit: 1}) }},
		"Query peer": {"PRIVMSG", func(e string) {
			s.Query(ctx, core.Address(e), core.QueryPing, func(string, error) {})
		}},
		"Profile peer":     {"WHOIS", func(e string) { s.Profile(ctx, core.Address(e)) }},
		"Snapshot channel": {"", func(e string) { s.Snapshot(target(e)) }},
	}
}

// TestFieldsAreAllTried finds a method of the session that takes something of XMPP's and is not among the fields.
func TestFieldsAreAllTried(t *testing.T) {
	tried := map[string]bool{}
	script(t, quickConfig, core.Account{}, func(p *play) {
		for name := range fields(p) {
			method, _, _ := strings.Cut(name, " ")
			tried[method] = true
		}
	})
	takesNothing := []string{"Run", "Narrow", "RoomList", "Occupant"} // and those without arguments
	for m := range reflect.TypeFor[*session]().Methods() {
		if m.Type.NumIn() > 1 && !tried[m.Name] && !slices.Contains(takesNothing, m.Name) {
			t.Errorf("%s is not among the fields that are tried", m.Name)
		}
	}
}

// written takes the lines that a session writes until it writes no more, and complains of those that have another verb
// than they may have.
func (p *play) written(what, evil, verbs string) {
	p.t.Helper()
	for {
		select {
		case line := <-p.lines:
			_, untagged, tagged := strings.Cut(line, " ")
			if tagged = tagged && strings.HasPrefix(line, "@"); !tagged {
				untagged = line
			}
			verb, _, _ := strings.Cut(untagged, " ")
			if token, ok := strings.CutPrefix(untagged, "PING "); ok {
				p.send(":irc.test PONG irc.test " + token)
			} else if !slices.Contains(strings.Fields(verbs), verb) || strings.ContainsAny(line, "\r\x00") {
				p.t.Errorf("%s with %q: wrote %q, want %s", what, evil, line, firstOf(verbs, "nothing"))
			}
		case <-time.After(4 * time.Second): // what waits for its correction has been said
			return
		}
	}
}

// TestOneMessageIsOneLine puts line ends, NUL and what parts fields into every field that reaches the network from
// XMPP: a message with line ends is several, and nothing else becomes more than the one command that it is.
func TestOneMessageIsOneLine(t *testing.T) {
	for _, evil := range evils() {
		inRich(t, "", "", func(p *play) {
			p.s.t.cfg.RawCommands = true
			p.join("#left", "2")
			p.line()
			p.let("#left")
			all := fields(p)
			for _, name := range slices.Sorted(maps.Keys(all)) {
				if all[name].verbs == "" && evil == lineSeparator {
					continue
				}
				p.host.Choose(core.Preferences{})
				done := make(chan struct{})
				go func() {
					defer close(done)
					all[name].write(evil)
				}()
				p.written(name, evil, all[name].verbs)
				<-done // who waits for an answer has given up by then
				p.written(name, evil, "")
				if name == "Configure channel" { // from now on the settings are known, and can be changed
					p.send(":irc.test 324 alice #chan +nt")
				}
			}
		})
	}
}

// TestRegistrationIsItsLines puts the same into everything that an account has and a registration says.
func TestRegistrationIsItsLines(t *testing.T) {
	for _, evil := range evils() {
		account := core.Account{
			Name: evil, User: core.UserID(evil), Own: core.Address(evil),
			Secret:  secretOf(t, credentials{Password: evil, Server: evil, Commands: []string{evil, "WHOIS " + evil, "PRIVMSG bob :" + evil}}),
			Options: map[string]string{},
		}
		for _, name := range []string{
			optionNick, optionLogin, optionAlternates, optionUsername, optionRealname, optionBouncer, optionUnlogged, optionAddress, optionPorts, optionFingerprint, optionBurst,
		} {
			account.Options[name] = evil
		}
		script(t, quickConfig+`ping_every = "1h"`, account, func(p *play) {
			p.run()
			p.accept()
			p.written("registration", evil, "CAP PASS NICK USER")
			p.send(":irc.test 433 * x :Taken", ":irc.test 433 * x :Taken")
			p.written("nicks", evil, "NICK")
			p.send(":irc.test CAP * LS :sasl=PLAIN soju.im/bouncer-networks")
			p.written("capabilities", evil, "CAP")
			p.send(":irc.test CAP * ACK :sasl soju.im/bouncer-networks", ":irc.test CAP * ACK :sasl", ":irc.test CAP * ACK :soju.im/bouncer-networks")
			p.written("login", evil, "AUTHENTICATE BOUNCER CAP")
			p.send("AUTHENTICATE +")
			p.written("password", evil, "AUTHENTICATE BOUNCER CAP")
			p.send(":irc.test 903 * :ok")
			p.written("login done", evil, "BOUNCER CAP")
			p.send(":irc.test 001 alice :Hi", ":irc.test 376 alice :End")
			p.written("commands", evil, "WHOIS PRIVMSG BOUNCER")
		})
	}
}
