package core

import (
	"context"
	"log/slog"
	"time"
)

// LaneKind says where a driver's messages stop on their way.
type LaneKind uint8

const (
	// Stored messages are on disk, in both directions, before anyone is told that they were taken.
	Stored LaneKind = iota
	// Live messages walk straight through: the room's reflection, or the error, is the answer.
	Live
)

// Order says which stored messages wait for one another.
type Order uint8

const (
	// PerPeer keeps the messages of one conversation in order: a failing one holds back those behind it.
	PerPeer Order = iota
	// PerMessage lets every message go by itself.
	PerMessage
)

// Driver describes a kind of network as plain data. It is what transports.All lists.
type Driver struct {
	Name  string // the table in the configuration and the path under /hooks/: "email"
	Title string // what people read: "E-mail"
	Type  string // the type of the disco identity "gateway/<type>" (XEP-0030 registry): "smtp"
	// Prompt is what an address is called where one is asked for: "Phone number". Empty: "Address".
	Prompt string
	Lane   LaneKind
	Order  Order

	// Lifetime is how long a stored message is tried before it becomes a dead letter.
	Lifetime time.Duration
	// Retry is the schedule of a stored message's attempts after the first; the last one repeats. Each delay is
	// varied by +-10 %.
	Retry []time.Duration
	// Delays are how long after it was submitted a stored message that is still on its way is tried once more and, if it is
	// to be tried again, its sender told so and why. Each is told once at most.
	Delays []time.Duration
	// Pace is the least time between two sessions of one realm being (re)started; zero: no limit.
	Pace time.Duration
	// Threads says that a message of this network can name the one that it answers. Without it a quotation of that one
	// stays in the text.
	Threads bool
	// Reactions bounds what may be put on a message, where sessions are Reactors.
	Reactions ReactionRules
	// Shared says that all accounts of a user reach the same correspondents: a Target has no Realm, the conversation with
	// somebody is one, whichever account it goes through, and which that is is chosen; see Gateway.Speaker.
	Shared bool
	// Implicit accounts are made at first use for anyone who is allowed to use the gateway: no enrolment.
	Implicit bool

	// Session is a nil pointer of the type that Transport.Open returns: CapsOf(d.Session) says what sessions can do
	// before there is one.
	Session Session
	// New makes the transport from its settings. It starts nothing and touches no network.
	New func(Host, Decoder) (Transport, error)
}

// Decoder decodes a transport's own settings, strictly, into a pointer to a struct with `toml` tags. An unknown
// key is an error that names its line.
type Decoder func(into any) error

// Transport is one network of one kind, as configured.
type Transport interface {
	// Run serves listeners and shared connections until ctx ends, and returns when all of them are closed. Without
	// any it waits for ctx. An error ends the program: it is for a taken port, not for a network that is away.
	Run(ctx context.Context) error
	// Parse turns what a person wrote, or the unescaped local part of a JID, into its canonical target. It is
	// idempotent over Format and touches no network. Its error has a sentence that says what would be right.
	Parse(s string) (Target, error)
	// Format is the inverse of Parse: the canonical text of a target, which the edge escapes to a JID's local part.
	Format(t Target) string
	// Open makes the session of an account. It does not touch the network.
	Open(a Account) (Session, error)
}

// ReactionRules are what a network takes as reactions. The zero value: anything.
type ReactionRules struct {
	Most    int      // emoji of one person on one message; 0: as many as they like
	Allowed []string // nil: any
}

// Session is one account on its network.
type Session interface {
	// Run lives ONE connection's life. The supervisor calls it again, with backoff, after any error but Denied; nil
	// means that the session has nothing more to do until it is needed again. A session without a connection waits
	// for ctx. It delivers Status{Connected} when the network has let it in. With a ctx that has ended it connects to
	// nothing, and only tells those who wait for something that nothing will come of it: because of the *Error that
	// is the ctx's cause, or because the gateway is stopping.
	Run(ctx context.Context) error
	// Send hands a message to the network. It may be called again with the same ID, and before or between Runs.
	// On a stored lane it returns when the network has taken the message or refused it. On a live lane it only
	// queues, within bounds, and returns at once; through Deliver follows, in a room, the reflection (a Message with
	// Mine, the same ID and Origin, and the text as the room got it), elsewhere a Receipt{Delivered}, or else a
	// Receipt{Failed}, each with the message's Ref, ID and Origin.
	Send(ctx context.Context, m *Message) (Taken, error)
}

// Taken is what a network said when it took a message. The zero value means: queued, more will follow.
type Taken struct {
	Remote RemoteID
	State  State // Accepted, Sent or Delivered
}

// Host is the gateway as a transport sees it.
type Host interface {
	// Deliver passes on what the network said. When it returns nil the event is safe (on disk, if its lane is
	// stored) and the network may be told so. An event delivered before is taken again without effect: nil.
	Deliver(ctx context.Context, e Event) error
	// Owner says whose mailbox, number or nick own is, for what comes from peer. NotFound if nobody's.
	Owner(ctx context.Context, own, peer Address) (Account, error)
	// Receives says whether the account's user takes messages of peer at all: Denied, with a sentence, if not. It is for
	// who can tell the sender early; Deliver finds out by itself.
	Receives(ctx context.Context, id AccountID, peer Address) error
	// Account returns an account of this transport. NotFound if it is gone.
	Account(ctx context.Context, id AccountID) (Account, error)
	// AccountsOf returns a user's accounts of this transport, the oldest first.
	AccountsOf(ctx context.Context, user UserID) ([]Account, error)
	// Renew replaces what the network wants to see at an account's next login, such as a token that it has renewed. The
	// account's session goes on as it is.
	Renew(ctx context.Context, id AccountID, s Secret) error
	// Notes are this transport's private rows.
	Notes() Notes
	// Blobs is where files are kept and fetched. It is never nil; a gateway that keeps none says so with Unsupported.
	Blobs() Blobs
	// History is how the gaps in the histories of rooms are filled. It is never nil; a gateway that keeps none says so
	// with Unsupported.
	History() History
	// Preferences are what the account's user chose for this network.
	Preferences(ctx context.Context, id AccountID) (Preferences, error)
	// Software asks a client of the account's user what it is, for a correspondent who wants to know. It waits for the
	// answer, at most until ctx ends; NotFound if there is no client to ask.
	Software(ctx context.Context, id AccountID, by Address) (Software, error)
	// WebhookURL is where the world reaches the transport's http.Handler, without a slash at the end; empty if the
	// configuration does not say. It is what providers are told and what their signatures are checked against.
	WebhookURL() string
	// Logger has the transport's name set. Ids only: no bodies, no addresses above debug.
	Logger() *slog.Logger
}

// Note is a row to be put among a transport's Notes.
type Note struct {
	Key   string
	Value []byte
	Keep  time.Duration // zero: for ever
}

// Notes are a transport's private key-value rows, durable when Put returns. A row whose key ends with a space and the
// id of an account, or whose value has that id in it, goes when the account does: what says anything about a user must
// be such a one.
type Notes interface {
	// Put writes value under key, replacing what was there, to be forgotten after keep (zero: never).
	Put(ctx context.Context, key string, value []byte, keep time.Duration) error
	// Get returns what was last put, or a NotFound error.
	Get(ctx context.Context, key string) ([]byte, error)
	// Delete forgets the key; a key that is not there is no error.
	Delete(ctx context.Context, key string) error
}
