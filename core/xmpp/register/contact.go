package register

import (
	"context"

	"gangway/core"
	"gangway/core/xmpp/edge"
)

// add answers an address with the link to its JID.
func (c commands) add(_ context.Context, r Request) (core.Step, error) {
	ask := core.Step{
		Title: c.title(), Text: "Which address?",
		Fields: []core.Field{{Name: "address", Label: "Address", Required: true}},
	}
	text, ok := r.Answers["address"]
	if !ok {
		return ask, nil
	}
	link, err := c.link(text)
	if err != nil {
		ask.Text = core.AsError(err).Sentence()
		return ask, nil
	}
	return c.done(link), nil
}

// link answers what may be an address with its canonical form and a link.
func (c commands) link(text string) (string, error) {
	t, err := c.Domain.Understand(text)
	if err != nil {
		return "", err
	}
	jid, err := c.Domain.JID(t.Realm, t.Address, t.Room)
	if err != nil {
		return "", err
	}
	action := "message"
	if t.Room {
		action = "join"
	}
	return c.Domain.Network.Transport.Format(t) + " is " + edge.URI(jid, action), nil
}
