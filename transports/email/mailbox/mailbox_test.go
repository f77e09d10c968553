package mailbox

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/emersion/go-imap/v2"
)

func TestFollow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.memServer()
		w.put("INBOX", "old@x")
		w.put("Sent", "oldsent@x")
		w.run()
		w.want() // what was there before is not imported
		w.put("INBOX", "1@x")
		w.want("1@x")
		w.put("INBOX", "2@x", imap.FlagSeen) // read or flagged elsewhere first: not lost
		w.put("INBOX", "3@x", imap.FlagFlagged)
		w.want("1@x", "2@x", "3@x")
		if m := w.mails[1]; !m.Seen || m.Flagged || m.Truncated || !strings.Contains(string(m.Raw), "text of 2@x") || m.At.IsZero() {
			t.Errorf("the second: %+v", m)
		}
		if m := w.mails[2]; m.Seen || !m.Flagged || m.Size != int64(len(m.Raw)) {
			t.Errorf("the third: %+v", m)
		}
		wantErr(t, w.stop(), context.Canceled)
		w.put("INBOX", "4@x")
		w.again()
		w.want("1@x", "2@x", "3@x", "4@x")
	})
}

func TestSentElsewhere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.memServer()
		w.run(func(c *Config) {
			c.Own = func(_ context.Context, id string) bool { return id == "<own@x>" }
		})
		w.put("Sent", "elsewhere@x", imap.FlagSeen)
		w.put("Sent", "own@x", imap.FlagSeen)
		w.put("INBOX", "1@x")
		time.Sleep(2 * time.Minute)
		w.want("1@x", "sent:elsewhere@x")
		w.put("INBOX", "2@x") // the inbox is open again
		w.want("1@x", "sent:elsewhere@x", "2@x")
	})
}

func TestAppendSent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.memServer()
		w.run()
		raw := strings.ReplaceAll(mailText("mine@x", "hello"), "\r\n", "\n")
		for range 2 { // the second time as after an answer that was lost
			if err := w.box.AppendSent(t.Context(), []byte(raw)); err != nil {
				t.Fatal(err)
			}
		}
		d, err := w.user.Status("Sent", &imap.StatusOptions{NumMessages: true, NumUnseen: true, Size: true})
		if err != nil {
			t.Fatal(err)
		}
		if *d.NumMessages != 1 || *d.NumUnseen != 0 || *d.Size != int64(len(raw)+strings.Count(raw, "\n")) {
			t.Errorf("sent: %d mails, %d unread, %d bytes", *d.NumMessages, *d.NumUnseen, *d.Size)
		}
		time.Sleep(2 * time.Minute)
		w.want()
	})
}

func TestAppendSentWhereServerSaves(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.memServer()
		w.run(func(c *Config) { c.SavesSent = true })
		if err := w.box.AppendSent(t.Context(), []byte(mailText("mine@x", "hello"))); err != nil {
			t.Fatal(err)
		}
		w.put("Sent", "mine@x") // the server's own copy
		w.put("Sent", "other@x")
		time.Sleep(2 * time.Minute)
		w.want("sent:other@x")
	})
}

func TestAppendSentMakesFolder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.memServer()
		if err := w.user.Delete("Sent"); err != nil {
			t.Fatal(err)
		}
		w.run()
		if err := w.box.AppendSent(t.Context(), []byte(mailText("mine@x", "hello"))); err != nil {
			t.Fatal(err)
		}
		if _, err := w.user.Status("Sent", &imap.StatusOptions{}); err != nil {
			t.Error(err)
		}
	})
}

func TestMarkSeen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.memServer()
		w.run()
		w.put("INBOX", "1@x")
		w.put("INBOX", "2@x")
		w.put("INBOX", "3@x")
		w.want("1@x", "2@x", "3@x")
		stale := w.mails[1].Ref
		stale.Validity++
		err := w.box.MarkSeen(t.Context(), w.mails[0].Ref, stale, Ref{Folder: Inbox, MessageID: "<nobody@x>"})
		if err != nil {
			t.Fatal(err)
		}
		d, err := w.user.Status("INBOX", &imap.StatusOptions{NumUnseen: true})
		if err != nil || *d.NumUnseen != 1 {
			t.Errorf("unread: %d, %v", *d.NumUnseen, err)
		}
		time.Sleep(20 * time.Minute)
		if len(w.seen) != 0 {
			t.Errorf("told as read elsewhere: %v", w.seen)
		}
	})
}

func TestMoveToJunk(t *testing.T) {
	for _, caps := range [][]imap.Cap{{imap.CapMove, imap.CapUIDPlus}, {imap.CapUIDPlus}, nil} {
		t.Run(fmt.Sprint(caps), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				w.memServer(caps...)
				w.run()
				w.put("INBOX", "1@x")
				w.put("INBOX", "2@x")
				w.want("1@x", "2@x")
				if err := w.box.MoveToJunk(t.Context(), w.mails[0].Ref); err != nil {
					t.Fatal(err)
				}
				d, err := w.user.Status("Junk", &imap.StatusOptions{NumMessages: true})
				if err != nil || *d.NumMessages != 1 {
					t.Errorf("junk: %d, %v", *d.NumMessages, err)
				}
				d, err = w.user.Status("INBOX", &imap.StatusOptions{NumMessages: true, NumDeleted: true})
				if err != nil || *d.NumMessages-*d.NumDeleted != 1 {
					t.Errorf("inbox: %d, %d deleted, %v", *d.NumMessages, *d.NumDeleted, err)
				}
				if slices.Contains(caps, imap.CapUIDPlus) {
					wantErr(t, w.box.MoveToJunk(t.Context(), w.mails[0].Ref), ErrNotFound)
				}
			})
		})
	}
}

func TestWishesWithoutConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		box := New(w.config())
		start := time.Now()
		wantErr(t, box.MarkSeen(t.Context(), Ref{UID: 1}), ErrOffline)
		if d := time.Since(start); d != defaultWait {
			t.Errorf("after %v", d)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		wantErr(t, box.AppendSent(ctx, nil), context.Canceled)
	})
}

// The cursor is saved after Deliver, never before: what was not taken comes again, and so does what was taken when the
// program died before it could be saved.
func TestNotLost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.memServer()
		w.run()
		w.refuse = errors.New("disk full")
		w.put("INBOX", "1@x")
		synctest.Wait()
		wantErr(t, w.stop(), w.refuse)
		w.refuse = nil
		w.again()
		w.want("1@x")

		w.store.broken = errors.New("killed")
		w.put("INBOX", "2@x")
		w.want("1@x", "2@x")
		wantErr(t, w.stop(), w.store.broken)
		w.store.broken = nil
		w.again()
		w.want("1@x", "2@x", "2@x")
	})
}

func TestImport(t *testing.T) {
	for _, test := range []struct {
		name   string
		change Import
		want   []string
	}{
		{"nothing", Import{}, nil},
		{"messages", Import{Messages: 2}, []string{"3@x", "4@x"}},
		{"more than there are", Import{Messages: 20}, []string{"1@x", "2@x", "3@x", "4@x"}},
		{"days", Import{Days: 25}, []string{"3@x", "4@x"}},
		{"both", Import{Days: 25, Messages: 1}, []string{"4@x"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				w.memServer()
				for i := 1; i <= 4; i++ {
					w.put("INBOX", fmt.Sprintf("%d@x", i))
					time.Sleep(10 * 24 * time.Hour)
				}
				w.run(func(c *Config) { c.Import = test.change })
				w.want(test.want...)
				w.put("INBOX", "new@x")
				w.want(append(test.want, "new@x")...)
			})
		})
	}
}

func TestManyMails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.memServer()
		w.run()
		wantErr(t, w.stop(), context.Canceled)
		var want []string
		for i := range 2*page + 7 {
			id := fmt.Sprintf("%d@x", i)
			w.put("INBOX", id)
			want = append(want, id)
		}
		w.again()
		w.want(want...)
		if most := len(want)/batchMails + 20; w.store.saves > most {
			t.Errorf("saved %d times", w.store.saves)
		}
	})
}

func TestTooLarge(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.memServer()
		w.run(func(c *Config) { c.MaxSize = 1000 })
		text := mailText("large@x", strings.Repeat("x", 2000))
		if _, err := w.user.Append("INBOX", literalText{strings.NewReader(text)}, &imap.AppendOptions{}); err != nil {
			t.Fatal(err)
		}
		w.put("INBOX", "small@x")
		w.want("large@x", "small@x")
		m := w.mails[0]
		if !m.Truncated || m.Size != int64(len(text)) || !strings.HasPrefix(text, string(m.Raw)) || !strings.HasSuffix(string(m.Raw), "\r\n\r\n") {
			t.Errorf("the large one: %+v", m)
		}
		if w.mails[1].Truncated {
			t.Error("the small one is truncated")
		}
	})
}

func TestRenumbered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.memServer()
		w.put("INBOX", "history@x")
		time.Sleep(time.Hour)
		w.run()
		w.put("INBOX", "1@x")
		time.Sleep(time.Hour)
		w.put("INBOX", "2@x")
		w.want("1@x", "2@x")
		wantErr(t, w.stop(), context.Canceled)
		// The folder is made anew, with another UIDVALIDITY and UIDs, and something came meanwhile.
		if err := w.user.Rename("INBOX", "gone", nil); err != nil {
			t.Fatal(err)
		}
		if err := w.user.Create("INBOX", nil); err != nil {
			t.Fatal(err)
		}
		for _, id := range []string{"1@x", "meanwhile@x", "2@x"} {
			w.put("INBOX", id)
		}
		w.again()
		w.want("1@x", "2@x", "meanwhile@x")
		w.put("INBOX", "after@x")
		w.want("1@x", "2@x", "meanwhile@x", "after@x")
	})
}

func TestLoginRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.memServer()
		w.run(func(c *Config) { c.Login.Password = "wrong" })
		err := w.stop()
		wantErr(t, err, ErrLogin)
		if strings.Contains(err.Error(), "wrong") {
			t.Errorf("the password is in %q", err)
		}
	})
}
