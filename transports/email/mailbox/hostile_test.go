package mailbox

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// flood says something without end.
func flood(p *peer, what string) bool {
	block := strings.Repeat(what, 1+(64<<10)/len(what))
	for {
		if _, err := io.WriteString(p.Conn, block); err != nil {
			return true
		}
	}
}

// Counts are the server's word only.
func TestHugeCounts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		s := &scripted{}
		w.scriptedServer(s)
		w.store.rows["inbox"] = []byte(`{"name":"INBOX","validity":2,"next":7,"newest":"2020-01-01T00:00:00Z"}`)
		s.answer = func(p *peer, tag, command string) bool {
			if !strings.HasPrefix(command, "SELECT") {
				return false
			}
			p.say("* 4294967295 EXISTS\r\n* OK [UIDVALIDITY 1] x\r\n* OK [UIDNEXT 4294967295] x\r\n%s OK", tag)
			return true
		}
		w.run(func(c *Config) { c.Import = Import{Messages: 1 << 31, Days: 10000} })
		time.Sleep(time.Minute)
		w.want()
		if n := s.asked("UID"); n > searchPages+100 {
			t.Errorf("%d commands", n)
		}
	})
}

// Each is something that a server does once the connection is up, and what ends it. Without the guard each of these
// goes on for ever, or until memory is used up.
func TestHostileServer(t *testing.T) {
	during := func(command string, do func(p *peer, tag string) bool) func(p *peer, tag, command string) bool {
		return func(p *peer, tag, c string) bool { return strings.HasPrefix(c, command) && do(p, tag) }
	}
	mute := func(p *peer, _ string) bool { return true }
	for _, test := range []struct {
		name   string
		answer func(p *peer, tag, command string) bool
		want   error
		within time.Duration
	}{
		{"mute before login", during("CAPABILITY", mute), errSilent, time.Minute},
		{"mute at login", during("LOGIN", mute), errSilent, time.Minute},
		{"mute at SELECT", during("SELECT", mute), errSilent, time.Minute},
		{"mute at IDLE", during("IDLE", mute), errSilent, idleTimeout},
		{"mute after IDLE", during("IDLE", func(p *peer, tag string) bool {
			p.say("+ idling")
			_, _ = p.in.ReadString('\n') // DONE
			return true
		}), errSilent, idleFor + idleTimeout},
		{"drip", during("SELECT", func(p *peer, _ string) bool {
			for {
				if _, err := io.WriteString(p.Conn, "* OK still\r\n"); err != nil {
					return true
				}
				time.Sleep(time.Second)
			}
		}), errSlow, answerBounds.total},
		{"drip without end of line", during("SELECT", func(p *peer, _ string) bool {
			for {
				if _, err := io.WriteString(p.Conn, "x"); err != nil {
					return true
				}
				time.Sleep(50 * time.Second)
			}
		}), errSlow, answerBounds.total},
		{"flood of untagged text", during("SELECT", func(p *peer, _ string) bool { return flood(p, "* OK and more\r\n") }), errTooMuch, 0},
		{"flood of news in IDLE", during("IDLE", func(p *peer, _ string) bool {
			p.say("+ idling")
			return flood(p, "* OK and more\r\n")
		}), errTooMuch, 0},
		{"flood of flags in IDLE", during("IDLE", func(p *peer, _ string) bool {
			p.say("+ idling")
			return flood(p, "* 1 FETCH (FLAGS (\\Seen"+strings.Repeat(" x", 400)+"))\r\n")
		}), errTooMuch, 0},
		{"endless line", during("SELECT", func(p *peer, _ string) bool { return flood(p, "* OK "+strings.Repeat("x", 1000)) }), errLine, 0},
		{"endless tag", during("SELECT", func(p *peer, _ string) bool { return flood(p, "x") }), errLine, 0},
		{"endless list of capabilities", during("CAPABILITY", func(p *peer, _ string) bool {
			p.say("* CAPABILITY %s", strings.Repeat("X ", maxLine))
			return true
		}), errLine, 0},
		{"endless literal", during("UID FETCH", func(p *peer, _ string) bool {
			p.say("* 1 FETCH (UID 2 BODY[] {9223372036854775807}")
			return flood(p, "x")
		}), errLiteral, 0},
		{"literal larger than numbers are", during("UID FETCH", func(p *peer, _ string) bool {
			p.say("* 1 FETCH (UID 2 BODY[] {99999999999999999999999999999999999999}")
			return flood(p, "x")
		}), errLiteral, 0},
		{"flood of literals", during("LIST", func(p *peer, _ string) bool {
			return flood(p, "* LIST () \"/\" {1000}\r\n"+strings.Repeat("x", 1000)+"\r\n")
		}), errTooMuch, 0},
		{"a name that stops", during("LIST", func(p *peer, _ string) bool {
			p.say(`* LIST () "/" {4}`)
			return true
		}), errSilent, time.Minute},
		{"takes nothing", during("SELECT", func(p *peer, tag string) bool {
			p.say("* 1 EXISTS\r\n* OK [UIDVALIDITY 1] x\r\n* OK [UIDNEXT 9] x\r\n%s OK", tag)
			time.Sleep(2 * time.Hour) // and reads no further
			return true
		}), errNoOutput, writeTimeout},
		{"garbage", during("SELECT", func(p *peer, _ string) bool { p.say("HTTP/1.1 400 Bad Request"); return true }), errGarbage, 0},
		{"NULs", during("SELECT", func(p *peer, _ string) bool { return flood(p, "\x00\r\n") }), errGarbage, 0},
		{"another's tag", during("SELECT", func(p *peer, _ string) bool { p.say("T999 OK done"); return true }), errGarbage, 0},
		{"another's tag in IDLE", during("IDLE", func(p *peer, _ string) bool {
			p.say("+ idling\r\nT1 OK done")
			return true
		}), errBadIdle, 0},
		{"deep lists", during("SELECT", func(p *peer, _ string) bool { p.say("* LIST %s", strings.Repeat("(", 60000)); return true }), errGarbage, 0},
		{"search beyond counting", during("UID SEARCH", func(p *peer, tag string) bool {
			p.say("* ESEARCH (TAG %q) UID ALL 1:4294967295\r\n%s OK done", tag, tag)
			return true
		}), nil, 0},
		{"gone", during("SELECT", func(p *peer, _ string) bool { p.Close(); return true }), errGone, 0},
		{"goodbye", during("SELECT", func(p *peer, _ string) bool { p.say("* BYE enough"); p.Close(); return true }), errGone, 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				s := &scripted{}
				s.add(1, "1@x")
				w.scriptedServer(s)
				// It was followed before, and has news.
				w.store.rows["inbox"] = []byte(`{"name":"INBOX","validity":1,"next":1}`)
				if strings.HasPrefix(test.name, "search") {
					s.validity = 2
				}
				s.answer = test.answer
				box := New(w.config())
				ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
				defer cancel()
				start := time.Now()
				err := box.Run(ctx)
				if test.want == nil { // it goes on
					wantErr(t, err, context.DeadlineExceeded)
				} else {
					wantErr(t, err, test.want)
				}
				if d := time.Since(start); test.want != nil && d > test.within+time.Second {
					t.Errorf("it took %v", d)
				}
				if n := s.said.Load(); n > idleBytes+2*maxLine {
					t.Errorf("%d bytes were read", n)
				}
				if len(err.Error()) > 400 {
					t.Errorf("an error of %d bytes", len(err.Error()))
				}
			})
		})
	}
}

