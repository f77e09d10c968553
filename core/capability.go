package core

import (
	"context"
	"net/http"
	"time"
)

// What a session may be able to do beyond Run and Send. Each is something that a user could name. CapsOf is the
// only place that asks.
type (
	// Rooms are places where many talk.
	Rooms interface {
		// Join enters a room, or, when the account is in already, only answers: with RoomJoined{Origin}, or
		// RoomLeft{Origin, NotJoined}, both through Deliver. It does not wait for the network.
		Join(ctx context.Context, room Address, j Join) error
		// Leave leaves a room; RoomLeft follows.
		Leave(ctx context.Context, room Address, reason string) error
		// Rename asks for another nick. MemberChanged{Renamed, Mine} follows; a refusal is the error, or comes as
		// Receipt{Failed} with the Origin.
		Rename(ctx context.Context, room Address, nick string, o Origin) error
		// Occupant is where to reach a room's member in private. It is a pure function.
		Occupant(room Address, nick string) Address
		// Snapshot is the room as the account sees it now, without asking the network. NotFound if it is not in.
		Snapshot(room Address) (*RoomJoined, error)
	}
	// Moderation changes what a room is and who may do what in it.
	Moderation interface {
		// SetTopic asks for another topic. TopicChanged follows; a refusal is the error, or comes as Receipt{Failed}
		// with the Origin.
		SetTopic(ctx context.Context, room Address, text string, o Origin) error
		// Kick and SetRank wait for the network's answer, at most until ctx ends; a refusal is the error.
		Kick(ctx context.Context, room Address, nick, reason string) error
		SetRank(ctx context.Context, room Address, nick string, r Rank) error
	}
	// Banner keeps people out of rooms. All of it waits for the network's answer, at most until ctx ends; a refusal is
	// the error.
	Banner interface {
		// Ban keeps out whom a nick in the room names, and removes them, or whom a mask of the network's names.
		Ban(ctx context.Context, room Address, who, reason string) error
		// Unban takes a ban back, by its Mask.
		Unban(ctx context.Context, room Address, mask string) error
		Bans(ctx context.Context, room Address) ([]Ban, error)
	}
	// Inviter asks a correspondent into a room, and waits for the network's answer; a refusal is the error.
	Inviter interface {
		Invite(ctx context.Context, room, who Address) error
	}
	// Configurer reads and changes a room's settings, and waits for the network's answer; a refusal is the error.
	Configurer interface {
		Settings(ctx context.Context, room Address) (Settings, error)
		// Configure changes what differs; SettingsChanged follows.
		Configure(ctx context.Context, room Address, s Settings) error
	}
	// RoomLister knows which rooms there are. The list may be some minutes old, and is bounded.
	RoomLister interface {
		// RoomList waits for the network's list, at most until ctx ends. all is false where there are, or may be, more
		// rooms: what the network has told so far is returned then, in the order in which it comes.
		RoomList(ctx context.Context) (rooms []Listed, all bool, err error)
	}
	// TypingSender tells a correspondent that the user is writing.
	TypingSender interface {
		Typing(ctx context.Context, t *Typing) error
	}
	// ReadMarker tells a correspondent, or the user's other apps, what the user has read.
	ReadMarker interface {
		Read(ctx context.Context, r *Receipt) error
	}
	// PresenceSetter shows the user's availability on the network.
	PresenceSetter interface {
		SetPresence(ctx context.Context, p *Presence) error
	}
	// Editor takes messages with Replaces set.
	Editor interface {
		Edit(ctx context.Context, m *Message) (Taken, error)
	}
	// Retractor takes messages back.
	Retractor interface {
		Retract(ctx context.Context, r *Retraction) error
	}
	// Reactor puts emoji on messages.
	Reactor interface {
		React(ctx context.Context, r *Reaction) error
	}
	// ContactLister knows whom the account knows there.
	ContactLister interface {
		Contacts(ctx context.Context) ([]Profile, error)
	}
	// Profiler knows more about a correspondent.
	Profiler interface {
		Profile(ctx context.Context, peer Address) (*Profile, error)
	}
	// Querier asks a correspondent's program something.
	Querier interface {
		// Query asks and does not wait. answered is called once, with what the program says; with NotFound where nobody is
		// of that address; with Unavailable where no answer comes in time. It is not called where Query fails.
		Query(ctx context.Context, peer Address, q Query, answered func(text string, err error)) error
	}
	// Reporter says how its connection is. It does not ask the network.
	Reporter interface {
		// Report is quick: it is asked for figures, of all sessions at once.
		Report() Report
		// Facts are what the user may want to know beside that, a line each.
		Facts() []string
	}
	// Reconciler finds out what became of a message whose Send was cut off or ended as Uncertain. A session that
	// has it is one whose duplicates cost: the outbox commits a mark before every Send, and never calls Send again
	// for a marked message unless Reconcile says that it was not taken.
	Reconciler interface {
		// Reconcile is asked about m, first sent at about since. Taken and nil: it was taken. NotFound: it surely was
		// not, and may be sent. Unavailable, or Uncertain with After: ask again then. Any other error ends the
		// matter; Uncertain's text is what the user reads.
		Reconcile(ctx context.Context, m *Message, since time.Time) (Taken, error)
	}
)

