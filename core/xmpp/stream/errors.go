package stream

import "errors"

// Reasons a stanza is refused. A *StanzaError wraps one of them.
var (
	ErrNotWellFormed = errors.New("not well-formed")
	ErrRestricted    = errors.New("restricted XML") // RFC 6120 section 11.1
	ErrLimit         = errors.New("over a limit")
	ErrTooLarge      = errors.New("stanza too large")
)

// StanzaError says that one stanza was refused. The stream is still in step:
// the next call to [Reader.Next] reads the stanza after it.
//
// The fields hold what could be read of its start tag, and are empty where it
// could not. They were sent by a stranger; all are valid UTF-8 without
// characters that XML forbids.
type StanzaError struct {
	Kind               Kind
	ID, From, To, Type string
	Err                error // wraps ErrNotWellFormed, ErrRestricted, ErrLimit or ErrTooLarge
}

func (e *StanzaError) Error() string {
	return "stanza refused: " + e.Err.Error()
}

func (e *StanzaError) Unwrap() error { return e.Err }

// StreamError ends a stream. The Reader makes one when it can no longer tell
// where a stanza ends; the link makes one of the <stream:error/> a server sent.
//
//nolint:revive // beside StanzaError, Error would say less
type StreamError struct {
	Condition string // a defined condition of RFC 6120 section 4.9.3
	Text      string // for the log
}

func (e *StreamError) Error() string {
	if e.Text == "" {
		return "stream error: " + e.Condition
	}
	return "stream error: " + e.Condition + ": " + e.Text
}

// parseError is a refusal with its detail; kept small because a hostile peer
// can have one made per stanza.
type parseError struct {
	kind   error
	detail string
}

func (e *parseError) Error() string { return e.kind.Error() + ": " + e.detail }
func (e *parseError) Unwrap() error { return e.kind }

func malformed(detail string) error  { return &parseError{ErrNotWellFormed, detail} }
func restricted(detail string) error { return &parseError{ErrRestricted, detail} }
func limit(detail string) error      { return &parseError{ErrLimit, detail} }
