package muc

import (
	"context"
	"strings"

	"gangway/core"
	"gangway/core/xmpp"
	"gangway/core/xmpp/form"
	"gangway/core/xmpp/stream"
)

const (
	nsRegister = "jabber:iq:register"
	nsNickForm = NSMuc + "#register"
	varNick    = "muc#register_roomnick"
)

// Registration handles requests to register a nick with a room (XEP-0045 section 7.10). The nick that one has is one's
// own already, in all rooms of the network; to register another is to change it.
func (h *Handler) Registration() xmpp.Handler { return xmpp.HandlerFunc(h.registration) }

func (h *Handler) registration(ctx context.Context, w xmpp.Sender, st *stream.Stanza) error {
	c, err := h.occupied(ctx, w, st)
	if err != nil {
		return err
	}
	query := st.Child(nsRegister, "query")
	switch {
	case st.Type == "get":
		return h.nickname(c)
	case query.Child("", "remove") != nil:
		return xmpp.NewError("cancel", "not-allowed", "Your nick is yours for as long as you are connected to the network. You can choose another.")
	}
	nick, err := chosenNick(query)
	if err != nil {
		return err
	}
	if nick != "" && !c.room.is(nick) {
		if err := h.renamed(ctx, c, nick); err != nil {
			return refusalOf(err, true)
		}
	}
	return xmpp.Result(w, st, nil)
}

// nickname answers with the nick that one has.
func (h *Handler) nickname(c *call) error {
	_, me := c.room.present()
	nick := h.rooms.resource(me.Nick)
	const about = "This is your nick in all rooms of the network. Another one that you give is your nick from then on, if nobody has it."
	f := form.Form{
		Type: "form", FormType: nsNickForm, Title: roomName(c.target), Instructions: about,
		Fields: []form.Field{{Var: varNick, Type: "text-single", Label: "Nick", Values: []string{nick}, Required: true}},
	}
	return xmpp.Result(c.w, c.st, func(enc *stream.Encoder) {
		enc.Start("query", nsRegister)
		enc.Empty("registered", "")
		enc.Leaf("instructions", "", about)
		enc.Leaf("username", "", nick)
		f.Write(enc)
		enc.End()
	})
}

// chosenNick is the nick that a request asks for; empty for a form that was cancelled.
func chosenNick(query *stream.Element) (string, error) {
	nick := orElse(query.ChildText("", "username"), query.ChildText("", "nick"))
	if x := form.Find(query); x != nil {
		chosen, err := form.Parse(x)
		switch {
		case err != nil:
			return "", xmpp.NewError("modify", "bad-request", "The form could not be read.")
		case chosen.Canceled:
			return "", nil
		}
		nick = chosen.Get(varNick)
	}
	if nick = strings.TrimSpace(nick); nick == "" || len(nick) > maxResource {
		return "", xmpp.NewError("modify", "not-acceptable", "Say which nick you want.")
	}
	return strings.Clone(nick), nil
}

// renamed asks for another nick, and waits for the network's answer.
func (h *Handler) renamed(ctx context.Context, c *call, resource string) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	done := make(chan error, 1)
	c.room.await(c.origin, pending{asked: resource, done: done})
	err := h.with(ctx, c.account, func(caps core.Caps) error {
		return caps.Rooms.Rename(ctx, c.target.Address, c.room.wanted(resource), c.origin)
	})
	if err != nil {
		c.room.answered(c.origin)
		return err
	}
	select {
	case err := <-done:
		return err
	case <-ctx.Done(): // an answer that comes too late is taken all the same, and told to nobody
		return core.E(core.Unavailable, "muc: register", "The network has not answered in time.")
	}
}
