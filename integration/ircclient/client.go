// Package ircclient is a tiny IRC client: the people on the other side in Gangway's tests and demo, and a judge of what
// the gateway says there. It shares no code with the gateway's own.
//
// A Client has one goroutine, started by Dial and ended by Close, which answers PING and reads lines into a journal.
// Wait takes them from there, so it cannot miss what came before the call, and never gives one line twice.
package ircclient

import (
	"bufio"
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"time"

	"gangway/integration/client/journal"
)

const (
	dialTimeout  = 30 * time.Second
	writeTimeout = 30 * time.Second
	maxLine      = 64 << 10
)

// Config says who the client is.
type Config struct {
	Nick string
	User string      // Nick when empty
	Real string      // Nick when empty
	Pass string      // PASS, if any
	TLS  *tls.Config // nil: plain
	Caps []string    // IRCv3 capabilities; Dial fails when the server refuses them
}

// Client is one connection, registered. Its methods may be called from several goroutines.
type Client struct {
	conn    net.Conn
	journal journal.Journal[Line]
	done    chan struct{}

	mu   sync.Mutex // held while writing; guards nick
	nick string
}

// Dial connects and registers; it returns after the server's welcome. The caller closes it. A nick that is taken, a
// refused capability or a closed link is an error with the server's own line.
func Dial(ctx context.Context, addr string, conf Config) (*Client, error) {
	ctx, cancel := context.WithTimeout(ctx, dialTimeout)
	defer cancel()
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", addr)
	if err != nil {
		return nil, err
	}
	if conf.TLS != nil {
		secure := tls.Client(conn, conf.TLS)
		if err := secure.HandshakeContext(ctx); err != nil {
			return nil, errors.Join(fmt.Errorf("irc %s: %w", addr, err), conn.Close())
		}
		conn = secure
	}
	c := &Client{conn: conn, nick: conf.Nick, done: make(chan struct{})}
	go c.read()
	if err := c.register(ctx, conf); err != nil {
		return nil, errors.Join(fmt.Errorf("irc %s as %s: %w", addr, conf.Nick, err), c.Close())
	}
	return c, nil
}

func (c *Client) register(ctx context.Context, conf Config) error {
	if len(conf.Caps) > 0 {
		if err := c.Send("CAP REQ :" + strings.Join(conf.Caps, " ")); err != nil {
			return err
		}
	}
	if conf.Pass != "" {
		if err := c.Send("PASS " + conf.Pass); err != nil {
			return err
		}
	}
	user, realName := cmp.Or(conf.User, conf.Nick), cmp.Or(conf.Real, conf.Nick)
	if err := errors.Join(c.Send("NICK "+conf.Nick), c.Send("USER "+user+" 0 * :"+realName)); err != nil {
		return err
	}
	if len(conf.Caps) > 0 {
		l, err := c.Wait(ctx, func(l Line) bool { return l.Command == "CAP" && (l.Param(1) == "ACK" || l.Param(1) == "NAK") })
		if err != nil {
			return err
		}
		if l.Param(1) == "NAK" {
			return errors.New("capabilities refused: " + l.Raw)
		}
		if err := c.Send("CAP END"); err != nil {
			return err
		}
	}
	l, err := c.Wait(ctx, func(l Line) bool {
		return l.Command == "001" || l.Command == "ERROR" || l.Command >= "431" && l.Command <= "437" || l.Command >= "461" && l.Command <= "465"
	})
	if err != nil {
		return err
	}
	if l.Command != "001" {
		return errors.New(l.Raw)
	}
	return nil
}

// read fills the journal until the connection ends.
func (c *Client) read() {
	defer close(c.done)
	lines := bufio.NewScanner(c.conn)
	lines.Buffer(make([]byte, 0, 1024), maxLine)
	for lines.Scan() {
		l, err := Parse(lines.Text())
		if err != nil {
			continue // an empty line says nothing (RFC 2812, section 2.3)
		}
		l.At = time.Now()
		c.note(l)
		c.journal.Append(l)
	}
	err := lines.Err()
	if err == nil {
		err = io.EOF
	}
	c.journal.Close(fmt.Errorf("irc connection of %s: %w", c.Nick(), err))
}

