package sms

import (
	"context"
	"slices"
	"strings"
	"time"

	"gangway/core"
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
