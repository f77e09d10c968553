package core_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"gangway/core"
)

// holdingNet is a network that holds what is written.
type holdingNet struct {
	*fakeNet
	hold core.Hold
}

func (n *holdingNet) Hold() core.Hold { return n.hold }

// usualHold is as e-mail has it.
func usualHold() core.Hold {
	return core.Hold{Quiet: 15 * time.Second, Most: time.Minute, Lines: 20, Text: 64 << 10, Files: 10 << 20}
}

func newHoldingHall(t *testing.T, d core.Driver) *hall {
	t.Helper()
	net := &fakeNet{}
	d.Order = core.PerMessage
	d = net.driver(d)
	holding := &holdingNet{fakeNet: net, hold: usualHold()}
	d.New = func(h core.Host, _ core.Decoder) (core.Transport, error) {
		net.host = h
		return holding, nil
	}
	return newHallOf(t, net, d)
}

func (h *hall) submit(t *testing.T, e core.Event) error {
	t.Helper()
	err := h.Submit(t.Context(), alice, e)
	synctest.Wait()
	return err
}

func (h *hall) must(t *testing.T, e core.Event) {
	t.Helper()
	if err := h.submit(t, e); err != nil {
		t.Fatalf("%+v: %v", e, err)
	}
}

// texts are what the network was sent.
func (h *hall) texts() (all []string) {
	for _, m := range h.net.sends() {
		all = append(all, m.Text)
	}
	return all
}

func (h *hall) sentTexts(t *testing.T, want ...string) {
	t.Helper()
	if got := h.texts(); !slices.Equal(got, want) {
		t.Errorf("at %s sent %q, want %q", time.Now().Format("15:04:05"), got, want)
	}
}

func after(d time.Duration) { time.Sleep(d); synctest.Wait() }

func correction(of core.MessageID, text string) *core.Message {
	m := message(text)
	m.Replaces.ID = of
	return m
}

func retraction(of core.MessageID) *core.Retraction {
	return &core.Retraction{Ref: core.Ref{Account: alice.ID, Peer: "peer"}, IDs: core.IDs{ID: of},
		Origin: core.Origin{ID: "r-" + string(of), From: "alice@example.test/phone"}}
}

func TestLinesBecomeOneMessage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHoldingHall(t, core.Driver{})
		defer h.stop()
		first := message("Hi")
		h.must(t, first)
		after(14 * time.Second)
		h.must(t, message("how are you?"))
		after(14 * time.Second)
		h.must(t, message("bye"))
		after(14 * time.Second)
		h.sentTexts(t)
		after(2 * time.Second)
		h.sentTexts(t, "Hi\nhow are you?\nbye")
		if m := h.net.sends()[0]; m.ID != first.ID || len(m.Parts) != 2 {
			t.Errorf("sent as %s with the parts %v", m.ID, m.Parts)
		}
	})
}

