package ircv3

import "strings"

// Person is somebody on the network whom a test plays. Their history goes on while nobody is connected.
type Person struct {
	server *Server
	user   *user
}

// Person brings somebody onto the network, logged in if they have an account, and into channels.
func (s *Server) Person(nick, account string, channels ...string) *Person {
	s.mu.Lock()
	defer s.mu.Unlock()
	u := &user{nick: nick, name: nick, host: "far.test", realname: nick, account: account}
	s.users[fold(nick)] = u
	s.tellWatchers(u, "730")
	for _, name := range channels {
		s.join(u, name)
	}
	return &Person{s, u}
}

// Say says a line to a channel or a nick, with client-only tags, and returns the message's id.
func (p *Person) Say(target, text string, tags ...string) string {
	return p.send(line{tags: pairs(tags), command: "PRIVMSG", params: []string{target, text}})
}

// Notice is Say for a NOTICE.
func (p *Person) Notice(target, text string) string {
	return p.send(line{command: "NOTICE", params: []string{target, text}})
}

// Tag sends client-only tags alone: Tag("#chan", "+typing", "active").
func (p *Person) Tag(target string, tags ...string) string {
	return p.send(line{tags: pairs(tags), command: "TAGMSG", params: []string{target}})
}

// SayLines says a multiline message.
func (p *Person) SayLines(target string, text ...string) string {
	var lines []line
	for _, t := range text {
		lines = append(lines, line{command: "PRIVMSG", params: []string{target, t}})
	}
	return p.send(lines...)
}

func (p *Person) send(lines ...line) string {
	p.server.mu.Lock()
	defer p.server.mu.Unlock()
	return p.server.say(p.user, lines, &line{})
}

// Redact takes back a message of their own; false if there is none with that id.
func (p *Person) Redact(target, id, reason string) bool {
	p.server.mu.Lock()
	defer p.server.mu.Unlock()
	for _, m := range p.server.history {
		if m.id == id && m.from == fold(p.user.nick) {
			p.server.redact(p.user, target, m, reason)
			return true
		}
	}
	return false
}

// Join enters a channel.
func (p *Person) Join(name string) {
	p.server.mu.Lock()
	defer p.server.mu.Unlock()
	p.server.join(p.user, name)
}

// Part leaves a channel.
func (p *Person) Part(name, reason string) {
	p.server.mu.Lock()
	defer p.server.mu.Unlock()
	p.server.part(p.user, name, reason)
}

// Quit leaves the network.
func (p *Person) Quit(reason string) {
	p.server.mu.Lock()
	defer p.server.mu.Unlock()
	p.server.quit(p.user, reason)
}

// Rename takes another nick.
func (p *Person) Rename(nick string) {
	p.server.mu.Lock()
	defer p.server.mu.Unlock()
	p.server.rename(p.user, nick)
}

// Away goes away, or comes back with an empty reason.
func (p *Person) Away(reason string) {
	p.server.mu.Lock()
	defer p.server.mu.Unlock()
	p.server.setAway(p.user, reason)
}

// Login takes an account, or none.
func (p *Person) Login(account string) {
	p.server.mu.Lock()
	defer p.server.mu.Unlock()
	p.server.setAccount(p.user, account)
}

// Move changes user name and host (chghost).
func (p *Person) Move(name, host string) {
	p.server.mu.Lock()
	defer p.server.mu.Unlock()
	l := line{source: p.user.source(), command: "CHGHOST", params: []string{name, host}}
	p.user.name, p.user.host = name, host
	p.server.notify(p.user, l, "chghost", true)
}

// Realname takes another real name (setname).
func (p *Person) Realname(realname string) {
	p.server.mu.Lock()
	defer p.server.mu.Unlock()
	p.server.setRealname(p.user, realname)
}

// Netsplit takes people off the network at once, in a batch of that kind to those who have batches.
func (s *Server) Netsplit(people ...*Person) {
	s.mu.Lock()
	defer s.mu.Unlock()
	refs := map[*conn]string{}
	for _, p := range people {
		l := line{source: p.user.source(), command: "QUIT", params: []string{s.conf.Name + " hub.test"}}
		for _, c := range s.neighbours(p.user) {
			if !c.caps["batch"] {
				c.send(l)
				continue
			}
			if refs[c] == "" {
				refs[c] = s.newBatch()
				c.send(line{command: "BATCH", params: []string{"+" + refs[c], "netsplit", s.conf.Name, "hub.test"}})
			}
			c.send(l.with("batch", refs[c]))
		}
		delete(s.users, fold(p.user.nick))
		for _, ch := range s.channels {
			delete(ch.members, p.user)
		}
	}
	for c, ref := range refs {
		c.send(line{command: "BATCH", params: []string{"-" + ref}})
	}
}

// pairs are tags given as keys and values in turn.
func pairs(words []string) map[string]string {
	tags := map[string]string{}
	for i := 0; i+1 < len(words); i += 2 {
		tags[words[i]] = words[i+1]
	}
	return tags
}

// Present says whether somebody of that nick, connected or played, is in a channel.
func (s *Server) Present(nick, name string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	ch, u := s.channels[fold(name)], s.users[fold(nick)]
	if ch == nil || u == nil {
		return false
	}
	_, in := ch.members[u]
	return in
}

// Account is the account of a nick.
func (s *Server) Account(nick string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if u := s.users[fold(nick)]; u != nil {
		return u.account
	}
	return ""
}

// Said is what was said in a channel or to a nick, oldest first, as "nick: text"; what was redacted is not there.
func (s *Server) Said(target string) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []string
	for _, m := range s.history {
		if m.to != fold(target) || m.event || len(m.lines[0].params) < 2 {
			continue
		}
		var text []string
		for _, l := range m.lines {
			text = append(text, l.params[1])
		}
		nick, _, _ := strings.Cut(m.lines[0].source, "!")
		all = append(all, nick+": "+strings.Join(text, "\n"))
	}
	return all
}