// note does what a client does by itself: it answers PING and learns its own nick. A write that fails shows as the end
// of the reading.
func (c *Client) note(l Line) {
	switch l.Command {
	case "PING":
		_ = c.Send("PONG :" + l.Last())
	case "001":
		c.setNick(l.Param(0))
	case "NICK":
		if l.Nick() == c.Nick() {
			c.setNick(l.Last())
		}
	}
}

// Nick is the client's nick as the server knows it.
func (c *Client) Nick() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.nick
}

func (c *Client) setNick(nick string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.nick = nick
}

// Send writes a raw line, which must not hold CR, LF or NUL; the line's end is added.
func (c *Client) Send(line string) error {
	if strings.ContainsAny(line, "\r\n\x00") {
		return fmt.Errorf("irc line %q holds CR, LF or NUL", line)
	}
	return c.write(line + "\r\n")
}

// SendRaw writes bytes as they are, for tests of what servers make of them.
func (c *Client) SendRaw(raw string) error { return c.write(raw) }

func (c *Client) write(raw string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := c.conn.SetWriteDeadline(time.Now().Add(writeTimeout)); err != nil {
		return err
	}
	_, err := io.WriteString(c.conn, raw)
	return err
}

// Join enters a channel and returns when its list of names is complete (366), or with the server's refusal.
func (c *Client) Join(ctx context.Context, channel string) error {
	if err := c.Send("JOIN " + channel); err != nil {
		return err
	}
	l, err := c.Wait(ctx, func(l Line) bool {
		return strings.EqualFold(l.Param(1), channel) && (l.Command == "366" || l.Command == "403" || l.Command == "405" ||
			l.Command == "437" || l.Command >= "471" && l.Command <= "477")
	})
	if err != nil {
		return fmt.Errorf("join %s: %w", channel, err)
	}
	if l.Command != "366" {
		return fmt.Errorf("join %s: %s", channel, l.Raw)
	}
	return nil
}

// Privmsg says text to a channel or a person.
func (c *Client) Privmsg(target, text string) error { return c.Send("PRIVMSG " + target + " :" + text) }

// Sync returns when the server has handled everything sent before: it answers PING in order.
func (c *Client) Sync(ctx context.Context) error {
	token := fmt.Sprintf("s%x", time.Now().UnixNano())
	if err := c.Send("PING :" + token); err != nil {
		return err
	}
	_, err := c.Wait(ctx, func(l Line) bool { return l.Command == "PONG" && l.Last() == token })
	return err
}

// Wait returns the oldest line that matches and that was not handed out before, whether it has come already or is
// still to come. Lines that do not match stay for later calls.
func (c *Client) Wait(ctx context.Context, match func(Line) bool) (Line, error) {
	l, err := c.journal.Wait(ctx, match)
	if err != nil {
		return Line{}, fmt.Errorf("irc %s: %w", c.Nick(), err)
	}
	return l, nil
}

// Take is Wait for a line that must have come already.
func (c *Client) Take(match func(Line) bool) (Line, bool) { return c.journal.Take(match) }

// Log is everything that came in, in order, whether handed out or not.
func (c *Client) Log() []Line { return c.journal.All() }

// Done is closed when the connection has ended.
func (c *Client) Done() <-chan struct{} { return c.done }

// Close says QUIT, closes the connection and waits for the reader.
func (c *Client) Close() error {
	_ = c.Send("QUIT :bye") // the server may be gone
	return c.Abort()
}

// Abort closes the connection without a word, as a client that loses its network does.
func (c *Client) Abort() error {
	err := c.conn.Close()
	<-c.done
	if errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}

// Said matches a PRIVMSG of that text to target by nick; an empty nick stands for anybody.
func Said(nick, target, text string) func(Line) bool {
	return func(l Line) bool {
		return l.Command == "PRIVMSG" && (nick == "" || strings.EqualFold(l.Nick(), nick)) &&
			strings.EqualFold(l.Param(0), target) && l.Last() == text
	}
}

// Command matches every line with that command.
func Command(command string) func(Line) bool {
	return func(l Line) bool { return l.Command == command }
}
