package core

import (
	"encoding/json"
	"fmt"
)

// eventNames are the tags under which stored events are written. A tag is never reused for something else.
var eventNames = map[string]func() Event{
	"message":    func() Event { return new(Message) },
	"receipt":    func() Event { return new(Receipt) },
	"reaction":   func() Event { return new(Reaction) },
	"retraction": func() Event { return new(Retraction) },
	"presence":   func() Event { return new(Presence) },
	"profile":    func() Event { return new(Profile) },
}

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
	fresh, ok := eventNames[name]
	if !ok {
		return nil, fmt.Errorf("core: unknown event %q", name)
	}
	e := fresh()
	if err := json.Unmarshal(body, e); err != nil {
		return nil, fmt.Errorf("core: decode %s: %w", name, err)
	}
	return e, nil
}
