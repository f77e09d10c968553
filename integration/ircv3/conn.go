package ircv3

import (
	"bufio"
	"net"
	"strings"
	"sync"
	"time"

	"gangway/integration/ircclient"
)

const (
	maxTags = 8191 // message-tags, "Size limit"
	maxBody = 512
)

// user is somebody on the network: one who is connected, or one who is played.
type user struct {
	nick, name, host, realname, account, away string
	conn                                      *conn // nil: played
}

func (u *user) source() string { return u.nick + "!" + u.name + "@" + u.host }

// conn is one connection.
type conn struct {
	server *Server
	socket net.Conn
	user   *user
	caps   map[string]bool
	v302   bool
	cap    bool // negotiating
	in     bool // registered
	sasl   exchange
	open   *multiline
	bound  string          // to one of the bouncer's networks
	watch  map[string]bool // MONITOR

	labelled []line // answers to the command at hand
	label    string

	mu     sync.Mutex
	out    []byte
	frozen bool
	filled chan struct{} // capacity 1
	done   chan struct{}
}

func (s *Server) serve(socket net.Conn) {
	c := &conn{
		server: s, socket: socket, user: &user{host: "near.test"}, caps: map[string]bool{}, watch: map[string]bool{},
		filled: make(chan struct{}, 1), done: make(chan struct{}),
	}
	c.user.conn = c
	s.mu.Lock()
	s.conns[c] = true
	s.mu.Unlock()
	s.serving.Go(c.read)
	s.serving.Go(c.write)
}

func (c *conn) read() {
	defer c.gone()
	in := bufio.NewScanner(c.socket)
	in.Buffer(make([]byte, 0, 1024), 64<<10)
	for in.Scan() {
		raw := in.Text()
		l, err := ircclient.Parse(raw)
		if err != nil {
			continue
		}
		c.server.mu.Lock()
		quit := c.handle(raw, l)
		c.server.mu.Unlock()
		if quit {
			return
		}
	}
}

// handle deals with one command and labels what answers it (labeled-response).
func (c *conn) handle(raw string, l ircclient.Line) (quit bool) {
	body, tags := raw, ""
	if strings.HasPrefix(raw, "@") {
		tags, body, _ = strings.Cut(raw, " ")
	}
	if len(tags) > maxTags || len(body)+2 > maxBody {
		c.numeric("417", "Input line was too long")
		return false
	}
	opens := strings.EqualFold(l.Command, "BATCH") // it is answered when the batch is complete
	if label := l.Tags["label"]; label != "" && c.caps["labeled-response"] && !opens {
		c.label, c.labelled = label, nil
		defer c.unlabel()
	}
	return c.on(l)
}

// unlabel sends the answers of a labelled command: with the label itself, in a batch, or an ACK if there are none.
func (c *conn) unlabel() {
	label, lines := c.label, c.labelled
	c.label, c.labelled = "", nil
	switch {
	case len(lines) == 0:
		c.emit(line{command: "ACK"}.with("label", label))
	case len(lines) == 1 || wholeBatch(lines):
		lines[0] = lines[0].with("label", label)
	default:
		ref := c.server.newBatch()
		c.emit(line{command: "BATCH", params: []string{"+" + ref, "labeled-response"}}.with("label", label))
		for _, l := range lines {
			if _, nested := l.tags["batch"]; !nested {
				l = l.with("batch", ref)
			}
			c.emit(l)
		}
		c.emit(line{command: "BATCH", params: []string{"-" + ref}})
		return
	}
	for _, l := range lines {
		c.emit(l)
	}
}

// wholeBatch says whether lines are one batch from beginning to end.
func wholeBatch(lines []line) bool {
	first, last := lines[0], lines[len(lines)-1]
	return first.command == "BATCH" && last.command == "BATCH" && last.params[0] == "-"+strings.TrimPrefix(first.params[0], "+")
}

// send sends a line, or keeps it with the other answers of a labelled command.
func (c *conn) send(l line) {
	if c.label != "" {
		c.labelled = append(c.labelled, l)
		return
	}
	c.emit(l)
}

