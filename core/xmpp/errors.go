package xmpp

import (
	"errors"
	"strings"

	"gangway/core"
	"gangway/core/xmpp/stream"
)

// Errors of a Link. Each is a *core.Error of the kind Unavailable or OverLimit,
// so that a stored message which meets one is tried again.
var (
	ErrDown     error = core.E(core.Unavailable, "component link", "The gateway is not connected at the moment. Please try again later.")
	ErrLost     error = core.E(core.Unavailable, "component link", "The connection was lost before the server had confirmed the message.")
	ErrStopping error = core.E(core.Unavailable, "component link", "The gateway is being restarted. Please try again in a minute.")
	ErrFull     error = core.E(core.OverLimit, "component link", "The gateway has too much to send at the moment. Please try again later.")
)

// Error is a stanza error (RFC 6120 section 8.3): what a handler returns when a
// core.Error cannot say it, and what an IQ answered with an error returns.
type Error struct {
	Type      string      // "auth", "cancel", "continue", "modify" or "wait"
	Condition string      // a defined condition, such as "item-not-found"
	Text      string      // for the user, in English; may be empty
	Gone      string      // the new address, with the conditions gone and redirect
	App       stream.Name // an application-specific condition; may be empty
	Err       error       // the cause, for the log; may be nil
}

// NewError returns a stanza error with a text for the user.
func NewError(typ, condition, text string) *Error {
	return &Error{Type: typ, Condition: condition, Text: text}
}

func (e *Error) Error() string {
	s := "stanza error " + e.Type + "/" + e.Condition
	if e.Text != "" {
		s += ": " + e.Text
	}
	if e.Err != nil {
		s += ": " + e.Err.Error()
	}
	return s
}

func (e *Error) Unwrap() error { return e.Err }

// ErrorOf returns what to tell the sender of a stanza that met err: err itself
// if it is or wraps an *Error, else the words of core in those of XMPP. Nothing
// but the sentence meant for users gets out.
func ErrorOf(err error) *Error {
	var e *Error
	if errors.As(err, &e) {
		return e
	}
	var refused *stream.StanzaError
	if errors.As(err, &refused) {
		return errorOfRefused(refused)
	}
	ce := core.AsError(err)
	typ, condition := conditionOf(ce.Kind)
	if t, c, ok := reasonOf(ce.Reason); ok {
		typ, condition = t, c
	}
	x := &Error{Type: typ, Condition: condition, Text: ce.Sentence(), Err: err}
	if ce.Reason == core.Moved {
		x.Gone = ce.Moved
	}
	return x
}

// reasonOf is what a Reason is called where that is more exact than its Kind.
func reasonOf(r core.Reason) (typ, condition string, ok bool) {
	switch r {
	case core.NoHost:
		return "cancel", "remote-server-not-found", true
	case core.Malformed:
		return "modify", "jid-malformed", true
	case core.Moved:
		return "cancel", "gone", true
	case core.Inactive:
		return "cancel", "recipient-unavailable", true
	case core.Full:
		return "wait", "resource-constraint", true
	case core.Unacceptable:
		return "modify", "not-acceptable", true
	case core.Insecure:
		return "cancel", "not-acceptable", true
	case core.Rules:
		return "cancel", "policy-violation", true
	case core.Looping:
		return "cancel", "service-unavailable", true
	case core.Fault:
		return "cancel", "internal-server-error", true
	case core.NoReason:
	}
	return "", "", false
}

func conditionOf(k core.Kind) (typ, condition string) {
	switch k {
	case core.Invalid:
		return "modify", "bad-request"
	case core.NotFound:
		return "cancel", "item-not-found"
	case core.Denied:
		return "auth", "not-authorized"
	case core.Unenrolled:
		return "auth", "registration-required"
	case core.Unsupported:
		return "cancel", "feature-not-implemented"
	case core.Unavailable:
		return "wait", "remote-server-timeout"
	case core.TooLarge:
		return "modify", "policy-violation"
	case core.OverLimit:
		return "wait", "resource-constraint"
	case core.Uncertain:
		return "cancel", "remote-server-timeout" // cancel: to repeat it might be to do it twice
	case core.Internal:
	}
	return "wait", "internal-server-error"
}

func errorOfRefused(r *stream.StanzaError) *Error {
	switch {
	case errors.Is(r, stream.ErrTooLarge):
		return &Error{Type: "modify", Condition: "policy-violation", Text: "That is too large for the gateway.", Err: r}
	case errors.Is(r, stream.ErrLimit):
		return &Error{Type: "modify", Condition: "policy-violation", Text: "That is too complex for the gateway.", Err: r}
	default:
		return &Error{Type: "modify", Condition: "bad-request", Text: "The gateway could not read that.", Err: r}
	}
}

// ParseError reads the <error/> of a stanza of type error.
func ParseError(st *stream.Stanza) *Error {
	el := st.Child("", "error")
	e := &Error{Type: el.Attr("type"), Condition: "undefined-condition"}
	for c := range el.Children() {
		switch {
		case c.Is(stream.NSStanzas, "text"):
			e.Text = strings.TrimSpace(c.Text())
		case c.Space() == stream.NSStanzas:
			e.Condition = c.Local()
			e.Gone = c.Text()
		default:
			e.App = c.Name()
		}
	}
	if e.Type == "" {
		e.Type = "cancel"
	}
	return e
}

// Encode writes the <error/> element.
func (e *Error) Encode(enc *stream.Encoder) {
	enc.Start("error", "", "type", e.Type)
	enc.Leaf(e.Condition, stream.NSStanzas, e.Gone)
	if e.Text != "" {
		enc.Leaf("text", stream.NSStanzas, e.Text, "xml:lang", "en")
	}
	if e.App.Local != "" {
		enc.Empty(e.App.Local, e.App.Space)
	}
	enc.End()
}
