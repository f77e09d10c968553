package email

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"gangway/core"
	"gangway/core/transporttest"
	"gangway/transports/email/mime"
)

// A session of a mailbox elsewhere keeps the same contract as one of the mail domain. What its network is told is that
// the place in the inbox has moved: a mail before it does not come again.
func TestBoxConformance(t *testing.T) {
	transporttest.Run(t, func(t *testing.T) transporttest.Fixture {
		f := &farBox{p: startProvider(t), host: make(chan core.Host, 1)}
		driver := Driver()
		driver.Session = (*supervisedBox)(nil)
		driver.New = func(h core.Host, d core.Decoder) (core.Transport, error) {
			made, err := newTransport(h, d)
			if err != nil {
				return nil, err
			}
			tr := made.(*transport)
			tr.boxes.poll = time.Second
			f.host <- h
			return supervisedBoxes{tr, f}, nil
		}
		return transporttest.Fixture{
			Driver: driver, Account: f.p.account(t), Peer: "Bob@example.com", Far: f,
			Settings: decoder(map[string]any{"domain": domain, "mailboxes": []string{"*"}, "mailbox_hosts": []string{"127.0.0.1"}}),
			Forms:    []transporttest.Form{{Text: "bob@example.com", Want: core.Target{Address: "bob@example.com"}}},
			Bad:      []string{"bob"},
		}
	})
}

// supervisedBoxes are run again when their connection ends, as the gateway does.
type supervisedBoxes struct {
	*transport
	far *farBox
}

func (b supervisedBoxes) Open(a core.Account) (core.Session, error) {
	s, err := b.transport.Open(a)
	if err != nil {
		return nil, err
	}
	return &supervisedBox{s.(*session), b.far}, nil
}

type supervisedBox struct {
	*session
	far *farBox
}

func (b *supervisedBox) Run(ctx context.Context) error {
	for ctx.Err() == nil {
		if err := b.session.Run(ctx); err != nil {
			b.far.cuts.Add(1)
			time.Sleep(10 * time.Millisecond)
		}
	}
	return nil
}

// farBox is bob, who gets what is submitted, and whose mails come to the inbox.
type farBox struct {
	p    *provider
	host chan core.Host
	cuts atomic.Int64 // connections that ended with an error
	uid  atomic.Uint64
}

func (f *farBox) Next(ctx context.Context) (transporttest.Got, error) {
	select {
	case got := <-f.p.mails:
		m := mime.Parse([]byte(got.mail))
		return transporttest.Got{Name: m.Root.Header.Get("Message-ID"), Text: m.Body(1 << 20).Text}, nil
	case <-ctx.Done():
		return transporttest.Got{}, ctx.Err()
	}
}

// reached is the place in the inbox; 0 before there is one.
func (f *farBox) reached(ctx context.Context) uint64 {
	h := <-f.host
	f.host <- h
	var c struct{ Next uint64 }
	if raw, err := h.Notes().Get(ctx, cursors{account: "acc-box"}.key("inbox")); err == nil {
		_ = json.Unmarshal(raw, &c)
	}
	return c.Next
}

func (f *farBox) Say(ctx context.Context, id, text string) error {
	if !waitFor(func() bool { return f.reached(ctx) > 0 || ctx.Err() != nil }) {
		return errors.New("the inbox is not followed")
	}
	cuts := f.cuts.Load()
	f.p.put("INBOX", "From: Bob <Bob@EXAMPLE.com>\nMessage-ID: <"+id+"@example.com>\nDate: Tue, 24 Nov 2026 10:00:00 +0000\n\n"+text+"\n")
	uid := f.uid.Add(1)
	if !waitFor(func() bool { return f.reached(ctx) > uid || f.cuts.Load() > cuts || ctx.Err() != nil }) {
		return errors.New("the mail is not taken")
	}
	if f.reached(ctx) <= uid {
		return fmt.Errorf("the connection ended before the mail was taken: %w", context.Cause(ctx))
	}
	return nil
}
