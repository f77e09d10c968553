package register

import (
	"context"
	"fmt"
	"io"
	"path"
	"strings"
	"testing"
	"time"

	"gangway/core"
	"gangway/core/xmpp/edge/edgetest"
)

// task is one thing that a user does, through every door that can.
type task struct {
	name, user, command string
	before              func(s *scene)
	steps               [][]pair
	want                string // pattern of the last words, with * for anything
	check               func(t *testing.T, s *scene)
	forms               bool // in-band registration can do it, too
}

func withBob(s *scene) {
	s.book.all = newBook("bob@example.com").all
}

func pendingCarol(s *scene) {
	_, _ = s.hall.set("carol@example.net", func(p *core.Person) { p.Standing, p.Note = core.Pending, "Let me in" })
}

// withMany fills more than two pages of every list.
func withMany(s *scene) {
	var addresses []core.Address
	for i := range 120 {
		addresses = append(addresses, core.Address(fmt.Sprintf("c%03d@example.com", i)))
		_, _ = s.hall.set(core.UserID(fmt.Sprintf("u%03d@example.org", i)), func(p *core.Person) { p.Standing = core.Registered })
	}
	s.book.all = newBook(addresses...).all
	for i := range int64(45) {
		s.letters.all = append(s.letters.all, Letter{Seq: i + 1, Peer: "b@c", Text: "x"})
	}
}

var at9 = time.Date(2026, 11, 24, 9, 5, 0, 0, time.UTC)