// Join is how to enter a room.
type Join struct {
	Nick     string
	Password string // the room's key; empty: none
	Origin   Origin
}

// Ban is somebody, or many, who may not enter a room.
type Ban struct {
	Mask   string // as the network writes it
	By     string // may be empty, and so may the rest
	Reason string
	At     time.Time
}

// Query is what a correspondent's program can be asked.
type Query uint8

// The queries.
const (
	QueryVersion Query = iota // which program it is
	QueryPing                 // whether it is there; the answer is empty
	QueryTime                 // which time it has, in whatever form
)

// Listed is a room that anybody can see.
type Listed struct {
	Room    Address
	Members int
	Topic   string
}

// Caps are a session's abilities; a nil field is one it lacks. The values of CapsOf(Driver.Session) may only be
// compared with nil.
type Caps struct {
	Rooms          Rooms
	Moderation     Moderation
	Banner         Banner
	Inviter        Inviter
	Configurer     Configurer
	RoomLister     RoomLister
	TypingSender   TypingSender
	ReadMarker     ReadMarker
	PresenceSetter PresenceSetter
	Editor         Editor
	Retractor      Retractor
	Reactor        Reactor
	ContactLister  ContactLister
	Profiler       Profiler
	Querier        Querier
	Reporter       Reporter
	Reconciler     Reconciler
}

// CapsOf asks a session what it can do.
func CapsOf(s Session) Caps {
	var c Caps
	c.Rooms, _ = s.(Rooms)
	c.Moderation, _ = s.(Moderation)
	c.Banner, _ = s.(Banner)
	c.Inviter, _ = s.(Inviter)
	c.Configurer, _ = s.(Configurer)
	c.RoomLister, _ = s.(RoomLister)
	c.TypingSender, _ = s.(TypingSender)
	c.ReadMarker, _ = s.(ReadMarker)
	c.PresenceSetter, _ = s.(PresenceSetter)
	c.Editor, _ = s.(Editor)
	c.Retractor, _ = s.(Retractor)
	c.Reactor, _ = s.(Reactor)
	c.ContactLister, _ = s.(ContactLister)
	c.Profiler, _ = s.(Profiler)
	c.Querier, _ = s.(Querier)
	c.Reporter, _ = s.(Reporter)
	c.Reconciler, _ = s.(Reconciler)
	if n, ok := s.(Narrower); ok {
		n.Narrow(&c)
	}
	return c
}

