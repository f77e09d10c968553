package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// ircGhost is in every channel, without a connection: those who are measured are not the ones who talk.
const ircGhost = "ghost"

// ircNet plays an IRC network that has nothing but speed. Each connection has a reader and a writer; the rest is under
// one mutex.
type ircNet struct {
	name string // also its address, of which nobody else has the port
	caps []string
	echo bool // what is said in a channel is answered there

	attempts atomic.Int64 // connections taken
	joins    atomic.Int64 // channels entered
	heard    atomic.Pointer[func(text string)]

	mu       sync.Mutex
	listener net.Listener
	nicks    map[string]*ircPeer
	channels map[string]map[string]*ircPeer
	serving  sync.WaitGroup
}

// ircPeer is one connection.
type ircPeer struct {
	net        *ircNet
	conn       net.Conn
	nick, user string
	caps       map[string]bool
	capping    bool
	welcomed   bool

	mu     sync.Mutex
	out    []byte
	filled chan struct{} // capacity 1
	done   chan struct{}
}

// newIRCNet takes a loopback address of its own, so that the network has the port by which everybody looks for it.
func newIRCNet(caps ...string) *ircNet {
	name := fmt.Sprintf("127.%d.%d.%d", 1+rand.IntN(250), rand.IntN(250), 1+rand.IntN(250)) //nolint:gosec // a place, not a secret
	return &ircNet{name: name, caps: caps, nicks: map[string]*ircPeer{}, channels: map[string]map[string]*ircPeer{}}
}

func (n *ircNet) start(ctx context.Context) error {
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", n.name+":6667")
	if err != nil {
		return err
	}
	n.mu.Lock()
	n.listener = l
	n.mu.Unlock()
	n.serving.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			n.attempts.Add(1)
			p := &ircPeer{net: n, conn: conn, caps: map[string]bool{}, filled: make(chan struct{}, 1), done: make(chan struct{})}
			n.serving.Go(p.read)
			n.serving.Go(p.write)
		}
	})
	return nil
}

// stop ends the network as a kill does.
func (n *ircNet) stop() {
	n.mu.Lock()
	n.listener.Close()
	for _, p := range n.nicks {
		p.conn.Close()
	}
	n.mu.Unlock()
	n.serving.Wait()
}

// say has the ghost say a line in a channel; it returns how many connections it went to.
func (n *ircNet) say(channel, text string) int {
	line := ":" + ircGhost + "!~g@ghost.example PRIVMSG " + channel + " :" + text
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, p := range n.channels[channel] {
		p.send(line)
	}
	return len(n.channels[channel])
}

func (p *ircPeer) send(line string) {
	p.mu.Lock()
	p.out = append(append(p.out, line...), '\r', '\n')
	p.mu.Unlock()
	select {
	case p.filled <- struct{}{}:
	default:
	}
}

func (p *ircPeer) write() {
	var spare []byte
	for {
		select {
		case <-p.filled:
		case <-p.done:
			return
		}
		p.mu.Lock()
		lines := p.out
		p.out = spare[:0]
		p.mu.Unlock()
		_ = p.conn.SetWriteDeadline(time.Now().Add(time.Minute))
		if _, err := p.conn.Write(lines); err != nil {
			p.conn.Close()
			return
		}
		if spare = lines; cap(spare) > 1<<20 {
			spare = nil
		}
	}
}

func (p *ircPeer) read() {
	defer p.gone()
	in := bufio.NewScanner(p.conn)
	in.Buffer(make([]byte, 0, 1024), 16<<10)
	for in.Scan() {
		line := in.Text()
		for strings.HasPrefix(line, "@") || strings.HasPrefix(line, ":") {
			_, line, _ = strings.Cut(line, " ")
		}
		head, last, has := strings.Cut(line, " :")
		params := strings.Fields(head)
		if len(params) == 0 {
			continue
		}
		if has {
			params = append(params, last)
		}
		for len(params) < 3 {
			params = append(params, "")
		}
		if err := p.on(params); err != nil {
			return
		}
	}
}

func (p *ircPeer) gone() {
	close(p.done)
	p.conn.Close()
	p.net.mu.Lock()
	defer p.net.mu.Unlock()
	if p.net.nicks[p.nick] == p {
		delete(p.net.nicks, p.nick)
	}
	for name, members := range p.net.channels {
		if members[p.nick] == p {
			p.net.leave(p, name, ":"+p.prefix()+" QUIT :gone")
		}
	}
}

