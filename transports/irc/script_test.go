package irc

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"reflect"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pelletier/go-toml/v2"

	"gangway/core"
	"gangway/core/transporttest"
)

// play is a session whose network is played by the test, line by line, in a bubble of its own time.
type play struct {
	t       *testing.T
	host    *transporttest.Host
	s       *session
	conns   chan net.Conn
	conn    net.Conn
	lines   chan string
	stop    context.CancelFunc
	ended   chan error
	seen    int // events that event has returned
	dialled []*network
}

const quickConfig = `
networks = ["irc.test"]
flood_interval = "0s"
`

func settingsOf(text string) core.Decoder {
	return func(into any) error {
		return toml.NewDecoder(strings.NewReader(text)).DisallowUnknownFields().Decode(into)
	}
}

// script runs a scenario.
func script(t *testing.T, config string, account core.Account, scenario func(*play)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		account.ID, account.User, account.Network, account.Realm = "a1", "alice@example.test", "irc", "irc.test"
		p := &play{t: t, host: transporttest.NewHost(t, account), conns: make(chan net.Conn), ended: make(chan error, 1)}
		tr, err := newTransport(p.host, settingsOf(config))
		if err != nil {
			t.Fatal(err)
		}
		tr.dial = func(ctx context.Context, n *network) (net.Conn, error) {
			p.dialled = append(p.dialled, n)
			near, far := net.Pipe()
			select {
			case p.conns <- far:
				return near, nil
			case <-ctx.Done():
				return nil, ctx.Err()
			}
		}
		s, err := tr.Open(account)
		if err != nil {
			t.Fatal(err)
		}
		p.s = s.(*session)
		defer func() {
			if p.stop != nil {
				p.stop()
			}
			if p.conn != nil {
				p.conn.Close()
			}
		}()
		scenario(p)
	})
}

// run starts the session's Run.
func (p *play) run() {
	ctx, cancel := context.WithCancel(context.Background())
	p.stop = cancel
	go func() { p.ended <- p.s.Run(ctx) }()
}

// accept takes the session's connection.
func (p *play) accept() {
	p.t.Helper()
	select {
	case p.conn = <-p.conns:
	case <-time.After(time.Minute):
		p.t.Fatal("no connection")
	}
	p.lines = make(chan string, 1000)
	go func(conn net.Conn, lines chan<- string) {
		defer close(lines)
		in := bufio.NewScanner(conn)
		for in.Scan() {
			lines <- in.Text()
		}
	}(p.conn, p.lines)
}

// send sends lines to the session.
func (p *play) send(lines ...string) {
	p.t.Helper()
	for _, line := range lines {
		if _, err := fmt.Fprintf(p.conn, "%s\r\n", line); err != nil {
			p.t.Fatalf("write %q: %v", line, err)
		}
	}
}

// line returns the next line of the session.
func (p *play) line() string {
	p.t.Helper()
	select {
	case line, ok := <-p.lines:
		if !ok {
			p.t.Fatal("the connection ended")
		}
		return line
	case <-time.After(5 * time.Minute):
		p.t.Fatal("no line")
	}
	return ""
}

// expect waits for exactly these lines.
func (p *play) expect(lines ...string) {
	p.t.Helper()
	for _, want := range lines {
		if got := p.line(); got != want {
			p.t.Fatalf("got line %q, want %q", got, want)
		}
	}
}

// silent expects that no line comes for a while.
func (p *play) silent(d time.Duration) {
	p.t.Helper()
	select {
	case line := <-p.lines:
		p.t.Fatalf("unexpected line %q", line)
	case <-time.After(d):
	}
}

// register answers a registration without capabilities.
func (p *play) register(nick string, support ...string) {
	p.t.Helper()
	p.accept()
	p.expect("CAP LS 302", "NICK "+nick, "USER "+nick+" 0 * "+nick)
	p.send(":irc.test 421 * CAP :Unknown command", ":irc.test 001 "+nick+" :Welcome")
	p.finish(nick, support...)
}

func (p *play) finish(nick string, support ...string) {
	p.t.Helper()
	for _, tokens := range support {
		p.send(":irc.test 005 " + nick + " " + tokens + " :are supported by this server")
	}
	p.send(":irc.test 422 " + nick + " :MOTD File is missing")
	p.status()
}

