package core

import (
	"strconv"
	"time"
)

// Event is what passes through the hall: a closed set, of which only pointers satisfy the interface.
type Event interface {
	Where() Ref
	event()
}

// Message is something said, in either direction.
//
// Toward a network the edge sets ID, Origin and the Ref; the Gateway adds the Remote names of ReplyTo and Replaces.
// From a network the transport sets Remote (or leaves it empty where the network has no ids) and the Gateway the ID.
type Message struct {
	Ref
	IDs
	Origin      Origin       `json:"origin,omitzero"`
	Room        bool         `json:"room,omitempty"`   // Peer is a room
	Author      Address      `json:"author,omitempty"` // who spoke, in a room; the member's nick
	Person      string       `json:"person,omitempty"` // as Member.Person
	Mine        bool         `json:"mine,omitempty"`   // the account's owner said it: a reflection, or another app of theirs
	At          time.Time    `json:"at,omitzero"`      // when it was said, as far as known
	Subject     string       `json:"subject,omitempty"`
	Text        string       `json:"text,omitempty"` // may be styled: see package style
	Lang        string       `json:"lang,omitempty"` // the language of the text, a BCP 47 tag; empty: not known
	Attachments []Attachment `json:"attachments,omitempty"`
	Thread      ThreadID     `json:"thread,omitempty"`
	ReplyTo     IDs          `json:"reply_to,omitzero"`
	Replaces    IDs          `json:"replaces,omitzero"`
	Also        []Address    `json:"also,omitempty"`   // who else got it; toward a network each has an event of their own
	Copied      []Address    `json:"copied,omitempty"` // toward a network: those of Peer and Also who get it as a copy (Cc)
	Hidden      bool         `json:"hidden,omitempty"` // toward a network: nobody else is told of Peer (Bcc)
	Quoted      string       `json:"quoted,omitempty"` // toward a network: what the client quotes of the message answered
	Own         Address      `json:"own,omitempty"`    // set by the Gateway: the user's address that it came to, where they could not know
	Trust       Trust        `json:"trust,omitempty"`  // whether Author, or Peer, is who they say
	Notice      bool         `json:"notice,omitempty"` // said by a machine: shown as such, never answered
	// Notes are written in the moment in which a message from the network is safe, or not at all: what its transport has to
	// know when it is answered. Of a message that was delivered before they are there already.
	Notes []Note `json:"-"`
	// Receipt says that the submitter wants to know when the far side has it.
	Receipt bool `json:"receipt,omitempty"`
	// Parts are the user's other messages that go within this one: see Held.
	Parts []Part `json:"parts,omitempty"`
	// OfPart says of one with Replaces, toward a network, that only a part of the message there is replaced: the user has
	// written more that went with it. The Gateway sets it.
	OfPart bool `json:"-"`
	// Past says that it was said while the account was away, so that it is shown with its time. In a room it came through
	// History.Fill, and the archive has it already.
	Past bool `json:"-"`
}

// Attachment is a file that came with a message, known by where to fetch it.
type Attachment struct {
	URL  string `json:"url,omitempty"`
	Name string `json:"name,omitempty"`
	Type string `json:"type,omitempty"` // media type; empty if unknown
	Size int64  `json:"size,omitempty"` // bytes; 0 if unknown
}

// State is how far a message has come. States only go forward; Delivered, Read and Failed are told to the sender.
type State uint8

// The states in the order in which they may be reached. Failed may follow anything but Delivered and Read; Withdrawn
// follows Queued only.
const (
	Queued    State = iota // on our disk
	Accepted               // the network, or the next hop, has taken it
	Sent                   // the next hop has passed it on
	Delivered              // the far side has it
	Read                   // a person has seen it
	Failed                 // it will not arrive
	Withdrawn              // its sender has taken it back before it went
)

var stateNames = [...]string{"queued", "accepted", "sent", "delivered", "read", "failed", "withdrawn"}

// String returns the state's name.
func (s State) String() string {
	if int(s) < len(stateNames) {
		return stateNames[s]
	}
	return "unknown"
}

// Follows says whether a message in state old may move to s: forward only, and never out of what the sender has
// been told is final.
func (s State) Follows(old State) bool {
	switch s {
	case Failed:
		return old < Delivered
	case Withdrawn:
		return old == Queued
	}
	return s > old && old < Failed
}

