package client

import (
	"encoding/xml"
	"errors"
	"strings"
	"time"
)

// Namespaces that tests ask for often.
const (
	NSClient   = "jabber:client"
	NSStanzas  = "urn:ietf:params:xml:ns:xmpp-stanzas"
	NSReceipts = "urn:xmpp:receipts"
	NSPing     = "urn:xmpp:ping"
	NSMUC      = "http://jabber.org/protocol/muc"
	NSMUCUser  = "http://jabber.org/protocol/muc#user"
	NSReply    = "urn:xmpp:reply:0"
	NSCorrect  = "urn:xmpp:message-correct:0"
	NSOriginID = "urn:xmpp:sid:0"
	NSDelay    = "urn:xmpp:delay"
	NSRoster   = "jabber:iq:roster"
	NSCarbons  = "urn:xmpp:carbons:2"
)

// Element is an XML element with its namespaces resolved.
type Element struct {
	Name     xml.Name
	Attrs    []xml.Attr
	Text     string // its own character data, joined
	Children []*Element
}

// Attr is the value of an attribute without a namespace, or "".
func (e *Element) Attr(name string) string {
	if e == nil {
		return ""
	}
	for _, a := range e.Attrs {
		if a.Name.Space == "" && a.Name.Local == name {
			return a.Value
		}
	}
	return ""
}

// Child is the first child of that name; an empty space stands for any. It is nil when there is none, and may be called
// on nil, so that calls can be chained.
func (e *Element) Child(space, local string) *Element {
	for _, c := range e.All(space, local) {
		return c
	}
	return nil
}

// All lists the children of that name; an empty space stands for any.
func (e *Element) All(space, local string) []*Element {
	if e == nil {
		return nil
	}
	var found []*Element
	for _, c := range e.Children {
		if c.Name.Local == local && (space == "" || c.Name.Space == space) {
			found = append(found, c)
		}
	}
	return found
}

// Content is Text, or "" for nil.
func (e *Element) Content() string {
	if e == nil {
		return ""
	}
	return e.Text
}

// Stanza is a message, presence or iq as it came in.
type Stanza struct {
	*Element
	Raw string    // as it stood on the wire
	At  time.Time // when its last byte was read
}

// String is the stanza as it stood on the wire.
func (s *Stanza) String() string { return s.Raw }

// Kind is "message", "presence" or "iq".
func (s *Stanza) Kind() string { return s.Name.Local }

// From is who sent it.
func (s *Stanza) From() string { return s.Attr("from") }

// To is whom it is for.
func (s *Stanza) To() string { return s.Attr("to") }

// ID is the id its sender gave it.
func (s *Stanza) ID() string { return s.Attr("id") }

// Type is its type; for a message without one it is "normal".
func (s *Stanza) Type() string {
	t := s.Attr("type")
	if t == "" && s.Kind() == "message" {
		return "normal"
	}
	return t
}

// Body is a message's text.
func (s *Stanza) Body() string { return s.Child(NSClient, "body").Content() }

// Subject is a message's subject.
func (s *Stanza) Subject() string { return s.Child(NSClient, "subject").Content() }

// Thread is a message's thread.
func (s *Stanza) Thread() string { return s.Child(NSClient, "thread").Content() }

// Receipt is the id of the message that this one confirms (XEP-0184), or "".
func (s *Stanza) Receipt() string { return s.Child(NSReceipts, "received").Attr("id") }

// HasStatus says whether a room's presence carries that status code (XEP-0045, section 15.6).
func (s *Stanza) HasStatus(code string) bool {
	for _, status := range s.Child(NSMUCUser, "x").All(NSMUCUser, "status") {
		if status.Attr("code") == code {
			return true
		}
	}
	return false
}

// Err is the stanza's error, or nil when its type is not "error".
func (s *Stanza) Err() error {
	if s.Type() != "error" {
		return nil
	}
	e := s.Child("", "error")
	se := &StanzaError{From: s.From(), Type: e.Attr("type"), Text: e.Child(NSStanzas, "text").Content()}
	if e == nil {
		return se
	}
	for _, c := range e.Children {
		if c.Name.Space == NSStanzas && c.Name.Local != "text" {
			se.Condition = c.Name.Local
		}
	}
	return se
}

// StanzaError is an error that somebody answered with (RFC 6120, section 8.3).
type StanzaError struct {
	From      string
	Type      string // cancel, modify, auth, wait, continue
	Condition string // item-not-found, ...
	Text      string // the sentence for people
}

// Error is the error in one line.
func (e *StanzaError) Error() string {
	return strings.TrimSuffix(e.From+" answers "+e.Type+"/"+e.Condition+": "+e.Text, ": ")
}

// IsCondition says whether err is a StanzaError with that condition.
func IsCondition(err error, condition string) bool {
	se, ok := errors.AsType[*StanzaError](err)
	return ok && se.Condition == condition
}

// Bare is a JID without its resource.
func Bare(jid string) string {
	bare, _, _ := strings.Cut(jid, "/")
	return bare
}
