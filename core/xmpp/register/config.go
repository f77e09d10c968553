package register

import (
	"context"
	"io"
	"log/slog"
	"time"

	"gangway/core"
	"gangway/core/xmpp"
	"gangway/core/xmpp/edge"
	"gangway/mapping"
)

// Gateway is what the commands ask of the hall: see core.Gateway.
type Gateway interface {
	// Admit returns nil if a user may use the gateway.
	Admit(ctx context.Context, user core.UserID) error
	// Enroll may be called for everybody.
	Enroll(ctx context.Context, user core.UserID, network string, answers map[string]string) (core.Step, error)
	Unenroll(ctx context.Context, user core.UserID, network string) error
	// Unlink removes one account.
	Unlink(ctx context.Context, id core.AccountID) error
	// Account returns the user's account on a realm, and makes one where that needs no enrolment.
	Account(ctx context.Context, user core.UserID, network, realm string) (core.Account, error)
	// Speaker returns the account that a conversation goes through.
	Speaker(ctx context.Context, user core.UserID, network string, at core.Target, about ...string) (core.Account, error)
	Change(ctx context.Context, a core.Account, answers map[string]string) (core.Step, error)
	Status(id core.AccountID) core.Status
}

// Accounts is the mapping's table, as far as a user's own rows go.
type Accounts interface {
	// AccountsOf returns the user's accounts on all networks, the oldest first.
	AccountsOf(ctx context.Context, user core.UserID) ([]core.Account, error)
}

// Contacts is the mapping's table of correspondents: see mapping.Map.
type Contacts interface {
	Contact(ctx context.Context, account core.AccountID, address core.Address) (mapping.Contact, error)
	ContactByAlias(ctx context.Context, account core.AccountID, alias string) (mapping.Contact, error)
	Contacts(ctx context.Context, account core.AccountID, after core.Address, limit int) ([]mapping.Contact, error)
	PutContact(ctx context.Context, c mapping.Contact) error
	RemoveContact(ctx context.Context, account core.AccountID, address core.Address) error
	Block(ctx context.Context, account core.AccountID, address core.Address, on bool) error
}

// Letters are the messages of a user that were given up.
type Letters interface {
	// Undelivered returns the user's dead letters on a network, the oldest first:
	// those with a Seq above after, at most limit of them.
	Undelivered(ctx context.Context, user core.UserID, network string, after int64, limit int) ([]Letter, error)
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

// Requests are what strangers have sent that waits: see core.Gateway, whose words these are.
type Requests interface {
	Requests(ctx context.Context, a core.Account) ([]core.Request, error)
	Accept(ctx context.Context, a core.Account, peer core.Address) error
	Turned(ctx context.Context, a core.Account, peer core.Address) error
	Denounce(ctx context.Context, a core.Account, peer core.Address, words string) error
}

// Timeline knows where the messages of a conversation are.
type Timeline interface {
	// Timeline returns the last messages of a conversation, the newest first, at
	// most limit of them.
	Timeline(ctx context.Context, a core.Account, peer core.Address, limit int) ([]Moment, error)
}

// Moment is one message of a conversation, as far as it is known without its text.
type Moment struct {
	At       time.Time // when it came to the gateway
	Mine     bool
	State    core.State // of the user's own
	Changed  time.Time  // when it came into State; zero: not known
	Attempts int        // of a queued one, so far
	Next     time.Time  // of a queued one, the next attempt; zero: now, or not known
	Err      *core.Error
}

// Choices is the mapping's table of what users chose: see core.Choices.
type Choices interface {
	Preferences(ctx context.Context, user core.UserID, network string) (core.Preferences, error)
	ChangePreferences(ctx context.Context, user core.UserID, network string, change func(*core.Preferences) error) error
}

// Data is everything that is kept about a user, on all networks.
type Data interface {
	// Export writes it as JSON lines, without secrets.
	Export(ctx context.Context, user core.UserID, w io.Writer) error
	// Erase forgets it. NotFound if there is nothing.
	Erase(ctx context.Context, user core.UserID) error
}

// Admin is what administrators can do: see core.Gateway, whose words these are.
type Admin interface {
	// Admin says whether a user is an administrator.
	Admin(user core.UserID) bool
	Limits() core.Limits
	Person(ctx context.Context, user core.UserID) (core.Person, error)
	People(ctx context.Context, f core.PeopleFilter) ([]core.Person, error)
	Approve(ctx context.Context, user core.UserID) (core.Person, error)
	Reject(ctx context.Context, user core.UserID) error
	Suspend(ctx context.Context, user core.UserID, why string) (core.Person, error)
	Resume(ctx context.Context, user core.UserID) (core.Person, error)
	Allow(ctx context.Context, user core.UserID, messages int) (core.Person, error)
	Announce(ctx context.Context, network, text string) (told int, err error)
	Move(ctx context.Context, from, to core.UserID) error
	// Identified returns the accounts of whom a network knows by a word or an address. NotFound if there is nobody.
	Identified(ctx context.Context, text string) ([]core.Account, error)
	// Invite makes an invitation to a network (empty: to all) that lets uses people
	// in until it expires, and returns its token.
	Invite(ctx context.Context, by core.UserID, network string, uses int, expires time.Time) (token string, err error)
}

// Config is what the commands of one domain stand on. A part that is nil takes
// its commands along.
type Config struct {
	Domain   *edge.Domain
	Gateway  Gateway
	Accounts Accounts
	Letters  Letters
	Window   Window // nil: nothing is held
	Contacts Contacts
	Requests Requests
	Timeline Timeline
	Choices  Choices
	Data     Data
	Blobs    core.Blobs // where exports are put; nil: they are written out
	Admin    Admin
	// Chosen is told that a user has chosen something that may concern the rooms of an account; nil: there are none.
	Chosen func(ctx context.Context, a core.Account) error
	Rooms  xmpp.Handler     // of requests to register with a room; nil: the domain has none
	Logger *slog.Logger     // nil: none
	Now    func() time.Time // nil: time.Now
}

func (c Config) withDefaults() Config {
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	return c
}
