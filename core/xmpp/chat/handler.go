package chat

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"gangway/core"
	"gangway/core/xmpp"
	"gangway/core/xmpp/addr"
	"gangway/core/xmpp/edge"
	"gangway/core/xmpp/stream"
)

// Gateway is what chat asks of the hall.
type Gateway interface {
	Account(ctx context.Context, user core.UserID, network, realm string) (core.Account, error)
	Submit(ctx context.Context, a core.Account, e core.Event) error
}

// Config is what a Chat is made of.
type Config struct {
	Gateway  Gateway
	Ledger   core.Ledger
	Contacts Contacts         // nil: addresses are as Transport.Parse returns them
	Now      func() time.Time // nil: time.Now
	Logger   *slog.Logger     // nil: none
}

// Chat is one-to-one conversations in both directions, for any number of
// domains.
type Chat struct {
	Renderer // toward XMPP

	gateway Gateway
	log     *slog.Logger
}

// New makes a Chat. It starts nothing.
func New(cfg Config) *Chat {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	return &Chat{
		Renderer: Renderer{
			ledger: cfg.Ledger, now: cfg.Now, book: newBook(cfg.Contacts, cfg.Logger, cfg.Now),
			recent: newFresh[core.MessageID, struct{}](cfg.Now, time.Minute, 20_000),
		},
		gateway: cfg.Gateway, log: cfg.Logger,
	}
}

// Handler returns the handler of messages to the correspondents of a domain.
func (c *Chat) Handler(d *edge.Domain) edge.Handler { return handler{c, d} }

type handler struct {
	*Chat
	domain *edge.Domain
}

// ServeTarget implements edge.Handler.
func (h handler) ServeTarget(ctx context.Context, _ xmpp.Sender, st *stream.Stanza, t core.Target) error {
	switch st.Type {
	case "error":
		h.bounced(st)
		return nil
	case "groupchat":
		return xmpp.NewError("cancel", "service-unavailable", "There is no room at this address.")
	}
	if err := RefuseEncrypted(st); err != nil {
		return err
	}
	user, from, err := h.domain.User(st.From)
	if err != nil {
		return err
	}
	to, err := addr.Parse(st.To)
	if err != nil {
		return xmpp.NewError("modify", "jid-malformed", "That address could not be read.")
	}
	s := said{Stanza: st, from: from, at: h.now()}
	if s.origin, err = originID(st); err != nil {
		return err
	}
	if !s.speaks() {
		return h.notify(ctx, s, user, t)
	}
	if err := h.domain.Canonical(to, t); err != nil {
		return err
	}
	a, err := h.account(ctx, user, t.Realm)
	if err != nil {
		return err
	}
	s.ref = core.Ref{Account: a.ID, Peer: h.book.exact(ctx, a.ID, t.Address)}
	return h.submit(ctx, a, s)
}

// said is a stanza from a user with what is known of it.
type said struct {
	*stream.Stanza
	from   addr.JID
	origin string
	ref    core.Ref
	at     time.Time
}

// source is copied, as is everything else that goes into an event: each string
// of a stanza keeps the whole stanza in memory, and an event may wait for days.
func (s said) source() core.Origin {
	return core.Origin{ID: strings.Clone(s.origin), From: strings.Clone(s.from.String())}
}

// speaks reports whether a stanza is more than a notification, so that its
// sender waits to hear when it fails.
func (s said) speaks() bool {
	return s.Child(nsReactions, "reactions") != nil || s.Child(nsRetract, "retract") != nil || text(s.Stanza) != ""
}

// submit takes what somebody said to the hall.
func (h handler) submit(ctx context.Context, a core.Account, s said) error {
	e, err := h.event(ctx, a, s)
	if err != nil {
		return err
	}
	if m, ok := e.(*core.Message); ok {
		h.recent.put(m.ID, struct{}{})
	}
	return h.gateway.Submit(ctx, a, e)
}

func (h handler) event(ctx context.Context, a core.Account, s said) (core.Event, error) {
	if re := s.Child(nsReactions, "reactions"); re != nil {
		return h.reaction(ctx, a, s, re)
	}
	if re := s.Child(nsRetract, "retract"); re != nil {
		return h.retraction(ctx, a, s, re.Attr("id"))
	}
	return h.message(ctx, a, s)
}

func (h handler) message(ctx context.Context, a core.Account, s said) (core.Event, error) {
	m := &core.Message{
		Ref: s.ref, IDs: core.IDs{ID: core.NewID()}, Origin: s.source(), At: saidAt(s.Stanza, s.at),
		Subject: strings.Clone(s.ChildText("", "subject")), Text: strings.Clone(text(s.Stanza)), Thread: threadOf(s.Stanza),
		Receipt: s.Child(nsReceipts, "request") != nil,
	}
	if re := s.Child(nsReply, "reply"); re != nil {
		// An answer to what nobody knows any more keeps its quotation: it is all that
		// says what is answered.
		if id := h.known(ctx, a, re.Attr("id")); id != "" {
			m.ReplyTo.ID = id
			m.Text = stripFallback(s.Stanza, m.Text, nsReply)
		}
	}
	if re := s.Child(nsCorrect, "replace"); re != nil {
		id, err := h.mine(ctx, a, re.Attr("id"), h.domain.Network.Caps.Editor != nil, "changed after they were sent")
		if err != nil {
			return nil, err
		}
		m.Replaces.ID = id
	}
	if strings.TrimSpace(m.Text) == "" {
		return nil, core.E(core.Invalid, "chat: message", "The message has no text.")
	}
	return m, nil
}

