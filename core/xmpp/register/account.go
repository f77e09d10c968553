package register

import (
	"context"
	"fmt"
	"strings"
	"time"

	"gangway/core"
)

// register takes the user through the network's own steps.
func (c commands) register(ctx context.Context, r Request) (core.Step, error) {
	n := c.Domain.Network
	if n.Driver.Implicit && n.TransportCaps.Enroller == nil && c.Gateway.Admit(ctx, r.User) == nil {
		return c.done("You need not register here: just write to an address."), nil
	}
	before, err := c.own(ctx, r.User)
	if err != nil {
		return core.Step{}, err
	}
	step, err := c.Gateway.Enroll(ctx, r.User, c.network(), r.Answers)
	if err == nil && step.Done && step.Link != nil && len(before) == 0 {
		step.Text = join(step.Text, `Send me an address, and you get the link to write to it. Or send "help" to see what else can be done.`)
	}
	return step, err
}

// afterwards are the commands that who has just registered is offered; none after
// anything else.
func (c commands) afterwards(cmd Command, step core.Step) (next []Command) {
	if cmd.Node != NSRegister || !step.Done || step.Link == nil {
		return nil
	}
	for _, other := range Commands(c.Config) {
		switch other.Node {
		case "add-contact", "preferences", "status":
			next = append(next, other)
		}
	}
	return next
}

// unregister asks once and then forgets all, or one of several accounts that reach the same people.
func (c commands) unregister(ctx context.Context, r Request) (core.Step, error) {
	several, err := c.several(ctx, r.User)
	if err != nil {
		return core.Step{}, err
	}
	if len(several) > 0 {
		return c.unlink(ctx, r, several)
	}
	switch r.Answers["confirm"] {
	case "true":
	case "":
		return c.ask("This deletes your registration here and everything that is kept for it.",
			core.Field{Name: "confirm", Label: "Delete it?", Type: core.BoolField, Required: true}), nil
	default:
		return c.done("Nothing was changed."), nil
	}
	if err := c.Gateway.Unenroll(ctx, r.User, c.network()); err != nil {
		return core.Step{}, err
	}
	return c.done("Your registration is deleted."), nil
}

// several are the user's accounts where those are more than one, and reach the same people; nil elsewhere.
func (c commands) several(ctx context.Context, user core.UserID) ([]core.Account, error) {
	if !c.Domain.Network.Driver.Shared {
		return nil, nil
	}
	own, err := c.own(ctx, user)
	if len(own) < 2 {
		return nil, err
	}
	return own, nil
}

// everyAccount is the answer that means all of several.
const everyAccount = "all"

// unlink asks which of several accounts shall go, and forgets it.
func (c commands) unlink(ctx context.Context, r Request, several []core.Account) (core.Step, error) {
	ask := c.ask("This deletes an account and everything that is kept for it.",
		c.choiceOf(several, "Which account?", core.Option{Value: "none", Label: "none"}, core.Option{Value: everyAccount, Label: "all of them"}))
	answer := r.Answers["account"]
	switch answer {
	case "":
		return ask, nil
	case "none":
		return c.done("Nothing was changed."), nil
	case everyAccount:
		if err := c.Gateway.Unenroll(ctx, r.User, c.network()); err != nil {
			return core.Step{}, err
		}
		return c.done("Your registration is deleted."), nil
	}
	for _, a := range several {
		if string(a.ID) != answer {
			continue
		}
		if err := c.Gateway.Unlink(ctx, a.ID); err != nil {
			return core.Step{}, err
		}
		return c.done(c.accountName(a) + " is not used here any more."), nil
	}
	return ask, nil
}

// choiceOf asks for one of several accounts, or for something else.
func (c commands) choiceOf(several []core.Account, label string, more ...core.Option) core.Field {
	f := core.Field{Name: "account", Label: label, Type: core.ChoiceField, Required: true}
	for _, a := range several {
		f.Options = append(f.Options, core.Option{Value: string(a.ID), Label: c.accountName(a)})
	}
	f.Options = append(f.Options, more...)
	return f
}

// status says how each of the user's accounts is.
func (c commands) status(ctx context.Context, r Request) (core.Step, error) {
	accounts, err := c.own(ctx, r.User)
	switch {
	case err != nil:
		return core.Step{}, err
	case len(accounts) == 0 && c.Domain.Network.Driver.Implicit:
		return c.done("You have not used this network yet. You need not register: just write to an address."), nil
	case len(accounts) == 0:
		return core.Step{}, c.unenrolled()
	}
	var lines []string
	for _, a := range accounts {
		lines = append(lines, c.accountName(a)+": "+linkText(c.Gateway.Status(a.ID)))
	}
	held, err := c.held(ctx, r.User)
	return c.done(join(strings.Join(lines, "\n"), held)), err
}

// accountName is what the user knows an account by.
func (c commands) accountName(a core.Account) string {
	switch {
	case a.Own != "" && a.Realm != "" && !c.Domain.Network.Driver.Shared:
		return string(a.Own) + " on " + a.Realm
	case a.Own != "":
		return string(a.Own)
	case a.Realm != "":
		return a.Realm
	}
	return c.title()
}

// linkText says in a sentence how a connection is.
func linkText(s core.Status) string {
	var text string
	switch s.Link {
	case core.Connected:
		text = "connected" + since(s.Since) + "."
	case core.Connecting:
		text = "connecting."
	case core.Waiting:
		text = "not connected" + since(s.Since) + "."
	case core.Refused:
		text = "refused by the network" + since(s.Since) + "; it is not tried again by itself."
	case core.Closed:
		text = "not connected; it connects when you use it."
	}
	if s.Err != nil {
		text += " " + s.Err.Sentence()
	} else if s.Text != "" {
		text += " " + s.Text
	}
	if s.Link == core.Waiting && s.Retry > 0 {
		text += fmt.Sprintf(" It is tried again within %s.", soon(s.Retry))
	}
	if s.Err == nil && s.Last != nil && s.Link != core.Closed {
		text += " There was none at " + clock(s.LastAt) + ": " + s.Last.Sentence()
	}
	return text + reportText(s.Report) + strings.Join(append([]string{""}, s.Facts...), "\n- ")
}

// reportText says in sentences how quick a connection is, where that is known.
func reportText(r core.Report) (text string) {
	if r.Lag > 0 {
		text += fmt.Sprintf(" It answers after %v.", max(r.Lag.Round(time.Millisecond), time.Millisecond))
	}
	if r.Waiting > 0 {
		lines := "lines wait"
		if r.Waiting == 1 {
			lines = "line waits"
		}
		text += fmt.Sprintf(" Of what you said %d %s, since the network takes only a few at a time", r.Waiting, lines)
		if r.Within > 0 {
			text += "; all is said within " + soon(r.Within)
		}
		text += "."
	}
	return text
}

// since is how long a state has been there, where that is known.
func since(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return " since " + clock(t)
}

// soon writes a delay for people, rounded up.
func soon(d time.Duration) string {
	n, unit := (d+time.Second-1)/time.Second, "second"
	if d > time.Minute {
		n, unit = (d+time.Minute-1)/time.Minute, "minute"
	}
	if n == 1 {
		return "a " + unit
	}
	return fmt.Sprintf("%d %ss", n, unit)
}
