package register

import (
	"context"
	"fmt"
	"strings"
	"time"

	"gangway/core"
)

// shownMoments is how many messages of a conversation one page shows.
const shownMoments = 10

// history says where the last messages to and from somebody are.
func (c commands) history(ctx context.Context, r Request) (core.Step, error) {
	s, ask, err := c.whom(ctx, r, "Whose messages? Write an address, or a name that you gave.")
	if err != nil || ask != nil {
		return stepOf(ask), err
	}
	page, answer := leafed(r.Answers, "list")
	if answer != "" {
		return c.done("That was as far back as you wanted."), nil
	}
	all, err := c.Timeline.Timeline(ctx, s.account, s.Address, (page+1)*shownMoments+1)
	if err != nil {
		return core.Step{}, err
	}
	moments, further := pageOf(all, page, shownMoments)
	if len(moments) == 0 {
		return c.done("No messages between you and " + s.line() + " are known any more."), nil
	}
	var b strings.Builder
	if page == 0 {
		fmt.Fprintf(&b, "The last messages with %s, the newest first:", s.line())
	} else {
		fmt.Fprintf(&b, "Earlier messages with %s:", s.line())
	}
	for _, m := range moments {
		b.WriteString("\n" + momentLine(m))
	}
	if !further {
		return c.done(b.String()), nil
	}
	step := c.ask(b.String()+"\n... and earlier ones.", core.Field{
		Name: onPage("list", page), Label: "The list", Type: core.ChoiceField, Value: more, Required: true,
		Options: leaf([]core.Option{{Value: "enough", Label: "that is enough"}}, true),
	})
	step.More = true
	return step, nil
}

// momentLine says in a line where a message is. Its text is not known here.
func momentLine(m Moment) string {
	if !m.Mine {
		return clock(m.At) + ": from them, received."
	}
	line := clock(m.At) + ": from you, " + stateText(m)
	if m.Err != nil {
		line += " " + m.Err.Sentence()
	}
	return line
}

// clock is how a moment is written.
func clock(t time.Time) string { return t.UTC().Format("2 Jan 15:04 UTC") }

// stateText ends the sentence that says where a message is.
func stateText(m Moment) string {
	var text string
	switch m.State {
	case core.Queued:
		text = "waiting to be sent"
		if m.Attempts > 0 {
			text += fmt.Sprintf(" after %d %s", m.Attempts, plural(m.Attempts, "attempt"))
		}
		if !m.Next.IsZero() {
			text += ", the next one at " + clock(m.Next)
		}
	case core.Accepted:
		text = "accepted by the network"
	case core.Sent:
		text = "passed on by the network"
	case core.Delivered:
		text = "delivered"
	case core.Read:
		text = "read"
	case core.Failed:
		text = "not delivered"
	case core.Withdrawn:
		text = "taken back before it was sent"
	}
	if !m.Changed.IsZero() && m.State != core.Queued {
		text += " on " + clock(m.Changed)
	}
	return text + "."
}