// Somebody who goes on and on is heard after a minute.
func TestHoldEnds(t *testing.T) {
	for name, c := range map[string]struct {
		act   func(t *testing.T, h *hall)
		after time.Duration
		want  []string
	}{
		"after the longest time": {func(t *testing.T, h *hall) {
			for i := range 6 {
				h.must(t, message(fmt.Sprint(i)))
				after(12 * time.Second)
			}
		}, 0, []string{"0\n1\n2\n3\n4"}},
		"with the last line that it takes": {func(t *testing.T, h *hall) {
			for i := range 21 {
				h.must(t, message(fmt.Sprint(i)))
			}
		}, 0, []string{"0\n1\n2\n3\n4\n5\n6\n7\n8\n9\n10\n11\n12\n13\n14\n15\n16\n17\n18\n19"}},
		"when the user says so": {func(t *testing.T, h *hall) {
			h.must(t, message("a"))
			h.must(t, message("b"))
			other := message("c")
			other.Peer = "other"
			h.must(t, other)
			if n, err := h.SendNow(t.Context(), alice, "PEER"); n != 2 || err != nil {
				t.Errorf("sent %d, %v", n, err)
			}
		}, time.Millisecond, []string{"a\nb"}},
		"all of it when the user says so": {func(t *testing.T, h *hall) {
			h.must(t, message("a"))
			other := message("c")
			other.Peer = "other"
			h.must(t, other)
			if n, err := h.SendNow(t.Context(), alice, ""); n != 2 || err != nil {
				t.Errorf("sent %d, %v", n, err)
			}
		}, time.Millisecond, []string{"a", "c"}},
		"at once where the user wants it": {func(t *testing.T, h *hall) {
			h.choices.choose(core.Preferences{Own: map[string]string{"hold": "0"}}, "")
			h.must(t, message("a"))
			h.must(t, message("b"))
		}, time.Millisecond, []string{"a", "b"}},
		"at once in this conversation": {func(t *testing.T, h *hall) {
			h.choices.choose(core.Preferences{Own: map[string]string{"hold peer": "0"}}, "")
			h.must(t, message("a"))
		}, time.Millisecond, []string{"a"}},
		"at once with somebody whose address is written in another case": {func(t *testing.T, h *hall) {
			h.choices.choose(core.Preferences{Own: map[string]string{"hold peer": "0"}}, "")
			m := message("a")
			m.Peer = "Peer"
			h.must(t, m)
		}, time.Millisecond, []string{"a"}},
		"as late as the user wants": {func(t *testing.T, h *hall) {
			h.choices.choose(core.Preferences{Own: map[string]string{"hold": "30"}}, "")
			h.must(t, message("a"))
			after(29 * time.Second)
			h.sentTexts(t)
		}, time.Second, []string{"a"}},
		"later while the user writes": {func(t *testing.T, h *hall) {
			h.must(t, message("a"))
			h.must(t, typing(true))
			after(40 * time.Second)
			h.must(t, message("b"))
			after(14 * time.Second)
			h.sentTexts(t)
		}, time.Second, []string{"a\nb"}},
		"not later than the longest time while the user writes": {func(t *testing.T, h *hall) {
			h.must(t, message("a"))
			h.must(t, typing(true))
			after(59 * time.Second)
			h.sentTexts(t)
		}, time.Second, []string{"a"}},
		"soon after the user has stopped to write": {func(t *testing.T, h *hall) {
			h.must(t, message("a"))
			h.must(t, typing(true))
			after(20 * time.Second)
			h.must(t, typing(false))
			after(14 * time.Second)
			h.sentTexts(t)
		}, time.Second, []string{"a"}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := newHoldingHall(t, core.Driver{})
				defer h.stop()
				c.act(t, h)
				after(c.after)
				h.sentTexts(t, c.want...)
			})
		})
	}
}

func typing(on bool) *core.Typing {
	return &core.Typing{Ref: core.Ref{Account: alice.ID, Peer: "peer"}, On: on}
}

// What is more than words begins a message of its own, and what was held before goes.
func TestNotOneMessage(t *testing.T) {
	for name, c := range map[string]struct {
		change func(m *core.Message)
		joins  bool
	}{
		"nothing":                {func(*core.Message) {}, true},
		"a file":                 {func(m *core.Message) { m.Attachments = []core.Attachment{{URL: "u", Size: 1 << 20}} }, true},
		"a large file":           {func(m *core.Message) { m.Attachments = []core.Attachment{{URL: "u", Size: 11 << 20}} }, false},
		"many files":             {func(m *core.Message) { m.Attachments = make([]core.Attachment, 21) }, false},
		"a subject":              {func(m *core.Message) { m.Subject = "Plan" }, false},
		"a thread":               {func(m *core.Message) { m.Thread = "t" }, false},
		"an answer":              {func(m *core.Message) { m.ReplyTo.ID = "earlier" }, false},
		"an answer to the first": {func(m *core.Message) { m.ReplyTo.ID = "first" }, true},
		"other addressees":       {func(m *core.Message) { m.Also = []core.Address{"c"} }, false},
		"a copy":                 {func(m *core.Message) { m.Copied = []core.Address{"peer"} }, false},
		"a blind copy":           {func(m *core.Message) { m.Hidden = true }, false},
		"a long text":            {func(m *core.Message) { m.Text = strings.Repeat("x", 64<<10) }, false},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := newHoldingHall(t, core.Driver{})
				defer h.stop()
				first, second := message("one"), message("two")
				first.ID = "first"
				h.must(t, first)
				c.change(second)
				h.must(t, second)
				if n := len(h.texts()); n == 0 != c.joins {
					t.Errorf("%d sent at once", n)
				}
				after(time.Minute)
				want := 2
				if c.joins {
					want = 1
				}
				if got := h.net.sends(); len(got) != want || !c.joins && got[1].ID != second.ID || got[len(got)-1].ReplyTo.ID == "first" {
					t.Errorf("sent %+v", got)
				}
			})
		})
	}
}

