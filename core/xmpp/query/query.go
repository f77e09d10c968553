// Package query carries what clients ask the program of a correspondent: what it is (XEP-0092), whether it is there
// (XEP-0199), and which time it has (XEP-0202). What is not to a correspondent, or on a network that cannot ask, the
// gateway answers itself.
//
// It has no goroutines: the session that asks calls back.
package query

import (
	"context"
	"strings"
	"time"

	"gangway/core"
	"gangway/core/xmpp"
	"gangway/core/xmpp/addr"
	"gangway/core/xmpp/edge"
	"gangway/core/xmpp/stream"
)

// NSTime is the namespace of XEP-0202.
const NSTime = "urn:xmpp:time"

// Gateway is what the queries ask of the hall.
type Gateway interface {
	Account(ctx context.Context, user core.UserID, network, realm string) (core.Account, error)
	With(ctx context.Context, a core.Account, fn func(core.Session) error) error
}

// Rooms knows who the occupants of rooms are.
type Rooms interface {
	// Occupant returns the account that a request to somebody in a room is from, and where they are reached; own is true
	// for the account itself. Its error is for the client.
	Occupant(ctx context.Context, st *stream.Stanza, t core.Target) (a core.Account, peer core.Address, own bool, err error)
}

// Config is what the queries of one domain stand on.
type Config struct {
	Domain  *edge.Domain
	Gateway Gateway
	Rooms   Rooms // nil: there are none
}

// Asker asks for clients.
type Asker struct{ cfg Config }

// New makes an Asker. It starts nothing.
func New(cfg Config) *Asker { return &Asker{cfg} }

// Version is the handler of XEP-0092 requests; own answers for the gateway.
func (a *Asker) Version(own xmpp.Handler) xmpp.Handler {
	return handler{a.cfg, core.QueryVersion, own, func(enc *stream.Encoder, text string) error {
		enc.Start("query", xmpp.NSVersion)
		enc.Leaf("name", "", text)
		enc.Leaf("version", "", "")
		enc.End()
		return nil
	}}
}

// Ping is the handler of XEP-0199 requests.
func (a *Asker) Ping(own xmpp.Handler) xmpp.Handler {
	return handler{a.cfg, core.QueryPing, own, func(*stream.Encoder, string) error { return nil }}
}

// Time is the handler of XEP-0202 requests. Of the gateway's own time it tells UTC.
func (a *Asker) Time() xmpp.Handler {
	own := xmpp.HandlerFunc(func(_ context.Context, w xmpp.Sender, st *stream.Stanza) error {
		return xmpp.Result(w, st, func(enc *stream.Encoder) { writeTime(enc, time.Now().UTC()) })
	})
	return handler{a.cfg, core.QueryTime, own, func(enc *stream.Encoder, text string) error {
		t, ok := parseTime(text)
		if !ok {
			return xmpp.NewError("cancel", "undefined-condition", "Their program says, without a time zone that is known here: "+text)
		}
		writeTime(enc, t)
		return nil
	}}
}

// Register registers what an Asker answers but pings, which rooms answer first.
func (a *Asker) Register(r *xmpp.Router, version xmpp.Handler) {
	r.IQ("get", xmpp.NSVersion, "query", a.Version(version))
	r.IQ("get", NSTime, "time", a.Time())
}

// handler is one kind of request.
type handler struct {
	cfg   Config
	what  core.Query
	own   xmpp.Handler
	write func(enc *stream.Encoder, text string) error // writes nothing if it fails
}

// Serve implements xmpp.Handler.
func (h handler) Serve(ctx context.Context, w xmpp.Sender, st *stream.Stanza) error {
	to, err := addr.Parse(st.To)
	if err != nil || to.Local() == "" || h.cfg.Domain.Network.Caps.Querier == nil {
		return h.own.Serve(ctx, w, st)
	}
	t, err := h.cfg.Domain.Target(to.Local())
	if err != nil || t.Address == "" || t.Room && to.Resource() == "" {
		return h.own.Serve(ctx, w, st)
	}
	a, peer, own, err := h.whom(ctx, st, t)
	if err != nil {
		return err
	}
	if own {
		return h.own.Serve(ctx, w, st)
	}
	asked := &stream.Stanza{ // what an answer needs, as st is gone by then
		Kind: stream.IQ, Type: "get", ID: strings.Clone(st.ID), From: strings.Clone(st.From), To: strings.Clone(st.To),
	}
	return h.cfg.Gateway.With(ctx, a, func(s core.Session) error {
		q := core.CapsOf(s).Querier
		if q == nil {
			return core.E(core.Unsupported, "query: ask", "Nobody can be asked that on this network.")
		}
		return q.Query(ctx, peer, h.what, func(text string, err error) { h.answer(w, asked, text, err) })
	})
}

// whom is the account that asks, and the address that it asks.
func (h handler) whom(ctx context.Context, st *stream.Stanza, t core.Target) (a core.Account, peer core.Address, own bool, err error) {
	if t.Room && h.cfg.Rooms == nil {
		return a, "", false, core.E(core.Unsupported, "query: room", "There are no rooms here.")
	}
	if t.Room {
		return h.cfg.Rooms.Occupant(ctx, st, t)
	}
	user, _, err := h.cfg.Domain.User(st.From)
	if err != nil {
		return a, "", false, err
	}
	a, err = h.cfg.Gateway.Account(ctx, user, h.cfg.Domain.Network.Driver.Name, t.Realm)
	return a, t.Address, false, err
}

// answer tells a client what came of its request. A link that is down has nobody to tell.
func (h handler) answer(w xmpp.Sender, st *stream.Stanza, text string, err error) {
	if err == nil {
		var enc stream.Encoder
		enc.Start("iq", "")
		err = h.write(&enc, text) // tried, since a result cannot become an error
	}
	if err != nil {
		_ = xmpp.Refuse(w, st, err)
		return
	}
	_ = xmpp.Result(w, st, func(enc *stream.Encoder) { _ = h.write(enc, text) })
}

func writeTime(enc *stream.Encoder, t time.Time) {
	enc.Start("time", NSTime)
	enc.Leaf("tzo", "", t.Format("-07:00"))
	enc.Leaf("utc", "", t.UTC().Format("2006-01-02T15:04:05Z"))
	enc.End()
}

// layouts are the forms in which programs tell a time with its zone.
var layouts = [...]string{
	time.RFC1123Z, time.RFC3339, "Mon, 2 Jan 2006 15:04:05 -0700", "Mon Jan _2 15:04:05 2006 -0700", "Mon Jan _2 15:04:05 -0700 2006",
	"2006-01-02 15:04:05 -0700", "2006-01-02 15:04:05-07:00", "2006-01-02T15:04:05-0700", "Mon 2 Jan 2006 15:04:05 -0700",
}

// parseTime reads a time that is told with its zone: by its distance from UTC, or as that itself. Other names of zones
// mean this here and that there.
func parseTime(text string) (time.Time, bool) {
	text = strings.TrimSpace(text)
	for _, name := range []string{"UTC", "GMT"} {
		text = strings.ReplaceAll(text, name+"+", "+")
		text = strings.ReplaceAll(text, name+"-", "-")
		text = strings.ReplaceAll(text, name, "+0000")
	}
	for _, layout := range layouts {
		if t, err := time.Parse(layout, text); err == nil && t.Year() > 0 && t.Year() < 10000 {
			return t, true
		}
	}
	return time.Time{}, false
}
