package core

import (
	"encoding/json"
	"fmt"
)

// EventName returns the tag of an event that may be stored, or "" for one that only live lanes carry.
func EventName(e Event) string {
	switch e.(type) {
	case *Message:
		return "message"
	case *Receipt:
		return "receipt"
	case *Reaction:
		return "reaction"
	case *Retraction:
		return "retraction"
	case *Presence:
		return "presence"
	case *Profile:
		return "profile"
	case *Notice:
		return "notice"
	case *Held:
		return "held"
	}
	return ""
}

// EncodeEvent writes a storable event as its tag and JSON.
func EncodeEvent(e Event) (name string, body []byte, err error) {
	name = EventName(e)
	if name == "" {
		return "", nil, fmt.Errorf("core: %T cannot be stored", e)
	}
	body, err = json.Marshal(e)
	return name, body, err
}

// DecodeEvent reads what EncodeEvent wrote.
func DecodeEvent(name string, body []byte) (Event, error) {
	e := newEvent(name)
	if e == nil {
		return nil, fmt.Errorf("core: unknown event %q", name)
	}
	if err := json.Unmarshal(body, e); err != nil {
		return nil, fmt.Errorf("core: decode %s: %w", name, err)
	}
	return e, nil
}

// newEvent is the inverse of EventName. A tag is never reused for something else.
func newEvent(name string) Event {
	switch name {
	case "message":
		return new(Message)
	case "receipt":
		return new(Receipt)
	case "reaction":
		return new(Reaction)
	case "retraction":
		return new(Retraction)
	case "presence":
		return new(Presence)
	case "profile":
		return new(Profile)
	case "notice":
		return new(Notice)
	case "held":
		return new(Held)
	}
	return nil
}
