package core

import (
	"context"
	"fmt"
	"time"
)

// Standing is where a person stands with the gateway.
type Standing uint8

// The standings.
const (
	Stranger   Standing = iota // not known here; what the configuration says of them decides
	Pending                    // has asked to be let in; an administrator has yet to decide
	Registered                 // let in: by the allow-list, an invitation or an administrator
	Suspended                  // shut out by an administrator
)

var standingNames = [...]string{"stranger", "pending", "registered", "suspended"}

// String returns the standing's name, as the command line and JSON show it.
func (s Standing) String() string {
	if int(s) < len(standingNames) {
		return standingNames[s]
	}
	return fmt.Sprintf("standing(%d)", s)
}

// MarshalText writes the standing's name.
func (s Standing) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText reads what MarshalText wrote.
func (s *Standing) UnmarshalText(text []byte) error {
	for i, name := range standingNames {
		if name == string(text) {
			*s = Standing(i)
			return nil
		}
	}
	return fmt.Errorf("%q is no standing", text)
}

// Person is what is known of somebody who uses the gateway, or asked to.
type Person struct {
	User      UserID    `json:"user"`
	Standing  Standing  `json:"standing"`
	Since     time.Time `json:"since,omitzero"`       // when they were first seen
	Changed   time.Time `json:"changed,omitzero"`     // when their standing last changed
	InvitedBy string    `json:"invited_by,omitempty"` // who made the invitation that let them in, as it says
	Network   string    `json:"network,omitempty"`    // where they asked to be let in
	// Note is, of who is Pending, what they said when they asked, and of who is Suspended, why.
	Note     string `json:"note,omitempty"`
	Language string `json:"language,omitempty"` // of their client, a BCP 47 tag; empty: not known
	// Messages is how many they may send in a minute; 0: what Limits says.
	Messages int `json:"messages,omitempty"`
}

// PeopleFilter says which people to list. Zero fields do not filter.
type PeopleFilter struct {
	Standing Standing
	After    UserID // the last one of the page before
	Limit    int    // 0, and whatever is more: 1000
}

// People is the mapping's table of people. A user without a row is a Stranger.
type People interface {
	// Person returns what is known of a user, at the least their User. It is cheap: it is asked for every message.
	Person(ctx context.Context, user UserID) (Person, error)
	// People lists people in the order of their names.
	People(ctx context.Context, f PeopleFilter) ([]Person, error)
	// ChangePerson has change alter what is known of a user, in one transaction, and returns the outcome. An error of
	// change is returned and nothing is written. change may be called again, and may not wait.
	ChangePerson(ctx context.Context, user UserID, change func(p *Person) error) (Person, error)
	// Redeem makes a user Registered by the token of an invitation, and uses that up. NotFound if the token is not
	// good for the network, whatever the reason. Who is Suspended stays so, at Denied.
	Redeem(ctx context.Context, user UserID, network, token string) (Person, error)
	// AccountsOf returns all accounts of a user.
	AccountsOf(ctx context.Context, user UserID) ([]Account, error)

	Keeper
}

// Keeper keeps something by user: the mapping, the queue, an archive.
type Keeper interface {
	// Move gives everything of a user to a new name of theirs.
	Move(ctx context.Context, from, to UserID) error
	// Erase forgets everything of a user.
	Erase(ctx context.Context, user UserID) error
}

// noPeople is a table of people in which nobody ever is.
type noPeople struct{}

var errNoPeople = E(Unsupported, "core: people", "This gateway keeps no table of people.")

func (noPeople) Person(_ context.Context, user UserID) (Person, error) {
	return Person{User: user}, nil
}

func (noPeople) People(context.Context, PeopleFilter) ([]Person, error) { return nil, nil }

func (noPeople) ChangePerson(context.Context, UserID, func(*Person) error) (Person, error) {
	return Person{}, errNoPeople
}

func (noPeople) Redeem(context.Context, UserID, string, string) (Person, error) {
	return Person{}, errNoPeople
}

func (noPeople) AccountsOf(context.Context, UserID) ([]Account, error) { return nil, errNoPeople }

func (noPeople) Move(context.Context, UserID, UserID) error { return errNoPeople }

func (noPeople) Erase(context.Context, UserID) error { return errNoPeople }