func (n *ircNet) leave(p *ircPeer, name, line string) {
	delete(n.channels[name], p.nick)
	for _, other := range n.channels[name] {
		other.send(line)
	}
	if len(n.channels[name]) == 0 {
		delete(n.channels, name)
	}
}

func (p *ircPeer) prefix() string { return p.nick + "!~" + p.user + "@host.example" }

func (p *ircPeer) numeric(rest string) {
	code, rest, _ := strings.Cut(rest, " ")
	nick := p.nick
	if nick == "" {
		nick = "*"
	}
	p.send(":" + p.net.name + " " + code + " " + nick + " " + rest)
}

var errIRCQuit = errors.New("quit")

// on deals with a command; params[0] is its name, and there are at least three.
func (p *ircPeer) on(params []string) error {
	n := p.net
	if params[0] == "PRIVMSG" {
		n.onText(p, params[1], params[2])
		return nil
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	switch params[0] {
	case "CAP":
		p.onCap(params)
	case "NICK":
		p.onNick(params[1])
	case "USER":
		p.user = params[1]
		p.welcome()
	case "PING":
		p.send(":" + n.name + " PONG " + n.name + " :" + params[1])
	case "JOIN":
		for name := range strings.SplitSeq(params[1], ",") {
			n.join(p, name)
		}
	case "PART":
		if n.channels[params[1]][p.nick] == p {
			p.send(":" + p.prefix() + " PART " + params[1])
			n.leave(p, params[1], ":"+p.prefix()+" PART "+params[1])
		}
	case "WHO":
		p.numeric("315 " + params[1] + " :End of /WHO list")
	case "MODE":
		p.numeric("324 " + params[1] + " +nt")
	case "QUIT":
		p.send("ERROR :Closing link")
		return errIRCQuit
	}
	return nil
}

func (p *ircPeer) onCap(params []string) {
	switch params[1] {
	case "LS":
		p.capping = true
		p.numeric("CAP LS :" + strings.Join(p.net.caps, " "))
	case "REQ":
		for name := range strings.FieldsSeq(params[len(params)-1]) {
			p.caps[name] = slices.Contains(p.net.caps, name)
		}
		p.numeric("CAP ACK :" + strings.Join(params[2:], " "))
	case "END":
		p.capping = false
		p.welcome()
	}
}

func (p *ircPeer) onNick(nick string) {
	n := p.net
	if n.nicks[nick] != nil && n.nicks[nick] != p {
		p.numeric("433 " + nick + " :Nickname is already in use")
		return
	}
	if p.welcomed { // the measurements rename nobody
		return
	}
	p.nick = nick
	p.welcome()
}

func (p *ircPeer) welcome() {
	if p.welcomed || p.capping || p.nick == "" || p.user == "" {
		return
	}
	p.welcomed = true
	p.net.nicks[p.nick] = p
	p.numeric("001 :Welcome " + p.prefix())
	p.numeric("005 CASEMAPPING=ascii PREFIX=(ov)@+ CHANTYPES=# NICKLEN=30 CHANMODES=b,k,l,imnst :are supported by this server")
	p.numeric("422 :No MOTD")
}

func (n *ircNet) join(p *ircPeer, name string) {
	members := n.channels[name]
	if members == nil {
		members = map[string]*ircPeer{}
		n.channels[name] = members
	}
	if members[p.nick] == p {
		return
	}
	members[p.nick] = p
	line := ":" + p.prefix() + " JOIN " + name
	nicks := []string{"@" + ircGhost}
	for _, m := range members {
		m.send(line)
		nicks = append(nicks, m.nick)
	}
	for some := range slices.Chunk(nicks, 40) {
		p.numeric("353 = " + name + " :" + strings.Join(some, " "))
	}
	p.numeric("366 " + name + " :End of /NAMES list")
	n.joins.Add(1)
}

func (n *ircNet) onText(p *ircPeer, target, text string) {
	line := ":" + p.prefix() + " PRIVMSG " + target + " :" + text
	n.mu.Lock()
	if p.caps["echo-message"] {
		p.send(line)
	}
	for _, m := range n.channels[target] {
		if m != p {
			m.send(line)
		}
	}
	n.mu.Unlock()
	if n.echo {
		n.say(target, text)
	}
	if heard := n.heard.Load(); heard != nil {
		(*heard)(text)
	}
}
