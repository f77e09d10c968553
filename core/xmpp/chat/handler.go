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
	// Speaker is the account with which the user speaks to a target, about messages of which names are known.
	Speaker(ctx context.Context, user core.UserID, network string, t core.Target, about ...string) (core.Account, error)
	Submit(ctx context.Context, a core.Account, e core.Event) error
}

// Config is what a Chat is made of.
type Config struct {
	Gateway  Gateway
	Ledger   core.Ledger
	Contacts Contacts         // nil: addresses are as Transport.Parse returns them
	Choices  core.Choices     // nil: nobody has chosen anything
	Window   Window           // nil: nothing is held
	Now      func() time.Time // nil: time.Now
	// Report tells the admins what a user has to say about a correspondent, from the domain of a network; nil: nobody
	// takes reports.
	Report func(ctx context.Context, network, text string)
	Logger *slog.Logger // nil: none
	// Returned is told what users' servers did not take; nil: nobody is.
	Returned func(ctx context.Context, user core.UserID, network string, id core.MessageID, because core.Kind, reason core.Reason) error
}

// Chat is one-to-one conversations in both directions, for any number of
// domains.
type Chat struct {
	Renderer // toward XMPP

	gateway Gateway
	choices core.Choices
	window  Window
	log     *slog.Logger
	// walked are the names of messages on live lanes, which the ledger does not know.
	walked *fresh[sentName, core.MessageID]

	returned func(ctx context.Context, user core.UserID, network string, id core.MessageID, because core.Kind, reason core.Reason) error

	report  func(ctx context.Context, network, text string)
	reports *fresh[string, struct{}] // of whom about whom
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
			quotes: newQuotes(),
			recent: newFresh[core.MessageID, struct{}](cfg.Now, time.Minute, 20_000),
		},
		gateway: cfg.Gateway, choices: cfg.Choices, window: cfg.Window, log: cfg.Logger,
		walked:   newFresh[sentName, core.MessageID](cfg.Now, 24*time.Hour, 50_000),
		returned: cfg.Returned,
		report:   cfg.Report, reports: newFresh[string, struct{}](cfg.Now, time.Hour, 1_000),
	}
}

// Handler returns the handler of messages to the correspondents of a domain.
func (c *Chat) Handler(d *edge.Domain) edge.Handler { return handler{c, d} }

type handler struct {
	*Chat
	domain *edge.Domain
}

// ServeTarget implements edge.Handler.
func (h handler) ServeTarget(ctx context.Context, w xmpp.Sender, st *stream.Stanza, t core.Target) error {
	switch st.Type {
	case "error":
		return h.bounced(ctx, st)
	case "groupchat":
		return xmpp.NewError("cancel", "service-unavailable", "There is no room at this address.")
	}
	return h.serve(ctx, w, st, t, false)
}

// serve takes a message to a correspondent, or (gateway) to those whom it names.
func (h handler) serve(ctx context.Context, w xmpp.Sender, st *stream.Stanza, t core.Target, gateway bool) error {
	user, from, err := h.domain.User(st.From)
	if err != nil || ownEcho(st, from) {
		return err
	}
	if err := RefuseEncrypted(st); err != nil {
		return err
	}
	to, err := addr.Parse(st.To)
	if err != nil {
		return xmpp.NewError("modify", "jid-malformed", "That address could not be read.")
	}
	s := said{Stanza: st, parts: read(st), from: from, at: h.now()}
	if s.origin, err = originID(st); err != nil {
		return err
	}
	h.inOneLanguage(ctx, user, &s)
	if s.text, s.content, err = content(st, &s.parts); err != nil {
		return err
	}
	if !s.speaks() {
		return h.notify(ctx, &s, user, t)
	}
	if s.addresses != nil {
		all, err := h.recipients(&s, to, t, gateway)
		if err != nil {
			return err
		}
		return h.each(ctx, w, &s, user, all)
	}
	if err := h.domain.Canonical(to, t); err != nil {
		return err
	}
	a, err := h.account(ctx, user, t, &s)
	if err != nil {
		return err
	}
	s.ref = core.Ref{Account: a.ID, Peer: h.book.exact(ctx, a.ID, t.Address)}
	if h.sends(&s) {
		return h.sendNow(ctx, w, user, a, &s)
	}
	return h.submit(ctx, user, a, &s)
}

// ownEcho reports whether a message is one that we had the user's server send in
// the user's name (XEP-0356) and that it routes to us, as to any contact. No
// client writes from a bare JID, nor makes such ids; who else may speak for the
// user makes other ids.
func ownEcho(st *stream.Stanza, from addr.JID) bool {
	_, ours := ourName(st.ID)
	return ours && from.IsBare()
}