// registerWith answers a registration with capabilities.
func (p *play) registerWith(caps string) {
	p.t.Helper()
	p.accept()
	p.expect("CAP LS 302", "NICK alice", "USER alice 0 * alice")
	p.send(":irc.test CAP * LS :" + caps)
	p.expect("CAP REQ :" + caps)
	p.send(":irc.test CAP * ACK :" + caps)
	p.expect("CAP END")
	p.send(":irc.test 001 alice :Welcome")
	p.finish("alice")
}

// event returns the next event. Events come in order; nothing may be skipped.
func (p *play) event() core.Event {
	p.t.Helper()
	synctest.Wait()
	events := p.host.Events()
	if len(events) <= p.seen {
		p.t.Fatalf("no event after %d", p.seen)
	}
	p.seen++
	return events[p.seen-1]
}

func (p *play) noEvent() {
	p.t.Helper()
	synctest.Wait()
	if events := p.host.Events(); len(events) > p.seen {
		p.t.Fatalf("unexpected event %T %+v", events[p.seen], events[p.seen])
	}
}

func next[E core.Event](p *play) E {
	p.t.Helper()
	e := p.event()
	got, ok := e.(E)
	if !ok {
		p.t.Fatalf("got event %T %+v, want %v", e, e, reflect.TypeFor[E]())
	}
	return got
}

func (p *play) status() {
	p.t.Helper()
	if st := next[*core.Status](p); st.Link != core.Connected {
		p.t.Fatalf("status %+v", st)
	}
}

func (p *play) end() error {
	p.t.Helper()
	select {
	case err := <-p.ended:
		return err
	case <-time.After(5 * time.Minute):
		p.t.Fatal("Run does not end")
	}
	return nil
}

func origin(n string) core.Origin { return core.Origin{ID: "join-" + n, From: "edge-" + n} }

func (p *play) join(room, n string) {
	p.t.Helper()
	if err := p.s.Join(p.t.Context(), core.Address(room), core.Join{Nick: "alice", Origin: origin(n)}); err != nil {
		p.t.Fatal(err)
	}
}

// enter has the session join a room of bob, an operator, and carol.
func (p *play) enter(room string) *core.RoomJoined {
	p.t.Helper()
	p.join(room, "1")
	if p.conn == nil {
		p.run()
		p.register("alice")
	}
	p.expect("JOIN " + room)
	p.let(room)
	return next[*core.RoomJoined](p)
}

// let lets the session into a room.
func (p *play) let(room string) {
	p.t.Helper()
	p.send(
		":alice!al@host.test JOIN "+room,
		":irc.test 353 alice = "+room+" :alice @bob carol",
		":irc.test 366 alice "+room+" :End of /NAMES list")
	if p.s.link.caps&capUserhost == 0 {
		if got := strings.TrimPrefix(p.line(), "@label=1 "); got != "WHO "+room {
			p.t.Fatalf("got %q, want WHO", got)
		}
		if p.s.link.caps&capLabels == 0 {
			p.barrier(1)
		}
		p.send(":irc.test 315 alice " + room + " :End of /WHO list")
	}
}

// barrier expects a barrier and answers it.
func (p *play) barrier(n int) {
	p.t.Helper()
	token := fmt.Sprint(barrierPrefix, n)
	p.expect("PING " + token)
	p.send(":irc.test PONG irc.test " + token)
}

func (p *play) say(peer core.Address, text string) *core.Message {
	p.t.Helper()
	m := &core.Message{
		Ref: core.Ref{Account: "a1", Peer: peer}, IDs: core.IDs{ID: core.NewID()}, Origin: origin("say"), Text: text,
		Room: isChannel(string(peer)),
	}
	if _, err := p.s.Send(p.t.Context(), m); err != nil {
		p.t.Fatalf("Send: %v", err)
	}
	return m
}

// offline is a session in a connection that leads nowhere, in the middle of a room.
func offline(t testing.TB) (*session, func()) {
	near, far := net.Pipe()
	account := core.Account{ID: "a1", Realm: "irc.test", Secret: []byte("x")}
	tr, err := newTransport(transporttest.NewHost(t, account), settingsOf(quickConfig))
	if err != nil {
		t.Fatal(err)
	}
	opened, err := tr.Open(account)
	if err != nil {
		t.Fatal(err)
	}
	s := opened.(*session)
	s.link = newLink(near, s.net)
	s.link.closed = true // nothing is written
	s.register()
	if err := s.Join(context.Background(), "#chan", core.Join{Nick: "alice"}); err != nil {
		t.Fatal(err)
	}
	return s, func() {
		near.Close()
		far.Close()
		s.awaitCourier()
	}
}
