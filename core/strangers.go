package core

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
)

// # Strangers
//
// Somebody is a stranger to an account until its user has written to them, has them as a contact, or has let them in. What
// strangers write is accepted like anything else, or waits until the user has decided (a request), or is refused: as the
// user chose, or else as the configuration says.
//
//	message of a stranger -> waits (Requests, on disk); the user is told of the first one
//	    let in, written to, put on the contact list -> delivered, in order, as if it had just come
//	    blocked, reported                           -> forgotten, and refused from now on
//	    nothing for RequestLife                     -> forgotten, in a summary
//
// What comes of the user's own messages (receipts, reports) is never a stranger's. Only stored networks have requests: on
// a live one nothing waits.

// StrangersChoice is the setting; its values follow.
const (
	StrangersChoice = "strangers"

	AcceptStrangers = "accept"
	AskAboutThem    = "request"
	RejectStrangers = "reject"
)

// RequestLife is how long a request waits.
const RequestLife = 30 * 24 * time.Hour

const (
	sweepRequests = time.Hour // between two looks at what waits
	maxSummary    = 20        // names in a summary
	maxExcerpt    = 120       // characters of what waits that the user is shown
)

// Requests keeps what strangers have sent. Addresses are found by any spelling that folds alike.
type Requests interface {
	// Welcome notes that an account's user knows peer, and says whether anything of theirs waits. It is cheap: it is asked
	// for everything that is sent.
	Welcome(ctx context.Context, account AccountID, peer Address) (waiting bool, err error)
	// Welcomed says whether peer is no stranger: on the contact list, or known by Welcome.
	Welcomed(ctx context.Context, account AccountID, peer Address) (bool, error)
	// Wait keeps an event under its name, once: ErrDuplicate if it waits already. OverLimit if there is no room.
	Wait(ctx context.Context, account AccountID, name string, e Event) error
	// Waiting are an account's requests, the oldest first; all accounts' for the empty one.
	Waiting(ctx context.Context, account AccountID) ([]Request, error)
	// Waited is what waits of one, in order, and DropWaited forgets it, up to the last.
	Waited(ctx context.Context, account AccountID, peer Address) (all []Event, last int64, err error)
	DropWaited(ctx context.Context, account AccountID, peer Address, last int64) error
}

// Request is somebody who waits to be let in.
type Request struct {
	Ref
	Messages int       // of theirs
	Since    time.Time // the first came
}

// strangersSetting is the question for users of a network. usual is what the configuration says.
func strangersSetting(usual string) Setting {
	return Setting{Places: Everywhere, Field: Field{
		Name: StrangersChoice, Type: ChoiceField, Value: usual, Label: "Messages from people I have not written to",
		Options: []Option{
			{AcceptStrangers, "arrive"}, {AskAboutThem, "wait until I let the sender in"}, {RejectStrangers, "are refused"},
		},
	}}
}

// usualStrangers is what the configuration says.
func (g *Gateway) usualStrangers() string {
	if s := g.access().Strangers; s != "" {
		return s
	}
	return AcceptStrangers
}

// stranger says what is to be done with what peer sends, if they are a stranger: AcceptStrangers if not.
func (g *Gateway) stranger(ctx context.Context, n *Network, a Account, peer Address) (string, error) {
	if g.cfg.Requests == nil || n.Driver.Lane != Stored || peer == "" {
		return AcceptStrangers, nil
	}
	mode := g.usualStrangers()
	if g.cfg.Choices != nil {
		p, err := g.cfg.Choices.Preferences(ctx, a.User, a.Network)
		if err != nil {
			return "", err
		}
		if chosen, _, ok := p.Choice(n.Transport, StrangersChoice, Target{}); ok {
			mode = chosen
		}
	}
	if mode == AcceptStrangers {
		return mode, nil
	}
	known, err := g.cfg.Requests.Welcomed(ctx, a.ID, peer)
	if err != nil || known {
		return AcceptStrangers, err
	}
	return mode, nil
}

// Receives implements Host.
func (h *host) Receives(ctx context.Context, id AccountID, peer Address) error {
	a, err := h.Account(ctx, id)
	if err != nil {
		return err
	}
	if _, err := h.g.wanted(ctx, a, &Message{Ref: Ref{Account: id, Peer: peer}}); err != nil {
		return err
	}
	mode, err := h.g.stranger(ctx, h.g.networks[h.network], a, peer)
	if err == nil && mode == RejectStrangers {
		err = refusedStranger()
	}
	return err
}

func refusedStranger() error {
	return E(Denied, "core: strangers", "This person accepts messages only from people they know.")
}

