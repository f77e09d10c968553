package register

import (
	"context"
	"strconv"
	"strings"
	"sync"
	"time"

	"gangway/core"
	"gangway/core/xmpp"
	"gangway/core/xmpp/chat"
	"gangway/core/xmpp/stream"
)

const (
	talkFor   = 15 * time.Minute // an unfinished conversation is forgotten after
	maxPeople = 10_000           // who spoke within that time
	maxTurns  = 30               // answers to one user in a minute: two machines may be talking
)

const (
	nsMUCUser  = "http://jabber.org/protocol/muc#user"
	nsReceipts = "urn:xmpp:receipts"
	nsID       = "urn:xmpp:sid:0"
)

// Chat is the door that a chat with the gateway's bare JID is: it understands
// the names and numbers of the commands, addresses, and the answers to what it
// asked. It implements xmpp.Handler for messages to the domain.
type Chat struct {
	commands commands
	list     []Command
	now      func() time.Time

	mu     sync.Mutex
	people map[core.UserID]*person
}

var _ xmpp.Handler = (*Chat)(nil)

// person is somebody who spoke a short while ago.
type person struct {
	talk  *talk // nil: in no conversation
	last  time.Time
	since time.Time // of turns
	turns int       // answers since then
}

// NewChat makes the door to the commands of a domain. It starts nothing.
func NewChat(cfg Config) *Chat {
	return &Chat{
		commands: commands{cfg}, list: Commands(cfg), now: time.Now, people: map[core.UserID]*person{},
	}
}

// Serve implements xmpp.Handler.
func (c *Chat) Serve(ctx context.Context, w xmpp.Sender, st *stream.Stanza) error {
	if st.Type == "error" {
		return nil
	}
	user, _, err := c.commands.Domain.User(st.From)
	switch {
	case err != nil:
		return err
	case st.Type == "groupchat":
		return xmpp.NewError("cancel", "service-unavailable", "There is no room at this address.")
	case st.Child(nsMUCUser, "x") != nil:
		return core.E(core.Denied, "register: chat", "Please write from your own address, not from inside a room.")
	}
	if err := chat.RefuseEncrypted(st); err != nil {
		return err
	}
	text := strings.TrimSpace(st.Body())
	if text == "" {
		return nil // chat states and the like
	}
	p, err := c.enter(user)
	if err != nil {
		return err
	}
	reply := c.answer(ctx, user, p, text)
	return w.Write(func(enc *stream.Encoder) { c.write(enc, st, user, reply) })
}

// enter finds or makes the person, and counts their turn.
func (c *Chat) enter(user core.UserID) (*person, error) {
	now := c.now()
	c.mu.Lock()
	defer c.mu.Unlock()
	p := c.people[user]
	if p == nil {
		if c.forget(now); len(c.people) >= maxPeople {
			return nil, core.E(core.OverLimit, "register: chat", "")
		}
		p = &person{since: now}
		c.people[user] = p
	}
	if now.Sub(p.last) >= talkFor {
		p.talk = nil
	}
	if now.Sub(p.since) >= time.Minute {
		p.since, p.turns = now, 0
	}
	p.last = now
	if p.turns++; p.turns > maxTurns {
		return nil, core.E(core.OverLimit, "register: chat", "That was a lot of messages. Please wait a minute.")
	}
	return p, nil
}

// forget drops whoever has been silent for long, when the table is full. The
// lock is held.
func (c *Chat) forget(now time.Time) {
	if len(c.people) < maxPeople {
		return
	}
	for u, p := range c.people {
		if now.Sub(p.last) >= talkFor {
			delete(c.people, u)
		}
	}
}

// answer is what to say to a text. Nobody else uses p meanwhile: a sender's
// stanzas are served one after the other.
func (c *Chat) answer(ctx context.Context, user core.UserID, p *person, text string) (reply string) {
	if !c.commands.Gateway.Allowed(user) {
		p.talk = nil
		return "This gateway is not open to your address. Please ask its administrator."
	}
	if p.talk != nil {
		if strings.EqualFold(text, "cancel") {
			p.talk = nil
			return "Cancelled. Nothing was changed."
		}
		reply, p.talk = p.talk.turn(ctx, user, text)
		return reply
	}
	if cmd, arg, ok := c.find(text); ok {
		reply, p.talk = begin(ctx, user, cmd, arg)
		return reply
	}
	switch strings.ToLower(strings.TrimRight(text, "!?.")) {
	case "", "help", "menu", "hi", "hello", "hey":
		return menu(c.commands.title(), c.list)
	case "cancel":
		return "There is nothing to cancel."
	}
	link, err := c.commands.link(text)
	if err != nil {
		return core.AsError(err).Sentence() + ` Send "help" to see what can be done here.`
	}
	return link
}

// find returns the command that a text names or numbers.
func (c *Chat) find(text string) (cmd Command, arg string, ok bool) {
	if n, err := strconv.Atoi(text); err == nil && n >= 1 && n <= len(c.list) && len(text) == 1 {
		return c.list[n-1], "", true
	}
	word, arg, _ := strings.Cut(text, " ")
	arg = strings.TrimSpace(arg)
	for _, cmd := range c.list {
		if strings.EqualFold(strings.TrimPrefix(word, "/"), cmd.Name) && (arg == "" || cmd.Arg != "") {
			return cmd, arg, true
		}
	}
	return Command{}, "", false
}

// write answers st, and says that it was received, if its sender asked.
func (c *Chat) write(enc *stream.Encoder, st *stream.Stanza, user core.UserID, reply string) {
	domain := c.commands.Domain.Name
	if st.ID != "" && st.Child(nsReceipts, "request") != nil {
		enc.Start("message", "", "type", "chat", "from", domain, "to", st.From)
		enc.Empty("received", nsReceipts, "id", st.ID)
		enc.End()
	}
	id := string(core.NewID())
	enc.Start("message", "", "type", "chat", "from", domain, "to", string(user), "id", id)
	enc.Leaf("body", "", reply)
	if thread := st.ChildText("", "thread"); thread != "" && len(thread) < 256 {
		enc.Leaf("thread", "", thread)
	}
	enc.Empty("origin-id", nsID, "id", id)
	enc.End()
}
