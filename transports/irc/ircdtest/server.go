package ircdtest

import (
	"bufio"
	"context"
	"errors"
	"net"
	"slices"
	"strings"
	"sync"
	"time"
)

const writeWithin = 10 * time.Second

// Server is an IRC server. Its fields are set before Serve.
type Server struct {
	Name string   // as it calls itself; empty: "irc.test"
	Caps []string // offered by CAP LS

	mu       sync.Mutex
	clients  map[string]*client            // by nick
	channels map[string]map[string]*client // by name, then nick
	conns    map[net.Conn]bool
}

// client is one connection.
type client struct {
	conn       net.Conn
	nick, user string
	caps       map[string]bool
	capping    bool // between CAP LS and CAP END
	welcomed   bool
}

// Serve accepts connections until ctx ends, and returns when all of them are closed.
func (s *Server) Serve(ctx context.Context, l net.Listener) error {
	s.mu.Lock()
	if s.Name == "" {
		s.Name = "irc.test"
	}
	s.clients, s.channels, s.conns = map[string]*client{}, map[string]map[string]*client{}, map[net.Conn]bool{}
	s.mu.Unlock()
	stop := context.AfterFunc(ctx, func() {
		l.Close()
		s.Disconnect()
	})
	defer stop()
	var all sync.WaitGroup
	defer all.Wait()
	for {
		conn, err := l.Accept()
		if ctx.Err() != nil {
			if err == nil {
				conn.Close()
			}
			return nil
		}
		if err != nil {
			return err
		}
		s.mu.Lock()
		s.conns[conn] = true
		s.mu.Unlock()
		all.Go(func() { s.serve(conn) })
	}
}

// Disconnect cuts all connections.
func (s *Server) Disconnect() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for conn := range s.conns {
		conn.Close()
	}
}

// Say makes somebody who is not connected say something to a nick or a channel; false if there is no such.
func (s *Server) Say(from, target, text string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if c := s.clients[strings.ToLower(target)]; c != nil {
		c.write(":" + from + "!u@far.test PRIVMSG " + c.nick + " :" + text)
		return true
	}
	members := s.channels[strings.ToLower(target)]
	for _, c := range members {
		c.write(":" + from + "!u@far.test PRIVMSG " + target + " :" + text)
	}
	return len(members) > 0
}

// Registered returns how many clients are.
func (s *Server) Registered() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.clients)
}

func (s *Server) serve(conn net.Conn) {
	c := &client{conn: conn, caps: map[string]bool{}}
	defer s.gone(c)
	in := bufio.NewScanner(conn)
	in.Buffer(make([]byte, 0, 512), 16384)
	for in.Scan() {
		verb, params := parse(in.Text())
		s.mu.Lock()
		err := s.on(c, verb, params)
		s.mu.Unlock()
		if err != nil {
			return
		}
	}
}

// parse takes a line of a client apart; tags and prefix are left out.
func parse(line string) (string, []string) {
	for strings.HasPrefix(line, "@") || strings.HasPrefix(line, ":") {
		_, line, _ = strings.Cut(line, " ")
	}
	head, trailing, has := strings.Cut(line, " :")
	params := strings.Fields(head)
	if len(params) == 0 {
		return "", nil
	}
	if has {
		params = append(params, trailing)
	}
	return strings.ToUpper(params[0]), params[1:]
}

func (c *client) write(line string) {
	c.conn.SetWriteDeadline(time.Now().Add(writeWithin))
	if _, err := c.conn.Write([]byte(line + "\r\n")); err != nil {
		c.conn.Close()
	}
}

func (c *client) prefix() string { return ":" + c.nick + "!" + c.user + "@near.test" }

func (s *Server) reply(c *client, numeric string, rest ...string) {
	nick := c.nick
	if nick == "" {
		nick = "*"
	}
	c.write(":" + s.Name + " " + numeric + " " + nick + " " + strings.Join(rest, " "))
}

// gone takes a client out of everything.
func (s *Server) gone(c *client) {
	c.conn.Close()
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.conns, c.conn)
	if s.clients[strings.ToLower(c.nick)] == c {
		delete(s.clients, strings.ToLower(c.nick))
	}
	for name := range s.channels {
		if s.channels[name][c.nick] == c {
			s.leave(c, name, c.prefix()+" QUIT :gone")
		}
	}
}