func TestCorrectionsOfWhatIsHeld(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHoldingHall(t, core.Driver{})
		defer h.stop()
		one, two := message("oen"), message("two")
		h.must(t, one)
		h.must(t, two)
		fix := correction(one.ID, "one")
		fix.Receipt = true
		h.must(t, fix)
		h.must(t, fix) // the client's stream broke: it says so again
		h.must(t, correction(two.ID, "2"))
		after(16 * time.Second)
		h.sentTexts(t, "one\n2")
		m := h.net.sends()[0]
		if len(m.Parts) != 3 || m.Parts[0].ID != fix.ID || !m.Receipt {
			t.Errorf("parts %+v, receipt %v", m.Parts, m.Receipt)
		}
		// It has gone, and the network cannot correct.
		if err := h.submit(t, correction(one.ID, "late")); kind(err) != core.Unsupported {
			t.Errorf("a late correction: %v", err)
		}
	})
}

func TestTakingBackWhatIsHeld(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHoldingHall(t, core.Driver{})
		defer h.stop()
		one, two, three := message("one"), message("two"), message("three")
		one.Subject = "Plan"
		h.must(t, one)
		h.must(t, two)
		h.must(t, three)
		h.must(t, retraction(one.ID))
		h.must(t, retraction(one.ID))
		h.must(t, retraction(three.ID))
		again := retraction(one.ID)
		again.Origin.ID = "another"
		h.must(t, again)
		h.must(t, one) // a client that sends it again has not changed its mind
		if err := h.submit(t, correction(one.ID, "x")); kind(err) != core.NotFound {
			t.Errorf("a correction of what was taken back: %v", err)
		}
		after(16 * time.Second)
		h.sentTexts(t, "two")
		if m := h.net.sends()[0]; m.ID != two.ID || m.Subject != "Plan" || len(m.Parts) > 0 {
			t.Errorf("sent %+v", m)
		}
		if err := h.submit(t, retraction(two.ID)); kind(err) != core.Unsupported {
			t.Errorf("taken back too late: %v", err)
		}
		h.must(t, message("four"))
		h.must(t, retraction(h.only(t).Lines[0].ID))
		after(time.Hour)
		h.sentTexts(t, "two")
		if waiting, dead, _ := h.queue.counts(); waiting+dead > 0 {
			t.Errorf("%d waiting, %d dead", waiting, dead)
		}
	})
}

// only is what is held of Alice's.
func (h *hall) only(t *testing.T) *core.Held {
	t.Helper()
	all, err := h.Waiting(t.Context(), alice.User, "fake")
	if err != nil || len(all) != 1 {
		t.Fatalf("%d held, %v", len(all), err)
	}
	return all[0].Event.(*core.Held)
}

