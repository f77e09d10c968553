package register

import (
	"context"
	"fmt"
	"strings"

	"gangway/core"
)

// What can be done about somebody who wants to write to the user.
const (
	letIn  = "accept"
	shut   = "block"
	report = "report"
)

// ofStrangers are the commands about those who wait to be let in.
func (c commands) ofStrangers() []Command {
	if c.Requests == nil {
		return nil
	}
	return []Command{
		{Name: "requests", Node: "requests", Title: "See who wants to write to you, and let them in or not", Run: c.requests},
		{Name: letIn, Node: letIn, Title: "Let somebody write to you", Arg: "contact", Usage: "CONTACT", Short: true, Run: c.accept},
		{Name: report, Node: report, Title: "Block somebody, and tell the administrator why", Arg: "contact", Usage: "CONTACT", Short: true, Run: c.denounce},
	}
}

// stranger is somebody who waits.
type stranger struct {
	somebody
	core.Request
}

func (s stranger) described() string {
	return fmt.Sprintf("%s, %d %s since %s", s.line(), s.Messages, plural(s.Messages, "message"), s.Since.UTC().Format("2 January"))
}

// strangers are those who wait for any of a user's accounts.
func (c commands) strangers(ctx context.Context, user core.UserID) ([]stranger, error) {
	accounts, err := c.enrolled(ctx, user)
	if err != nil {
		return nil, err
	}
	var all []stranger
	for _, a := range accounts {
		waiting, err := c.Requests.Requests(ctx, a)
		if err != nil {
			return nil, err
		}
		for _, r := range waiting {
			s, err := c.among(ctx, a, r.Peer)
			if err != nil {
				return nil, err
			}
			all = append(all, stranger{s, r})
		}
	}
	return all, nil
}

// requests lists who waits, and decides about one of them.
func (c commands) requests(ctx context.Context, r Request) (core.Step, error) {
	all, err := c.strangers(ctx, r.User)
	if err != nil {
		return core.Step{}, err
	}
	page, action := leafed(r.Answers, "action")
	shown, further := pageOf(all, page, shownContacts)
	switch {
	case len(all) == 0 && action == "":
		return c.done("Nobody waits to be let in."), nil
	case action == "":
		return c.listRequests(len(all), shown, page, further), nil
	case action != letIn && action != shut && action != report:
		return c.done("Nothing was changed."), nil
	case r.Answers["contact"] == "":
		people := make([]somebody, len(shown))
		for i, s := range shown {
			people[i] = s.somebody
		}
		return c.ask("About whom?", choice("contact", "Sender", people)), nil
	case action == letIn:
		return c.accept(ctx, r)
	case action == shut:
		return c.block(ctx, r)
	}
	return c.denounce(ctx, r)
}

func (c commands) listRequests(n int, shown []stranger, page int, further bool) core.Step {
	var b strings.Builder
	fmt.Fprintf(&b, "%d %s to be let in:", n, map[bool]string{true: "waits", false: "wait"}[n == 1])
	for _, s := range shown {
		b.WriteString("\n" + s.described())
	}
	step := c.ask(b.String(), core.Field{
		Name: onPage("action", page), Label: "What shall be done?", Type: core.ChoiceField, Value: nothing, Required: true,
		Options: leaf([]core.Option{
			{Value: letIn, Label: "let one in"}, {Value: shut, Label: "block one"},
			{Value: report, Label: "block one and tell the administrator"}, {Value: nothing, Label: nothing},
		}, further),
	})
	step.More = true
	return step
}

// accept lets somebody in.
func (c commands) accept(ctx context.Context, r Request) (core.Step, error) {
	s, ask, err := c.whom(ctx, r, "Whom do you want to let in? Write an address.")
	if err != nil || ask != nil {
		return stepOf(ask), err
	}
	if err := c.Requests.Accept(ctx, s.account, s.Address); err != nil {
		return core.Step{}, err
	}
	return c.done(s.line() + " can write to you. What waited arrives now."), nil
}

// denounce blocks somebody, and tells the administrators.
func (c commands) denounce(ctx context.Context, r Request) (core.Step, error) {
	s, ask, err := c.whom(ctx, r, "Whom do you want to report? Write an address.")
	if err != nil || ask != nil {
		return stepOf(ask), err
	}
	if err := c.Requests.Denounce(ctx, s.account, s.Address, r.Answers["words"]); err != nil {
		return core.Step{}, err
	}
	if err := c.Contacts.Block(ctx, s.account.ID, s.Address, true); err != nil {
		return core.Step{}, err
	}
	if err := c.Requests.Turned(ctx, s.account, s.Address); err != nil {
		return core.Step{}, err
	}
	return c.done("The administrator is told of " + s.line() + ". You hear nothing more from them."), nil
}