func tasks() []task {
	one := func(name, value string) [][]pair { return [][]pair{{{name, value}}} }
	return []task{
		{
			name: "register", user: bob, command: "register", forms: true, before: func(s *scene) { s.hall.Step = enrolment },
			steps: [][]pair{{{"address", "bob@mail.example"}, {"password", "hunter2"}, {"how", "none"}, {"keep", "false"}, {"note", ""}}, {{"code", "123"}}},
			want:  "You are bob@mail.example.",
		},
		{
			name: "a wrong code", user: bob, command: "register", forms: true, before: func(s *scene) { s.hall.Step = enrolment },
			steps: [][]pair{{{"address", "bob@mail.example"}, {"password", "hunter2"}, {"how", "none"}, {"keep", "false"}, {"note", ""}}, {{"code", "124"}}},
			want:  "Wrong code.",
		},
		{
			name: "unregister", user: alice, command: "unregister", forms: true, steps: one("confirm", "true"), want: "Your registration is deleted.",
			check: func(t *testing.T, s *scene) {
				if all, _ := s.hall.AccountsOf(t.Context(), edgetest.Alice); len(all) != 0 {
					t.Error("still there")
				}
			},
		},
		{name: "unregister, not sure", user: alice, command: "unregister", steps: one("confirm", "false"), want: "Nothing was changed."},
		{name: "status", user: alice, command: "status", before: func(s *scene) { s.hall.State.Link = core.Closed }, want: "alice@mail.example: not connected; it connects when you use it."},
		{name: "status of a stranger", user: bob, command: "status", want: "You are not registered here.*"},
		{
			name: "add", user: alice, command: "add", steps: one("address", "Bob@Example.com"), want: "*xmpp:bob%5C40example.com@email.gw?message",
			check: func(t *testing.T, s *scene) {
				if !s.book.get("bob@example.com").Listed {
					t.Error("not listed")
				}
			},
		},
		{
			name: "add again, after a mistake", user: alice, command: "add", steps: [][]pair{{{"address", "nonsense"}}, {{"address", "bob@example.com"}}},
			want: "bob@example.com is xmpp:bob%5C40example.com@email.gw?message",
		},
		{
			name: "rename", user: alice, command: "contacts", before: withBob,
			steps: [][]pair{{{"action", "rename"}}, {{"contact", "bob@example.com"}}, {{"name", "Big   Bob"}}}, want: "bob@example.com is called Big Bob here.",
			check: func(t *testing.T, s *scene) {
				if got := s.book.get("bob@example.com").Alias; got != "Big Bob" {
					t.Errorf("called %q", got)
				}
			},
		},
		{
			name: "remove a contact", user: alice, command: "contacts", before: withBob,
			steps: [][]pair{{{"action", "remove"}}, {{"contact", "bob@example.com"}}}, want: "bob@example.com is forgotten here.*",
			check: func(t *testing.T, s *scene) {
				if len(s.book.all) != 0 {
					t.Error("still there")
				}
			},
		},
		{name: "only look at contacts", user: alice, command: "contacts", before: withBob, steps: one("action", "nothing"), want: "Nothing was changed."},
		{name: "no contacts", user: alice, command: "contacts", want: "You have no contacts here yet.*"},
		{name: "a stranger's contacts", user: bob, command: "contacts", want: "You are not registered here.*"},
		{
			name: "block", user: alice, command: "block", steps: one("contact", "bob@example.com"), want: "You hear nothing more from bob@example.com.*",
			check: func(t *testing.T, s *scene) {
				if !s.book.get("bob@example.com").Blocked {
					t.Error("not blocked")
				}
			},
		},
		{
			name: "unblock", user: alice, command: "unblock", steps: one("contact", "bob@example.com"), want: "You hear from bob@example.com again.",
			before: func(s *scene) { _ = s.book.Block(context.Background(), edgetest.Account().ID, "bob@example.com", true) },
			check: func(t *testing.T, s *scene) {
				if s.book.get("bob@example.com").Blocked {
					t.Error("blocked")
				}
			},
		},
		{name: "nobody blocked", user: alice, command: "unblock", want: "Nobody is blocked."},
		{
			name: "history", user: alice, command: "history", steps: one("contact", "bob@example.com"),
			want: "The last messages with bob@example.com, the newest first:*24 Nov 09:05 UTC: from you, waiting to be sent after 2 attempts, the next one at 24 Nov 10:05 UTC. The server is away.*from them, received.*from you, delivered on 24 Nov 09:06 UTC.",
		},
		{
			name: "leaf through history", user: alice, command: "history", steps: [][]pair{{{"contact", "long@example.com"}}, {{"list", "more"}}, {{"list2", "more"}}},
			want: "Earlier messages with long@example.com:*24 Nov 08:45 UTC: from them, received.*24 Nov 08:41 UTC: from them, received.",
		},
		{name: "no history", user: alice, command: "history", steps: one("contact", "carol@example.com"), want: "No messages between you and carol@example.com are known any more."},
		{
			name: "retry", user: alice, command: "undelivered", steps: [][]pair{{{"action", "retry"}}, {{"which", "7"}}}, want: "1 retried.",
			before: func(s *scene) {
				s.letters.all = []Letter{{Seq: 7, Peer: "b@c", Text: "x"}, {Seq: 8, Peer: "b@c", Text: "y"}}
			},
			check: func(t *testing.T, s *scene) {
				if strings.Join(s.letters.log, " ") != "retry7" {
					t.Errorf("done: %q", s.letters.log)
				}
			},
		},
		{
			name: "drop", user: alice, command: "undelivered", steps: [][]pair{{{"action", "drop"}}, {{"which", "all"}}}, want: "2 dropped.",
			before: func(s *scene) {
				s.letters.all = []Letter{{Seq: 7, Peer: "b@c", Text: "x"}, {Seq: 8, Peer: "b@c", Text: "y"}}
			},
		},
		{name: "nothing undelivered", user: alice, command: "undelivered", want: "No message waits*"},
		{
			name: "leaf through contacts", user: alice, command: "contacts", before: withMany,
			steps: [][]pair{{{"action", "more"}}, {{"action2", "more"}}, {{"action3", "rename"}}, {{"contact", "c119@example.com"}}, {{"name", "Last"}}},
			want:  "c119@example.com is called Last here.",
		},
		{
			name: "leaf through what is undelivered", user: alice, command: "undelivered", before: withMany,
			steps: [][]pair{{{"action", "more"}}, {{"action2", "more"}}, {{"action3", "drop"}}, {{"which", "all"}}}, want: "5 dropped.",
			check: func(t *testing.T, s *scene) {
				if len(s.letters.all) != 40 || s.letters.log[0] != "drop41" {
					t.Errorf("done: %q", s.letters.log)
				}
			},
		},
		{
			name: "leaf through users", user: root, command: "users", before: withMany, steps: [][]pair{{{"list", "more"}}, {{"list2", "more"}}},
			want: "u100@example.org: registered*u119@example.org: registered",
		},
		{name: "enough users", user: root, command: "users", before: withMany, steps: [][]pair{{{"list", "enough"}}}, want: `Send "users" with an address*`},
		{
			name: "many who wait", user: root, command: "approve", want: "p007@example.org is let in.",
			before: func(s *scene) {
				for i := range 60 {
					_, _ = s.hall.set(core.UserID(fmt.Sprintf("p%03d@example.org", i)), func(p *core.Person) { p.Standing = core.Pending })
				}
			},
			steps: [][]pair{{{"user", "p007@example.org"}, {"decision", "approve"}}},
		},
		{
			name: "preferences", user: alice, command: "preferences", want: "Your preferences are kept.",
			steps: [][]pair{{{"receipts", "false"}, {"resend", "true"}, {"language", "de"}}},
			check: func(t *testing.T, s *scene) {
				if p := s.choices.p; !p.NoReceipts || !p.ResendEdits || p.Language != "de" || p.HideRead || p.HideTyping {
					t.Errorf("chosen: %+v", p)
				}
			},
		},
		{
			name: "preferences, after a mistake", user: alice, command: "preferences", want: "Your preferences are kept.",
			steps: [][]pair{{{"receipts", "true"}, {"resend", "false"}, {"language", "9"}}, {{"receipts", "true"}, {"resend", "false"}, {"language", "pt-BR"}}},
		},
		{
			name: "erase", user: alice, command: "erase", steps: [][]pair{{{"confirm", "true"}}, {{"word", "erase"}}}, want: "Nothing is kept about you any more.",
		},
		{name: "erase, not sure", user: alice, command: "erase", steps: one("confirm", "false"), want: "Nothing was changed."},
		{name: "erase, another word", user: alice, command: "erase", steps: [][]pair{{{"confirm", "true"}}, {{"word", "no"}}}, want: "That was not the word.*"},
		{name: "users", user: root, command: "users", before: pendingCarol, want: `carol@example.net: pending ("Let me in")`},
		{
			name: "approve", user: root, command: "approve", before: pendingCarol, want: "carol@example.net is let in.",
			steps: [][]pair{{{"user", "carol@example.net"}, {"decision", "approve"}}},
			check: func(t *testing.T, s *scene) {
				if s.hall.people["carol@example.net"].Standing != core.Registered {
					t.Error("not let in")
				}
			},
		},
		{
			name: "reject", user: root, command: "approve", before: pendingCarol, want: "The request of carol@example.net is declined.",
			steps: [][]pair{{{"user", "carol@example.net"}, {"decision", "reject"}}},
		},
		{name: "nobody waits", user: root, command: "approve", want: "Nobody asks to be let in."},
		{
			name: "suspend", user: root, command: "suspend", want: "carol@example.net is suspended.*",
			steps: [][]pair{{{"user", "Carol@example.net"}, {"suspended", "true"}, {"why", "Spam"}}},
			check: func(t *testing.T, s *scene) {
				if p := s.hall.people["carol@example.net"]; p.Standing != core.Suspended || p.Note != "Spam" {
					t.Errorf("%+v", p)
				}
			},
		},
		{
			name: "resume", user: root, command: "suspend", want: "carol@example.net is let in again.",
			steps: [][]pair{{{"user", "carol@example.net"}, {"suspended", "false"}, {"why", ""}}},
		},
		{
			name: "invite", user: root, command: "invite", want: "The invitation: abcd-efgh*",
			steps: [][]pair{{{"uses", "2"}, {"days", "7"}, {"all", "false"}}},
			check: func(t *testing.T, s *scene) {
				if strings.Join(s.hall.invited, "") != "root@example.org mail 2 false" {
					t.Errorf("made: %q", s.hall.invited)
				}
			},
		},
		{
			name: "invite, too many", user: root, command: "invite", want: "The invitation: abcd-efgh*",
			steps: [][]pair{{{"uses", "0"}, {"days", "7"}, {"all", "false"}}, {{"uses", "1"}, {"days", "1"}, {"all", "true"}}},
		},
		{
			name: "limits", user: root, command: "limits", want: "bob@example.org may send 5 messages a minute.",
			steps: [][]pair{{{"user", "bob@example.org"}}, {{"messages", "5"}}},
		},
		{
			name: "announce", user: root, command: "announce", steps: one("text", "We are back."), want: "3 users will be told.",
			check: func(t *testing.T, s *scene) {
				if strings.Join(s.hall.told, "") != "mail: We are back." {
					t.Errorf("told: %q", s.hall.told)
				}
			},
		},
		{
			name: "move a user", user: root, command: "move-user", want: "What was registered for bob@example.org belongs to bob@example.net now.",
			steps: [][]pair{{{"from", "bob@example.org"}}, {{"to", "xmpp:bob@example.net"}}},
			check: func(t *testing.T, s *scene) {
				if strings.Join(s.hall.moved, "") != "bob@example.org to bob@example.net" {
					t.Errorf("moved: %q", s.hall.moved)
				}
			},
		},
		{name: "move nobody", user: root, command: "move-user", steps: [][]pair{{{"from", "bob"}}}, want: "A person's address looks like alice@example.org.*"},
	}
}

