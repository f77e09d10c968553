package email

import (
	"context"
	"errors"
	"strings"

	"gangway/core"
	"gangway/transports/email/unsubscribe"
)

// The commands of a conversation.
const (
	originalCommand    = "original"
	unsubscribeCommand = "unsubscribe"
)

var _ core.Commander = (*transport)(nil)

// Commands implements core.Commander.
func (t *transport) Commands() []core.Command {
	return []core.Command{
		{Name: originalCommand, Title: "Show the whole of the last mail, or of the one of a number", Arg: "which", Usage: "[NUMBER]"},
		{Name: unsubscribeCommand, Title: "Leave the mailing list, or get no more of these newsletters"},
	}
}

// Command implements core.Commander.
func (t *transport) Command(ctx context.Context, a core.Account, peer core.Address, name string, answers map[string]string) (core.Step, error) {
	switch name {
	case originalCommand:
		return t.original(ctx, a, peer, strings.TrimSpace(answers["which"]))
	case unsubscribeCommand:
		return t.unsubscribe(ctx, a, peer)
	}
	return core.Step{}, core.E(core.NotFound, "email: command", "There is no such command here.")
}

// unsubscribe leaves the list that a conversation is: with one click, or with a mail; else it says where a person can.
func (t *transport) unsubscribe(ctx context.Context, a core.Account, peer core.Address) (core.Step, error) {
	list, err := t.lately(ctx, latelyKey(a.ID, peer))
	if err != nil {
		return core.Step{}, err
	}
	ways := list.Leave
	if ways.OneClick {
		err := ways.Post(ctx, t.dialWeb())
		if err == nil {
			return left("You are unsubscribed."), nil
		}
		t.host.Logger().Info("one click did not unsubscribe", "account", a.ID, "err", err)
	}
	if letter, ok := ways.Letter(); ok {
		err := t.leaveByMail(ctx, a, letter)
		if err == nil {
			return left("A mail that unsubscribes you is on its way. The list may ask you to confirm it."), nil
		}
		if ways.Page == "" {
			return core.Step{}, err
		}
		t.host.Logger().Info("no mail to unsubscribe", "account", a.ID, "err", err)
	}
	if ways.Page != "" {
		return left("To unsubscribe, open this page: " + ways.Page), nil
	}
	return core.Step{}, core.E(core.NotFound, "email: unsubscribe",
		`Nothing that came here says how to unsubscribe. To hear nothing more, block this contact.`)
}

func left(text string) core.Step { return core.Step{Done: true, Text: text} }

// leaveByMail sends what a list wants to be written.
func (t *transport) leaveByMail(ctx context.Context, a core.Account, letter unsubscribe.Letter) error {
	to, err := parseAddress(letter.To)
	if err != nil {
		return core.Wrap(core.Invalid, "email: unsubscribe", errors.New("the list's address is not valid"))
	}
	s, err := t.Open(a)
	if err != nil {
		return err
	}
	_, err = s.Send(ctx, &core.Message{
		Ref: core.Ref{Account: a.ID, Peer: to.address()}, IDs: core.IDs{ID: core.NewID()}, Mine: true, At: t.now(),
		Subject: letter.Subject, Text: letter.Text,
	})
	return err
}
