package sms

import (
	"context"
	"errors"
	"slices"
	"time"

	openapi "github.com/twilio/twilio-go/rest/api/v2010"

	"gangway/core"
)

const (
	sweepEvery = 5 * time.Minute
	sweepBack  = 2 * time.Hour       // how far before the last whole sweep one looks
	firstBack  = 24 * time.Hour      // how far the first one looks at least
	mostBack   = 13 * 24 * time.Hour // how far one looks at most: what is known already is recognised for 14 days
	sweptKey   = "swept"             // the note of when the last whole sweep began
	sweepMost  = 1000                // messages of one number that are held at once
	sweepSpans = 500                 // spans of that many that one sweep goes back
)

// sweepLoop looks for messages that the provider has and could not deliver: at the start, then every few minutes, from
// a while before the last sweep that saw everything.
func (t *transport) sweepLoop(ctx context.Context) {
	since := time.Now().Add(-firstBack)
	if last := t.lastSweep(ctx).Add(-sweepBack); last.Before(since) {
		since = last
	}
	for {
		began := time.Now()
		if oldest := began.Add(-mostBack); since.Before(oldest) {
			since = oldest
		}
		if t.sweep(ctx, since) {
			since = began.Add(-sweepBack)
			t.noteSweep(ctx, began)
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(sweepEvery):
		}
	}
}

// lastSweep returns when the last whole sweep began, of this run or one before; now if that is not known.
func (t *transport) lastSweep(ctx context.Context) time.Time {
	note, err := t.host.Notes().Get(ctx, sweptKey)
	if err == nil {
		var at time.Time
		if at, err = time.Parse(time.RFC3339, string(note)); err == nil {
			return at
		}
	}
	if core.KindOf(err) != core.NotFound && ctx.Err() == nil {
		t.host.Logger().Warn("last sweep not known", "err", err)
	}
	return time.Now()
}

func (t *transport) noteSweep(ctx context.Context, at time.Time) {
	err := t.host.Notes().Put(ctx, sweptKey, []byte(at.UTC().Format(time.RFC3339)), 0)
	if err != nil && ctx.Err() == nil {
		t.host.Logger().Warn("sweep not noted", "err", err)
	}
}

// sweep delivers what was received since a moment; what is known already is recognised. It says whether all of all
// numbers could be looked at.
func (t *transport) sweep(ctx context.Context, since time.Time) bool {
	whole := true
	for _, number := range t.numbers {
		err := t.sweepNumber(ctx, number, since)
		if err != nil && ctx.Err() == nil {
			t.host.Logger().Warn("sweep of received messages", "err", err)
		}
		whole = whole && err == nil
	}
	return whole
}

var (
	errUndelivered = errors.New("some could not be delivered")
	errTooMany     = errors.New("there are more than can be swept; the oldest are left out")
)

// sweepNumber delivers what was received for one number. The list has the newest first, and may be longer than is to be
// held at once: so one goes back span by span, noting where each begins, and then forward again, delivering them.
func (t *transport) sweepNumber(ctx context.Context, number string, since time.Time) error {
	var ends []time.Time // of the spans that are still to be delivered, the newest first
	var end time.Time    // of the one at hand; zero: it has none
	var cut error
	list, err := t.received(ctx, number, since, end)
	for err == nil && len(list) == t.most {
		begin := sentAt(list[len(list)-1])
		if begin.IsZero() || !end.IsZero() && !begin.Before(end) || len(ends) == sweepSpans {
			cut = errTooMany
			break
		}
		ends, end = append(ends, end), begin
		list, err = t.received(ctx, number, since, end)
	}
	for err == nil {
		if !t.sweptAll(ctx, list) {
			cut = errUndelivered
		}
		if len(ends) == 0 {
			return cut
		}
		begin := end // whatever was received in that very second is in both spans
		ends, end = ends[:len(ends)-1], ends[len(ends)-1]
		list, err = t.received(ctx, number, begin, end)
	}
	return err
}

// received lists what was received for a number, from a moment to another (none, if that is zero), the newest first.
func (t *transport) received(ctx context.Context, number string, from, to time.Time) (list []openapi.ApiV2010Message, err error) {
	p := &openapi.ListMessageParams{}
	p.SetTo(number).SetDateSentAfter(from.UTC()).SetPageSize(200).SetLimit(t.most)
	if !to.IsZero() {
		p.SetDateSentBefore(to.UTC())
	}
	_, err = t.api.do(ctx, func(api *openapi.ApiService) (err error) {
		list, err = api.ListMessage(p)
		return err
	})
	return list, err
}

// sentAt is when a message was received; zero if the provider does not say.
func sentAt(l openapi.ApiV2010Message) time.Time {
	for _, text := range []string{text(l.DateSent), text(l.DateCreated)} {
		if at, err := time.Parse(time.RFC1123Z, text); err == nil {
			return at
		}
	}
	return time.Time{}
}

// sweptAll delivers a list, the oldest first, and says whether that could be done.
func (t *transport) sweptAll(ctx context.Context, list []openapi.ApiV2010Message) bool {
	whole := true
	for _, l := range slices.Backward(list) {
		whole = t.swept(ctx, l) && whole
	}
	return whole
}

func (t *transport) swept(ctx context.Context, l openapi.ApiV2010Message) bool {
	if text(l.Direction) != "inbound" || !messageSID.MatchString(text(l.Sid)) {
		return true
	}
	r := received{sid: text(l.Sid), from: text(l.From), to: text(l.To), body: text(l.Body), at: time.Now()}
	if at, err := time.Parse(time.RFC1123Z, text(l.DateCreated)); err == nil {
		r.at = at
	}
	if n := text(l.NumMedia); n != "" && n != "0" {
		r.media = 1
	}
	err := t.receive(ctx, r)
	if err == nil {
		return true
	}
	if k := core.KindOf(err); k == core.NotFound || k == core.Invalid {
		return true // nobody has the number
	}
	if ctx.Err() == nil {
		t.host.Logger().Warn("swept message not delivered", "sid", r.sid, "err", err)
	}
	return false
}