// Receipt says how far one of the user's own messages has come. A transport sets ID or Remote (with the Account),
// State and, for Failed, Err; the Gateway fills in the rest from the ledger. One without either name but with an Origin
// says that something other than a message, such as a reaction, has failed.
type Receipt struct {
	Ref
	IDs
	Origin Origin `json:"origin,omitzero"`
	State  State  `json:"state"`
	Err    *Error `json:"err,omitempty"`
	// Whole is the message that this one went within; empty if it went by itself. See Held.
	Whole MessageID `json:"whole,omitempty"`
	// Mine turns it around: the user has read, in another app of the network, what was said in the conversation of the
	// Ref up to this message. It has ID or Remote, and the State Read; it is shown at once, or not at all.
	Mine bool `json:"mine,omitempty"`
}

// Typing says that somebody began or stopped writing.
type Typing struct {
	Ref
	Author Address `json:"author,omitempty"`
	On     bool    `json:"on,omitempty"`
}

// Reaction is the whole set of emoji that Author has on a message; an empty set takes them back.
type Reaction struct {
	Ref
	IDs             // the message reacted to
	Origin Origin   `json:"origin,omitzero"`
	Room   bool     `json:"room,omitempty"`
	Author Address  `json:"author,omitempty"`
	Person string   `json:"person,omitempty"` // as Member.Person
	Mine   bool     `json:"mine,omitempty"`
	Emoji  []string `json:"emoji,omitempty"`
	// At tells two reactions to one message apart. The Gateway sets it where a transport does not.
	At   time.Time `json:"at,omitzero"`
	Past bool      `json:"-"` // as Message.Past
}

// Name is the reaction's own name in a history: the same for the same one told again.
func (r *Reaction) Name() MessageID {
	return MessageID(Digest("reaction", string(r.ID), string(r.Author), r.Origin.ID, strconv.FormatInt(r.At.UnixNano(), 36)))
}

// Retraction takes a message back.
type Retraction struct {
	Ref
	IDs              // the message taken back
	Origin Origin    `json:"origin,omitzero"`
	Room   bool      `json:"room,omitempty"`
	Author Address   `json:"author,omitempty"`
	Person string    `json:"person,omitempty"` // as Member.Person
	Mine   bool      `json:"mine,omitempty"`
	At     time.Time `json:"at,omitzero"`
	// Moderated says that Author took back what somebody else said, by rank, and Reason why.
	Moderated bool   `json:"moderated,omitempty"`
	Reason    string `json:"reason,omitempty"`
	Past      bool   `json:"-"` // as Message.Past
}

// Name is the retraction's own name in a history: a message is taken back once.
func (r *Retraction) Name() MessageID { return MessageID(Digest("retraction", string(r.ID))) }

// Show is a person's availability.
type Show uint8

// The availabilities, as RFC 6121 section 4.7.2.1 has them.
const (
	Online Show = iota
	Away
	ExtendedAway
	Busy
	Offline
)

// Presence is what a contact's availability has become.
type Presence struct {
	Ref
	Show Show   `json:"show,omitempty"`
	Text string `json:"text,omitempty"`
}

// Link is the state of a session's connection to its network.
type Link uint8

// The states of a session. Waiting has Err set to why, and Status.Retry to when.
const (
	Connecting Link = iota
	Connected
	Waiting // will be tried again by itself
	Refused // will not be tried again until the user does something
	Closed  // ended on purpose
)

var linkNames = [...]string{"connecting", "connected", "waiting", "refused", "closed"}

// String returns the state's name.
func (l Link) String() string {
	if int(l) < len(linkNames) {
		return linkNames[l]
	}
	return "unknown"
}

// Status says how an account's connection is. Only the Account of the Ref is set. Sessions deliver Connected when
// the network has let them in; the supervisor makes the others.
type Status struct {
	Ref
	Link  Link
	Text  string        // a sentence for the user; may be empty
	Err   *Error        // why, when Waiting or Refused
	Retry time.Duration // until the next try, when Waiting
	Since time.Time     // when Link became what it is; zero before there was a connection. It and what follows the gateway sets

	Last   *Error    // why there was no connection the last time, if there was none before this one
	LastAt time.Time // and when that was
	Report Report    // see Reporter; not in what is shown of a change
	Facts  []string  // see Reporter; the same
}

// Profile is what is known of a contact.
type Profile struct {
	Ref
	Name   string  `json:"name,omitempty"`
	Note   string  `json:"note,omitempty"`
	Avatar Picture `json:"avatar,omitzero"`
}

