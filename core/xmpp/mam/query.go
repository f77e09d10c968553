package mam

import (
	"strconv"
	"strings"
	"time"

	"gangway/core"
	"gangway/core/archive"
	"gangway/core/xmpp"
	"gangway/core/xmpp/addr"
	"gangway/core/xmpp/form"
	"gangway/core/xmpp/stream"
)

// The fields that a query may have.
const (
	fieldWith   = "with"
	fieldStart  = "start"
	fieldEnd    = "end"
	fieldBefore = "before-id"
	fieldAfter  = "after-id"
	fieldIDs    = "ids"
)

// question is a query as it was asked.
type question struct {
	archive.Query
	id     string           // the queryid, repeated with every result
	ids    []core.MessageID // exactly these
	byIDs  bool
	nobody bool // with somebody who says nothing in this room
	flip   bool // newest first, within the page
}

// questionOf reads a query for a room.
func questionOf(st *stream.Stanza, room addr.JID) (q question, err error) {
	el := st.Child(NS, "query")
	if el.Attr("node") != "" {
		return q, notFound("There is no such part of the history.")
	}
	q.id = strings.Clone(el.Attr("queryid"))
	q.flip = el.Child("", "flip-page") != nil
	if err := q.page(el.Child(NSResults, "set")); err != nil {
		return q, err
	}
	x := form.Find(el)
	if x == nil {
		return q, nil
	}
	filled, err := form.Parse(x)
	if err != nil {
		return q, bad("The form of the query could not be read: " + err.Error() + ".")
	}
	if typ := filled.Type(); typ != NS {
		return q, bad("The form of the query must be of the type " + NS + ".")
	}
	if name := unknownField(x); name != "" {
		return q, xmpp.NewError("cancel", "feature-not-implemented", "The history cannot be searched by "+strconv.Quote(name)+".")
	}
	return q, q.filter(filled, room)
}

// unknownField is a field that the history cannot be searched by: leaving it out would show what was not asked for.
func unknownField(x *stream.Element) string {
	for el := range x.Children() {
		if !el.Is(form.NS, "field") {
			continue
		}
		switch name := el.Attr("var"); name {
		case form.TypeVar, fieldWith, fieldStart, fieldEnd, fieldBefore, fieldAfter, fieldIDs, "":
		default:
			return name
		}
	}
	return ""
}

// page reads which part of the results is asked for (XEP-0059).
func (q *question) page(set *stream.Element) error {
	q.Page.Max = usualPage
	if set.Child("", "index") != nil {
		return xmpp.NewError("cancel", "feature-not-implemented", "Results are asked for by id here, not by number.")
	}
	if el := set.Child("", "max"); el != nil {
		n, err := strconv.ParseUint(strings.TrimSpace(el.Text()), 10, 31)
		if err != nil {
			return bad("The most results to be sent is not a number.")
		}
		q.Page.Max = min(int(n), maxPage)
	}
	q.Page.After = core.MessageID(strings.Clone(set.ChildText("", "after")))
	if el := set.Child("", "before"); el != nil {
		q.Page.Before = core.MessageID(strings.Clone(el.Text()))
		q.Page.Last = true
	}
	return nil
}

// filter reads which messages are asked for.
func (q *question) filter(f form.Submission, room addr.JID) (err error) {
	if q.Start, err = moment(f, fieldStart); err != nil {
		return err
	}
	if q.End, err = moment(f, fieldEnd); err != nil {
		return err
	}
	q.BeforeID, q.AfterID = core.MessageID(f.Get(fieldBefore)), core.MessageID(f.Get(fieldAfter))
	if q.byIDs = f.Has(fieldIDs); q.byIDs {
		for _, id := range f.Values(fieldIDs) {
			q.ids = append(q.ids, core.MessageID(id))
		}
		if len(q.ids) > maxIDs {
			return xmpp.NewError("modify", "policy-violation", "That is more messages than are sent at once.")
		}
	}
	with := f.Get(fieldWith)
	if with == "" {
		return nil
	}
	j, err := addr.Parse(with)
	if err != nil {
		return bad("Whom the messages are to be with is not an address.")
	}
	q.nobody = !addr.Same(j.Local(), room.Local()) || !addr.Same(j.Domain(), room.Domain())
	q.Author = core.Address(strings.Clone(j.Resource()))
	return nil
}

// moment reads a time (XEP-0082); the zero time if it is not given.
func moment(f form.Submission, field string) (time.Time, error) {
	text := f.Get(field)
	if text == "" {
		return time.Time{}, nil
	}
	t, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		return time.Time{}, bad("The time under " + field + " must be written as in 2026-11-24T12:00:00Z.")
	}
	return t, nil
}

func bad(text string) error { return xmpp.NewError("modify", "bad-request", text) }

func notFound(text string) error { return xmpp.NewError("cancel", "item-not-found", text) }
