package register

import (
	"context"
	"slices"

	"gangway/core"
	"gangway/core/xmpp"
	"gangway/core/xmpp/addr"
	"gangway/core/xmpp/disco"
	"gangway/core/xmpp/form"
	"gangway/core/xmpp/stream"
)

// Namespaces of the doors.
const (
	NSRegister = "jabber:iq:register"
	NSGateway  = "jabber:iq:gateway"
	NSCommands = "http://jabber.org/protocol/commands"

	nsMUCUser = "http://jabber.org/protocol/muc#user"

	// featureEscaping (XEP-0106 section 7) has clients write an address as our JIDs
	// have it, where they do not ask.
	featureEscaping = `jid\20escaping`
)

// Desk is where a domain's commands are asked for, through whichever door.
type Desk struct {
	commands
	list     []Command
	visitors visitors
	sessions sessions
}

// New makes the desk of a domain. It starts nothing.
func New(cfg Config) *Desk {
	cfg = cfg.withDefaults()
	return &Desk{
		commands: commands{cfg}, list: Commands(cfg), visitors: newVisitors(cfg.Now), sessions: newSessions(cfg.Now),
	}
}

// Messages returns the handler of chat messages to the domain.
func (d *Desk) Messages() xmpp.Handler { return chatDoor{Desk: d, from: d.Domain.Name} }

// Register registers the requests that the doors for forms answer.
func (d *Desk) Register(r *xmpp.Router) {
	r.IQ("get", NSRegister, "query", d.orRoom(formDoor{d}))
	r.IQ("set", NSRegister, "query", d.orRoom(formDoor{d}))
	r.IQ("set", NSCommands, "command", commandDoor{d})
	r.IQ("get", NSGateway, "query", promptDoor{d})
	r.IQ("set", NSGateway, "query", promptDoor{d})
}

// orRoom leaves to the rooms what is to one of them, or to a correspondent.
func (d *Desk) orRoom(next xmpp.Handler) xmpp.Handler {
	if d.Rooms == nil {
		return next
	}
	return xmpp.HandlerFunc(func(ctx context.Context, w xmpp.Sender, st *stream.Stanza) error {
		if to, err := addr.Parse(st.To); err == nil && to.Local() != "" {
			return d.Rooms.Serve(ctx, w, st)
		}
		return next.Serve(ctx, w, st)
	})
}

// Features are what the domain has by its doors, for disco.Config.Features.
func (d *Desk) Features() []string {
	return []string{NSRegister, NSGateway, NSCommands, form.NS, featureEscaping}
}

// Nodes answer for the list of commands and for each of them, for
// disco.Config.Nodes.
func (d *Desk) Nodes() map[string]disco.Answerer {
	nodes := map[string]disco.Answerer{NSCommands: listNode{d}}
	for _, cmd := range d.list {
		if !cmd.Short {
			nodes[cmd.Node] = commandNode{d, cmd}
		}
	}
	return nodes
}

// node returns the command of a node at a place.
func (d *Desk) node(name string, at core.Target) (Command, bool) {
	for _, cmd := range d.list {
		if cmd.Node == name && !cmd.Short && cmd.has(at) {
			return cmd, true
		}
	}
	return Command{}, false
}

// serves reports whether anything can be asked for at a place.
func (d *Desk) serves(at core.Target) bool {
	return slices.ContainsFunc(d.list, func(cmd Command) bool { return cmd.has(at) })
}

// person is who a request to the domain is from. Only a person's own account may
// ask for anything here, and not from inside a room.
func (d *Desk) person(st *stream.Stanza) (core.UserID, error) {
	user, _, err := d.Domain.User(st.From)
	if err == nil && st.Child(nsMUCUser, "x") != nil {
		err = core.E(core.Denied, "register: sender", "Please write from your own address, not from inside a room.")
	}
	return user, err
}

// request is person for an IQ, which must be to the domain itself; it counts.
func (d *Desk) request(st *stream.Stanza) (core.UserID, error) {
	if to, err := addr.Parse(st.To); err != nil || to.Local() != "" {
		return "", xmpp.NewError("cancel", "service-unavailable", "Only the gateway itself can be asked that.")
	}
	return d.asker(st)
}

// place is what a command is to: the gateway, a network, a room or a correspondent. What is in a room is asked nothing.
func (d *Desk) place(st *stream.Stanza) (core.Target, error) {
	to, err := addr.Parse(st.To)
	if err != nil {
		return core.Target{}, xmpp.NewError("modify", "jid-malformed", "That address could not be read.")
	}
	if to.Local() == "" {
		return core.Target{}, nil
	}
	t, err := d.Domain.Target(to.Local())
	switch {
	case err != nil:
		return t, misunderstood(err)
	case t.Room && to.Resource() != "":
		return t, xmpp.NewError("cancel", "feature-not-implemented", "Who is in a room cannot be asked that.")
	case t.Address == "":
		return t, nil
	}
	return t, d.Domain.Canonical(to, t)
}

// asker is who a request is from; it counts.
func (d *Desk) asker(st *stream.Stanza) (core.UserID, error) {
	user, err := d.person(st)
	if err != nil {
		return "", &xmpp.Error{Type: "cancel", Condition: "not-allowed", Text: core.AsError(err).Sentence(), Err: err}
	}
	return user, d.visitors.request(user)
}
