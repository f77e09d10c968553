package register

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"gangway/core"
	"gangway/core/xmpp/addr"
	"gangway/core/xmpp/edge"
)

// ofAdmins are the commands of administrators.
func (c commands) ofAdmins() []Command {
	const person = "PERSON"
	all := []Command{
		{Name: "users", Node: "users", Title: "See who uses the gateway, or asks to", Arg: "user", Usage: "[PERSON]", Admin: true, Run: c.users},
		{Name: "approve", Node: "approve", Title: "Decide about those who ask to be let in", Arg: "user", Usage: person, Admin: true, Run: c.approve},
		{Name: "reject", Node: "reject", Title: "Decline a request", Arg: "user", Usage: person, Admin: true, Short: true, Run: given("decision", "reject", c.approve)},
		{Name: "suspend", Node: "suspend", Title: "Shut somebody out, or let them in again", Arg: "user", Usage: person, Admin: true, Run: c.suspend},
		{Name: "resume", Node: "resume", Title: "Let somebody in again", Arg: "user", Usage: person, Admin: true, Short: true, Run: given("suspended", "false", c.suspend)},
		{Name: "invite", Node: "invite", Title: "Make an invitation", Admin: true, Run: c.invite},
		{Name: "limits", Node: "limits", Title: "See and set how much somebody may send", Arg: "user", Usage: person, Admin: true, Run: c.limits},
		{Name: "announce", Node: "announce", Title: "Say something to all users", Admin: true, Run: c.announce},
		{Name: "move-user", Node: "move-user", Title: "Give somebody's accounts to their new address", Arg: "from", Usage: person, Admin: true, Run: c.moveUser},
	}
	if c.Domain.Network.TransportCaps.Identifier != nil {
		all = append(all, Command{Name: "ident", Node: "ident", Title: "Find whom a network complains of", Arg: "word", Usage: "WORD", Admin: true, Run: c.ident})
	}
	return all
}

// ident finds whom a network knows by a word or an address.
func (c commands) ident(ctx context.Context, r Request) (core.Step, error) {
	word := strings.TrimSpace(r.Answers["word"])
	if word == "" {
		return c.ask("By what does the network know them? A complaint names it as word@host, or as an address.",
			core.Field{Name: "word", Label: "Word or address", Required: true}), nil
	}
	accounts, err := c.Admin.Identified(ctx, word)
	if err != nil {
		return core.Step{}, err
	}
	var lines []string
	for _, a := range accounts {
		lines = append(lines, string(a.User)+" ("+a.Network+", "+c.accountName(a)+")")
	}
	return c.done(strings.Join(lines, "\n")), nil
}

// given makes a command of another with an answer given.
func given(name, value string, run func(context.Context, Request) (core.Step, error)) func(context.Context, Request) (core.Step, error) {
	return func(ctx context.Context, r Request) (core.Step, error) {
		if r.Answers == nil {
			r.Answers = map[string]string{}
		}
		r.Answers[name] = value
		return run(ctx, r)
	}
}

// person reads the address of a person that somebody wrote.
func person(text string) (core.UserID, error) {
	text = strings.TrimSpace(text)
	text = strings.TrimPrefix(text, "xmpp:")
	j, err := addr.Parse(text)
	if err != nil || j.Local() == "" {
		return "", core.E(core.Invalid, "register: person", "A person's address looks like alice@example.org.")
	}
	return core.UserID(j.Key()), nil
}

// askPerson is the person that a command is about, or the step that asks for one.
func (c commands) askPerson(r Request, name, question string, more ...core.Field) (core.UserID, *core.Step) {
	ask := c.ask(question, append([]core.Field{{Name: name, Label: "Address", Type: core.PersonField, Required: true}}, more...)...)
	text, ok := r.Answers[name]
	if !ok {
		return "", &ask
	}
	user, err := person(text)
	if err != nil {
		ask.Text = core.AsError(err).Sentence()
		return "", &ask
	}
	return user, nil
}

// maxListed is how many people one page of a list shows.
const maxListed = 50

// users lists who uses the gateway, or says more of one.
func (c commands) users(ctx context.Context, r Request) (core.Step, error) {
	if text := r.Answers["user"]; text != "" {
		user, err := person(text)
		if err != nil {
			return core.Step{}, err
		}
		return c.aboutUser(ctx, user)
	}
	page, answer := leafed(r.Answers, "list")
	if answer != "" {
		return c.done("Send \"users\" with an address to see more of one."), nil
	}
	people, further, err := c.everybody(ctx, page)
	if err != nil {
		return core.Step{}, err
	}
	if len(people) == 0 {
		return c.done("Nobody has been let in yet, and nobody asks to be."), nil
	}
	var lines []string
	for _, p := range people {
		lines = append(lines, personLine(p))
	}
	text := strings.Join(lines, "\n")
	if !further {
		return c.done(text), nil
	}
	step := c.ask(text+"\n... and more. Send \"users\" with an address to see one.", core.Field{
		Name: onPage("list", page), Label: "The list", Type: core.ChoiceField, Value: more, Required: true,
		Options: leaf([]core.Option{{Value: "enough", Label: "that is enough"}}, true),
	})
	step.More = true
	return step, nil
}