// Picture is an image. Whoever takes it in bounds it: more than 96 KiB is not shown.
type Picture struct {
	Type string `json:"type,omitempty"` // media type
	Data []byte `json:"data,omitempty"`
}

// Rank is what a member of a room may do, in the words that IRC and XEP-0045 share.
type Rank uint8

// The ranks. The edge renders them as XEP-0045 affiliation and role.
const (
	Plain     Rank = iota // none/participant
	Voice                 // member/participant
	Half                  // member/moderator
	Operator              // admin/moderator
	Owner                 // owner/moderator
	Spectator             // none/visitor: may listen only
)

// Member is somebody in a room.
type Member struct {
	Nick    string  // as the room shows it
	Address Address // where to reach them in private
	Real    string  // user@host, where visible
	Account string  // the services account they are logged in to; may be empty
	// Person is the most lasting name that the network has for who this is; it stays while they are there, whatever
	// becomes of their nick. Empty: the nick.
	Person string
	Rank   Rank
	Away   bool
	Staff  bool // an operator of the network
}

// RoomJoined is the whole state of a room as the account sees it now. With an Origin it answers that one's Join.
// Without, it says that the session is back in the room after Disconnected: whoever went meanwhile has been reported
// as Went before, so that the edge need not know the members. Self is not among Members.
type RoomJoined struct {
	Ref
	Origin  Origin
	Self    Member
	Asked   string // the nick that was asked for; differs from Self.Nick when the network changed it
	Members []Member
	Topic   Topic
	// Settings are those that are known; nil if the network has not said.
	Settings *Settings
}

// Settings are what the operators of a room have decided about it.
type Settings struct {
	TopicLocked bool   // only operators change the topic
	Moderated   bool   // only who has a voice, or more, may speak
	MembersOnly bool   // by invitation
	Hidden      bool   // in no list
	Inside      bool   // only who is in it may speak
	Password    string // empty: none
	Limit       int    // of members; 0: none
}

// Topic is a room's subject and who set it when; By and At may be unknown.
type Topic struct {
	Text string
	By   string
	At   time.Time
}

// Departure says why somebody is no longer in a room.
type Departure uint8

// The reasons.
const (
	Left         Departure = iota // of their own will
	Quit                          // left the network
	Kicked                        // By somebody, for a Reason
	Banned                        // By somebody, for a Reason
	Disconnected                  // the connection is gone; the session keeps the room and comes back by itself
	NotJoined                     // the join failed: Err says why
)

// RoomLeft says that the account is not, or no longer, in the room. With an Origin it answers that one's Join only;
// without, it concerns everybody of the account in the room. A session that ends because the gateway stops says
// nothing: the edge tells its clients itself.
type RoomLeft struct {
	Ref
	Origin Origin
	Self   Member
	Why    Departure
	By     string
	Reason string
	Err    *Error
}

// MemberChanged says that one member of a room came, went or is now different.
type MemberChanged struct {
	Ref
	Change Change
	Member Member // as they are now; as they were, when they went
	Old    string // Renamed: the nick before
	Why    Departure
	By     string
	Reason string
	Mine   bool // it is the account itself: Renamed or Updated
}

// Change is what happened to a member.
type Change uint8

// The changes.
const (
	Came Change = iota
	Went
	Renamed
	Updated
)

// TopicChanged is a room's new topic.
type TopicChanged struct {
	Ref
	Topic Topic
}

// SettingsChanged says that a room's settings are other than they were. They are left out if the network did not say
// what they are now.
type SettingsChanged struct {
	Ref
	Settings *Settings
}

// Invited says that somebody asks the account into the room of the Ref.
type Invited struct {
	Ref
	By     Address // who asks, where they are reached in private
	Nick   string  // and as they are called
	Reason string
}

// Notice is something that the gateway says to a user itself. It concerns no account: its Ref is empty, and the Item
// that carries it says to whom it goes, from the domain of which network.
type Notice struct {
	Ref
	ID   MessageID
	Text string
}

func (*Notice) event()          {}
func (*Message) event()         {}
func (*Receipt) event()         {}
func (*Typing) event()          {}
func (*Reaction) event()        {}
func (*Retraction) event()      {}
func (*Presence) event()        {}
func (*Status) event()          {}
func (*Profile) event()         {}
func (*RoomJoined) event()      {}
func (*RoomLeft) event()        {}
func (*MemberChanged) event()   {}
func (*TopicChanged) event()    {}
func (*SettingsChanged) event() {}
func (*Invited) event()         {}
