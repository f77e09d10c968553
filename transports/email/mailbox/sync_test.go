package mailbox

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/emersion/go-imap/v2"
)

func (w *world) wantSeen(uids ...uint32) {
	w.t.Helper()
	synctest.Wait()
	w.mu.Lock()
	defer w.mu.Unlock()
	got := []uint32{}
	for _, r := range w.seen {
		got = append(got, r.UID)
		if r.Folder != Inbox || r.Validity != 1 || r.MessageID != fmt.Sprintf("<%d@x>", r.UID) {
			w.t.Errorf("seen: %+v", r)
		}
	}
	if !slices.Equal(got, append([]uint32{}, uids...)) {
		w.t.Fatalf("seen: %v, want %v", got, uids)
	}
}

// Mails delivered unread are watched: by CONDSTORE, by what the server says in IDLE, and by looking again.
func TestSeenElsewhere(t *testing.T) {
	for _, test := range []struct {
		name   string
		caps   string
		modseq uint64
	}{{"CONDSTORE", "IMAP4rev1 IDLE CONDSTORE", 10}, {"plain", "IMAP4rev1", 0}} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				s := &scripted{caps: test.caps, modseq: test.modseq}
				w.scriptedServer(s)
				w.run()
				for i := range uint32(3) {
					s.add(i+1, fmt.Sprintf("%d@x", i+1))
				}
				time.Sleep(20 * time.Minute)
				w.want("1@x", "2@x", "3@x")
				w.wantSeen()
				read := func(i int) {
					s.mu.Lock()
					defer s.mu.Unlock()
					s.modseq += min(s.modseq, 1)
					s.mails[i].flags, s.mails[i].modseq = `\Seen`, s.modseq
				}
				read(1)
				if test.modseq > 0 { // at the next look
					time.Sleep(20 * time.Minute)
					w.wantSeen(2)
				}
				wantErr(t, w.stop(), context.Canceled)
				read(2) // while there was no connection
				w.again()
				w.wantSeen(2, 3)
				time.Sleep(time.Hour)
				w.wantSeen(2, 3)
				if test.modseq > 0 && s.asked("UID FETCH 1 (UID") != s.asked("UID FETCH 1 (UID FLAGS MODSEQ) (CHANGEDSINCE")+s.asked("UID FETCH 1 (UID MODSEQ FLAGS) (CHANGEDSINCE") {
					t.Error("more was asked for than what changed")
				}
			})
		})
	}
}

// What the server says in IDLE about flags is heard at once.
func TestSeenInIdle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		s := &scripted{}
		w.scriptedServer(s)
		w.store.rows["inbox"] = []byte(`{"name":"INBOX","validity":1,"next":1}`)
		m := s.add(1, "1@x")
		said := false
		s.answer = func(p *peer, tag, command string) bool {
			s.mu.Lock()
			defer s.mu.Unlock()
			if command != "IDLE" || said {
				return false
			}
			said = true
			m.flags = `\Seen`
			p.say("+ idling\r\n* 1 FETCH (FLAGS (\\Seen))")
			_, _ = p.in.ReadString('\n')
			p.say("%s OK done", tag)
			return true
		}
		w.run()
		w.want("1@x")
		w.wantSeen(1)
	})
}

func TestUIDNextGoesBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		s := &scripted{}
		w.scriptedServer(s)
		w.run()
		s.add(100, "1@x")
		s.add(101, "2@x")
		time.Sleep(20 * time.Minute)
		w.want("1@x", "2@x")
		wantErr(t, w.stop(), context.Canceled)
		s.mu.Lock()
		s.mails[0].uid, s.mails[1].uid = 1, 2
		s.mu.Unlock()
		s.add(3, "3@x")
		w.again()
		w.want("1@x", "2@x", "3@x")
	})
}

// After a renumbering that also made all dates new, history is not taken for news.
func TestRenumberedWithNewDates(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		s := &scripted{}
		w.scriptedServer(s)
		for i := range uint32(700) {
			s.add(i+1, fmt.Sprintf("old%d@x", i))
		}
		time.Sleep(30 * 24 * time.Hour)
		w.run()
		s.add(701, "1@x")
		time.Sleep(20 * time.Minute)
		w.want("1@x")
		wantErr(t, w.stop(), context.Canceled)
		s.add(702, "2@x")
		s.mu.Lock()
		s.validity = 7
		for i, m := range s.mails {
			m.uid, m.date = uint32(i+1), time.Now()
		}
		s.mu.Unlock()
		w.again()
		w.want("1@x", "2@x")
	})
}

// UIDs may have gaps of any size, and go up to the last number.
func TestSparseUIDs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		s := &scripted{}
		w.scriptedServer(s)
		w.run()
		wantErr(t, w.stop(), context.Canceled)
		for i, uid := range []uint32{5, 1 << 20, 3_000_000_000, math.MaxUint32 - 1, math.MaxUint32} {
			s.add(uid, fmt.Sprintf("%d@x", i))
		}
		s.next = math.MaxUint32
		w.again()
		want := []string{"0@x", "1@x", "2@x", "3@x", "4@x"}
		w.want(want...)
		time.Sleep(time.Hour)
		w.want(want...)
		if n := s.asked("UID FETCH"); n > 100 {
			t.Errorf("%d commands", n)
		}
	})
}