// One table, all doors (behaviour 11): whatever can be done can be done by chat
// and by ad-hoc command, with the same words at the end; to register and to
// unregister by form, too.
func TestTasks11(t *testing.T) {
	doors := map[string]door{"chat": byChat, "command": byCommand, "form": byForm}
	for _, task := range tasks() {
		for name, open := range doors {
			if name == "form" && !task.forms || name == "command" && task.name == "move nobody" {
				continue // the form stays open, as it should
			}
			t.Run(task.name+" by "+name, func(t *testing.T) {
				s := stage(t, func(c *Config) {
					c.Timeline = timeline{
						{At: at9, Mine: true, State: core.Queued, Attempts: 2, Next: at9.Add(time.Hour), Err: core.E(core.Unavailable, "", "The server is away.")},
						{At: at9}, {At: at9, Mine: true, State: core.Delivered, Changed: at9.Add(time.Minute)},
					}
				})
				s.srv.Ignore(`<presence/>`)
				if task.before != nil {
					task.before(s)
				}
				got := open(t, s, task.user, s.command(t, task.command), task.steps)
				if ok, err := path.Match(strings.ReplaceAll(oneSlash(task.want), "[", `\[`), oneSlash(got)); err != nil || !ok {
					t.Errorf("the last words: %q, want %q", got, task.want)
				}
				if task.check != nil {
					task.check(t, s)
				}
			})
		}
	}
}