func (c *conn) emit(l line) {
	if c.server.conf.Nameless {
		l = l.without("msgid")
	}
	c.raw(l.render(c.server.conf.Name, func(cap string) bool { return c.caps[cap] }))
}

func (c *conn) raw(text string) {
	c.mu.Lock()
	c.out = append(c.out, text...)
	c.mu.Unlock()
	c.wake()
}

func (c *conn) wake() {
	select {
	case c.filled <- struct{}{}:
	default:
	}
}

func (c *conn) write() {
	for {
		select {
		case <-c.filled:
		case <-c.done:
			return
		}
		c.mu.Lock()
		out := c.out
		if c.frozen {
			out = nil
		} else {
			c.out = nil
		}
		c.mu.Unlock()
		_ = c.socket.SetWriteDeadline(time.Now().Add(time.Minute))
		if _, err := c.socket.Write(out); err != nil {
			c.socket.Close()
			return
		}
	}
}

func (c *conn) gone() {
	s := c.server
	s.mu.Lock()
	s.quit(c.user, "Connection closed")
	delete(s.conns, c)
	s.mu.Unlock()
	c.mu.Lock()
	rest := c.out
	c.out = nil
	c.mu.Unlock()
	_ = c.socket.SetWriteDeadline(time.Now().Add(time.Second))
	_, _ = c.socket.Write(rest) // the farewell, if it is still there to hear it
	c.socket.Close()
	close(c.done)
}

// numeric answers with a numeric.
func (c *conn) numeric(code string, params ...string) {
	nick := c.user.nick
	if nick == "" {
		nick = "*"
	}
	c.send(line{command: code, params: append([]string{nick}, params...)})
}

// fail is a standard reply.
func (c *conn) fail(command, code string, params ...string) {
	c.send(line{command: "FAIL", params: append([]string{command, code}, params...)})
}

// on deals with a command.
func (c *conn) on(l ircclient.Line) (quit bool) {
	s := c.server
	switch strings.ToUpper(l.Command) {
	case "CAP":
		c.onCap(l)
	case "NICK":
		c.onNick(l.Param(0))
	case "USER":
		c.user.name, c.user.realname = l.Param(0), l.Last()
		c.welcome()
	case "AUTHENTICATE":
		c.onAuthenticate(l.Param(0))
	case "PING":
		c.send(line{command: "PONG", params: []string{s.conf.Name, l.Param(0)}})
	case "QUIT":
		c.emit(line{command: "ERROR", params: []string{"Closing link"}})
		s.quit(c.user, "Quit: "+l.Param(0))
		return true
	case "PONG", "PASS":
	case "BOUNCER":
		c.onBouncer(l)
	default:
		if !c.in {
			c.numeric("451", "You have not registered")
			return false
		}
		c.onRegistered(l)
	}
	return false
}

// onRegistered deals with the commands of those who are in.
func (c *conn) onRegistered(l ircclient.Line) {
	switch strings.ToUpper(l.Command) {
	case "JOIN":
		for name := range strings.SplitSeq(l.Param(0), ",") {
			c.server.join(c.user, name)
		}
	case "PART":
		c.onPart(l)
	case "NAMES":
		c.names(l.Param(0))
	case "WHO":
		c.onWho(l)
	case "TOPIC":
		c.onTopic(l)
	case "MODE":
		c.onMode(l)
	case "KICK":
		c.onKick(l)
	case "INVITE":
		c.onInvite(l)
	case "AWAY":
		c.server.setAway(c.user, l.Param(0))
		c.numeric(map[bool]string{true: "306", false: "305"}[l.Param(0) != ""], "Your away state has changed")
	case "SETNAME":
		c.onSetname(l.Param(0))
	case "MONITOR":
		c.onMonitor(l)
	case "PRIVMSG", "NOTICE", "TAGMSG":
		c.onText(l)
	case "BATCH":
		c.onBatch(l)
	case "REDACT":
		c.onRedact(l)
	case "MARKREAD":
		c.onMarkread(l)
	case "CHATHISTORY":
		c.onHistory(l)
	default:
		c.numeric("421", l.Command, "Unknown command")
	}
}
