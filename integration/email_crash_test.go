//go:build integration

package integration

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"gangway/core"
	"gangway/core/outbox"
)

// TestMailCrash kills the program with -9 in each state that a mail goes through, at that very moment: the mail server at
// the other end does it, or the test when the database or the host server shows that it is there. What it had on its disk
// arrives, at least once and always under one Message-ID, and its sender hears of it.
func TestMailCrash(t *testing.T) {
	t.Parallel()
	h := openCrashHouse(t)
	for _, state := range []struct {
		name string
		play func(*crashHouse, *testing.T)
	}{
		{"held", (*crashHouse).held},
		{"being let go", (*crashHouse).letGo},
		{"ready", func(h *crashHouse, t *testing.T) {
			h.kill() // so that there is no connection yet
			h.start()
			h.killedAt(t, "greeting", 1)
		}},
		{"before DATA", func(h *crashHouse, t *testing.T) { h.killedAt(t, "rcpt", 1) }},
		{"after the dot, before the reply", func(h *crashHouse, t *testing.T) { h.killedAt(t, "dot", 2) }},
		{"after the reply", func(h *crashHouse, t *testing.T) { h.killedAt(t, "replied", 1) }},
		{"waiting to be tried again", (*crashHouse).waiting},
		{"given up", (*crashHouse).givenUp},
		{"receipt not confirmed", (*crashHouse).receiptPending},
		{"coming in, half read", (*crashHouse).halfRead},
		{"come in, before the reply was read", (*crashHouse).replyUnread},
	} {
		t.Run(state.name, func(t *testing.T) {
			h.t = t
			state.play(h, t)
		})
	}
	h.t = t
	h.until("nothing is on its way any more", func() bool { return len(h.letters(outbox.Filter{})) == 0 })
}

// held: lines that are held are held on, and can be corrected still.
func (h *crashHouse) held(t *testing.T) {
	h.say(heldGateway, "h1", "<body>held frist</body>")
	h.say(heldGateway, "h2", "<body>held second</body>")
	h.untilHeld(2)
	h.kill()
	h.start()
	h.untilHeld(2)
	h.say(heldGateway, "h3", "<body>held first</body><replace xmlns='urn:xmpp:message-correct:0' id='h1'/>")
	h.say(heldGateway, "h4", "<body>/send</body>")
	h.receipts("h1", "h2", "h3")
	if mails := h.relay.with("held"); len(mails) != 1 || !strings.Contains(mails[0].text, "held first\r\nheld second\r\n") {
		t.Errorf("mails: %q", mails)
	}
}

// letGo: what is held is either held still or on its way.
func (h *crashHouse) letGo(t *testing.T) {
	for i := range 4 {
		name := fmt.Sprint("let-go-", i)
		h.say(heldGateway, name, "<body>"+name+"</body>")
		h.untilHeld(1)
		h.say(heldGateway, name+"-send", "<body>/send</body>")
		time.Sleep(time.Duration(i) * 2 * time.Millisecond) // not to wait for anything: to hit it at different moments
		h.kill()
		h.start()
		h.say(heldGateway, name+"-again", "<body>/send</body>")
		h.receipts(name)
		h.sameMail(t, name, 1)
	}
}

// killedAt has the program killed by the mail server in a stage of handing a mail over. least is how many copies there
// must be then.
func (h *crashHouse) killedAt(t *testing.T, stage string, least int) {
	h.relay.when(stage, func() (string, bool) { return "", h.killNow() })
	h.say(nowGateway, stage, "<body>killed-at-"+stage+"</body>")
	h.killed()
	h.start()
	h.until("the mail is there", func() bool { return len(h.relay.with("killed-at-"+stage)) >= least })
	h.receipts(stage)
	h.sameMail(t, "killed-at-"+stage, least)
}

