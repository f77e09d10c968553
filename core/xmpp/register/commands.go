package register

import (
	"context"
	"strings"

	"gangway/core"
)

// Request is one turn of a command.
type Request struct {
	User core.UserID
	At   core.Target // the place that is asked about; the zero Target: the gateway
	// Answers are all answers given to the steps so far, by Field.Name; nil for
	// the first step.
	Answers map[string]string
}

// Command is something that a user can ask for. It keeps nothing between its
// steps: whoever renders them does.
type Command struct {
	Name  string // a word, typed in a chat
	Node  string // of XEP-0050, as clients know it
	Title string // what it does, as a line of a list
	Arg   string // the field that words typed after the name answer; may be empty
	Usage string // how Arg is written in a menu
	Open  bool   // for those, too, who are not admitted
	Own   bool   // for those who are not admitted, but have accounts
	Admin bool   // for administrators only
	// Places are where it can be asked for; zero: at the gateway only.
	Places core.Places
	// Short is for a command that is another one with an answer given: a chat
	// understands it, and no list shows it.
	Short bool
	// Run takes the command one step further, until the step is Done. The
	// sentence of an error is for the user and ends the command.
	Run func(ctx context.Context, r Request) (core.Step, error)
}

// has reports whether the command can be asked for at a place.
func (c Command) has(at core.Target) bool {
	if c.Places == 0 {
		return at == (core.Target{})
	}
	return c.Places&core.PlaceOf(at) != 0
}

// in is the command as it is asked for at a place.
func (c Command) in(at core.Target) Command {
	run := c.Run
	c.Run = func(ctx context.Context, r Request) (core.Step, error) {
		r.At = at
		return run(ctx, r)
	}
	return c
}

// is reports whether somebody names the command by word.
func (c Command) is(word string) bool {
	word = strings.TrimPrefix(word, "/")
	return strings.EqualFold(word, c.Name) || strings.EqualFold(word, c.Node)
}

// commands are the functions behind the list.
type commands struct{ Config }

// Commands returns what can be asked for on one domain, in the order of a menu.
// The list does not change; what of it somebody may use does.
func Commands(cfg Config) []Command {
	c := commands{cfg}
	all := []Command{
		{Name: "register", Node: "jabber:iq:register", Title: "Register, or change your registration", Open: true, Run: c.register},
		{Name: "status", Node: "status", Title: "See whether your account is connected", Run: c.status},
		{Name: "add", Node: "add-contact", Title: "Get the link to an address", Arg: "address", Usage: "ADDRESS", Run: c.add},
	}
	all = append(all, c.ofPeople()...)
	all = append(all, c.ofWindow()...)
	if c.Letters != nil {
		all = append(all, Command{Name: "undelivered", Node: "undelivered", Title: "See, retry or drop what was not delivered", Run: c.undelivered})
	}
	if c.Choices != nil {
		all = append(all, Command{Name: "preferences", Node: "preferences", Title: "Choose how the gateway behaves", Run: c.preferences})
		all = append(all, c.ofPlaces()...)
	}
	all = append(all, c.ofConversations()...)
	if c.Data != nil {
		all = append(all, Command{Name: "export", Node: "export", Title: "Get everything that is kept about you", Own: true, Run: c.export})
	}
	all = append(all, Command{Name: "unregister", Node: "unregister", Title: "Delete your registration here", Own: true, Run: c.unregister})
	if c.Data != nil {
		all = append(all, Command{Name: "erase", Node: "erase", Title: "Delete everything that is kept about you", Own: true, Run: c.erase})
	}
	if c.Admin != nil {
		all = append(all, c.ofAdmins()...)
	}
	return all
}

// ofPeople are the commands about correspondents.
func (c commands) ofPeople() []Command {
	if c.Contacts == nil {
		return nil
	}
	all := []Command{
		{Name: "contacts", Node: "contacts", Title: "See, rename or remove your contacts", Arg: "search", Usage: "[PART OF A NAME]", Run: c.contacts},
	}
	if c.Timeline != nil {
		all = append(all, Command{Name: "history", Node: "history", Title: "See where your last messages to somebody are", Arg: "contact", Usage: "CONTACT", Run: c.history})
	}
	all = append(all,
		Command{Name: "block", Node: "block", Title: "Hear nothing more from somebody", Arg: "contact", Usage: "CONTACT", Run: c.block},
		Command{Name: "unblock", Node: "unblock", Title: "Hear from somebody again", Arg: "contact", Usage: "CONTACT", Run: c.unblock})
	return append(all, c.ofStrangers()...)
}

// may returns nil if a user may use a command.
func (c commands) may(ctx context.Context, user core.UserID, cmd Command) error {
	switch {
	case cmd.Admin && c.Admin.Admin(user), cmd.Open:
		return nil
	case cmd.Admin:
		return core.E(core.Denied, "register: command", "Only an administrator can do that.")
	}
	err := c.Gateway.Admit(ctx, user)
	if err != nil && cmd.Own && c.known(ctx, user) {
		return nil
	}
	return err
}

// known reports whether a user has any account.
func (c commands) known(ctx context.Context, user core.UserID) bool {
	all, err := c.Accounts.AccountsOf(ctx, user)
	return err == nil && len(all) > 0
}

// offered are the commands that a user is shown at a place.
func (c commands) offered(ctx context.Context, user core.UserID, at core.Target, list []Command) []Command {
	admitted := c.Gateway.Admit(ctx, user) == nil
	known := admitted || c.known(ctx, user)
	admin := c.Admin != nil && c.Admin.Admin(user)
	var all []Command
	for _, cmd := range list {
		switch {
		case cmd.Short, !cmd.has(at):
		case cmd.Admin && admin, cmd.Open, cmd.Own && known, admitted && !cmd.Admin:
			all = append(all, cmd)
		}
	}
	return all
}

// network is the name of the domain's network.
func (c commands) network() string { return c.Domain.Network.Driver.Name }

// title is what people call the network.
func (c commands) title() string { return c.Domain.Network.Driver.Title }

// done is the last step of a command.
func (c commands) done(text string) core.Step {
	return core.Step{Title: c.title(), Text: text, Done: true}
}

// ask is a step with questions.
func (c commands) ask(text string, fields ...core.Field) core.Step {
	return core.Step{Title: c.title(), Text: text, Fields: fields}
}

// own are the user's accounts on the domain's network, the oldest first.
func (c commands) own(ctx context.Context, user core.UserID) ([]core.Account, error) {
	all, err := c.Accounts.AccountsOf(ctx, user)
	if err != nil {
		return nil, err
	}
	var own []core.Account
	for _, a := range all {
		if a.Network == c.network() {
			own = append(own, a)
		}
	}
	return own, nil
}

// enrolled is own, and Unenrolled if there are none.
func (c commands) enrolled(ctx context.Context, user core.UserID) ([]core.Account, error) {
	own, err := c.own(ctx, user)
	if err == nil && len(own) == 0 {
		err = c.unenrolled()
	}
	return own, err
}

func (c commands) unenrolled() error {
	return core.E(core.Unenrolled, "register: account", "You are not registered here. Send \"register\" to begin.")
}
