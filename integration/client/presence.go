package client

import (
	"context"
	"fmt"
	"strings"
)

// SendPresence sends presence to to, or to everybody concerned when it is empty. kind may be empty (available),
// unavailable, subscribe and so on; payload is raw XML.
func (c *Client) SendPresence(to, kind, payload string) error {
	return c.Send("<presence" + attr("to", to) + attr("type", kind) + ">" + payload + "</presence>")
}

// Online asks for the roster and becomes available; it returns when the server has taken note, so that from then on
// messages to the account reach this client.
func (c *Client) Online(ctx context.Context) error {
	if _, err := c.Roster(ctx); err != nil {
		return err
	}
	id := c.NewID()
	if err := c.Send("<presence id='" + id + "'/>"); err != nil {
		return err
	}
	return c.Ping(ctx) // the server reads in order
}

// Contact is an entry of the roster.
type Contact struct{ JID, Name, Subscription string }

// Roster fetches the account's roster. A client that asked for it is sent its changes as well (RFC 6121, section 2.1.6).
func (c *Client) Roster(ctx context.Context) ([]Contact, error) {
	s, err := c.IQ(ctx, "", "get", "<query xmlns='"+NSRoster+"'/>")
	if err != nil {
		return nil, fmt.Errorf("roster: %w", err)
	}
	var contacts []Contact
	for _, item := range s.Child(NSRoster, "query").All(NSRoster, "item") {
		contacts = append(contacts, Contact{item.Attr("jid"), item.Attr("name"), item.Attr("subscription")})
	}
	return contacts, nil
}

// Join enters a room (XEP-0045) and returns the self-presence that completes it: its resource is the nick that was got.
// What the room sent before and sends after, its members, history and subject, is in the journal.
func (c *Client) Join(ctx context.Context, room, nick string) (*Stanza, error) {
	id := c.NewID()
	err := c.Send("<presence id='" + id + "'" + attr("to", room+"/"+nick) + "><x xmlns='" + NSMUC + "'/></presence>")
	if err != nil {
		return nil, err
	}
	s, err := c.Wait(ctx, func(s *Stanza) bool {
		return s.Kind() == "presence" && strings.EqualFold(Bare(s.From()), room) && (s.Type() == "error" || s.Type() == "" && s.HasStatus("110"))
	})
	if err != nil {
		return nil, fmt.Errorf("join %s: %w", room, err)
	}
	return s, s.Err()
}

// Leave leaves a room and waits for its confirmation.
func (c *Client) Leave(ctx context.Context, room, nick string) error {
	if err := c.SendPresence(room+"/"+nick, "unavailable", ""); err != nil {
		return err
	}
	s, err := c.Wait(ctx, func(s *Stanza) bool {
		return s.Kind() == "presence" && strings.EqualFold(Bare(s.From()), room) && (s.Type() == "error" || s.Type() == "unavailable" && s.HasStatus("110"))
	})
	if err != nil {
		return fmt.Errorf("leave %s: %w", room, err)
	}
	return s.Err()
}
