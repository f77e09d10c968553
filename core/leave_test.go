package core_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"gangway/core"
)

// mailbox is a live session that keeps what it is sent, and answers for it when its Run ends, as one of IRC does.
type mailbox struct {
	*fakeSession
	held    chan *core.Message
	refused chan *core.Error // why the network ends it
}

func (m *mailbox) Send(_ context.Context, msg *core.Message) (core.Taken, error) {
	m.held <- msg
	return core.Taken{}, nil
}

func (m *mailbox) Run(ctx context.Context) error {
	select {
	case <-ctx.Done():
	case e := <-m.refused:
		return e
	}
	why := core.E(core.Unavailable, "fake", "The gateway is stopping.")
	_ = errors.As(context.Cause(ctx), &why)
	for {
		select {
		case msg := <-m.held:
			if err := m.net.host.Deliver(context.WithoutCancel(ctx), failed(msg, why)); err != nil {
				return err
			}
		default:
			return nil
		}
	}
}

func stopping(m *core.Message) *core.Receipt {
	return failed(m, core.E(core.Unavailable, "fake", "The gateway is stopping."))
}

func failed(m *core.Message, why *core.Error) *core.Receipt {
	return &core.Receipt{Ref: m.Ref, IDs: m.IDs, Origin: m.Origin, State: core.Failed, Err: why}
}

type mailboxes struct{ *fakeNet }

func (n mailboxes) Open(a core.Account) (core.Session, error) {
	return &mailbox{&fakeSession{n.fakeNet, a}, make(chan *core.Message, 10), make(chan *core.Error)}, nil
}

func newMailboxes(t *testing.T, d core.Driver) *hall {
	t.Helper()
	d.Lane = core.Live
	net := &fakeNet{}
	d = net.driver(d)
	d.New = func(h core.Host, _ core.Decoder) (core.Transport, error) {
		net.host = h
		return mailboxes{net}, nil
	}
	return newHallOf(t, net, d)
}

// TestStoppingAnswersWhatNobodyRan stops a gateway with a message in a session that has not run yet: it waits for its
// turn, or is used for the first time at this moment.
func TestStoppingAnswersWhatNobodyRan(t *testing.T) {
	for name, scenario := range map[string]func(t *testing.T, h *hall){
		"waits for its turn": func(t *testing.T, h *hall) {
			if err := h.With(t.Context(), bob, use); err != nil { // who is first
				t.Error(err)
			}
			if err := h.Submit(t.Context(), alice, message("hello")); err != nil {
				t.Error(err)
			}
			if err := h.stop(); err != nil {
				t.Error(err)
			}
		},
		"in the same moment": func(t *testing.T, h *hall) {
			begun := make(chan struct{})
			go func() {
				close(begun)
				_ = h.stop()
			}()
			<-begun
			if err := h.Submit(t.Context(), alice, message("hello")); err != nil && kind(err) != core.Unavailable {
				t.Error(err)
			} else if err != nil {
				_ = h.edge.Show(t.Context(), alice, stopping(message("hello"))) // refused: that is an answer, too
			}
		},
		"used while it ends": func(t *testing.T, h *hall) {
			err := h.With(t.Context(), alice, func(s core.Session) error {
				go func() { _ = h.stop() }()
				time.Sleep(time.Minute) // it has ended meanwhile
				_, err := s.Send(t.Context(), message("hello"))
				return err
			})
			if err != nil {
				t.Error(err)
			}
		},
		"answered while it is used": func(t *testing.T, h *hall) {
			err := h.With(t.Context(), alice, func(s core.Session) error {
				go func() { _ = h.stop() }()
				time.Sleep(time.Minute)
				_, err := s.Send(t.Context(), message("hello"))
				for len(of[*core.Receipt](h.edge)) == 0 { // as who waits for the network's answer
					time.Sleep(time.Second)
				}
				return err
			})
			if err != nil {
				t.Error(err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := newMailboxes(t, core.Driver{Pace: time.Hour})
				defer h.stop()
				scenario(t, h)
				if err := h.stop(); err != nil {
					t.Error(err)
				}
				if got := of[*core.Receipt](h.edge); len(got) != 1 || got[0].State != core.Failed || got[0].Err.Text != "The gateway is stopping." {
					t.Errorf("the sender is told %+v", got)
				}
			})
		})
	}
}

// TestRefusedWhileUsed hands a session a message when the network has refused it already, which nobody knows yet.
func TestRefusedWhileUsed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newMailboxes(t, core.Driver{})
		defer h.stop()
		err := h.With(t.Context(), alice, func(s core.Session) error {
			s.(*mailbox).refused <- core.E(core.Denied, "fake", "You are banned.")
			time.Sleep(time.Minute)
			_, err := s.Send(t.Context(), message("hello"))
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		if got := of[*core.Receipt](h.edge); len(got) != 1 || got[0].State != core.Failed || got[0].Err.Text != "You are banned." {
			t.Errorf("the sender is told %+v", got)
		}
		if err := h.With(t.Context(), alice, use); kind(err) != core.Denied {
			t.Errorf("used again: %v", err)
		}
	})
}

// TestOpenedWhileStopping opens a session for so long that the gateway stops meanwhile.
func TestOpenedWhileStopping(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, net := newSlow(t)
		defer h.stop()
		done := make(chan error, 1)
		go func() { done <- h.Submit(t.Context(), alice, message("late")) }()
		synctest.Wait()
		if err := h.stop(); err != nil {
			t.Fatal(err)
		}
		close(net.opened)
		if err := <-done; kind(err) != core.Unavailable || len(net.sends()) != 0 {
			t.Errorf("taken: %v", err)
		}
	})
}
