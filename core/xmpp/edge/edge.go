package edge

import (
	"context"
	"errors"
	"fmt"

	"gangway/core"
	"gangway/core/xmpp/stream"
)

// Renderer writes what one function of XMPP shows of an event.
type Renderer interface {
	// Render appends the stanzas that show e to enc, and none if there is nothing
	// to show. They are from an address at the domain, and they are the same,
	// ids included, when the event is rendered again. An error means that nothing
	// of it can be shown; Render has written nothing then. It must not wait for
	// the link.
	Render(ctx context.Context, enc *stream.Encoder, d *Domain, a core.Account, e core.Event) error
}

// Config is what an Edge is made of.
type Config struct {
	Domains []*Domain
	Chat    Renderer // messages, receipts, typing, reactions and retractions of one correspondent
	Roster  Renderer // presence, status and profiles
	Rooms   Renderer // everything of rooms; nil: there are none
}

// Edge shows events on all component domains. It implements core.Edge.
type Edge struct {
	cfg     Config
	domains map[string]*lane // by network
}

var _ core.Edge = (*Edge)(nil)

// New makes an Edge. It starts nothing.
func New(cfg Config) (*Edge, error) {
	e := &Edge{cfg: cfg, domains: map[string]*lane{}}
	for _, d := range cfg.Domains {
		name := d.Network.Driver.Name
		if _, ok := e.domains[name]; ok {
			return nil, fmt.Errorf("xmpp edge: network %q has two domains", name)
		}
		e.domains[name] = newLane(d)
	}
	return e, nil
}

// Domain returns the domain of a network, or nil.
func (e *Edge) Domain(network string) *Domain {
	if l := e.domains[network]; l != nil {
		return l.domain
	}
	return nil
}

// Show implements core.Edge.
func (e *Edge) Show(ctx context.Context, a core.Account, ev core.Event) error {
	l := e.domains[a.Network]
	if l == nil {
		return noDomain(a.Network)
	}
	var failed error
	err := l.domain.InTurn(a.ID, func(enc *stream.Encoder) {
		failed = e.render(ctx, enc, l.domain, a, ev)
	})
	if failed != nil {
		return failed
	}
	return writeError(err)
}

// Hand implements core.Edge. What it is given is of one conversation as a rule,
// and so of one domain; others would be handed one after the other.
func (e *Edge) Hand(ctx context.Context, hs []core.Handing) []error {
	errs := make([]error, len(hs))
	for from := 0; from < len(hs); {
		network := hs[from].Account.Network
		to := from + 1
		for to < len(hs) && hs[to].Account.Network == network {
			to++
		}
		e.handTo(ctx, network, hs[from:to], errs[from:to])
		from = to
	}
	return errs
}

func (e *Edge) handTo(ctx context.Context, network string, hs []core.Handing, errs []error) {
	l := e.domains[network]
	if l == nil {
		for i := range errs {
			errs[i] = noDomain(network)
		}
		return
	}
	rows := make([]row, len(hs))
	for i, h := range hs {
		rows[i] = row{key(h.Event), func(enc *stream.Encoder) error {
			return e.render(ctx, enc, l.domain, h.Account, h.Event)
		}}
	}
	l.hand(ctx, rows, errs)
}

// render asks whoever it concerns.
func (e *Edge) render(ctx context.Context, enc *stream.Encoder, d *Domain, a core.Account, ev core.Event) error {
	r := e.cfg.Chat
	switch ev := ev.(type) {
	case *core.Notice:
		notice(enc, d, a.User, ev)
		return nil
	case *core.Message:
		r = e.chatOrRoom(ev.Room)
	case *core.Reaction:
		r = e.chatOrRoom(ev.Room)
	case *core.Retraction:
		r = e.chatOrRoom(ev.Room)
	case *core.Receipt:
		r = e.chatOrRoom(d.isRoom(a.Realm, ev.Peer))
	case *core.Typing:
		r = e.chatOrRoom(d.isRoom(a.Realm, ev.Peer))
	case *core.Presence, *core.Status, *core.Profile:
		r = e.cfg.Roster
	case *core.RoomJoined, *core.RoomLeft, *core.MemberChanged, *core.TopicChanged, *core.SettingsChanged, *core.Invited:
		r = e.cfg.Rooms
	}
	if r == nil {
		return core.E(core.Unsupported, "xmpp edge: show", "There are no rooms here.")
	}
	return r.Render(ctx, enc, d, a, ev)
}