// Every stanza of which a message was made gets a receipt of its own, or an error, once.
func TestReceiptsOfParts(t *testing.T) {
	for name, c := range map[string]struct {
		send  func(m *core.Message, n int) (core.Taken, error)
		later *core.Receipt
		want  core.State
	}{
		"delivered at once": {func(m *core.Message, _ int) (core.Taken, error) {
			return core.Taken{Remote: "r1", State: core.Delivered}, nil
		}, nil, core.Delivered},
		"delivered later": {func(m *core.Message, _ int) (core.Taken, error) {
			return core.Taken{Remote: "r1", State: core.Accepted}, nil
		}, &core.Receipt{State: core.Delivered}, core.Delivered},
		"refused": {func(m *core.Message, _ int) (core.Taken, error) {
			return core.Taken{}, core.E(core.NotFound, "fake", "Nobody there.")
		}, nil, core.Failed},
		"returned": {func(m *core.Message, _ int) (core.Taken, error) {
			return core.Taken{Remote: "r1", State: core.Accepted}, nil
		}, &core.Receipt{State: core.Failed, Err: core.E(core.NotFound, "fake", "Nobody there.")}, core.Failed},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := newHoldingHall(t, core.Driver{})
				defer h.stop()
				h.net.send = c.send
				one, two := message("one"), message("two")
				h.must(t, one)
				h.must(t, two)
				fix := correction(two.ID, "2")
				h.must(t, fix)
				gone := message("gone")
				h.must(t, gone)
				h.must(t, retraction(gone.ID))
				after(16 * time.Second)
				if c.later != nil {
					for range 2 { // networks repeat themselves
						r := *c.later
						r.Ref, r.Remote = core.Ref{Account: alice.ID}, "r1"
						if err := h.net.host.Deliver(t.Context(), &r); err != nil && !errors.Is(err, core.ErrDuplicate) {
							t.Fatal(err)
						}
						synctest.Wait()
					}
				}
				var got []string
				for _, r := range of[*core.Receipt](h.edge) {
					got = append(got, fmt.Sprint(r.Origin.ID, " ", r.State, " ", r.Whole == one.ID))
				}
				s := c.want.String()
				want := []string{"o-one " + s + " false", "o-two " + s + " true", "o-2 " + s + " true"}
				if !slices.Equal(got, want) {
					t.Errorf("told %q, want %q", got, want)
				}
			})
		})
	}
}

// A held message that is dropped fails for all who wrote it.
func TestFailuresOfWhatIsHeld(t *testing.T) {
	it := &core.Item{Direction: core.Window, Event: lines("one", "two")}
	if got := it.Failures(core.E(core.Denied, "test", "")); len(got) != 2 || got[1].Event.(*core.Receipt).Origin.ID != "o-two" {
		t.Errorf("%+v", got)
	}
}

// editingSession corrects what was sent.
type editingSession struct{ *fakeSession }

func (s *editingSession) Edit(ctx context.Context, m *core.Message) (core.Taken, error) {
	return s.Send(ctx, m)
}

// What comes after the window waits for the message that it is about, and says that it is about a part.
func TestCorrectionAfterTheWindow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		net := &fakeNet{}
		holding := &editingNet{holdingNet{fakeNet: net, hold: usualHold()}}
		d := net.driver(core.Driver{Order: core.PerMessage, Session: (*editingSession)(nil), Retry: []time.Duration{time.Minute}})
		d.New = func(h core.Host, _ core.Decoder) (core.Transport, error) { net.host = h; return holding, nil }
		h := newHallOf(t, net, d)
		defer h.stop()
		net.send = func(m *core.Message, n int) (core.Taken, error) {
			if n == 1 {
				return core.Taken{}, errAway
			}
			return core.Taken{Remote: "r1", State: core.Accepted}, nil
		}
		one, two := message("one"), message("two")
		h.must(t, one)
		h.must(t, two)
		after(20 * time.Second)
		h.must(t, correction(two.ID, "2"))
		after(2 * time.Minute)
		h.sentTexts(t, "one\ntwo", "one\ntwo", "2")
		if m := net.sends()[2]; !m.OfPart || m.Replaces.Remote != "r1" {
			t.Errorf("corrected as %+v", m)
		}
	})
}

type editingNet struct{ holdingNet }

func (n *editingNet) Open(a core.Account) (core.Session, error) {
	return &editingSession{&fakeSession{n.fakeNet, a}}, nil
}

// What is held stays so when the gateway stops.
func TestStoppingHoldsOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHoldingHall(t, core.Driver{})
		h.must(t, message("one"))
		if err := h.stop(); err != nil {
			t.Fatal(err)
		}
		h.sentTexts(t)
		if waiting, _, _ := h.queue.counts(); waiting != 1 {
			t.Errorf("%d waiting", waiting)
		}
	})
}