// said is a stanza from a user with what is known of it.
type said struct {
	*stream.Stanza
	parts
	from    addr.JID
	origin  string
	ref     core.Ref
	at      time.Time
	text    string
	content []core.Attachment
	also    []core.Address
	copied  []core.Address // those of ref.Peer and also to whom it goes for their information
	hidden  bool           // ref.Peer is not told to the others
}

// source is copied, as is everything else that goes into an event: each string
// of a stanza keeps the whole stanza in memory, and an event may wait for days.
func (s *said) source() core.Origin {
	from := s.from.String()
	if !s.asks() {
		from = unasked + from
	}
	return core.Origin{ID: strings.Clone(s.origin), From: strings.Clone(from)}
}

// unasked stands before the JID of an Origin whose sender has not asked for a
// receipt and so must not get one (XEP-0184 section 5.3). No JID begins so.
const unasked = ":"

// asks reports whether the sender wants a receipt.
func (s *said) asks() bool { return s.request && s.Type == "chat" }

// speaks reports whether a stanza is more than a notification, so that its
// sender waits to hear when it fails.
func (s *said) speaks() bool {
	return s.reactions != nil || s.retract || len(s.content) > 0 || strings.TrimSpace(s.text) != ""
}

// submit takes what somebody said to the hall.
func (h handler) submit(ctx context.Context, user core.UserID, a core.Account, s *said) error {
	e, err := h.event(ctx, user, s)
	if err != nil {
		return err
	}
	m, ok := e.(*core.Message)
	if !ok {
		h.recent.put(asked(s.source()), struct{}{})
	} else {
		h.recent.put(m.ID, struct{}{})
		h.remember(m)
		if !s.noStore {
			h.quotes.keep(m.ID, m.Text, 0)
		}
	}
	return h.afterSent(ctx, user, a, e)
}

// asked is the name in recent of what is no message and so has none of its own.
func asked(o core.Origin) core.MessageID { return core.MessageID(o.From + " " + o.ID) }

// account returns the account that the user speaks with.
func (h handler) account(ctx context.Context, user core.UserID, t core.Target, s *said) (core.Account, error) {
	a, err := h.gateway.Speaker(ctx, user, h.domain.Network.Driver.Name, t, s.names()...)
	if err != nil && core.KindOf(err) == core.Unenrolled {
		return a, &core.Error{
			Kind: core.Unenrolled, Op: "chat: account", Err: err,
			Text: fmt.Sprintf("You are not registered here yet. Send \"register\" to %s to begin.", h.domain.Name),
		}
	}
	return a, err
}

// names are those of the messages that a stanza is about, and its own: it may be one that is sent again.
func (s *said) names() []string {
	var all []string
	for _, el := range []*stream.Element{s.reply, s.reactions, s.replace} {
		if el != nil {
			all = append(all, whole(el.Attr("id")))
		}
	}
	return append(all, whole(s.retracts), whole(s.displayed), s.origin)
}

// whole is the name of the message that a stanza's id belongs to.
func whole(id string) string {
	if name, ours := ourName(id); ours {
		return string(name)
	}
	return id
}

// bounced tells the hall that the user's server did not deliver what we had
// shown. An error is never answered.
func (h handler) bounced(ctx context.Context, st *stream.Stanza) error {
	condition := xmpp.ParseError(st).Condition
	h.log.Info("message returned by the user's server", "domain", h.domain.Name, "id", st.ID, "condition", condition)
	id, ours := ourName(st.ID)
	user, from, err := h.domain.User(st.From)
	if err != nil || !ours || from.Resource() != "" || h.returned == nil {
		return nil //nolint:nilerr // an error of nobody's, or of a client that did get it
	}
	because, reason := returnedKind(condition)
	if err := h.returned(ctx, user, h.domain.Network.Driver.Name, id, because, reason); err != nil {
		h.log.Warn("its sender was not told", "domain", h.domain.Name, "id", st.ID, "err", err)
	}
	return nil
}

// returnedKind is what a condition says about who was written to.
func returnedKind(condition string) (core.Kind, core.Reason) {
	switch condition {
	case "item-not-found", "jid-malformed", "gone":
		return core.NotFound, core.NoReason
	case "remote-server-not-found":
		return core.NotFound, core.NoHost
	case "forbidden", "not-allowed", "not-authorized":
		return core.Denied, core.NoReason
	case "policy-violation", "not-acceptable":
		return core.Denied, core.Rules
	}
	return core.Unavailable, core.NoReason
}