// A literal may be as large as was asked for, and no larger than MaxSize lets it.
func TestLyingSize(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		s := &scripted{}
		w.scriptedServer(s)
		w.store.rows["inbox"] = []byte(`{"name":"INBOX","validity":1,"next":1}`)
		s.add(1, "1@x")
		s.answer = func(p *peer, tag, command string) bool {
			if !strings.Contains(command, "BODY.PEEK[]") {
				return false
			}
			p.say("* 1 FETCH (UID 1 BODY[] {%d}", 30<<20)
			return flood(p, strings.Repeat("x", 78)+"\r\n")
		}
		box := New(w.config())
		wantErr(t, box.Run(t.Context()), errLiteral)
	})
}

// A connection that is cut within a literal is left alone: go-imap would have two goroutines read from it.
func TestCutInLiteral(t *testing.T) {
	for _, what := range []string{"BODY[]", "BODY[HEADER.FIELDS (MESSAGE-ID DATE)]"} {
		for _, sent := range []int{0, 1, 100, 5000, 20000, 99999} {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				s := &scripted{}
				w.scriptedServer(s)
				w.store.rows["inbox"] = []byte(`{"name":"INBOX","validity":1,"next":1,"past":{"until":2}}`)
				s.add(1, "1@x").raw += strings.Repeat("x", 100_000)
				section, _, _ := strings.Cut(what, "(")
				s.answer = func(p *peer, tag, command string) bool {
					if !strings.Contains(strings.ReplaceAll(command, ".PEEK", ""), section) {
						return false
					}
					_, _ = fmt.Fprintf(p.Conn, "* 1 FETCH (UID 1 %s {60000}\r\n%s", what, strings.Repeat("y", min(sent, 59999)))
					p.Close()
					return true
				}
				box := New(w.config())
				wantErr(t, box.Run(t.Context()), errGone)
			})
		}
	}
}

