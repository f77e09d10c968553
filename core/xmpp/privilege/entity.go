package privilege

import (
	"context"
	"log/slog"
	"maps"
	"sync"

	"gangway/core"
	"gangway/core/xmpp"
	"gangway/core/xmpp/addr"
	"gangway/core/xmpp/stream"
)

// Config is what an Entity is made of.
type Config struct {
	Domain string       // ours
	Host   string       // the host server's own domain; empty: it grants nothing
	Link   xmpp.Sender  // may be set later by Attach
	Logger *slog.Logger // may be nil
}

// Entity is one component domain as its host server privileges it. It is safe
// for concurrent use.
type Entity struct {
	domain, host string
	link         xmpp.Sender
	log          *slog.Logger

	mu     sync.Mutex
	grants Grants
	sent   memory // of messages that the server will give back to us
}

// New makes an Entity that is granted nothing yet. It starts nothing.
func New(cfg Config) *Entity {
	log := cfg.Logger
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	return &Entity{domain: cfg.Domain, host: cfg.Host, link: cfg.Link, log: log, sent: newMemory()}
}

// Attach sets the link, which is made after the router that the Entity is
// registered with. It comes before anything is served.
func (e *Entity) Attach(link xmpp.Sender) { e.link = link }

// State takes what becomes of the link: every change of its state ends what was
// granted on the connection before. Call it from xmpp.Trace.State.
func (e *Entity) State(xmpp.Status) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.grants = Grants{}
}

// Grants returns what the server grants for its users.
func (e *Entity) Grants() Grants {
	e.mu.Lock()
	defer e.mu.Unlock()
	g := e.grants
	g.IQ = maps.Clone(g.IQ)
	return g
}

// For returns what is granted concerning one user: nothing for those of other servers.
func (e *Entity) For(user core.UserID) Grants {
	if !e.Hosts(user) {
		return Grants{}
	}
	return e.Grants()
}

// Hosts reports whether a user has their account on the host server itself. A nil
// Entity hosts nobody, so that all that depends on it is refused.
func (e *Entity) Hosts(user core.UserID) bool {
	if e == nil {
		return false
	}
	j, err := addr.Parse(string(user))
	return err == nil && e.host != "" && j.Local() != "" && addr.Same(j.Domain(), e.host)
}

// Register takes over the advertisements, and hands all other messages to next
// but for the echoes of what Forward sent.
func (e *Entity) Register(r *xmpp.Router, next xmpp.Handler) {
	advertised := xmpp.HandlerFunc(func(ctx context.Context, w xmpp.Sender, st *stream.Stanza) error {
		return e.serve(ctx, w, st, next)
	})
	r.MessageWith(NS2, "privilege", advertised)
	r.MessageWith(NS1, "privilege", advertised)
	r.Message(xmpp.HandlerFunc(func(ctx context.Context, w xmpp.Sender, st *stream.Stanza) error {
		if e.isEcho(st) || e.isRefusal(st) {
			return nil
		}
		return next.Serve(ctx, w, st)
	}))
}

// serve takes an advertisement. Only the host server's domain itself can make
// one: anybody else may send the same message. What is no advertisement, and the
// echo of a message with such a child, goes its usual way.
func (e *Entity) serve(ctx context.Context, w xmpp.Sender, st *stream.Stanza, next xmpp.Handler) error {
	switch {
	case e.isEcho(st) || e.isRefusal(st):
		return nil
	case e.host == "" || !addr.Same(st.From, e.host):
		return next.Serve(ctx, w, st)
	case st.Type == "error" || !addr.Same(st.To, e.domain):
		return nil
	}
	el := st.Child(NS2, "privilege")
	if el == nil {
		el = st.Child(NS1, "privilege")
	}
	g := read(el)
	e.mu.Lock()
	older := e.grants.NS == NS2 && g.NS == NS1 // a server that speaks both says the same twice
	if !older {
		e.grants = g
	}
	e.mu.Unlock()
	e.log.Info("privileges", "domain", e.domain, "ns", g.NS, "roster", g.Roster, "message", g.Message,
		"presence", g.Presence, "iq", len(g.IQ))
	return nil
}

// withdraw forgets a grant that the server does not honour, until it is
// advertised again.
func (e *Entity) withdraw(what string, fn func(*Grants)) {
	e.mu.Lock()
	fn(&e.grants)
	e.mu.Unlock()
	e.log.Warn("the server refuses what it has granted; not tried again until it says so anew", "domain", e.domain, "privilege", what)
}

func denied(op, text string) error { return core.E(core.Denied, "privilege: "+op, text) }
