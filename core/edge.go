package core

import "context"

// Edge is the XMPP side as the gateway sees it.
type Edge interface {
	// Show shows a live event. It queues, within bounds, and does not wait for the host server.
	Show(ctx context.Context, a Account, e Event) error
	// Hand shows stored events, in order, and returns when the host server has confirmed that it processed them:
	// one error for each, nil where that is so. An Unavailable error means that the event is to be handed again.
	Hand(ctx context.Context, hs []Handing) []error
}

// Software is a program that a user or a correspondent uses.
type Software struct{ Name, Version, OS string } // Version and OS may be empty

// Inquirer is an Edge that can ask users' clients.
type Inquirer interface {
	// Software is Host.Software.
	Software(ctx context.Context, a Account, by Address) (Software, error)
}

// Handing is a stored event and the account it is for. That of a Notice has a User and a Network only.
type Handing struct {
	Account Account
	Event   Event
}

// Accounts is the mapping's table of accounts as the gateway sees it.
type Accounts interface {
	// Account returns one account, with its secret opened. NotFound if there is none.
	Account(ctx context.Context, id AccountID) (Account, error)
	// Accounts returns all accounts of a network.
	Accounts(ctx context.Context, network string) ([]Account, error)
	// AccountOf returns the user's account on a network and realm; the oldest, if there are several. Where accounts are
	// Shared, one of any realm stands for the empty one if there is none. Unenrolled if there is none.
	AccountOf(ctx context.Context, user UserID, network, realm string) (Account, error)
	// Owner returns the account that the network's address own belongs to, for what comes from peer.
	Owner(ctx context.Context, network string, own, peer Address) (Account, error)
	// Link writes an account: a new one if ID is empty, and returns it with its ID. Invalid, with a sentence, if
	// its own address is somebody else's.
	Link(ctx context.Context, a Account) (Account, error)
	// Unlink removes an account and everything kept for it. NotFound if it is gone.
	Unlink(ctx context.Context, id AccountID) error
}

// Choices is the mapping's table of what users chose.
type Choices interface {
	// Preferences returns what the user chose for a network; the zero value if nothing. It is cheap: it is asked for
	// every chat state.
	Preferences(ctx context.Context, user UserID, network string) (Preferences, error)
	// Blocked says whether the account's user wants to hear nothing from peer. It is cheap: it is asked for everything
	// that comes in.
	Blocked(ctx context.Context, account AccountID, peer Address) (bool, error)
}

// Ledger remembers the names of messages.
type Ledger interface {
	// Message returns a message by our name. NotFound if it is unknown or long ago.
	Message(ctx context.Context, id MessageID) (Entry, error)
	// ByRemote returns a message of an account by the network's name.
	ByRemote(ctx context.Context, account AccountID, remote RemoteID) (Entry, error)
	// ByOrigin returns what the account's user sent under the edge's id, the newest if there are several.
	ByOrigin(ctx context.Context, account AccountID, originID string) (Entry, error)
}

// Entry is a message as the ledger knows it.
type Entry struct {
	Ref
	IDs
	Origin Origin
	Thread ThreadID
	Mine   bool
	State  State
	Whole  MessageID   // of one that went within another: that one, whose Remote it has. See Held
	Parts  []MessageID // the messages that went within this one
}