// everybody is a page of the people that are known.
func (c commands) everybody(ctx context.Context, page int) (people []core.Person, further bool, err error) {
	f := core.PeopleFilter{Limit: maxListed + 1}
	for ; ; page-- {
		people, err = c.Admin.People(ctx, f)
		if further = len(people) > maxListed; further {
			people = people[:maxListed]
		}
		if err != nil || page == 0 || len(people) == 0 {
			return people, further, err
		}
		f.After = people[len(people)-1].User
	}
}

// personLine describes somebody in a list.
func personLine(p core.Person) string {
	line := string(p.User) + ": " + p.Standing.String()
	if !p.Changed.IsZero() {
		line += " since " + p.Changed.UTC().Format("2 Jan 2006")
	}
	if p.Note != "" {
		line += ` ("` + shorten(p.Note) + `")`
	}
	return line
}

func (c commands) aboutUser(ctx context.Context, user core.UserID) (core.Step, error) {
	p, err := c.Admin.Person(ctx, user)
	if err != nil {
		return core.Step{}, err
	}
	accounts, err := c.Accounts.AccountsOf(ctx, user)
	if err != nil {
		return core.Step{}, err
	}
	var b strings.Builder
	b.WriteString(personLine(p))
	if p.InvitedBy != "" {
		b.WriteString("\nInvited by " + p.InvitedBy)
	}
	if p.Messages > 0 {
		fmt.Fprintf(&b, "\nMay send %d messages a minute", p.Messages)
	}
	for _, a := range accounts {
		fmt.Fprintf(&b, "\n%s, %s: %s", a.Network, c.accountName(a), linkText(c.Gateway.Status(a.ID)))
	}
	return c.done(b.String()), nil
}

// approve decides about one who asks to be let in.
func (c commands) approve(ctx context.Context, r Request) (core.Step, error) {
	if r.Answers["user"] == "" {
		return c.pending(ctx, r)
	}
	user, err := person(r.Answers["user"])
	if err != nil {
		return core.Step{}, err
	}
	switch r.Answers["decision"] {
	case "", "approve":
		if _, err := c.Admin.Approve(ctx, user); err != nil {
			return core.Step{}, err
		}
		return c.done(string(user) + " is let in."), nil
	case "reject":
		if err := c.Admin.Reject(ctx, user); err != nil {
			return core.Step{}, err
		}
		return c.done("The request of " + string(user) + " is declined."), nil
	}
	return c.done("Nothing was changed."), nil
}

// pending asks for a decision about those who wait.
func (c commands) pending(ctx context.Context, r Request) (core.Step, error) {
	people, err := c.Admin.People(ctx, core.PeopleFilter{Standing: core.Pending, Limit: maxChoice + 1})
	if err != nil {
		return core.Step{}, err
	}
	others := ""
	if len(people) > maxChoice {
		people, others = people[:maxChoice], " More ask than are shown here: they come when you have decided about some."
	}
	if len(people) == 0 {
		return c.done("Nobody asks to be let in."), nil
	}
	who := core.Field{Name: "user", Label: "Who", Type: core.ChoiceField, Required: true}
	for _, p := range people {
		label := string(p.User)
		if p.Note != "" {
			label += `: "` + shorten(p.Note) + `"`
		}
		who.Options = append(who.Options, core.Option{Value: string(p.User), Label: label})
	}
	if r.Answers["decision"] != "" {
		return c.ask("Whose request?"+others, who), nil
	}
	return c.ask("About whom do you decide?"+others, who, core.Field{
		Name: "decision", Label: "Decision", Type: core.ChoiceField, Value: nothing, Required: true,
		Options: []core.Option{{Value: "approve", Label: "let in"}, {Value: "reject", Label: "decline"}, {Value: nothing, Label: "not now"}},
	}), nil
}

// suspend shuts somebody out, or lets them in again.
func (c commands) suspend(ctx context.Context, r Request) (core.Step, error) {
	var more []core.Field
	if r.Answers["suspended"] == "" {
		more = []core.Field{
			{Name: "suspended", Label: "Suspended", Type: core.BoolField, Value: "true", Required: true},
			{Name: "why", Label: "Why (they read it)"},
		}
	}
	user, ask := c.askPerson(r, "user", "Who is shut out? Nothing of theirs is removed, and they are told.", more...)
	if ask != nil {
		return *ask, nil
	}
	if r.Answers["suspended"] == "" { // only the address was given
		return c.ask("Shall "+string(user)+" be shut out? Nothing of theirs is removed, and they are told.", more...), nil
	}
	if r.Answers["suspended"] != "true" {
		if _, err := c.Admin.Resume(ctx, user); err != nil {
			return core.Step{}, err
		}
		return c.done(string(user) + " is let in again."), nil
	}
	if _, err := c.Admin.Suspend(ctx, user, r.Answers["why"]); err != nil {
		return core.Step{}, err
	}
	return c.done(string(user) + ` is suspended. Send "resume ` + string(user) + `" to change that.`), nil
}

