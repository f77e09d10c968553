package register

import (
	"context"
	"strings"

	"gangway/core"
	"gangway/core/xmpp"
	"gangway/core/xmpp/edge"
	"gangway/core/xmpp/stream"
)

// ofConversations are the commands that the network itself has, about a conversation on it.
func (c commands) ofConversations() []Command {
	commander := c.Domain.Network.TransportCaps.Commander
	if commander == nil {
		return nil
	}
	var all []Command
	for _, cmd := range commander.Commands() {
		all = append(all, Command{
			Name: cmd.Name, Node: cmd.Name, Title: cmd.Title, Arg: cmd.Arg, Usage: cmd.Usage, Places: core.WithPerson,
			Run: func(ctx context.Context, r Request) (core.Step, error) {
				a, err := c.Gateway.Speaker(ctx, r.User, c.network(), r.At)
				if err != nil {
					return core.Step{}, err
				}
				return commander.Command(ctx, a, r.At.Address, cmd.Name, r.Answers)
			},
		})
	}
	return all
}

// Conversations is a chat with a correspondent: the network's own commands, each after a slash, are for the desk, and
// everything else is for next.
func (d *Desk) Conversations(next edge.Handler) edge.Handler { return conversationDoor{d, next} }

type conversationDoor struct {
	*Desk
	next edge.Handler
}

// ServeTarget implements edge.Handler.
func (n conversationDoor) ServeTarget(ctx context.Context, w xmpp.Sender, st *stream.Stanza, t core.Target) error {
	if core.PlaceOf(t) != core.WithPerson || st.Type == "error" || st.Type == "groupchat" {
		return n.next.ServeTarget(ctx, w, st, t)
	}
	jid, err := n.Domain.JID(t.Realm, t.Address, false)
	if err != nil {
		return err
	}
	door := chatDoor{Desk: n.Desk, from: jid, at: t}
	cmd, _, ok := door.named(strings.TrimSpace(st.Body()))
	if !ok || cmd.Places != core.WithPerson || !strings.HasPrefix(strings.TrimSpace(st.Body()), "/") {
		return n.next.ServeTarget(ctx, w, st, t)
	}
	return door.Serve(ctx, w, st)
}