// oneSlash makes a text fit for path.Match, where * ends at a slash and \ escapes.
func oneSlash(s string) string {
	return strings.NewReplacer("/", "|", `\`, "|", "?", "|").Replace(s)
}

// An export is a file where the gateway keeps files, and else a text.
func TestExport(t *testing.T) {
	const text = `"user":"alice@example.org"`
	t.Run("file by chat", func(t *testing.T) {
		b := &blobs{}
		s := stage(t, func(c *Config) { c.Blobs = b })
		s.say(alice, "export")
		s.hear(alice, "This is everything*")
		const url = "https://files.example.org/x/gangway-export.jsonl"
		s.srv.Expect(`<message type='chat' from='email.gw' to='` + alice + `'><body>` + url + `</body><x xmlns='jabber:x:oob'><url>` + url + `</url></x></message>`)
		if !strings.Contains(b.content, text) {
			t.Errorf("the file: %s", b.content)
		}
	})
	t.Run("file by command", func(t *testing.T) {
		s := stage(t, func(c *Config) { c.Blobs = &blobs{} })
		if got := byCommand(t, s, alice, s.command(t, "export"), nil); !strings.Contains(got, "https://files.example.org/x/gangway-export.jsonl") {
			t.Error(got)
		}
	})
	for name, b := range map[string]core.Blobs{"nowhere to put it": nil, "no room": &blobs{err: core.E(core.Unavailable, "", "")}} {
		t.Run(name, func(t *testing.T) {
			s := stage(t, func(c *Config) { c.Blobs = b })
			if got := byCommand(t, s, alice, s.command(t, "export"), nil); !strings.Contains(got, text) {
				t.Error(got)
			}
			s.say(alice, "export")
			s.hear(alice, "This is everything*")
			s.hear(alice, "*"+text+"*")
		})
	}
}

// A text that is too long for a form comes by chat, in pieces.
func TestLongDocument(t *testing.T) {
	if got := cut("ab\ncd", 4); got != "ab\n" {
		t.Errorf("cut: %q", got)
	}
	if got := cut("ääää", 3); got != "ä" {
		t.Errorf("cut: %q", got)
	}
	line := strings.Repeat("x", 99) + "\n"
	s := stage(t, func(c *Config) { c.Data = papers(strings.Repeat(line, 1100)) })
	answer := s.ask("set", alice, `<command xmlns='http://jabber.org/protocol/commands' node='export'/>`).String()
	if strings.Contains(answer, line[:50]) || !strings.Contains(answer, "chat messages") {
		t.Errorf("answered: %s", answer)
	}
	heard := 0
	for heard < 1100*len(line) {
		said := s.hear(alice, "*")
		if len(said) > maxPiece || said == "" {
			t.Fatalf("a piece of %d bytes", len(said))
		}
		heard += len(said)
	}
}

// What is too much for a chat, and has no other place, is not sent by halves.
func TestExportTooLarge(t *testing.T) {
	s := stage(t, func(c *Config) { c.Data = papers(strings.Repeat("x", maxDocument+1)) })
	s.say(alice, "export")
	s.hear(alice, "There is more kept about you than can be sent here.*")
}

// A file that is not taken does not hold up who writes it.
func TestExportNotTaken(t *testing.T) {
	s := stage(t, func(c *Config) {
		c.Data, c.Blobs = papers(strings.Repeat("x", 10_000)), &blobs{err: core.E(core.TooLarge, "", "")}
	})
	s.say(alice, "export")
	s.hear(alice, "This is everything*")
	s.hear(alice, strings.Repeat("x", 10_000))
}

// papers is everything that is kept about anybody.
type papers string

func (p papers) Export(_ context.Context, _ core.UserID, w io.Writer) error {
	for rest := string(p); rest != ""; {
		n := min(len(rest), 1000)
		if _, err := io.WriteString(w, rest[:n]); err != nil {
			return err
		}
		rest = rest[n:]
	}
	return nil
}

func (p papers) Erase(context.Context, core.UserID) error { return nil }
