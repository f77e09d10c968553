package archive

import (
	"encoding/json"
	"hash/fnv"
	"strings"
	"time"

	"gangway/core"
	"gangway/core/store"
)

// How core.EventName calls a message and a retraction.
const (
	messageName    = "message"
	retractionName = "retraction"
)

// row is an event as it is written.
type row struct {
	seq                int64
	at                 int64
	id, remote, origin string
	author             string
	said               int64
	about              string
	retracted          string
	retractedAt        int64
	event              string
	body               []byte

	late, mine bool
	known      bool // it is there already: see writing.exact
}

// rowOf encodes an entry: what the columns say is left out of the body.
func rowOf(e *entry) (*row, error) {
	r := &row{at: e.At.UnixMilli(), id: string(e.ID), late: e.late}
	var short core.Event
	switch event := e.Event.(type) {
	case *core.Message:
		m := *event
		r.remote, r.origin, r.author = string(m.Remote), m.Origin.ID, string(m.Author)
		r.said, r.mine = said(r.author, m.Text), m.Mine
		if m.Remote == m.Replaces.Remote {
			r.remote = "" // a network that keeps the name of what is edited
		}
		m.Ref, m.IDs, m.Origin, m.Author, m.At = core.Ref{}, core.IDs{Remote: m.Remote}, core.Origin{}, "", time.Time{}
		if r.remote != "" {
			m.Remote = ""
		}
		short = &m
	case *core.Reaction:
		x := *event
		r.author, r.origin, r.mine = string(x.Author), x.Origin.ID, x.Mine
		r.said = said(r.author, "\x00", string(x.ID), strings.Join(x.Emoji, " "))
		x.Ref, x.Origin, x.Author = core.Ref{}, core.Origin{}, ""
		short = &x
	case *core.Retraction:
		x := *event
		r.author, r.origin = string(x.Author), x.Origin.ID
		x.Ref, x.Origin, x.Author = core.Ref{}, core.Origin{}, ""
		short = &x
	}
	var err error
	r.event, r.body, err = core.EncodeEvent(short)
	return r, err
}

func rowsOf(entries []entry) ([]*row, error) {
	rows := make([]*row, len(entries))
	for i := range entries {
		var err error
		if rows[i], err = rowOf(&entries[i]); err != nil {
			return nil, err
		}
	}
	return rows, nil
}

// said is a hash of who said what.
func said(author string, what ...string) int64 {
	h := fnv.New64a()
	_, _ = h.Write([]byte(author)) // a hash does not fail
	for _, part := range what {
		_, _ = h.Write([]byte{0})
		_, _ = h.Write([]byte(part))
	}
	return int64(h.Sum64()) //nolint:gosec // any 64 bits will do
}

func (r *row) values(room int64) []any {
	return []any{room, r.at, r.id, r.remote, r.origin, r.author, r.said, r.about, r.retracted, r.retractedAt, r.event, r.body}
}

// archived is the event as it was appended.
func (r *row) archived(ref core.Ref) (core.Archived, error) {
	out := core.Archived{ID: core.MessageID(r.id), At: moment(r.at), Retracted: core.MessageID(r.retracted), RetractedAt: moment(r.retractedAt)}
	event, err := core.DecodeEvent(r.event, r.body)
	if err != nil {
		return out, err
	}
	switch e := event.(type) {
	case *core.Message:
		e.Ref, e.ID, e.Author, e.At, e.Origin.ID = ref, out.ID, core.Address(r.author), out.At, r.origin
		if r.remote != "" {
			e.Remote = core.RemoteID(r.remote)
		}
	case *core.Reaction:
		e.Ref, e.Author, e.Origin.ID = ref, core.Address(r.author), r.origin
	case *core.Retraction:
		e.Ref, e.Author, e.Origin.ID = ref, core.Address(r.author), r.origin
	}
	out.Event = event
	return out, nil
}

// emptied is the body of a message that has been taken back.
func emptied(body []byte) ([]byte, error) {
	event, err := core.DecodeEvent(messageName, body)
	if err != nil {
		return nil, err
	}
	m := event.(*core.Message)
	return json.Marshal(&core.Message{IDs: m.IDs, Room: m.Room, Mine: m.Mine, Thread: m.Thread, Replaces: m.Replaces, Notice: m.Notice})
}

func moment(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}

func scanRow(s store.Scanner) (r row, err error) {
	err = s.Scan(&r.seq, &r.at, &r.id, &r.remote, &r.origin, &r.author, &r.about, &r.retracted, &r.retractedAt, &r.event, &r.body)
	return r, err
}