// A server that wakes us for nothing all the time is made to wait.
func TestRestlessServer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		s := &scripted{}
		w.scriptedServer(s)
		s.answer = func(p *peer, tag, command string) bool {
			if command != "IDLE" {
				return false
			}
			p.say("+ idling\r\n* 0 EXISTS")
			_, _ = p.in.ReadString('\n')
			p.say("%s OK done", tag)
			return true
		}
		w.run()
		time.Sleep(time.Hour)
		if n := s.asked("IDLE"); n > 500 {
			t.Errorf("%d IDLEs in an hour", n)
		}
	})
}

// A mail that breaks the connection each time is delivered without what cannot be had, and does not hold back others.
func TestPoisonedMail(t *testing.T) {
	for _, test := range []struct {
		name   string
		header bool // can be fetched
		do     func(p *peer, tag string) bool
	}{
		{"breaks", true, func(p *peer, _ string) bool { p.Close(); return true }},
		{"breaks all", false, func(p *peer, _ string) bool { p.Close(); return true }},
		{"refused", true, func(p *peer, tag string) bool { p.say("%s NO corrupt", tag); return true }},
		{"refused all", false, func(p *peer, tag string) bool { p.say("%s NO corrupt", tag); return true }},
		{"nothing", true, func(p *peer, tag string) bool { p.say("* 2 FETCH (UID 2 BODY[] NIL)\r\n%s OK", tag); return true }},
		{"left out", false, func(p *peer, tag string) bool { p.say("%s OK", tag); return true }},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				s := &scripted{}
				w.scriptedServer(s)
				w.store.rows["inbox"] = []byte(`{"name":"INBOX","validity":1,"next":1}`)
				for i := range uint32(4) {
					s.add(i+1, fmt.Sprintf("%d@x", i+1))
				}
				s.answer = func(p *peer, tag, command string) bool {
					args, ok := strings.CutPrefix(command, "UID FETCH ")
					set, items, _ := strings.Cut(args, " ")
					whole := strings.Contains(items, "BODY.PEEK[]")
					header := strings.Contains(items, "BODY.PEEK[HEADER]")
					if !ok || !inSet(set, 2, false) || !whole && !header || header && test.header {
						return false
					}
					return test.do(p, tag)
				}
				box := New(w.config())
				ctx, cancel := context.WithCancel(t.Context())
				ended := make(chan struct{})
				go func() {
					defer close(ended)
					for ctx.Err() == nil {
						_ = box.Run(ctx)
						time.Sleep(time.Second)
					}
				}()
				time.Sleep(time.Minute)
				cancel()
				<-ended
				if len(w.mails) != 4 {
					t.Fatalf("delivered: %v", w.got())
				}
				bad := w.mails[1]
				if !bad.Truncated || bad.UID != 2 || bad.Size == 0 || (len(bad.Raw) > 0) != test.header {
					t.Errorf("the bad one: %+v", bad)
				}
				if s.conns > triesHeader+3 {
					t.Errorf("%d connections", s.conns)
				}
			})
		})
	}
}

// A date that nobody can read, or a name of a folder, must not keep a mailbox from being read.
func TestUnreadableAnswers(t *testing.T) {
	for _, test := range []struct{ name, command, answer string }{
		{"date", "INTERNALDATE", `* 1 FETCH (UID 1 INTERNALDATE "00-Foo-0000 00:00:00 +0000" RFC822.SIZE 100)`},
		{"flags", "FLAGS", `* 1 FETCH (UID 1 FLAGS (a "b))`},
		{"folder", "LIST", "* LIST () \"/\" \"&&&\""},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				s := &scripted{}
				w.scriptedServer(s)
				w.store.rows["inbox"] = []byte(`{"name":"INBOX","validity":1,"next":1}`)
				s.add(1, "1@x")
				s.answer = func(p *peer, tag, command string) bool {
					if !strings.Contains(command, test.command) {
						return false
					}
					p.say("%s\r\n%s OK done", test.answer, tag)
					return true
				}
				box := New(w.config())
				for range 6 {
					ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
					err := box.Run(ctx)
					cancel()
					if errors.Is(err, context.DeadlineExceeded) {
						break
					}
					wantErr(t, err, errGarbage)
				}
				w.want("1@x")
			})
		})
	}
}
