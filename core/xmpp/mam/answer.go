package mam

import (
	"context"
	"slices"
	"strconv"

	"gangway/core"
	"gangway/core/archive"
	"gangway/core/xmpp"
	"gangway/core/xmpp/stream"
)

// query answers with a page of history: a message for each result, and then the end (XEP-0313 section 4).
func (h *Handler) query(ctx context.Context, w xmpp.Sender, st *stream.Stanza) error {
	p, err := h.place(ctx, st)
	if err != nil {
		return err
	}
	q, err := questionOf(st, p.jid)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	select {
	case h.pages <- struct{}{}:
		defer func() { <-h.pages }()
	case <-ctx.Done():
		return core.E(core.OverLimit, "mam: query", "Too many are reading their history at the moment. Please try again later.")
	}
	found, err := h.find(ctx, p.room, q)
	if err != nil {
		return err
	}
	part := h.render(p, q, found)
	batch, err := w.Send(func(enc *stream.Encoder) {
		for _, r := range part.results {
			r.write(enc, st, q.id)
		}
		part.end(enc, st)
	})
	if err != nil {
		return err
	}
	// The next request of this user waits for it. Whether the connection was lost meanwhile or is only slow: there is
	// nobody to tell.
	_ = w.Confirm(ctx, batch)
	return nil
}

func (h *Handler) find(ctx context.Context, room core.Ref, q question) (archive.Result, error) {
	switch {
	case q.nobody:
		return archive.Result{Complete: true}, nil
	case q.byIDs:
		all, err := h.cfg.Archive.Events(ctx, room, q.ids)
		return archive.Result{Events: all, Complete: true, Count: len(all)}, err
	}
	return h.cfg.Archive.Page(ctx, room, q.Query)
}

// page is a page as it is sent.
type page struct {
	results     []result
	first, last core.MessageID // of what the page covers, oldest and newest, also where there is nothing to see
	complete    bool           // there is nothing more in that direction
	count       int            // negative: unknown
	unstable    bool           // there may be more, among these, later
}

// result is one message of a page.
type result struct {
	core.Archived
	message *stream.Stanza
}

// render writes out what was found, in the order in which it is sent, as far as it fits. What does not fit is the next
// page's.
func (h *Handler) render(p place, q question, found archive.Result) page {
	out := page{complete: found.Complete, count: found.Count, unstable: found.Open}
	back := q.Page.Before != "" || q.Page.Last && q.Page.After == ""
	events := slices.Clone(found.Events)
	if back {
		slices.Reverse(events)
	}
	bytes := 0
	for i, e := range events {
		r, size := h.one(p, e)
		if bytes += size; bytes > pageBytes && len(out.results) > 0 {
			out.complete = false
			break
		}
		if size > 0 {
			out.results = append(out.results, r)
		}
		if i == 0 {
			out.first = e.ID
		}
		out.last = e.ID
	}
	if back {
		out.first, out.last = out.last, out.first
	}
	if back != q.flip {
		slices.Reverse(out.results)
	}
	return out
}

// one writes out one message as those who were there saw it; of no size if there is nothing to see.
func (h *Handler) one(p place, e core.Archived) (r result, size int) {
	var enc stream.Encoder
	if err := h.cfg.Rooms.WriteArchived(&enc, h.cfg.Domain, p.account, e); err != nil {
		return r, 0
	}
	b := enc.Bytes()
	if enc.Err() != nil || len(b) == 0 || len(b) > maxResult {
		return r, 0
	}
	st, err := stream.Parse(string(b))
	if err != nil {
		return r, 0
	}
	return result{e, st}, len(b)
}

// write writes a result to who asked by st.
func (r *result) write(enc *stream.Encoder, st *stream.Stanza, queryID string) {
	enc.Start("message", "", "from", st.To, "to", st.From)
	enc.Start("result", NS, "queryid", queryID, "id", string(r.ID))
	enc.Start("forwarded", NSForward)
	enc.Empty("delay", NSDelay, "stamp", stamp(r.At))
	enc.Start("message", stream.NSClient)
	for name, value := range r.message.Attrs() {
		if name.Space == "" && name.Local != "to" {
			enc.Attr(name.Local, value)
		}
	}
	for child := range r.message.Children() {
		if !child.Is(NSDelay, "delay") { // it stands beside the message already
			enc.Element(child)
		}
	}
	for range 4 {
		enc.End()
	}
}

// end answers the query itself: what was sent, and whether there is more in that direction. While a gap of the room is
// being filled the answer is not stable, as XEP-0313 calls it.
func (p *page) end(enc *stream.Encoder, st *stream.Stanza) {
	enc.Start("iq", "", "type", "result", "from", st.To, "to", st.From)
	enc.Attr("id", st.ID)
	enc.Start("fin", NS)
	if p.complete {
		enc.Attr("complete", "true")
	}
	if p.unstable {
		enc.Attr("stable", "false")
	}
	enc.Start("set", NSResults)
	if p.first != "" {
		enc.Leaf("first", "", string(p.first))
		enc.Leaf("last", "", string(p.last))
	}
	if p.count >= 0 {
		enc.Leaf("count", "", strconv.Itoa(p.count))
	}
	for range 3 {
		enc.End()
	}
}