// notice writes what the gateway says itself: an ordinary message from the domain, so that the user's server keeps it
// while they are offline.
func notice(enc *stream.Encoder, d *Domain, user core.UserID, n *core.Notice) {
	enc.Start("message", "", "type", "chat", "from", d.Name, "to", string(user), "id", string(n.ID), "xml:lang", "en")
	enc.Leaf("body", "", n.Text)
	enc.Empty("origin-id", "urn:xmpp:sid:0", "id", string(n.ID))
	enc.End()
}

// Mover is a Renderer that keeps something by user: see core.Mover.
type Mover interface {
	// Moved is told of the accounts of the domain's network. It does not wait for the host server.
	Moved(ctx context.Context, d *Domain, from core.UserID, moved []core.Account) error
}

var _ core.Mover = (*Edge)(nil)

// Moved implements core.Mover.
func (e *Edge) Moved(ctx context.Context, from core.UserID, moved []core.Account) error {
	byNetwork := map[string][]core.Account{}
	for _, a := range moved {
		byNetwork[a.Network] = append(byNetwork[a.Network], a)
	}
	var errs []error
	for network, accounts := range byNetwork {
		l := e.domains[network]
		if l == nil {
			continue
		}
		for _, r := range []Renderer{e.cfg.Rooms, e.cfg.Roster} {
			if m, ok := r.(Mover); ok {
				errs = append(errs, m.Moved(ctx, l.domain, from, accounts))
			}
		}
	}
	return errors.Join(errs...)
}

// Inquirer is a Renderer that knows which clients its users have: see core.Inquirer.
type Inquirer interface {
	Software(ctx context.Context, d *Domain, a core.Account, by core.Address) (core.Software, error)
}

var _ core.Inquirer = (*Edge)(nil)

// Software implements core.Inquirer.
func (e *Edge) Software(ctx context.Context, a core.Account, by core.Address) (core.Software, error) {
	l := e.domains[a.Network]
	i, ok := e.cfg.Rooms.(Inquirer)
	if l == nil || !ok {
		return core.Software{}, core.E(core.NotFound, "xmpp edge: software", "There is no client to ask.")
	}
	return i.Software(ctx, l.domain, a, by)
}

// Stopper is a Renderer that shows what an account has open: see core.Stopper.
type Stopper interface {
	Stopped(d *Domain, a core.Account)
}

var _ core.Stopper = (*Edge)(nil)

// Stopped implements core.Stopper.
func (e *Edge) Stopped(a core.Account) {
	l := e.domains[a.Network]
	if s, ok := e.cfg.Rooms.(Stopper); ok && l != nil {
		s.Stopped(l.domain, a)
	}
}

func (e *Edge) chatOrRoom(room bool) Renderer {
	if room {
		return e.cfg.Rooms
	}
	return e.cfg.Chat
}

func noDomain(network string) error {
	return core.Wrap(core.NotFound, "xmpp edge: show", fmt.Errorf("network %q has no component domain", network))
}

// writeError gives what a link could not take the words of core.
func writeError(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, stream.ErrTooLarge):
		e := core.E(core.TooLarge, "xmpp edge: encode", "The message is too large to be shown over XMPP.")
		e.Err = err
		return e
	case errors.Is(err, stream.ErrAddress), errors.Is(err, stream.ErrName), errors.Is(err, stream.ErrUnbalanced):
		return core.Wrap(core.Invalid, "xmpp edge: encode", err)
	}
	return err
}

// key names a stored event across handings.
func key(e core.Event) string {
	switch e := e.(type) {
	case *core.Notice:
		return "notice " + string(e.ID)
	case *core.Message:
		return "message " + string(e.ID)
	case *core.Receipt:
		return "receipt " + string(e.ID) + " " + e.State.String() + " " + e.Origin.ID // a reaction's has only the latter
	case *core.Reaction:
		return "reaction " + string(e.ID) + " " + string(e.Author)
	case *core.Retraction:
		return "retraction " + string(e.ID)
	}
	return fmt.Sprintf("%T %s", e, e.Where().Peer)
}