// Dovecot, its index deleted, says NO in IDLE and goes on with what it knew for as long as it is let: only a new
// connection sees what is new.
func TestBrokenView(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		s := &scripted{}
		w.scriptedServer(s)
		broken := false
		s.answer = func(p *peer, tag, command string) bool {
			s.mu.Lock()
			defer s.mu.Unlock()
			switch {
			case s.conns > 1 || !broken && command != "IDLE":
				return false
			case command == "IDLE":
				broken = true
				p.say("+ idling\r\n* NO Internal error occurred.")
				s.mu.Unlock()
				_, _ = p.in.ReadString('\n')
				s.mu.Lock()
				p.say("%s OK done", tag)
			case strings.HasPrefix(command, "SELECT"):
				p.say("* OK [CLOSED] closed\r\n%s NO [SERVERBUG] Internal error occurred.", tag)
			}
			return true
		}
		w.run()
		var said *imap.Error
		if err := w.stop(); !errors.As(err, &said) {
			t.Fatalf("error: %v", err)
		}
		s.add(1, "1@x")
		w.again()
		w.want("1@x")
	})
}

// A server that warns of something each time that a folder is opened is not asked again and again.
func TestWarnings(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		s := &scripted{}
		w.scriptedServer(s)
		s.answer = func(p *peer, tag, command string) bool {
			p.say("* NO [ALERT] Mailbox is at 95%% of quota")
			return false
		}
		w.run()
		time.Sleep(time.Hour)
		if n := s.asked("SELECT"); n > 150 {
			t.Errorf("opened %d times in an hour", n)
		}
		s.add(1, "1@x")
		time.Sleep(20 * time.Minute)
		w.want("1@x")
	})
}

// "n:*" is never empty: the last mail must not come again and again.
func TestLastMailOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		s := &scripted{caps: "IMAP4rev1", next: 1} // it does not say UIDNEXT
		s.add(7, "old@x")
		w.scriptedServer(s)
		w.run()
		s.add(8, "1@x")
		time.Sleep(3 * time.Hour)
		w.want("1@x")
	})
}

func TestWithoutIdle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		s := &scripted{caps: "IMAP4rev1"}
		w.scriptedServer(s)
		s.answer = func(p *peer, tag, command string) bool {
			if command == "NOOP" {
				s.mu.Lock()
				defer s.mu.Unlock()
				p.say("* %d EXISTS", len(s.mails))
			}
			return false
		}
		w.run()
		s.add(1, "1@x")
		time.Sleep(2 * time.Minute)
		w.want("1@x")
		if err := w.box.MarkSeen(t.Context(), w.mails[0].Ref); err != nil {
			t.Fatal(err)
		}
		if s.asked("UID STORE 1 +FLAGS.SILENT") != 1 || s.asked("IDLE") != 0 {
			t.Errorf("commands: %q", s.log)
		}
	})
}

func TestIdleRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		s := &scripted{}
		w.scriptedServer(s)
		s.answer = func(p *peer, tag, command string) bool {
			if command == "IDLE" {
				p.say("%s BAD what?", tag)
				return true
			}
			return false
		}
		w.run()
		s.add(1, "1@x")
		time.Sleep(20 * time.Minute)
		w.want("1@x")
		if n := s.asked("IDLE"); n != 1 {
			t.Errorf("asked %d times", n)
		}
	})
}

// IDLE is begun anew every nine minutes.
func TestIdleRestarts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		s := &scripted{}
		w.scriptedServer(s)
		w.run()
		time.Sleep(time.Hour)
		if n := s.asked("IDLE"); n < 6 || n > 8 {
			t.Errorf("%d IDLEs in an hour", n)
		}
		if s.conns != 1 {
			t.Errorf("%d connections", s.conns)
		}
	})
}

// Mails that go away between being found and being fetched hold back no others.
func TestExpungedMeanwhile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		s := &scripted{}
		w.scriptedServer(s)
		w.store.rows["inbox"] = []byte(`{"name":"INBOX","validity":1,"next":1}`)
		for i := range uint32(3) {
			s.add(i+1, fmt.Sprintf("%d@x", i+1))
		}
		s.answer = func(p *peer, tag, command string) bool {
			s.mu.Lock()
			defer s.mu.Unlock()
			if strings.Contains(command, "BODY.PEEK[]") && len(s.mails) == 3 {
				s.mails = slices.Delete(s.mails, 1, 2)
				p.say("* 2 EXPUNGE")
			}
			return false
		}
		w.run()
		w.want("1@x", "3@x")
	})
}

// Structures that go-imap cannot read on real servers are never asked for.
func TestNoStructures(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		s := &scripted{}
		w.scriptedServer(s)
		w.run()
		s.add(1, "1@x")
		time.Sleep(time.Hour)
		w.want("1@x")
		for _, c := range s.log {
			if strings.Contains(c, "ENVELOPE") || strings.Contains(c, "STRUCTURE") || strings.Contains(c, "BODY[") {
				t.Errorf("asked: %s", c)
			}
		}
	})
}