// What a transport may be able to do beyond its contract. TransportCapsOf is the only place that asks.
type (
	// Enroller links accounts. Without it, and without Driver.Implicit, only the administrator can.
	Enroller interface {
		// Enroll is a conversation of steps: nil answers ask for the first; the answers to a step lead to the next
		// (the same again, with a text that says what is wrong, if they will not do) until Step.Done, which carries
		// the account to link. Answers are keyed by Field.Name; current is the account being changed, or nil.
		Enroll(ctx context.Context, user UserID, current *Account, answers map[string]string) (Step, error)
	}
	// Chooser has settings of its own that each user may choose, such as how much of a mail is shown.
	Chooser interface {
		// Choices are the questions, each with its default as Value. The answers are in Preferences.Own.
		Choices() []Field
	}
	// Tuner has settings that a user may choose for everything, for one realm, and for one conversation.
	Tuner interface {
		// Settings are those, each with what holds on a realm (empty: on most) for who has chosen nothing as its Value.
		Settings(realm string) []Setting
		// Connection are the questions about how an account connects, with what is chosen as their values. Their answers
		// are such as Enroll takes: see Gateway.Change. A NoteField is an answer that the user has no choice about.
		Connection(a Account) ([]Field, error)
	}
	// Holder makes one message of the lines that a user writes within a moment: see hold.go. It is for Stored networks.
	Holder interface {
		// Hold says for how long what is held, for who has chosen nothing.
		Hold() Hold
	}
	// Single may serve one realm only, as configured: the gateway's own address stands for it then.
	Single interface {
		// Single returns that realm; empty: there are several.
		Single() string
	}
	// Identifier makes words and addresses by which networks know a user, and others do not: whoever complains names
	// one, and the administrator finds whose it is (Gateway.Identified).
	Identifier interface {
		// Identify returns all that a user is known by, in lower case.
		Identify(ctx context.Context, user UserID) ([]string, error)
	}
	// Metered counts what goes over its connections.
	Metered interface {
		// Group is the name under which a realm is counted. There are few, however many realms are used.
		Group(realm string) string
		// Traffic is what each group had.
		Traffic() map[string]Traffic
	}
	// Patient tries stored messages for another time than its driver's Lifetime: as configured.
	Patient interface {
		Lifetime() time.Duration
	}
	// Returner hears that the user's server did not take what was delivered, and may tell who sent it.
	Returner interface {
		// Returned is about a message of a correspondent's, which has gone to nobody; because says why: NotFound, with NoHost
		// if the user's whole server is not there, Denied, with Rules if that is about the one message, or Unavailable. It
		// does not wait for the network. It may be called twice for one message.
		Returned(ctx context.Context, a Account, peer Address, id RemoteID, because Kind, reason Reason) error
	}
	// Counter counts what becomes of what it does, for metrics.
	Counter interface {
		Counts() []Count
	}
	// Commander has commands about one conversation, such as to leave the mailing list that it is.
	Commander interface {
		// Commands are those, the same at all times.
		Commands() []Command
		// Command carries one out for an account, in its conversation with peer, in steps as Enroll does. It waits for the
		// network, at most until ctx ends. The sentence of an error is for the user.
		Command(ctx context.Context, a Account, peer Address, name string, answers map[string]string) (Step, error)
	}
	// Checker looks whether the transport could do its work; see Finding.
	Checker interface {
		Check(ctx context.Context) []Finding
	}
)

// Command is something that a user can ask for in a conversation: by a form, or by its name after a slash.
type Command struct {
	Name  string // a word
	Title string // what it does, as a line of a list
	Arg   string // the field that words after the name answer; may be empty
	Usage string // how Arg is written in a list
}

// Count is how often something was done since the program began. Its words are written in the program, and few.
type Count struct {
	What   string // "mail out"
	Result string // "taken"
	How    string // "TLS 1.3"; may be empty
	N      int64
}

// Finding is one line of `gangway check`.
type Finding struct {
	Name string // what was looked at: "relay", "webhook"
	Err  error  // nil: all is well. Its text says what is wrong
	Warn bool   // Err is a warning only
	Text string // what was found; with Err: the next step
}

// TransportCaps are a transport's abilities; a nil field is one it lacks.
type TransportCaps struct {
	Enroller   Enroller
	Chooser    Chooser
	Tuner      Tuner
	Holder     Holder
	Single     Single
	Identifier Identifier
	Metered    Metered
	Patient    Patient
	Returner   Returner
	Counter    Counter
	Commander  Commander
	Checker    Checker
	Webhook    http.Handler // mounted at /hooks/<name>/, which is stripped
}

// TransportCapsOf asks a transport what it can do.
func TransportCapsOf(t Transport) TransportCaps {
	var c TransportCaps
	c.Enroller, _ = t.(Enroller)
	c.Chooser, _ = t.(Chooser)
	c.Tuner, _ = t.(Tuner)
	c.Holder, _ = t.(Holder)
	c.Single, _ = t.(Single)
	c.Identifier, _ = t.(Identifier)
	c.Metered, _ = t.(Metered)
	c.Patient, _ = t.(Patient)
	c.Returner, _ = t.(Returner)
	c.Counter, _ = t.(Counter)
	c.Commander, _ = t.(Commander)
	c.Checker, _ = t.(Checker)
	c.Webhook, _ = t.(http.Handler)
	return c
}