// leave takes a client out of a channel and shows line to those who stay.
func (s *Server) leave(c *client, name, line string) {
	delete(s.channels[name], c.nick)
	for _, other := range s.channels[name] {
		other.write(line)
	}
	if len(s.channels[name]) == 0 {
		delete(s.channels, name)
	}
}

var errQuit = errors.New("quit")

func (s *Server) on(c *client, verb string, params []string) error {
	param := func(i int) string {
		if i < len(params) {
			return params[i]
		}
		return ""
	}
	switch verb {
	case "CAP":
		s.onCap(c, strings.ToUpper(param(0)), param(len(params)-1))
	case "NICK":
		s.onNick(c, param(0))
	case "USER":
		c.user = param(0)
		s.welcome(c)
	case "PING":
		c.write(":" + s.Name + " PONG " + s.Name + " :" + param(0))
	case "JOIN":
		for _, name := range strings.Split(param(0), ",") {
			s.onJoin(c, name)
		}
	case "PART":
		s.onPart(c, param(0))
	case "WHO":
		s.onWho(c, param(0))
	case "PRIVMSG", "NOTICE":
		s.onText(c, verb, param(0), param(1))
	case "QUIT":
		c.write("ERROR :Closing link")
		return errQuit
	}
	return nil
}

func (s *Server) onCap(c *client, sub, list string) {
	switch sub {
	case "LS":
		c.capping = true
		s.reply(c, "CAP", "LS :"+strings.Join(s.Caps, " "))
	case "REQ":
		for _, name := range strings.Fields(list) {
			c.caps[name] = slices.Contains(s.Caps, name)
		}
		s.reply(c, "CAP", "ACK :"+list)
	case "END":
		c.capping = false
		s.welcome(c)
	}
}

func (s *Server) onNick(c *client, nick string) {
	key := strings.ToLower(nick)
	if s.clients[key] != nil && s.clients[key] != c {
		s.reply(c, "433", nick, ":Nickname is already in use")
		return
	}
	if c.welcomed {
		c.write(c.prefix() + " NICK :" + nick)
		delete(s.clients, strings.ToLower(c.nick))
		s.clients[key] = c
	}
	c.nick = nick
	s.welcome(c)
}

func (s *Server) welcome(c *client) {
	if c.welcomed || c.capping || c.nick == "" || c.user == "" {
		return
	}
	c.welcomed = true
	s.clients[strings.ToLower(c.nick)] = c
	s.reply(c, "001", ":Welcome "+c.nick+"!"+c.user+"@near.test")
	s.reply(c, "005", "CASEMAPPING=ascii PREFIX=(ov)@+ CHANTYPES=# NICKLEN=30 :are supported by this server")
	s.reply(c, "422", ":No MOTD")
}

func (s *Server) onJoin(c *client, name string) {
	key := strings.ToLower(name)
	if s.channels[key] == nil {
		s.channels[key] = map[string]*client{}
	}
	s.channels[key][c.nick] = c
	var nicks []string
	for _, m := range s.channels[key] {
		m.write(c.prefix() + " JOIN " + name)
		nicks = append(nicks, m.nick)
	}
	for some := range slices.Chunk(nicks, 20) {
		s.reply(c, "353", "=", name, ":"+strings.Join(some, " "))
	}
	s.reply(c, "366", name, ":End of /NAMES list")
}

func (s *Server) onPart(c *client, name string) {
	key := strings.ToLower(name)
	if s.channels[key][c.nick] == nil {
		s.reply(c, "442", name, ":You're not on that channel")
		return
	}
	c.write(c.prefix() + " PART " + name)
	s.leave(c, key, c.prefix()+" PART "+name)
}

func (s *Server) onWho(c *client, name string) {
	for _, m := range s.channels[strings.ToLower(name)] {
		s.reply(c, "352", name, m.user, "near.test", s.Name, m.nick, "H", ":0 "+m.nick)
	}
	s.reply(c, "315", name, ":End of /WHO list")
}

func (s *Server) onText(c *client, verb, target, text string) {
	line := c.prefix() + " " + verb + " " + target + " :" + text
	if c.caps["echo-message"] {
		c.write(line)
	}
	if other := s.clients[strings.ToLower(target)]; other != nil {
		other.write(line)
		return
	}
	members := s.channels[strings.ToLower(target)]
	if members[c.nick] == nil {
		s.reply(c, "401", target, ":No such nick/channel")
		return
	}
	for _, m := range members {
		if m != c {
			m.write(line)
		}
	}
}