// knock keeps what a stranger sends, if that is to wait, and tells the user of it. taken: that is all.
func (g *Gateway) knock(ctx context.Context, n *Network, a Account, e Event) (taken bool, err error) {
	m, isMessage := e.(*Message)
	_, isProfile := e.(*Profile)
	if !isProfile && (!isMessage || m.Mine || m.Room) {
		return false, nil
	}
	ref := e.Where()
	mode, err := g.stranger(ctx, n, a, ref.Peer)
	switch {
	case err != nil || mode == AcceptStrangers:
		return false, err
	case mode == RejectStrangers && isMessage:
		return false, refusedStranger()
	case mode == RejectStrangers:
		return true, nil // nobody's business
	}
	name := "profile"
	if isMessage {
		name = string(m.ID)
		for _, note := range m.Notes {
			if err := g.cfg.Notes(a.Network).Put(ctx, note.Key, note.Value, note.Keep); err != nil {
				return false, err
			}
		}
	}
	err = g.cfg.Requests.Wait(ctx, a.ID, name, e)
	if err != nil && !errors.Is(err, ErrDuplicate) {
		return false, err
	}
	if known, err := g.cfg.Requests.Welcomed(ctx, a.ID, ref.Peer); err == nil && known {
		return true, g.admit(ctx, a, ref.Peer) // they were let in meanwhile
	}
	if isMessage {
		err = g.tellRequest(ctx, n, a, m)
	}
	return true, err
}

// tellRequest tells the user who wants to write to them, once for each who does.
func (g *Gateway) tellRequest(ctx context.Context, n *Network, a Account, m *Message) error {
	all, _, err := g.cfg.Requests.Waited(ctx, a.ID, m.Peer)
	if err != nil || len(all) == 0 {
		return err
	}
	first, who := m, n.Transport.Format(Target{Realm: a.Realm, Address: m.Peer})
	text := who
	for _, e := range all {
		if p, ok := e.(*Profile); ok && p.Name != "" {
			text = p.Name + " <" + who + ">"
		}
	}
	for _, e := range all {
		if waiting, ok := e.(*Message); ok {
			first = waiting
			break
		}
	}
	text += " wants to write to you" + first.Trust.says() + "." + excerpt(first)
	text += fmt.Sprintf("\nSend \"accept %s\" to get what they write, \"block %s\" to hear nothing from them, or \"report %s\" to "+
		"tell the administrator of them, too. Writing to them accepts, as well. What they write waits for %d days.",
		who, who, who, int(RequestLife/(24*time.Hour)))
	err = g.cfg.Queue.Put(ctx, notice(MessageID(Digest("request", string(a.ID), string(first.ID))), a.Network, a.User, text))
	if errors.Is(err, ErrDuplicate) {
		return nil
	}
	return err
}

// excerpt is the subject and the first line of what somebody says.
func excerpt(m *Message) string {
	var b strings.Builder
	if m.Subject != "" {
		b.WriteString("\nSubject: " + shorten(m.Subject, maxExcerpt))
	}
	for line := range strings.SplitSeq(m.Text, "\n") {
		line = shorten(line, maxExcerpt)
		if line == "" || line == "*"+m.Subject+"*" || strings.HasPrefix(line, "⚠") || strings.HasPrefix(line, "(automatic") {
			continue
		}
		b.WriteString("\n> " + line)
		break
	}
	return b.String()
}

// greet notes that a user writes to somebody, who is no stranger then, and delivers what waits of theirs. A failure holds
// up nothing: what waits is looked at again.
func (g *Gateway) greet(ctx context.Context, a Account, e Event) {
	m, ok := e.(*Message)
	if !ok || m.Room || m.Peer == "" || g.cfg.Requests == nil || g.networks[a.Network].Driver.Lane != Stored {
		return
	}
	waiting, err := g.cfg.Requests.Welcome(ctx, a.ID, m.Peer)
	if err == nil && waiting {
		err = g.admit(ctx, a, m.Peer)
	}
	if err != nil {
		g.log.Warn("a correspondent is not noted", "account", a.ID, "err", err)
	}
}

// admit delivers what waits of somebody who is no stranger any more. It may be called again after an error.
func (g *Gateway) admit(ctx context.Context, a Account, peer Address) error {
	all, last, err := g.cfg.Requests.Waited(ctx, a.ID, peer)
	if err != nil || len(all) == 0 {
		return err
	}
	h := &host{g: g, network: a.Network}
	for _, e := range all {
		if m, ok := e.(*Message); ok {
			g.arrived(ctx, a, m)
		}
		if err := g.cfg.Queue.Put(ctx, h.items(ctx, a, e)...); err != nil && !errors.Is(err, ErrDuplicate) {
			return err
		}
	}
	return g.cfg.Requests.DropWaited(ctx, a.ID, peer, last)
}
