package sms

import (
	"context"
	"slices"
	"strings"
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
	sweepMost  = 1000                // messages of one number in one sweep
)

// received is a message that the provider got for one of our numbers.
type received struct {
	sid, from, to, body string
	types               []string // of its media
	media               int      // how many, where the types are not known
	at                  time.Time
}

// receive delivers a received message; it is safe, known already or unwanted when nil is returned.
func (t *transport) receive(ctx context.Context, r received) error {
	if !slices.Contains(t.numbers, r.to) {
		return core.E(core.NotFound, "sms: inbound", "not to one of our numbers")
	}
	peer := t.sender(r.from)
	if peer == "" {
		return core.E(core.Invalid, "sms: inbound", "no such sender")
	}
	owner, err := t.host.Owner(ctx, core.Address(r.to), peer)
	if err != nil {
		return err
	}
	if r.at.Before(owner.Created.Add(-skew)) {
		return core.E(core.NotFound, "sms: inbound", "from before the number was theirs")
	}
	err = t.host.Deliver(ctx, &core.Message{
		Ref: core.Ref{Account: owner.ID, Peer: peer}, IDs: core.IDs{Remote: core.RemoteID(r.sid)},
		At: r.at, Text: withMedia(r),
	})
	if err != nil && core.KindOf(err) == core.Denied { // blocked: the provider has nobody to tell
		t.host.Logger().Info("message refused by its user", "sid", r.sid)
		return nil
	}
	return err
}

// withMedia is a message's text, with a line for each file that came with it: files are not carried yet, and must not
// vanish.
func withMedia(r received) string {
	lines := []string{}
	if r.body != "" {
		lines = append(lines, r.body)
	}
	for _, t := range r.types {
		if t == "" {
			t = "unknown type"
		}
		lines = append(lines, "[file: "+t+", kept at the SMS provider]")
	}
	if r.media > len(r.types) {
		lines = append(lines, "[files, kept at the SMS provider]")
	}
	return strings.Join(lines, "\n")
}

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

// sweep delivers what was received since a moment; what is known already is recognised. It says whether all numbers
// could be looked at.
func (t *transport) sweep(ctx context.Context, since time.Time) bool {
	whole := true
	for _, number := range t.numbers {
		p := &openapi.ListMessageParams{}
		p.SetTo(number).SetDateSentAfter(since.UTC()).SetPageSize(200).SetLimit(sweepMost)
		var list []openapi.ApiV2010Message
		_, err := t.api.do(ctx, func(api *openapi.ApiService) (err error) {
			list, err = api.ListMessage(p)
			return err
		})
		if err != nil {
			if ctx.Err() == nil {
				t.host.Logger().Warn("sweep of received messages", "err", err)
			}
			whole = false
			continue
		}
		slices.Reverse(list) // the list has the newest first
		for _, l := range list {
			whole = t.swept(ctx, l) && whole
		}
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
