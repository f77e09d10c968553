package register

import (
	"context"
	"testing"

	"gangway/core"
	"gangway/core/xmpp"
	"gangway/core/xmpp/edge"
	"gangway/core/xmpp/edge/edgetest"
	"gangway/core/xmpp/stream"
	"gangway/core/xmpp/xmpptest"
)

// commander leaves lists.
type commander struct{}

func (commander) Commands() []core.Command {
	return []core.Command{{Name: "leave", Title: "Leave the list", Arg: "why", Usage: "[WHY]"}}
}

func (commander) Command(_ context.Context, a core.Account, peer core.Address, name string, answers map[string]string) (core.Step, error) {
	if answers["why"] == "never" {
		return core.Step{}, core.E(core.Unsupported, "test: command", "This is no list.")
	}
	return core.Step{Done: true, Text: string(a.ID) + " does " + name + " with " + string(peer) + " " + answers["why"], Document: "a paper"}, nil
}

// conversations sets a stage with a network that has a command, and returns what goes on to the correspondent.
func conversations(t *testing.T) (*xmpptest.Server, *[]string) {
	t.Helper()
	srv, h := xmpptest.New(t), newHall()
	network := edgetest.Network((*edgetest.Plain)(nil))
	network.TransportCaps.Commander = commander{}
	var passed []string
	d := &edge.Domain{Name: "email.gw", Network: network}
	desk := New(Config{Domain: d, Gateway: h, Accounts: h})
	next := contactDoor(func(st *stream.Stanza) { passed = append(passed, string([]byte(st.Body()))) })
	router := xmpp.NewRouter(xmpp.RouterConfig{})
	router.Message(&edge.Switch{Domain: d, Self: desk.Messages(), Contact: desk.Conversations(next)})
	router.IQ("get", xmpp.NSPing, "ping", xmpp.Ping())
	desk.Register(router)
	xmpptest.Start(t, srv, "email.gw", router)
	return srv, &passed
}

// TestCommandInConversation: the network's own commands are typed to a correspondent, after a slash, and everything else
// goes to that one.
func TestCommandInConversation(t *testing.T) {
	srv, passed := conversations(t)
	const bob = `bob\40example.com@email.gw`
	say := func(text string) {
		srv.Send(`<message type='chat' id='c1' from='` + alice + `/phone' to='` + bob + `'><body>` + text + `</body></message>`)
	}
	hear := func(text string) {
		t.Helper()
		srv.Expect(`<message type='chat' id='*' from='` + bob + `' to='` + alice + `'><body>` + text + `</body></message>`)
	}
	say("/leave at once")
	hear("a1 does leave with bob@example.com at once")
	hear("a paper")
	say("/Leave never")
	hear("This is no list.")
	for _, text := range []string{"leave", "/leaves", "/help", "please /leave"} {
		say(text)
	}
	say("/leave")
	hear("a1 does leave with bob@example.com ")
	hear("a paper")
	if len(*passed) != 4 {
		t.Errorf("passed on: %q", *passed)
	}
}

// TestCommandFormInConversation: the same as an ad-hoc command of the correspondent, and not of the gateway.
func TestCommandFormInConversation(t *testing.T) {
	srv, _ := conversations(t)
	ask := func(id, to string) *stream.Stanza {
		srv.Send(`<iq type='set' id='` + id + `' from='` + alice + `/phone' to='` + to + `'><command xmlns='` + NSCommands + `' node='leave' action='execute'/></iq>`)
		return srv.Next()
	}
	command := ask("1", `bob\40example.com@email.gw`).Child(NSCommands, "command")
	if command == nil || command.Attr("status") != "completed" {
		t.Errorf("%v", command)
	}
	if got := failed(ask("2", "email.gw")); got != "cancel item-not-found" {
		t.Errorf("at the gateway: %q", got)
	}
}
