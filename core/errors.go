package core

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// Kind says what went wrong in words that every edge can translate: to a stanza error, an SMTP reply, an HTTP
// status, a verdict of the outbox.
type Kind uint8

// The kinds. "Retried" means that the outbox tries again while the message lives.
const (
	Internal    Kind = iota // our own fault; retried
	Invalid                 // the request makes no sense as written
	NotFound                // nobody and nothing there
	Denied                  // refused for who you are; a session that returns it is not run again
	Unenrolled              // the user has no account for this yet
	Unsupported             // the network cannot do that
	Unavailable             // the network does not answer now; retried after After, or by backoff
	TooLarge                // over a size limit that will not change
	OverLimit               // over a rate or a quota; retried
	Uncertain               // it may or may not have been done; never simply repeated, see Reconciler
)

var kindNames = [...]string{
	"internal", "invalid", "not-found", "denied", "unenrolled", "unsupported", "unavailable", "too-large",
	"over-limit", "uncertain",
}

// String returns the kind's name as metrics and logs show it.
func (k Kind) String() string {
	if int(k) < len(kindNames) {
		return kindNames[k]
	}
	return fmt.Sprintf("kind(%d)", k)
}

// Retried says whether trying again later can help.
func (k Kind) Retried() bool { return k == Internal || k == Unavailable || k == OverLimit }

// Reason says more than a Kind, for edges that have a word for it. It does not change what is done about an error.
type Reason uint8

// The reasons, with the kinds that they come with.
const (
	NoReason     Reason = iota
	NoHost              // NotFound: nothing is there that takes messages for that domain
	Malformed           // Invalid: an address that nobody can have
	Moved               // NotFound: somebody who is somewhere else now: Error.Moved, if that is known
	Inactive            // NotFound: somebody who is there, but takes nothing
	Full                // OverLimit, Denied: somebody who has no room
	Unacceptable        // TooLarge, Unsupported: what is sent, not to whom
	Insecure            // Unavailable: the way there is not as secure as they ask for
	Rules               // Denied: by rules about what is said, or by whom
	Looping             // Unsupported: it came back to where it had been
	Fault               // Denied, Unsupported: we are at fault, and not the user
)

// Error is the only error that crosses a door. Text is all that a user ever reads: one or two plain sentences
// with a next step where there is one. Err is for the log.
type Error struct {
	Kind  Kind
	Op    string        // what was being done: "sms: send"
	Text  string        // for the user; a sentence for the Kind is used when empty
	Code  string        // the network's own code, "550 5.1.1" or "21610"; may be empty
	After time.Duration // Unavailable, OverLimit, Uncertain: not before; zero: by backoff
	Err   error         // the cause, for the log

	Reason Reason
	Moved  string // Moved: the URI of where, "mailto:bob@example.org"; empty: nobody said
	By     string // the server that said so; may be empty
	Alert  bool   // it stays so until an administrator does something
}

// Error returns the text for the log, never for a user.
func (e *Error) Error() string {
	s := e.Kind.String()
	if e.Op != "" {
		s = e.Op + ": " + s
	}
	if e.Code != "" {
		s += " (" + e.Code + ")"
	}
	if e.Err != nil {
		return s + ": " + e.Err.Error()
	}
	if e.Text != "" {
		return s + ": " + e.Text
	}
	return s
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

var kindTexts = [...]string{
	Internal:    "Something went wrong in the gateway. It has been logged; please try again.",
	Invalid:     "That is not understood here.",
	NotFound:    "There is nobody at that address.",
	Denied:      "You are not allowed to do that here.",
	Unenrolled:  "You are not registered here. Send \"register\" to the gateway to begin.",
	Unsupported: "This network cannot do that.",
	Unavailable: "The other network does not answer at the moment. Please try again later.",
	TooLarge:    "That is too large for this network.",
	OverLimit:   "That is more than is allowed at the moment. Please wait and try again.",
	Uncertain:   "It is not known whether this was sent. It was not sent again, to avoid sending it twice.",
}

// Sentence returns what the user reads.
func (e *Error) Sentence() string {
	if e.Text != "" {
		return e.Text
	}
	if int(e.Kind) < len(kindTexts) {
		return kindTexts[e.Kind]
	}
	return kindTexts[Internal]
}

// E makes an Error with a sentence for the user.
func E(kind Kind, op, text string) *Error { return &Error{Kind: kind, Op: op, Text: text} }

// Wrap makes an Error around a cause that only the log may read. A cause that already is an *Error keeps its Kind,
// Text, Code, After and the rest, whatever kind says.
func Wrap(kind Kind, op string, err error) *Error {
	var e *Error
	if errors.As(err, &e) {
		outer := *e
		outer.Op, outer.Err = op, err
		return &outer
	}
	return &Error{Kind: kind, Op: op, Err: err}
}

// AsError returns err as an *Error: itself if it is one or wraps one, else Internal around it; nil for nil.
func AsError(err error) *Error {
	if err == nil {
		return nil
	}
	var e *Error
	if errors.As(err, &e) {
		return e
	}
	return &Error{Kind: Internal, Err: err}
}

// KindOf returns the Kind of err, Internal for an error that is not ours. It must not be called with nil.
func KindOf(err error) Kind { return AsError(err).Kind }

type errorJSON struct {
	Kind Kind   `json:"kind"`
	Op   string `json:"op,omitempty"`
	Text string `json:"text,omitempty"`
	Code string `json:"code,omitempty"`
	Err  string `json:"err,omitempty"`

	Reason Reason `json:"reason,omitempty"`
	Moved  string `json:"moved,omitempty"`
	By     string `json:"by,omitempty"`
	Alert  bool   `json:"alert,omitempty"`
}

// MarshalJSON keeps the cause as text, so that a dead letter can be read weeks later. After is not kept.
func (e *Error) MarshalJSON() ([]byte, error) {
	j := errorJSON{Kind: e.Kind, Op: e.Op, Text: e.Text, Code: e.Code, Reason: e.Reason, Moved: e.Moved, By: e.By, Alert: e.Alert}
	if e.Err != nil {
		j.Err = e.Err.Error()
	}
	return json.Marshal(j)
}

// UnmarshalJSON reads what MarshalJSON wrote.
func (e *Error) UnmarshalJSON(b []byte) error {
	var j errorJSON
	if err := json.Unmarshal(b, &j); err != nil {
		return err
	}
	*e = Error{Kind: j.Kind, Op: j.Op, Text: j.Text, Code: j.Code, Reason: j.Reason, Moved: j.Moved, By: j.By, Alert: j.Alert}
	if j.Err != "" {
		e.Err = errors.New(j.Err)
	}
	return nil
}
