package muc

import (
	"context"
	"strconv"
	"time"

	"gangway/core"
	"gangway/core/xmpp/stream"
)

const (
	usualHistory = core.UsualHistory // messages that a join is shown if neither it nor the user says
	mostHistory  = core.MostHistory  // and if one does
	historyIn    = 5 * time.Second
)

// history is how much of it a join wants to be shown (XEP-0045 section 7.2.14). The zero history is none.
type history struct {
	stanzas int
	chars   int // of whole stanzas; negative: any number
	since   time.Time
}

// historyOf reads the <x/> of a join, which is shown usual messages if it does not say. What makes no sense is as if it
// were not there.
func historyOf(x *stream.Element, usual int, now time.Time) history {
	h := history{stanzas: usual, chars: -1}
	el := x.Child(NSMuc, "history")
	if el == nil {
		return h
	}
	number := func(name string) (int, bool) {
		n, err := strconv.Atoi(el.Attr(name))
		return n, err == nil && n >= 0
	}
	bounded := false
	if seconds, ok := number("seconds"); ok && seconds < 1<<31 {
		h.since, bounded = now.Add(-time.Duration(seconds)*time.Second), true
	}
	if since, err := time.Parse(time.RFC3339Nano, el.Attr("since")); err == nil {
		bounded = true
		if since.After(h.since) {
			h.since = since
		}
	}
	if bounded {
		h.stanzas = mostHistory // the moment is the bound that the client chose
	}
	if n, ok := number("maxstanzas"); ok {
		h.stanzas = min(n, mostHistory)
	}
	if n, ok := number("maxchars"); ok {
		h.chars = n
	}
	return h
}

// past writes the history that a join asked for, oldest first.
func (rm *room) past(enc *stream.Encoder, to string, h history) {
	if rm.rooms.cfg.Archive == nil || h.stanzas == 0 || h.chars == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), historyIn)
	defer cancel()
	all, err := rm.rooms.cfg.Archive.Last(ctx, rm.ref, h.stanzas, h.since)
	if err != nil {
		rm.rooms.log.Warn("room joined without its history", "account", rm.ref.Account, "err", err)
		return
	}
	for _, e := range rm.newest(to, all, h.chars) {
		rm.archived(enc, to, e, true)
	}
}

// newest are the last of all that fit into a number of characters.
func (rm *room) newest(to string, all []core.Archived, chars int) []core.Archived {
	if chars < 0 {
		return all
	}
	first := len(all)
	for ; first > 0; first-- {
		enc := stream.Encoder{Domain: rm.domain.Name}
		rm.archived(&enc, to, all[first-1], true)
		if chars -= len(enc.Bytes()); chars < 0 {
			break
		}
	}
	return all[first:]
}

// archived writes what was said as it was shown. past marks it as of the past; XEP-0313 says so around it.
func (rm *room) archived(enc *stream.Encoder, to string, e core.Archived, past bool) {
	at := time.Time{}
	if past {
		at = e.At
	}
	switch ev := e.Event.(type) {
	case *core.Message:
		if e.Retracted == "" {
			rm.write(enc, to, ev, spoken{at: at})
		}
	case *core.Reaction:
		rm.reaction(enc, to, e.ID, ev, at)
	case *core.Retraction:
		if !past { // the history does not show what was taken back in the first place
			rm.retraction(enc, to, e.ID, ev, at)
		}
	}
}
