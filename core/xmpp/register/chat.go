package register

import (
	"context"
	"strconv"
	"strings"

	"gangway/core"
	"gangway/core/xmpp"
	"gangway/core/xmpp/chat"
	"gangway/core/xmpp/stream"
)

const (
	nsReceipts = "urn:xmpp:receipts"
	nsID       = "urn:xmpp:sid:0"
	nsItems    = "http://jabber.org/protocol/disco#items"
	nsOOB      = "jabber:x:oob"
)

// chatDoor is a chat with the gateway's bare JID: it understands the names and
// numbers of the commands, addresses, and the answers to what it asked.
type chatDoor struct {
	*Desk
	from string      // who speaks
	at   core.Target // and for which network; the zero Target: the gateway
}

var _ xmpp.Handler = chatDoor{}

// reply is what a chat says next.
type reply struct {
	text     string
	menu     []Command        // listed in text, for clients that make buttons of them
	document string           // in messages of its own
	file     *core.Attachment // in a message of its own
	dialog   *dialog          // what the command leaves for afterwards; nil: nothing
}

// Serve implements xmpp.Handler.
func (c chatDoor) Serve(ctx context.Context, w xmpp.Sender, st *stream.Stanza) error {
	if st.Type == "error" {
		return nil
	}
	user, err := c.person(st)
	switch {
	case err != nil:
		return err
	case st.Type == "groupchat":
		return xmpp.NewError("cancel", "service-unavailable", "There is no room at this address.")
	}
	if err := chat.RefuseEncrypted(st); err != nil {
		return err
	}
	text := strings.TrimSpace(st.Body())
	if text == "" {
		return nil // chat states and the like
	}
	v, err := c.visitors.turn(c.visitor(user))
	if err != nil {
		return err
	}
	r := c.answer(ctx, user, v, text)
	if err := w.Write(func(enc *stream.Encoder) { c.write(enc, st, user, r) }); err != nil {
		return err
	}
	return c.writeDocument(ctx, w, user, r.document)
}

// answer is what to say to a text. Nobody else uses v meanwhile.
func (c chatDoor) answer(ctx context.Context, user core.UserID, v *visitor, text string) reply {
	if v.talk != nil {
		if strings.EqualFold(text, "cancel") {
			v.talk = nil
			return reply{text: "Cancelled. Nothing was changed."}
		}
		if cmd, _, ok := c.named(text); !ok || v.talk.fits(text) || c.may(ctx, user, cmd) != nil {
			var r reply
			r, v.talk = v.talk.turn(ctx, text)
			return c.offering(r)
		}
		v.talk = nil // somebody who has had enough of the question
	}
	lapsed := v.lapsed
	v.lapsed = false
	if cmd, arg, ok := c.lookup(ctx, user, text); ok {
		return c.start(ctx, user, v, cmd, arg)
	}
	if err := c.Gateway.Admit(ctx, user); err != nil {
		return reply{text: core.AsError(err).Sentence()}
	}
	switch strings.ToLower(strings.TrimRight(text, "!?.")) {
	case "", "help", "menu", "hi", "hello", "hey", "commands":
		offered := c.offered(ctx, user, c.at, c.list)
		if c.at != (core.Target{}) {
			return reply{text: networkMenu(c.Domain.Network.Place(c.at), offered)}
		}
		return reply{text: menu(c.title(), offered), menu: offered}
	case "cancel":
		return reply{text: "There is nothing to cancel."}
	}
	link, err := c.link(text)
	switch {
	case err != nil && lapsed:
		return reply{text: "You were asked something, and that was too long ago. Nothing was changed. Please begin again."}
	case err != nil:
		return reply{text: core.AsError(err).Sentence() + ` Send "help" to see what can be done here.`}
	}
	return reply{text: link}
}

func (c chatDoor) start(ctx context.Context, user core.UserID, v *visitor, cmd Command, arg string) (r reply) {
	if err := c.may(ctx, user, cmd); err != nil {
		return reply{text: core.AsError(err).Sentence()}
	}
	r, v.talk = beginTalk(ctx, user, cmd.in(c.at), arg)
	return c.offering(r)
}

// offering adds to what ends a command what may be done next.
func (c chatDoor) offering(r reply) reply {
	if r.dialog != nil {
		r.menu = c.afterwards(r.dialog.command, r.dialog.last)
	}
	return r
}

// lookup returns the command that a text names or numbers.
func (c chatDoor) lookup(ctx context.Context, user core.UserID, text string) (cmd Command, arg string, ok bool) {
	if n, err := strconv.Atoi(text); err == nil && len(text) <= 2 && text[0] != '+' {
		if offered := c.offered(ctx, user, c.at, c.list); n >= 1 && n <= len(offered) {
			return offered[n-1], "", true
		}
	}
	return c.named(text)
}

// named returns the command that a text names.
func (c chatDoor) named(text string) (cmd Command, arg string, ok bool) {
	word, arg, _ := strings.Cut(text, " ")
	arg = strings.TrimSpace(arg)
	for _, cmd := range c.list {
		if cmd.has(c.at) && cmd.is(word) && (arg == "" || cmd.Arg != "") {
			return cmd, arg, true
		}
	}
	return Command{}, "", false
}

// write answers st, and says that it was received, if its sender asked.
func (c chatDoor) write(enc *stream.Encoder, st *stream.Stanza, user core.UserID, r reply) {
	if st.ID != "" && st.Child(nsReceipts, "request") != nil {
		enc.Start("message", "", "type", "chat", "from", c.from, "to", st.From)
		enc.Empty("received", nsReceipts, "id", st.ID)
		enc.End()
	}
	thread := st.ChildText("", "thread")
	if len(thread) >= 256 {
		thread = ""
	}
	c.say(enc, user, r.text, func() {
		if thread != "" {
			enc.Leaf("thread", "", thread)
		}
		if r.menu != nil {
			writeCommands(enc, c.Domain.Name, r.menu)
		}
	})
	if r.file != nil {
		c.say(enc, user, r.file.URL, func() { // body and URL equal: XEP-0066, as clients show files
			enc.Start("x", nsOOB)
			enc.Leaf("url", "", r.file.URL)
			enc.End()
		})
	}
}

// say writes one message of the gateway.
func (d *Desk) say(enc *stream.Encoder, user core.UserID, text string, more func()) {
	chatDoor{Desk: d, from: d.Domain.Name}.say(enc, user, text, more)
}

// say writes one message of who speaks here.
func (c chatDoor) say(enc *stream.Encoder, user core.UserID, text string, more func()) {
	id := string(core.NewID())
	enc.Start("message", "", "type", "chat", "from", c.from, "to", string(user), "id", id, "xml:lang", "en")
	enc.Leaf("body", "", text)
	if more != nil {
		more()
	}
	enc.Empty("origin-id", nsID, "id", id)
	enc.End()
}

// writeCommands lists commands beside the text that does, as the answer to a disco
// request has them: Cheogram makes buttons of it.
func writeCommands(enc *stream.Encoder, domain string, list []Command) {
	enc.Start("query", nsItems, "node", NSCommands)
	for _, cmd := range list {
		enc.Empty("item", "", "jid", domain, "node", cmd.Node, "name", cmd.Title)
	}
	enc.End()
}
