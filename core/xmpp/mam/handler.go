package mam

import (
	"context"
	"time"

	"gangway/core"
	"gangway/core/archive"
	"gangway/core/xmpp"
	"gangway/core/xmpp/addr"
	"gangway/core/xmpp/edge"
	"gangway/core/xmpp/form"
	"gangway/core/xmpp/stream"
)

// Archive is where the history is; *archive.Archive is one.
type Archive interface {
	Page(ctx context.Context, room core.Ref, q archive.Query) (archive.Result, error)
	Events(ctx context.Context, room core.Ref, ids []core.MessageID) ([]core.Archived, error)
	Ends(ctx context.Context, room core.Ref) (first, last core.Archived, ok bool, err error)
}

// Rooms write what was said as those who were there saw it; *muc.Rooms is one.
type Rooms interface {
	WriteArchived(enc *stream.Encoder, d *edge.Domain, a core.Account, e core.Archived) error
}

// Gateway is what a Handler asks of the hall.
type Gateway interface {
	Account(ctx context.Context, user core.UserID, network, realm string) (core.Account, error)
}

// Config is what a Handler is made of.
type Config struct {
	Domain  *edge.Domain
	Gateway Gateway
	Archive Archive
	Rooms   Rooms
}

// Handler answers the queries for the rooms of one domain.
type Handler struct {
	cfg   Config
	pages chan struct{} // one for each page under way
}

const (
	maxPages  = 8                // under way at once on a domain
	patience  = 30 * time.Second // for the host server to process a page
	usualPage = 50               // messages, where the client does not say
	maxPage   = 100              // messages
	maxIDs    = 100              // asked for by name
	pageBytes = 256 << 10        // after which a page ends early
	maxResult = 480_000          // bytes of a message; with what is around it, a larger one is no stanza any more
)

// New makes a Handler. It starts nothing.
func New(cfg Config) *Handler { return &Handler{cfg: cfg, pages: make(chan struct{}, maxPages)} }

// Register registers the requests that a Handler answers.
func (h *Handler) Register(r *xmpp.Router) {
	r.IQ("get", NS, "query", xmpp.HandlerFunc(h.form))
	r.IQ("set", NS, "query", xmpp.HandlerFunc(h.query))
	r.IQ("get", NS, "metadata", xmpp.HandlerFunc(h.metadata))
}

// place is whose history of which room is asked for.
type place struct {
	account core.Account
	room    core.Ref
	jid     addr.JID
}

// place reads who asks about which room. Only rooms have a history here, and everybody only their own.
func (h *Handler) place(ctx context.Context, st *stream.Stanza) (p place, err error) {
	d := h.cfg.Domain
	user, _, err := d.User(st.From)
	if err != nil {
		return p, err
	}
	if p.jid, err = addr.Parse(st.To); err != nil {
		return p, xmpp.NewError("modify", "jid-malformed", "")
	}
	var t core.Target
	if p.jid.Local() != "" {
		if t, err = d.Target(p.jid.Local()); err != nil {
			return p, err
		}
	}
	if !t.Room || p.jid.Resource() != "" {
		return p, xmpp.NewError("cancel", "service-unavailable", "Only rooms keep a history here.")
	}
	if err := d.Canonical(p.jid, t); err != nil {
		return p, err
	}
	p.account, err = h.cfg.Gateway.Account(ctx, user, d.Network.Driver.Name, t.Realm)
	p.room = core.Ref{Account: p.account.ID, Peer: t.Address}
	return p, err
}

// form answers what a query may ask by (XEP-0313 section 4.1.5).
func (h *Handler) form(ctx context.Context, w xmpp.Sender, st *stream.Stanza) error {
	if _, err := h.place(ctx, st); err != nil {
		return err
	}
	return xmpp.Result(w, st, func(enc *stream.Encoder) {
		enc.Start("query", NS)
		form.Form{Type: "form", FormType: NS, Fields: []form.Field{
			{Var: fieldWith, Type: "jid-single"},
			{Var: fieldStart, Type: "text-single"}, {Var: fieldEnd, Type: "text-single"},
			{Var: fieldBefore, Type: "text-single"}, {Var: fieldAfter, Type: "text-single"},
			{Var: fieldIDs, Type: "list-multi"},
		}}.Write(enc)
		enc.End()
	})
}

// metadata answers from when to when there is something (XEP-0313 section 5).
func (h *Handler) metadata(ctx context.Context, w xmpp.Sender, st *stream.Stanza) error {
	p, err := h.place(ctx, st)
	if err != nil {
		return err
	}
	first, last, ok, err := h.cfg.Archive.Ends(ctx, p.room)
	if err != nil {
		return err
	}
	return xmpp.Result(w, st, func(enc *stream.Encoder) {
		enc.Start("metadata", NS)
		if ok {
			enc.Empty("start", "", "id", string(first.ID), "timestamp", stamp(first.At))
			enc.Empty("end", "", "id", string(last.ID), "timestamp", stamp(last.At))
		}
		enc.End()
	})
}

// stamp is a time as XEP-0082 has it.
func stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }
