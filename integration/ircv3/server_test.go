package ircv3

import (
	"context"
	"regexp"
	"strings"
	"testing"
	"time"

	"gangway/integration/ircclient"
)

// usual is everything but labeled-response, which changes how the rest is answered.
const usual = "message-tags server-time batch echo-message account-tag extended-join multi-prefix away-notify chghost setname " +
	"account-notify userhost-in-names invite-notify standard-replies draft/multiline draft/chathistory " +
	"draft/message-redaction draft/read-marker"

// stage is a server and the people of a test.
type stage struct {
	*testing.T
	ctx  context.Context
	s    *Server
	addr string
}

func newStage(t *testing.T, conf Config) *stage {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 60*time.Second)
	t.Cleanup(cancel)
	s := New(conf)
	addr, err := s.Start(ctx, "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Stop)
	return &stage{t, ctx, s, addr}
}

func (st *stage) dial(nick, caps string, channels ...string) *ircclient.Client {
	st.Helper()
	c, err := ircclient.Dial(st.ctx, st.addr, ircclient.Config{Nick: nick, Caps: strings.Fields(caps)})
	if err != nil {
		st.Fatal(err)
	}
	st.Cleanup(func() { _ = c.Close() }) // it may have been cut
	for _, name := range channels {
		if err := c.Join(st.ctx, name); err != nil {
			st.Fatal(err)
		}
	}
	return c
}

// sync returns when a client has everything, and how many lines that is.
func (st *stage) sync(c *ircclient.Client) int {
	st.Helper()
	if err := c.Sync(st.ctx); err != nil {
		st.Fatal(err)
	}
	return len(c.Log())
}

// play has a client send lines, and checks what each listener is sent meanwhile: batches and times have no value there.
func (st *stage) play(c *ircclient.Client, send []string, want map[*ircclient.Client][]string) {
	st.Helper()
	before := map[*ircclient.Client]int{}
	for listener := range want {
		before[listener] = st.sync(listener)
	}
	for _, l := range send {
		if err := c.Send(l); err != nil {
			st.Fatal(err)
		}
	}
	st.sync(c)
	for listener, lines := range want {
		st.sync(listener)
		var got []string
		for _, l := range listener.Log()[before[listener]:] {
			if l.Command != "PONG" {
				got = append(got, plain(l.Raw))
			}
		}
		if strings.Join(got, "\n") != strings.Join(lines, "\n") {
			st.Errorf("%s was sent\n%s\nwant\n%s", listener.Nick(), strings.Join(got, "\n"), strings.Join(lines, "\n"))
		}
	}
}

var (
	times      = regexp.MustCompile(`time=[0-9TZ:.-]+`)
	references = regexp.MustCompile(`\b(batch=|BATCH [+-])b[0-9]+`)
	ids        = regexp.MustCompile(`msgid=m[0-9]+`)
)

func plain(raw string) string {
	return ids.ReplaceAllString(references.ReplaceAllString(times.ReplaceAllString(raw, "time="), "${1}b"), "msgid=")
}

// TestMultiline plays the examples of draft/multiline: to those who have it, to those who have not, and the errors.
func TestMultiline(t *testing.T) {
	st := newStage(t, Config{})
	al, bo, old := st.dial("al", usual, "#c"), st.dial("bo", usual, "#c"), st.dial("old", "message-tags", "#c")
	whole := []string{
		"@+x=1;msgid=;time= :al!al@near.test BATCH +b draft/multiline #c",
		"@batch=b :al!al@near.test PRIVMSG #c hello",
		"@batch=b :al!al@near.test PRIVMSG #c :how is ",
		"@batch=b;draft/multiline-concat :al!al@near.test PRIVMSG #c everyone?",
		":irc.test BATCH -b",
	}
	st.play(al, []string{
		"@+x=1 BATCH +123 draft/multiline #c", "@batch=123 PRIVMSG #c hello", "@batch=123 privmsg #c :how is ",
		"@batch=123;draft/multiline-concat PRIVMSG #c :everyone?", "BATCH -123",
	}, map[*ircclient.Client][]string{al: whole, bo: whole, old: {
		"@+x=1;msgid= :al!al@near.test PRIVMSG #c hello", ":al!al@near.test PRIVMSG #c :how is ", ":al!al@near.test PRIVMSG #c everyone?",
	}})
	for _, c := range []struct {
		send []string
		want string
	}{
		{[]string{"BATCH +4 draft/multiline #c", "@batch=4 PRIVMSG #bar hello", "BATCH -4"}, "BATCH MULTILINE_INVALID_TARGET #c #bar :Invalid multiline target"},
		{[]string{"BATCH +5 draft/multiline #c", "@batch=5 PRIVMSG #c :", "BATCH -5"}, "BATCH MULTILINE_INVALID :Invalid multiline batch with blank lines only"},
		{[]string{"BATCH -6"}, "BATCH MULTILINE_INVALID :Invalid multiline batch"},
		{append(append([]string{"BATCH +7 draft/multiline #c"}, repeat("@batch=7 PRIVMSG #c x", 25)...), "BATCH -7"), "BATCH MULTILINE_MAX_LINES 24 :Multiline batch max-lines exceeded"},
		{append(append([]string{"BATCH +8 draft/multiline #c"}, repeat("@batch=8 PRIVMSG #c "+strings.Repeat("x", 400), 11)...), "BATCH -8"), "BATCH MULTILINE_MAX_BYTES 4096 :Multiline batch max-bytes exceeded"},
	} {
		st.play(al, c.send, map[*ircclient.Client][]string{al: {":irc.test FAIL " + c.want}, bo: nil})
	}
}

func repeat(s string, n int) []string {
	all := make([]string, n)
	for i := range all {
		all[i] = s
	}
	return all
}

// TestLabels plays labeled-response: one line, several, none, and an echo.
func TestLabels(t *testing.T) {
	st := newStage(t, Config{})
	al := st.dial("al", "labeled-response batch message-tags echo-message draft/multiline draft/chathistory", "#c")
	for _, c := range []struct {
		send string
		want []string
	}{
		{"@label=1 PING x", nil},
		{"@label=2 PONG x", []string{"@label=2 :irc.test ACK"}},
		{"@label=3 PRIVMSG #c hi", []string{"@label=3;msgid= :al!al@near.test PRIVMSG #c hi"}},
		{"@label=4 WHO al", []string{
			"@label=4 :irc.test BATCH +b labeled-response", "@batch=b :irc.test 352 al al al near.test irc.test al H :0 al",
			"@batch=b :irc.test 315 al al :End of /WHO list", ":irc.test BATCH -b",
		}},
		{"@label=5 CHATHISTORY LATEST #c * 10", []string{
			"@label=5 :irc.test BATCH +b chathistory #c", "@batch=b;msgid= :al!al@near.test PRIVMSG #c hi", ":irc.test BATCH -b",
		}},
		{"@label=6 FROB", []string{"@label=6 :irc.test 421 al FROB :Unknown command"}},
	} {
		st.play(al, []string{c.send}, map[*ircclient.Client][]string{al: c.want})
	}
	st.play(al, []string{"@label=7 BATCH +1 draft/multiline #c", "@batch=1 PRIVMSG #c a", "@batch=1 PRIVMSG #c b", "BATCH -1"}, map[*ircclient.Client][]string{al: {
		"@label=7;msgid= :al!al@near.test BATCH +b draft/multiline #c", "@batch=b :al!al@near.test PRIVMSG #c a",
		"@batch=b :al!al@near.test PRIVMSG #c b", ":irc.test BATCH -b",
	}})
}

