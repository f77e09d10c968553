package register

import (
	"context"
	"fmt"
	"time"

	"gangway/core"
)

// Window is what users have written that is held for a moment: see
// core.Gateway.
type Window interface {
	Waiting(ctx context.Context, user core.UserID, network string) ([]*core.Item, error)
	SendNow(ctx context.Context, a core.Account, peer core.Address) (lines int, err error)
}

// ofWindow is the command that lets go what is held.
func (c commands) ofWindow() []Command {
	if c.Window == nil || !c.Domain.Network.MayHold() {
		return nil
	}
	return []Command{{
		Name: "send", Node: "send", Title: "Send now what you have just written", Places: core.Everywhere | core.WithPerson, Run: c.sendNow,
	}}
}

// sendNow lets go what is held for a correspondent; asked of the gateway, for
// everybody.
func (c commands) sendNow(ctx context.Context, r Request) (core.Step, error) {
	accounts, err := c.enrolled(ctx, r.User)
	if err != nil {
		return core.Step{}, err
	}
	lines := 0
	for _, a := range accounts {
		n, err := c.Window.SendNow(ctx, a, r.At.Address)
		if err != nil {
			return core.Step{}, err
		}
		lines += n
	}
	switch lines {
	case 0:
		return c.done("Nothing waits to be sent: everything that you wrote is on its way."), nil
	case 1:
		return c.done("What you wrote is being sent."), nil
	}
	return c.done(fmt.Sprintf("The %d lines that you wrote are being sent.", lines)), nil
}

// held says what of a user's is held; empty if nothing is.
func (c commands) held(ctx context.Context, user core.UserID) (text string, err error) {
	if c.Window == nil {
		return "", nil
	}
	waiting, err := c.Window.Waiting(ctx, user, c.network())
	if err != nil {
		return "", err
	}
	for _, it := range waiting {
		h, ok := it.Event.(*core.Held)
		if !ok {
			continue
		}
		what := "A line"
		if n := len(h.Lines); n > 1 {
			what = fmt.Sprintf("%d lines", n)
		}
		to := c.Domain.Network.Transport.Format(core.Target{Address: h.Peer})
		text = join(text, fmt.Sprintf("%s to %s, in case that you write more: %s. It goes within %s.",
			what, to, shorten(h.Lines[0].Text), soon(max(it.NotBefore.Sub(c.Now()), time.Second))))
	}
	if text != "" {
		text = join("Waiting to be sent:", text) + ` Send "send" to have it go now.`
	}
	return text, nil
}
