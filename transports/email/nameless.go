package email

import (
	"context"
	"encoding/json"
	"strconv"
	"strings"
	"time"

	"gangway/core"
)

// A mail is known by its Message-ID, and one without by its sender, date, subject and text. One without a date, too,
// has nothing of its own: "the door is open" from a sensor, every day, is the same mail each time. What comes from a
// mail server still differs, in the Received field that the server adds: so such a mail is known by all of its bytes.
//
// What is left are programs that send the same bytes straight to us. Are they a new mail, or the last one again, from a
// client that did not hear our 250? A client that went on after the answer, to QUIT or to the next mail, has heard it:
// the next one is new. One whose connection ended there may not have: the same bytes within repeatWindow are a
// repetition. So a mail is never lost but where a program hangs up on us and repeats itself within the hour, and never
// shown twice but where a client waits for longer than that before it tries again.
const (
	repeatWindow = time.Hour
	keepCopies   = 30 * 24 * time.Hour // for longer than the queue knows what was delivered
)

// copies are the mails of one account with the same bytes.
type copies struct {
	N    int       `json:"n"`              // how many there were before the last
	Open bool      `json:"open,omitempty"` // it is not known whether its sender heard that we have it
	At   time.Time `json:"at"`
}

// named returns the letter under a name of its own, and a key to settle once the sender has heard the answer; no key
// if the letter has a name already.
func (t *transport) named(ctx context.Context, l *letter, a core.AccountID) (*letter, string, error) {
	if !l.nameless {
		return l, "", nil
	}
	key := "copies " + core.Digest(string(a), l.id)
	t.mu.Lock()
	defer t.mu.Unlock()
	c, err := t.copies(ctx, key)
	if err != nil {
		return nil, "", err
	}
	now := t.now()
	if !c.At.IsZero() && (!c.Open || now.Sub(c.At) >= repeatWindow) {
		c.N++
	}
	c.Open, c.At = true, now
	if err := t.putCopies(ctx, key, c); err != nil {
		return nil, "", err
	}
	own := *l
	if c.N > 0 {
		own.id = strings.TrimSuffix(l.id, noID) + "-" + strconv.Itoa(c.N) + noID
	}
	return &own, key, nil
}

// heard notes that the sender of a mail knows that we have it.
func (t *transport) heard(ctx context.Context, keys []string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, key := range keys {
		c, err := t.copies(ctx, key)
		if err == nil {
			c.Open = false
			err = t.putCopies(ctx, key, c)
		}
		if err != nil { // the next one within the hour will count as a repetition
			t.host.Logger().Warn("nameless mail not settled", "err", err)
		}
	}
}

func (t *transport) copies(ctx context.Context, key string) (copies, error) {
	var c copies
	b, err := t.host.Notes().Get(ctx, key)
	switch {
	case err != nil && core.KindOf(err) == core.NotFound:
		return c, nil
	case err != nil:
		return c, core.Wrap(core.Unavailable, "email: copies", err)
	}
	if err := json.Unmarshal(b, &c); err != nil {
		return c, core.Wrap(core.Internal, "email: copies", err)
	}
	return c, nil
}

func (t *transport) putCopies(ctx context.Context, key string, c copies) error {
	b, err := json.Marshal(c)
	if err != nil {
		return core.Wrap(core.Internal, "email: copies", err)
	}
	if err := t.host.Notes().Put(ctx, key, b, keepCopies); err != nil {
		return core.Wrap(core.Unavailable, "email: copies", err)
	}
	return nil
}
