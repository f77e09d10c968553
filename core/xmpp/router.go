package xmpp

import (
	"context"
	"errors"
	"log/slog"
	"runtime/debug"
	"sync"

	"gangway/core"
	"gangway/core/xmpp/stream"
)

// RouterConfig bounds what may wait for handlers. Zero stands for the defaults
// written beside the fields.
type RouterConfig struct {
	PerSender      int // stanzas of one sender: 256
	PerSenderBytes int // and their bytes on the wire: 4 MiB
	Total          int // stanzas of all senders: 16,384
	TotalBytes     int // and their bytes: 64 MiB
	Logger         *slog.Logger
}

func (c RouterConfig) withDefaults() RouterConfig {
	for _, f := range []struct {
		have *int
		want int
	}{{&c.PerSender, 256}, {&c.PerSenderBytes, 4 << 20}, {&c.Total, 16 << 10}, {&c.TotalBytes, 64 << 20}} {
		if *f.have <= 0 {
			*f.have = f.want
		}
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	return c
}

// Router gives the stanzas of one Link to their handlers. Register handlers
// before the link runs; a Router must not be shared between links.
//
// Stanzas of one sender (by bare address) are served one after the other, in
// order, those of different senders at the same time. What does not fit into the
// sender's queue is answered with wait/resource-constraint.
type Router struct {
	cfg     RouterConfig
	routes  map[route]Handler
	byKind  [4]bool // there are routes with a payload for the kind
	queues  senders
	workers sync.WaitGroup
}

// route says which stanzas a handler gets.
type route struct {
	kind    stream.Kind
	typ     string      // "get" or "set" of an IQ, else ""
	payload stream.Name // zero: whatever no other route takes
}

// NewRouter returns a Router without handlers: it answers every IQ request with
// service-unavailable and drops everything else.
func NewRouter(cfg RouterConfig) *Router {
	r := &Router{cfg: cfg.withDefaults(), routes: make(map[route]Handler)}
	r.queues.init(r.cfg)
	return r
}

// Message registers the handler of messages, of every type including "error",
// that no MessageWith handler takes.
func (r *Router) Message(h Handler) { r.add(route{kind: stream.Message}, h) }

// MessageWith registers the handler of messages that have such a child.
func (r *Router) MessageWith(space, local string, h Handler) {
	r.add(route{stream.Message, "", stream.Name{Space: space, Local: local}}, h)
}

// Presence registers the handler of presence, of every type including "error",
// that no PresenceWith handler takes.
func (r *Router) Presence(h Handler) { r.add(route{kind: stream.Presence}, h) }

// PresenceWith registers the handler of presence that has such a child.
func (r *Router) PresenceWith(space, local string, h Handler) {
	r.add(route{stream.Presence, "", stream.Name{Space: space, Local: local}}, h)
}

// IQ registers the handler of requests of a type, "get" or "set", by the name of
// their payload.
func (r *Router) IQ(typ, space, local string, h Handler) {
	r.add(route{stream.IQ, typ, stream.Name{Space: space, Local: local}}, h)
}

// add panics if there are two handlers for one route: a mistake of the wiring
// that no test could miss.
func (r *Router) add(rt route, h Handler) {
	if _, taken := r.routes[rt]; taken {
		panic("xmpp: two handlers for " + rt.kind.String() + " " + rt.typ + " " + rt.payload.Space + " " + rt.payload.Local)
	}
	r.routes[rt] = h
	if rt.payload.Local != "" {
		r.byKind[rt.kind] = true
	}
}

// handler returns who serves a stanza, or the error to answer it with.
func (r *Router) handler(st *stream.Stanza) (Handler, error) {
	if st.Kind == stream.IQ {
		return r.iqHandler(st)
	}
	if r.byKind[st.Kind] {
		for c := range st.Children() {
			if h := r.routes[route{kind: st.Kind, payload: c.Name()}]; h != nil {
				return h, nil
			}
		}
	}
	return r.routes[route{kind: st.Kind}], nil
}

func (r *Router) iqHandler(st *stream.Stanza) (Handler, error) {
	if !st.Request() {
		return nil, NewError("modify", "bad-request", "An IQ must be of type get, set, result or error.")
	}
	payload := st.Only()
	if payload == nil {
		return nil, NewError("modify", "bad-request", "An IQ request must have one child.") // RFC 6120 section 8.2.3
	}
	if h := r.routes[route{st.Kind, st.Type, payload.Name()}]; h != nil {
		return h, nil
	}
	return nil, NewError("cancel", "service-unavailable", "")
}

// dispatch queues stanzas that came together, which from now on are the
// router's. It does not block.
func (r *Router) dispatch(ctx context.Context, w Sender, came []arrival, t *Trace) {
	refused, start := r.queues.put(came)
	if start {
		r.workers.Go(func() { r.work(ctx, w) })
	}
	for _, a := range refused {
		if t != nil && t.Overflow != nil {
			t.Overflow(w.Domain(), a.st)
		}
		r.answer(w, a.st, core.E(core.OverLimit, "router", "You are sending faster than the gateway can take it. Please wait and try again."))
		a.st.Release()
	}
}

// work serves one queue after the other until none has its turn.
func (r *Router) work(ctx context.Context, w Sender) {
	q, start := r.queues.next(nil, 0)
	for q != nil {
		if start {
			r.workers.Go(func() { r.work(ctx, w) })
		}
		bytes := 0
		for _, st := range q.taken {
			bytes += st.Size
			if err := r.serve(ctx, w, st); err != nil {
				r.answer(w, st, err)
			}
			st.Release()
		}
		q, start = r.queues.next(q, bytes)
	}
}

// serve calls the handler; a panic becomes an error like any other.
func (r *Router) serve(ctx context.Context, w Sender, st *stream.Stanza) (err error) {
	defer func() {
		if p := recover(); p != nil {
			r.cfg.Logger.Error("handler panic", "kind", st.Kind, "id", st.ID, "panic", p, "stack", string(debug.Stack()))
			err = errPanic
		}
	}()
	h, err := r.handler(st)
	if h == nil || err != nil {
		return err
	}
	return h.Serve(ctx, w, st)
}

var errPanic error = core.E(core.Internal, "router", "")

// answer tells the sender what became of a stanza.
func (r *Router) answer(w Sender, st *stream.Stanza, err error) {
	e := ErrorOf(err)
	level := slog.LevelDebug
	if e.Condition == "internal-server-error" && !errors.Is(err, errPanic) {
		level = slog.LevelError
	}
	r.cfg.Logger.Log(context.Background(), level, "stanza answered with an error",
		"kind", st.Kind, "id", st.ID, "condition", e.Condition, "err", err)
	if err := refuse(w, st.Kind, st.ID, st.From, st.To, st.Type, e); err != nil {
		r.cfg.Logger.Warn("error not sent", "kind", st.Kind, "id", st.ID, "err", err)
	}
}

// idle returns a channel that is closed when no stanza waits or is being served: now, or the next time.
func (r *Router) idle() <-chan struct{} { return r.queues.idle() }

// wait returns when no stanza is left. Nothing may be dispatched meanwhile.
func (r *Router) wait() { r.workers.Wait() }