func (h handler) reaction(ctx context.Context, a core.Account, s said, re *stream.Element) (core.Event, error) {
	if h.domain.Network.Caps.Reactor == nil {
		return nil, h.cannot("reacted to")
	}
	set, err := emoji(re)
	if err != nil {
		return nil, err
	}
	id := h.known(ctx, a, re.Attr("id"))
	if id == "" {
		return nil, errUnknown()
	}
	return &core.Reaction{Ref: s.ref, IDs: core.IDs{ID: id}, Origin: s.source(), Emoji: set}, nil
}

func (h handler) retraction(ctx context.Context, a core.Account, s said, about string) (core.Event, error) {
	id, err := h.mine(ctx, a, about, h.domain.Network.Caps.Retractor != nil, "taken back")
	if err != nil {
		return nil, err
	}
	return &core.Retraction{Ref: s.ref, IDs: core.IDs{ID: id}, Origin: s.source()}, nil
}

func (h handler) cannot(what string) error {
	return core.E(core.Unsupported, "chat: ability",
		fmt.Sprintf("Messages cannot be %s on this network (%s).", what, h.domain.Network.Driver.Title))
}

// known returns our name for a message by the one that the user's client has for
// it: theirs, if the user sent it, or ours. Empty if there is none.
func (h handler) known(ctx context.Context, a core.Account, id string) core.MessageID {
	if id == "" || len(id) > maxID {
		return ""
	}
	if e, err := h.ledger.ByOrigin(ctx, a.ID, id); err == nil {
		return e.ID
	}
	if isOurs(id) {
		return core.MessageID(strings.Clone(id))
	}
	return ""
}

// mine returns our name for one of the user's own messages.
func (h handler) mine(ctx context.Context, a core.Account, id string, able bool, what string) (core.MessageID, error) {
	if !able {
		return "", h.cannot(what)
	}
	e, err := h.ledger.ByOrigin(ctx, a.ID, id)
	if err != nil {
		return "", errUnknown()
	}
	return e.ID, nil
}

func errUnknown() error {
	return core.E(core.NotFound, "chat: message", "The message that this is about is not known here any more.")
}

// account returns the account that the user speaks with.
func (h handler) account(ctx context.Context, user core.UserID, realm string) (core.Account, error) {
	a, err := h.gateway.Account(ctx, user, h.domain.Network.Driver.Name, realm)
	if err != nil && core.KindOf(err) == core.Unenrolled {
		return a, &core.Error{
			Kind: core.Unenrolled, Op: "chat: account", Err: err,
			Text: fmt.Sprintf("You are not registered here yet. Send \"register\" to %s to begin.", h.domain.Name),
		}
	}
	return a, err
}

// notify passes on a message without text, where the network can carry it.
// Nobody waits to hear that such a thing failed, and so nobody is told.
func (h handler) notify(ctx context.Context, s said, user core.UserID, t core.Target) error {
	n, about := notificationOf(s.Stanza)
	caps := h.domain.Network.Caps
	var e core.Event
	switch {
	case n == nothing:
		return core.E(core.Invalid, "chat: message", "The message has no text.")
	case (n == typing || n == paused) && caps.TypingSender != nil:
		e = &core.Typing{On: n == typing}
	case n == displayed && caps.ReadMarker != nil && isOurs(about):
		e = &core.Receipt{IDs: core.IDs{ID: core.MessageID(about)}, State: core.Read}
	default:
		return nil
	}
	a, err := h.gateway.Account(ctx, user, h.domain.Network.Driver.Name, t.Realm)
	if err == nil {
		ref := core.Ref{Account: a.ID, Peer: h.book.exact(ctx, a.ID, t.Address)}
		switch e := e.(type) {
		case *core.Typing:
			e.Ref = ref
		case *core.Receipt:
			e.Ref = ref
		}
		err = h.gateway.Submit(ctx, a, e)
	}
	if err != nil {
		h.log.Debug("notification not carried", "id", s.ID, "account", a.ID, "err", err)
	}
	return nil
}

// bounced notes that the user's server did not deliver what we had shown. An
// error is never answered.
func (h handler) bounced(st *stream.Stanza) {
	h.log.Info("message returned by the user's server", "domain", h.domain.Name, "id", st.ID,
		"condition", xmpp.ParseError(st).Condition)
}
