package register

import (
	"context"
	"time"

	"gangway/core"
	"gangway/core/xmpp/edge"
)

// Gateway is what the commands ask of the hall.
type Gateway interface {
	Allowed(user core.UserID) bool
	Enroll(ctx context.Context, user core.UserID, network string, answers map[string]string) (core.Step, error)
	Unenroll(ctx context.Context, user core.UserID, network string) error
	Status(id core.AccountID) core.Status
}

// Accounts is the mapping's table, as far as a user's own rows go.
type Accounts interface {
	// AccountsOf returns the user's accounts on all networks, the oldest first.
	AccountsOf(ctx context.Context, user core.UserID) ([]core.Account, error)
}

// Letters are the messages of a user that were given up.
type Letters interface {
	// Undelivered returns the user's dead letters on a network, the oldest first,
	// at most limit of them.
	Undelivered(ctx context.Context, user core.UserID, network string, limit int) ([]Letter, error)
	// Retry queues a dead letter again. NotFound if the user has none of that
	// number.
	Retry(ctx context.Context, user core.UserID, network string, seq int64) error
	// Drop forgets a dead letter. NotFound as with Retry.
	Drop(ctx context.Context, user core.UserID, network string, seq int64) error
}

// Letter is a message that was given up.
type Letter struct {
	Seq      int64 // names it
	Incoming bool  // it was for the user, from Peer
	Peer     core.Address
	Queued   time.Time
	Text     string // what it says, for the user who wrote or was to get it
	Err      *core.Error
}

// Config is what the commands of one domain stand on.
type Config struct {
	Domain   *edge.Domain
	Gateway  Gateway
	Accounts Accounts
	Letters  Letters // nil: the network keeps none
}

// Request is one turn of a command.
type Request struct {
	User core.UserID // who is allowed to use the gateway: the door has asked
	// Answers are all answers given to the steps so far, by Field.Name; nil for
	// the first step.
	Answers map[string]string
}

// Command is something that a user can ask for. It keeps nothing between its
// steps: whoever renders them does.
type Command struct {
	Name  string // a word, typed in a chat and shown by some clients
	Node  string // of XEP-0050, as clients know it
	Title string // what it does, as a line of a menu
	Arg   string // the field that words typed after the name answer; may be empty
	// Run takes the command one step further, until the step is Done. The
	// sentence of an error is for the user and ends the command.
	Run func(ctx context.Context, r Request) (core.Step, error)
}

// Commands returns what a user can ask for on one domain, in the order of a
// menu. The list does not change.
func Commands(cfg Config) []Command {
	c := commands{cfg}
	all := []Command{
		{Name: "register", Node: "jabber:iq:register", Title: "register, or change your registration", Run: c.register},
		{Name: "status", Node: "status", Title: "see whether your account is connected", Run: c.status},
		{Name: "add", Node: "add-contact", Title: "get the link to an address: add ADDRESS", Arg: "address", Run: c.add},
		{Name: "undelivered", Node: "undelivered", Title: "see, retry or drop what was not delivered", Run: c.undelivered},
		{Name: "unregister", Node: "unregister", Title: "delete your registration here", Run: c.unregister},
	}
	if cfg.Letters == nil {
		all = append(all[:3], all[4:]...)
	}
	return all
}

// commands are the functions behind the list.
type commands struct{ Config }

// network is the name of the domain's network.
func (c commands) network() string { return c.Domain.Network.Driver.Name }

// title is what people call the network.
func (c commands) title() string { return c.Domain.Network.Driver.Title }

// done is the last step of a command.
func (c commands) done(text string) core.Step {
	return core.Step{Title: c.title(), Text: text, Done: true}
}
