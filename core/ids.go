package core

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base32"
	"fmt"
	"io"
	"log/slog"
	"time"
)

type (
	// UserID is a person using the gateway: the XMPP edge makes it (a normalised bare JID) and alone may parse it.
	UserID string
	// AccountID is one person's account on one network. The mapping makes it; nobody parses it.
	AccountID string
	// Address is a correspondent or a room on a network. Its transport makes and parses it; nobody else does.
	Address string
	// MessageID is our own name for a message: 26 characters of a-z2-7, safe in any protocol. See NewID, IDFor.
	MessageID string
	// RemoteID is the network's name for a message (a Message-ID, a Twilio SID, an IRCv3 msgid). Its transport
	// makes and parses it.
	RemoteID string
	// ThreadID names a thread within one account. Whoever starts the thread makes it; nobody parses it.
	ThreadID string
)

// IDs are the two names of one message. Whoever makes an event sets the one it knows; the Gateway adds the other
// where the ledger knows it.
type IDs struct {
	ID     MessageID `json:"id,omitempty"`
	Remote RemoteID  `json:"remote,omitempty"`
}

// Known says whether either name is set.
func (i IDs) Known() bool { return i.ID != "" || i.Remote != "" }

// Origin is how the edge names what it submitted: the id there and whom to answer. Both are opaque elsewhere and
// come back unchanged on the Receipt, the reflection, RoomJoined and RoomLeft.
type Origin struct {
	ID   string `json:"id,omitempty"`
	From string `json:"from,omitempty"`
}

// Target is what a person meant by an address: Realm says on which network of the transport's kind
// ("irc.libera.chat"), and is empty where there is only one. An empty Address means the network itself.
type Target struct {
	Realm   string
	Address Address
	Room    bool
}

// Ref is one conversation: an account and whom it speaks with. An empty Peer is the network itself.
type Ref struct {
	Account AccountID `json:"account,omitempty"`
	Peer    Address   `json:"peer,omitempty"`
}

// Where returns the conversation itself; embedding a Ref makes a struct placeable.
func (r Ref) Where() Ref { return r }

// Account is one person's account on one network.
type Account struct {
	ID      AccountID
	User    UserID
	Network string            // the transport's name
	Realm   string            // which network of that kind; empty where there is one
	Own     Address           // the person's own address there: an alias, a number, a nick
	Name    string            // the person's display name; may be empty
	Secret  Secret            // what the network wants to see at login; sealed at rest, nil if none
	Options map[string]string // the person's settings for this account; keys are the transport's
	Created time.Time
}

// Secret is never printed: not by fmt, not by slog, not as JSON.
type Secret []byte

// Format keeps every verb of fmt from the bytes.
func (s Secret) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "[secret]") }

// LogValue is what slog writes.
func (s Secret) LogValue() slog.Value { return slog.StringValue("[secret]") }

// MarshalText is what encoders write.
func (s Secret) MarshalText() ([]byte, error) { return []byte("[secret]"), nil }

var idEncoding = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)

// NewID makes a fresh MessageID from 128 random bits.
func NewID() MessageID {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails: crypto/rand ends the program instead
	return MessageID(idEncoding.EncodeToString(b[:]))
}

// IDFor makes the MessageID of what a network delivered: the same account and remote id give the same id, so that
// a message delivered twice is recognised, by us and by every client.
func IDFor(account AccountID, remote RemoteID) MessageID {
	return MessageID(Digest(string(account), string(remote)))
}

// Digest hashes parts, unambiguously separated, to 26 characters of a-z2-7 (128 bits of SHA-256).
func Digest(parts ...string) string {
	h := sha256.New()
	var n [8]byte
	for _, p := range parts {
		for i := range n {
			n[i] = byte(len(p) >> (8 * i))
		}
		h.Write(n[:])
		h.Write([]byte(p))
	}
	return idEncoding.EncodeToString(h.Sum(nil)[:16])
}