// TestHistory plays every selector of draft/chathistory, over a restart of the server.
func TestHistory(t *testing.T) {
	st := newStage(t, Config{Page: 3})
	bob := st.s.Person("bob", "", "#c")
	var said []string
	for _, text := range []string{"1", "2", "3", "4", "5"} {
		said = append(said, bob.Say("#c", text))
	}
	st.s.Stop()
	var err error
	if st.addr, err = st.s.Start(st.ctx, "127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	al := st.dial("al", usual, "#c")
	for query, want := range map[string]string{
		"LATEST #c * 10":                                                        "345",
		"LATEST #c * 2":                                                         "45",
		"LATEST #c msgid=" + said[3] + " 10":                                    "5",
		"AFTER #c msgid=" + said[0] + " 10":                                     "234",
		"AFTER #c msgid=" + said[4] + " 10":                                     "",
		"AFTER #c timestamp=2000-01-01T00:00:00.000Z 2":                         "12",
		"BEFORE #c msgid=" + said[3] + " 2":                                     "23",
		"BEFORE #c timestamp=2100-01-01T00:00:00.000Z 10":                       "345",
		"BETWEEN #c msgid=" + said[0] + " msgid=" + said[3] + " 10":             "23",
		"BETWEEN #c msgid=" + said[4] + " msgid=" + said[0] + " 2":              "34",
		"AROUND #c msgid=" + said[2] + " 3":                                     "234",
		"BETWEEN #c msgid=" + said[4] + " timestamp=2100-01-01T00:00:00.000Z 5": "",
	} {
		before := st.sync(al)
		if err := al.Send("CHATHISTORY " + query); err != nil {
			t.Fatal(err)
		}
		st.sync(al)
		got := ""
		for _, l := range al.Log()[before:] {
			if l.Command == "PRIVMSG" && l.Tags["batch"] != "" && l.Tags["time"] != "" && l.Tags["msgid"] != "" {
				got += l.Last()
			}
		}
		if got != want {
			t.Errorf("CHATHISTORY %s: %q, want %q", query, got, want)
		}
	}
	bob.Say("al", "psst")
	for query, want := range map[string][]string{
		"TARGETS timestamp=2000-01-01T00:00:00.000Z timestamp=2100-01-01T00:00:00.000Z 9": {
			":irc.test BATCH +b draft/chathistory-targets", "@batch=b :irc.test CHATHISTORY TARGETS #c ", "@batch=b :irc.test CHATHISTORY TARGETS bob ", ":irc.test BATCH -b",
		},
		"LATEST #elsewhere * 5":    {":irc.test FAIL CHATHISTORY INVALID_TARGET LATEST #elsewhere :Messages could not be retrieved"},
		"LATEST #c":                {":irc.test FAIL CHATHISTORY INVALID_PARAMS LATEST :Insufficient parameters"},
		"LATEST #c * 5 6":          {":irc.test FAIL CHATHISTORY INVALID_PARAMS LATEST :Too many parameters"},
		"AFTER #c timestamp=now 5": {":irc.test FAIL CHATHISTORY INVALID_PARAMS AFTER timestamp=now :Invalid timestamp"},
		"AFTER #c * 5":             {":irc.test FAIL CHATHISTORY INVALID_PARAMS AFTER * :Invalid timestamp"},
		"TARGETS msgid=1 timestamp=2100-01-01T00:00:00.000Z 9": {":irc.test FAIL CHATHISTORY INVALID_PARAMS TARGETS msgid=1 :Invalid timestamp"},
		"TARGETS timestamp=2100-01-01T00:00:00.000Z timestamp=2000-01-01T00:00:00.000Z 1": {
			":irc.test BATCH +b draft/chathistory-targets", "@batch=b :irc.test CHATHISTORY TARGETS bob ", ":irc.test BATCH -b",
		},
		"SOMETIMES #c * 5":       {":irc.test FAIL CHATHISTORY INVALID_PARAMS SOMETIMES :Unknown command"},
		"LATEST #c msgid=nope 5": {":irc.test FAIL CHATHISTORY MESSAGE_ERROR LATEST #c :Messages could not be retrieved"},
	} {
		for i := range want {
			want[i] = strings.TrimSuffix(want[i], " ")
		}
		before := st.sync(al)
		if err := al.Send("CHATHISTORY " + query); err != nil {
			t.Fatal(err)
		}
		st.sync(al)
		var got []string
		for _, l := range al.Log()[before:] {
			if l.Command != "PONG" {
				raw := regexp.MustCompile(` [0-9]{4}-[0-9TZ:.-]+$`).ReplaceAllString(l.Raw, "")
				got = append(got, plain(raw))
			}
		}
		if strings.Join(got, "\n") != strings.Join(want, "\n") {
			t.Errorf("CHATHISTORY %s:\n%s\nwant\n%s", query, strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
	}
}

// TestRedaction and the read markers play the examples of their specifications.
func TestRedaction(t *testing.T) {
	st := newStage(t, Config{})
	op, al, old := st.dial("op", usual, "#c"), st.dial("al", usual, "#c"), st.dial("old", "message-tags", "#c")
	id := st.s.Person("bob", "", "#c").Say("#c", "join my network")
	st.play(al, []string{"REDACT #c " + id}, map[*ircclient.Client][]string{al: {
		":irc.test FAIL REDACT REDACT_FORBIDDEN #c " + id + " :You are not authorised to delete this message",
	}, op: nil})
	redacted := []string{"@msgid=;time= :op!op@near.test REDACT #c " + id + " spam"}
	st.play(op, []string{"REDACT #c " + id + " spam"}, map[*ircclient.Client][]string{op: redacted, al: redacted, old: nil})
	st.play(op, []string{"REDACT #c " + id, "REDACT #nowhere " + id}, map[*ircclient.Client][]string{op: {
		":irc.test FAIL REDACT UNKNOWN_MSGID #c " + id + " :This message does not exist or is too old",
		":irc.test FAIL REDACT INVALID_TARGET #nowhere :You cannot delete messages from #nowhere",
	}})
}

func TestReadMarker(t *testing.T) {
	st := newStage(t, Config{})
	al := st.dial("al", usual)
	const at, before = "timestamp=2019-01-04T14:33:26.123Z", "timestamp=2018-01-04T14:33:26.123Z"
	st.play(al, []string{"JOIN #channel"}, map[*ircclient.Client][]string{al: {
		":al!al@near.test JOIN #channel * al", ":irc.test MARKREAD #channel *",
		":irc.test 353 al = #channel @al!al@near.test", ":irc.test 366 al #channel :End of /NAMES list",
	}})
	for _, c := range []struct{ send, want string }{
		{"MARKREAD #channel " + at, "MARKREAD #channel " + at},
		{"MARKREAD #channel " + before, "MARKREAD #channel " + at},
		{"MARKREAD target", "MARKREAD target *"},
		{"MARKREAD", "FAIL MARKREAD NEED_MORE_PARAMS :Missing parameters"},
		{"MARKREAD #channel now", "FAIL MARKREAD INVALID_PARAMS now :Invalid parameters"},
	} {
		want := times.ReplaceAllString(":irc.test "+c.want, "time=")
		st.play(al, []string{c.send}, map[*ircclient.Client][]string{al: {strings.ReplaceAll(want, "timestamp=2019-01-04T14:33:26.123Z", at)}})
	}
}

// TestPresence plays account-notify, away-notify, chghost, setname, extended-join, MONITOR and a netsplit.
func TestPresence(t *testing.T) {
	st := newStage(t, Config{})
	al, old := st.dial("al", usual+" extended-monitor", "#c"), st.dial("old", "", "#c")
	check := func(what string, do func(), forAl, forOld []string) {
		t.Helper()
		before := map[*ircclient.Client]int{al: st.sync(al), old: st.sync(old)}
		do()
		for c, want := range map[*ircclient.Client][]string{al: forAl, old: forOld} {
			st.sync(c)
			var got []string
			for _, l := range c.Log()[before[c]:] {
				if l.Command != "PONG" {
					got = append(got, plain(l.Raw))
				}
			}
			if strings.Join(got, "\n") != strings.Join(want, "\n") {
				t.Errorf("%s: %s was sent\n%s\nwant\n%s", what, c.Nick(), strings.Join(got, "\n"), strings.Join(want, "\n"))
			}
		}
	}
	if err := al.Send("MONITOR + bob,carol"); err != nil {
		t.Fatal(err)
	}
	var bob *Person
	check("join", func() { bob = st.s.Person("bob", "bobby", "#c") },
		[]string{":irc.test 730 al bob!bob@far.test", ":bob!bob@far.test JOIN #c bobby bob"}, []string{":bob!bob@far.test JOIN #c"})
	check("away", func() { bob.Away("lunch"); bob.Away("") }, []string{":bob!bob@far.test AWAY lunch", ":bob!bob@far.test AWAY"}, nil)
	check("account", func() { bob.Login(""); bob.Login("b") }, []string{":bob!bob@far.test ACCOUNT *", ":bob!bob@far.test ACCOUNT b"}, nil)
	check("chghost", func() { bob.Move("b", "new.test") }, []string{":bob!bob@far.test CHGHOST b new.test"}, nil)
	check("tags", func() { bob.Tag("#c", "+typing", "active") }, []string{"@+typing=active;account=b;msgid=;time= :bob!b@new.test TAGMSG #c"}, nil)
	check("react", func() { bob.Say("#c", "yes", "+draft/reply", "x;y") },
		[]string{`@+draft/reply=x\:y;account=b;msgid=;time= :bob!b@new.test PRIVMSG #c yes`}, []string{":bob!b@new.test PRIVMSG #c yes"})
	check("netsplit", func() { st.s.Netsplit(bob) }, []string{
		":irc.test BATCH +b netsplit irc.test hub.test", "@batch=b :bob!b@new.test QUIT :irc.test hub.test", ":irc.test BATCH -b",
	}, []string{":bob!b@new.test QUIT :irc.test hub.test"})
}

// TestFaults cuts, freezes and floods.
func TestFaults(t *testing.T) {
	st := newStage(t, Config{})
	al := st.dial("al", "", "#c")
	if !st.s.Oversized("al", 20_000) || !st.s.Garbage("al", "\x00\xff\r\n:\r\n") || !st.s.Freeze("al") {
		t.Fatal("al is not there")
	}
	st.s.Person("bob", "").Say("al", "wait")
	if !st.s.Thaw("al") {
		t.Fatal("al is not there")
	}
	if _, err := al.Wait(st.ctx, ircclient.Said("bob", "al", "wait")); err != nil {
		t.Fatal(err)
	}
	if !st.s.Cut("al") {
		t.Fatal("al is not there")
	}
	<-al.Done()
}