// waiting: an attempt has failed for now, and the next one is still to come.
func (h *crashHouse) waiting(t *testing.T) {
	h.relay.when("rcpt", func() (string, bool) { return "451 4.2.0 Not now", false })
	h.say(nowGateway, "waiting", "<body>has-to-wait</body>")
	var seq int64
	h.until("it waits for another attempt", func() bool {
		toNetwork := core.ToNetwork
		for _, l := range h.letters(outbox.Filter{Direction: &toNetwork}) {
			if l.Attempts > 0 {
				seq = l.Seq
			}
		}
		return seq > 0
	})
	h.kill()
	h.start()
	if n := len(h.relay.with("has-to-wait")); n > 0 {
		t.Errorf("%d mails before their time", n)
	}
	h.again(seq)
	h.receipts("waiting")
	h.sameMail(t, "has-to-wait", 1)
}

// givenUp: a dead letter is one after a crash, and can be tried again.
func (h *crashHouse) givenUp(t *testing.T) {
	h.relay.when("rcpt", func() (string, bool) { return "550 5.1.1 Nobody of that name", false })
	h.say(nowGateway, "given-up", "<body>was-given-up</body>")
	h.await("the error", func(st *stanza) bool { return st.ID == "given-up" && st.Type == "error" })
	h.kill()
	h.start()
	dead := h.letters(outbox.Filter{Dead: true})
	if len(dead) != 1 {
		t.Fatalf("%d dead letters", len(dead))
	}
	h.again(dead[0].Seq)
	h.receipts("given-up")
	h.sameMail(t, "was-given-up", 1)
}

// receiptPending: the receipt was written to the host server, which had not confirmed it.
func (h *crashHouse) receiptPending(t *testing.T) {
	h.xmpp.HoldPings()
	h.say(nowGateway, "pending", "<body>receipt-pending</body>")
	first := h.receipt("pending")
	h.kill()
	h.xmpp.ReleasePings()
	h.start()
	if again := h.receipt("pending"); again.ID != first.ID {
		t.Errorf("the receipt came again as %q, it was %q", again.ID, first.ID)
	}
	h.sameMail(t, "receipt-pending", 1)
}

// halfRead: a mail that was not read to its end is not there, and whoever brought it brings it again.
func (h *crashHouse) halfRead(t *testing.T) {
	c := h.deliver("half-read", false)
	h.kill()
	_ = c.Close()
	h.start()
	_ = h.deliver("half-read", true).Close()
	h.hear("half-read")
}

// replyUnread: a mail that was taken is shown under one id, however often whoever brought it comes with it.
func (h *crashHouse) replyUnread(t *testing.T) {
	h.xmpp.HoldPings()
	c := h.deliver("reply-unread", false)
	_ = c.PrintfLine(".") // what becomes of it nobody reads
	first := h.hear("reply-unread")
	h.kill()
	_ = c.Close()
	h.xmpp.ReleasePings()
	h.start()
	_ = h.deliver("reply-unread", true).Close()
	_ = h.deliver("afterwards", true).Close()
	copies := 0
	h.await("the next mail", func(st *stanza) bool {
		if strings.Contains(st.Body(), "reply-unread") {
			copies++
			if st.ID != first.ID {
				t.Errorf("shown again as %q, it was %q", st.ID, first.ID)
			}
		}
		return strings.Contains(st.Body(), "afterwards")
	})
	if copies == 0 {
		t.Error("not shown again after the crash, though the host server had not confirmed it")
	}
}

// untilHeld waits until so many lines are held.
func (h *crashHouse) untilHeld(lines int) {
	h.t.Helper()
	window := core.Window
	h.until(fmt.Sprint(lines, " lines are held"), func() bool {
		n := 0
		for _, l := range h.letters(outbox.Filter{Direction: &window}) {
			if held, ok := l.Event.(*core.Held); ok {
				n += len(held.Lines)
			}
		}
		return n == lines
	})
}

// sameMail says whether there are enough copies of a mail, all under one name.
func (h *crashHouse) sameMail(t *testing.T, text string, least int) {
	t.Helper()
	mails := h.relay.with(text)
	if len(mails) < least {
		t.Errorf("%d copies of %q, want %d at least", len(mails), text, least)
	}
	for _, m := range mails {
		if m.id == "" || m.id != mails[0].id {
			t.Errorf("%q came as %q and as %q", text, mails[0].id, m.id)
		}
	}
}
