package main

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"gangway/core/xmpp/stream"
)

const (
	ircStall       = 30 * time.Second // how long nothing may happen
	ircJoinsAtOnce = 20               // joins that may be on their way
)

// ircStage is one gateway between the two servers.
type ircStage struct {
	ircKind
	ctx   context.Context
	host  *ircHost
	net   *ircNet
	child *ircChild

	close func()
}

// newIRCStage starts the servers and the gateway, and returns when it is connected to the XMPP server.
func newIRCStage(o ircOptions, kind ircKind, caps ...string) (*ircStage, error) {
	ctx, cancel := context.WithTimeout(context.Background(), ircWithin)
	s := &ircStage{ircKind: kind, ctx: ctx, net: newIRCNet(caps...)}
	var hosting sync.WaitGroup
	s.close = func() {
		if s.child != nil {
			s.child.end(syscall.SIGTERM)
		}
		cancel()
		if s.net.listener != nil {
			s.net.stop()
		}
		hosting.Wait()
	}
	var err error
	if s.host, err = newIRCHost(ctx); err != nil {
		s.close()
		return nil, err
	}
	hosting.Go(func() { s.host.run(ctx) })
	if err := s.net.start(ctx); err != nil {
		s.close()
		return nil, err
	}
	dir, err := os.MkdirTemp(o.dir, kind.name)
	if err != nil {
		s.close()
		return nil, err
	}
	cmd, err := kind.command(dir, s.host.listener.Addr().String(), s.net.name)
	if err != nil {
		s.close()
		return nil, err
	}
	if s.child, err = startChild(cmd); err != nil {
		s.close()
		return nil, err
	}
	select {
	case <-s.host.linked:
		if kind.prepare == nil {
			return s, nil
		}
		if err = kind.prepare(s); err == nil {
			return s, nil
		}
	case <-s.child.done:
		err = fmt.Errorf("%s has ended: %w: %s", kind.name, s.child.err, s.child.lastWords())
	case <-ctx.Done():
		err = ctx.Err()
	}
	s.close()
	return nil, err
}

// room is a channel's address on the XMPP side.
func (s *ircStage) room(channel string) string { return channel + "%" + s.net.name + "@" + ircDomain }

func loadUser(i int) string { return "user" + strconv.Itoa(i) }
func loadJID(i int) string  { return loadUser(i) + "@example.org/phone" }

// enter sends a join without waiting for it.
func (s *ircStage) enter(i int, channel string) error {
	return s.host.write([]byte("<presence from='" + loadJID(i) + "' to='" + s.room(channel) + "/" + loadUser(i) + "' id='j" +
		strconv.Itoa(i) + "'><x xmlns='http://jabber.org/protocol/muc'><history maxstanzas='0'/></x></presence>"))
}

// joinAll has users from..to-1 enter a channel, some at a time, and returns when all are in.
func (s *ircStage) joinAll(from, to int, channel func(i int) string) error {
	base := s.host.joined.Load() - int64(from)
	in := func() int64 { return s.host.joined.Load() - base }
	for i := from; i < to; i++ {
		if err := s.enter(i, channel(i)); err != nil {
			return err
		}
		if err := s.awaitJoins(in, int64(i-ircJoinsAtOnce)); err != nil {
			return err
		}
	}
	return s.awaitJoins(in, int64(to))
}

// awaitJoins returns when so many are in, or with the reason why they will not be.
func (s *ircStage) awaitJoins(in func() int64, want int64) error {
	last, moved := in(), time.Now()
	for last < want {
		select {
		case <-time.After(time.Millisecond):
		case <-s.child.done:
			return fmt.Errorf("%s has ended: %w", s.name, s.child.err)
		case <-s.ctx.Done():
			return fmt.Errorf("%s: %d of %d are in: %w", s.name, last, want, s.ctx.Err())
		}
		if why := s.host.refused.Load(); why != nil {
			return fmt.Errorf("%s: %d of %d are in, one is refused: %s", s.name, last, want, *why)
		}
		if now := in(); now > last {
			last, moved = now, time.Now()
		} else if time.Since(moved) > ircStall {
			return fmt.Errorf("%s: %d of %d are in, and no more came for %v; on IRC there are %d joins; it says: %s",
				s.name, last, want, ircStall, s.net.joins.Load(), s.child.lastWords())
		}
	}
	return nil
}

// ask sends a request of the first user's and hands out the answer.
func (s *ircStage) ask(id, kind, to, payload string) (*stream.Stanza, error) {
	answers := make(chan *stream.Stanza, 1)
	heard := func(st *stream.Stanza) {
		if st.Kind == stream.IQ && st.ID == id {
			answers <- st.Clone()
		}
	}
	s.host.heard.Store(&heard)
	defer s.host.heard.Store(nil)
	err := s.host.write([]byte("<iq type='" + kind + "' id='" + id + "' from='" + loadJID(0) + "' to='" + to + "'>" + payload + "</iq>"))
	if err != nil {
		return nil, err
	}
	select {
	case st := <-answers:
		if st.Type != "result" {
			return nil, fmt.Errorf("%s: %s", s.name, st)
		}
		return st, nil
	case <-s.ctx.Done():
		return nil, fmt.Errorf("%s does not answer: %w", s.name, s.ctx.Err())
	}
}

// until waits for something that is about to be so.
func (s *ircStage) until(what string, so func() bool) error {
	for !so() {
		select {
		case <-time.After(time.Millisecond):
		case <-s.child.done:
			return fmt.Errorf("%s: %s has ended: %w", what, s.name, s.child.err)
		case <-s.ctx.Done():
			return fmt.Errorf("%s, %s: %w", s.name, what, s.ctx.Err())
		}
	}
	return nil
}

// groupchat is a message of a user to a channel.
func (s *ircStage) groupchat(i int, channel, id, text string) []byte {
	return []byte("<message type='groupchat' from='" + loadJID(i) + "' to='" + s.room(channel) + "' id='" + id + "'><body>" + text +
		"</body><origin-id xmlns='urn:xmpp:sid:0' id='" + id + "'/></message>")
}

// credit is how many messages may be on their way: taken by the sender, given back by the receiver.
type credit struct {
	sent, got atomic.Int64
	window    int64
	freed     chan struct{}
}

func newCredit(window int) *credit {
	return &credit{window: int64(window), freed: make(chan struct{}, 1)}
}

func (c *credit) give(n int) {
	c.got.Add(int64(n))
	select {
	case c.freed <- struct{}{}:
	default:
	}
}

// take waits until there is room for n more.
func (c *credit) take(s *ircStage, n int) error {
	for c.sent.Load()+int64(n)-c.got.Load() > c.window {
		select {
		case <-c.freed:
		case <-s.child.done:
			return fmt.Errorf("%s has ended: %w", s.name, s.child.err)
		case <-time.After(ircStall):
			return fmt.Errorf("%s: %d of %d messages came, and no more", s.name, c.got.Load(), c.sent.Load())
		}
	}
	c.sent.Add(int64(n))
	return nil
}

// loadText is what people say: 60 bytes or so, each line another.
func loadText(i int) string {
	return "line " + strconv.Itoa(i) + ": the quick brown fox jumps over the lazy dog & others"
}

func xmlText(s string) string { return strings.ReplaceAll(s, "&", "&amp;") }