// What an administrator can ask for at most.
const (
	maxUses     = 1000
	maxDays     = 365
	maxMessages = 1_000_000
)

// number reads a number that is asked for.
func number(text string, least, most int) (n int, ok bool) {
	n, err := strconv.Atoi(strings.TrimSpace(text))
	return n, err == nil && n >= least && n <= most
}

// invite makes an invitation.
func (c commands) invite(ctx context.Context, r Request) (core.Step, error) {
	ask := c.ask("An invitation lets people in who may not register by themselves.",
		core.Field{Name: "uses", Label: "For how many people", Value: "1", Required: true},
		core.Field{Name: "days", Label: "Good for how many days", Value: "7", Required: true},
		core.Field{Name: "all", Label: "For all networks, not only " + c.title(), Type: core.BoolField, Value: "false"})
	if r.Answers == nil {
		return ask, nil
	}
	uses, ok := number(r.Answers["uses"], 1, maxUses)
	days, ok2 := number(r.Answers["days"], 1, maxDays)
	if !ok || !ok2 {
		ask = withValues(ask, r.Answers)
		ask.Text = fmt.Sprintf("An invitation is for 1 to %d people, and good for 1 to %d days.", maxUses, maxDays)
		return ask, nil
	}
	network := c.network()
	if r.Answers["all"] == "true" {
		network = ""
	}
	expires := c.Now().Add(time.Duration(days) * 24 * time.Hour)
	token, err := c.Admin.Invite(ctx, r.User, network, uses, expires)
	if err != nil {
		return core.Step{}, err
	}
	return c.done(fmt.Sprintf("The invitation: %s\nIt is for %d %s, until %s. Whoever has it writes \"register\" to %s and enters it.\n%s",
		token, uses, map[bool]string{true: "person", false: "people"}[uses == 1], expires.UTC().Format("2 Jan 2006 15:04 UTC"),
		c.Domain.Name, edge.URI(c.Domain.Name, "message"))), nil
}

// limits sets how many messages somebody may send.
func (c commands) limits(ctx context.Context, r Request) (core.Step, error) {
	l := c.Admin.Limits()
	usual := "There is no usual limit."
	if l.Messages > 0 {
		usual = fmt.Sprintf("The usual limit is %d messages a minute.", l.Messages)
	}
	user, ask := c.askPerson(r, "user", usual+" Whose limit shall be another?")
	if ask != nil {
		return *ask, nil
	}
	p, err := c.Admin.Person(ctx, user)
	if err != nil {
		return core.Step{}, err
	}
	step := c.ask(usual+" How many may "+string(user)+" send a minute? 0 is the usual limit.",
		core.Field{Name: "messages", Label: "Messages a minute", Value: strconv.Itoa(p.Messages), Required: true})
	text, ok := r.Answers["messages"]
	if !ok {
		return step, nil
	}
	n, ok := number(text, 0, maxMessages)
	if !ok {
		step.Text = "A limit is a number of messages a minute, or 0 for the usual one."
		return step, nil
	}
	if _, err := c.Admin.Allow(ctx, user, n); err != nil {
		return core.Step{}, err
	}
	if n == 0 {
		return c.done("The usual limit holds for " + string(user) + "."), nil
	}
	return c.done(fmt.Sprintf("%s may send %d messages a minute.", user, n)), nil
}

// announce says something to all users of the network.
func (c commands) announce(ctx context.Context, r Request) (core.Step, error) {
	text := strings.TrimSpace(r.Answers["text"])
	if text == "" {
		return c.ask("What shall all users of "+c.title()+" be told?",
			core.Field{Name: "text", Label: "Text", Type: core.LongField, Required: true}), nil
	}
	told, err := c.Admin.Announce(ctx, c.network(), text)
	if err != nil {
		return core.Step{}, err
	}
	return c.done(fmt.Sprintf("%d %s told.", told, map[bool]string{true: "user will be", false: "users will be"}[told == 1])), nil
}

// moveUser gives everything of somebody to a new address of theirs.
func (c commands) moveUser(ctx context.Context, r Request) (core.Step, error) {
	from, ask := c.askPerson(r, "from", "Whose accounts shall be moved? Write their old address.")
	if ask != nil {
		ask.More = true
		return *ask, nil
	}
	to, ask := c.askPerson(r, "to", "What is the new address of "+string(from)+"? Make sure that it is the same person's.")
	if ask != nil {
		return *ask, nil
	}
	if err := c.Admin.Move(ctx, from, to); err != nil {
		return core.Step{}, err
	}
	return c.done("What was registered for " + string(from) + " belongs to " + string(to) + " now."), nil
}
