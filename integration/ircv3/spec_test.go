package ircv3

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"gangway/integration/ircclient"
)

// examples are what the specifications say, with what the gateway makes of it; the gateway's own tests play them too.
const examples = "../../transports/irc/testdata/ircv3"

// TestSpecifications plays the client's part of the examples and checks each line that the server answers.
func TestSpecifications(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(examples, "*.txt"))
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, example := range strings.Split(string(text), "\n== ")[1:] {
			title, lines, _ := strings.Cut(example, "\n")
			send, want := parts(lines)
			if len(send) == 0 || len(want) == 0 {
				continue
			}
			t.Run(filepath.Base(file)+"/"+title, func(t *testing.T) { playExample(t, title, send, want) })
		}
	}
}

// parts are what a client sends in an example, and what a server answers.
func parts(lines string) (send, want []string) {
	for line := range strings.Lines(lines) {
		kind, rest, _ := strings.Cut(strings.TrimSuffix(line, "\n"), ": ")
		rest = strings.ReplaceAll(rest, `\x01`, "\x01")
		switch {
		case kind == "C":
			send = append(send, rest)
		case kind == "S" && len(send) > 0:
			want = append(want, rest)
		}
	}
	return send, want
}

// before is what has happened before an example: it returns the id that the example calls 123.
func before(st *stage, title string, c *ircclient.Client) (id string) {
	st.Helper()
	say := func(line string) {
		if err := c.Send(line); err != nil {
			st.Fatal(err)
		}
		st.sync(c)
	}
	last := func() string {
		st.s.mu.Lock()
		defer st.s.mu.Unlock()
		return st.s.history[len(st.s.history)-1].id
	}
	switch title {
	case "Requesting the latest conversation upon joining a channel":
		nick := st.s.Person("nick", "", "#channel")
		nick.Say("#channel", "message")
		nick.Notice("#channel", "message")
		nick.Say("#channel", "\x01ACTION message\x01", "+client-tag", "val")
	case "Requesting further message history than our client currently has":
		bob := st.s.Person("bob", "")
		bob.Say("alice", "hello")
		say("PRIVMSG bob :hi! how are you?")
		bob.Say("alice", "I'm good, thank you!")
	case "Deleting a PRIVMSG":
		say("PRIVMSG #channel :an example")
		return last()
	case "Deleting a TAGMSG":
		say("@+draft/react=x TAGMSG #channel")
		return last()
	case "Not authorised":
		return st.s.Person("bob", "", "#channel").Say("#channel", "an example")
	}
	return "123"
}

func playExample(t *testing.T, title string, send, want []string) {
	st := newStage(t, Config{Networks: []string{"42 name=Freenode;state=connected", `43 name=My\sAwesome\sNetwork;state=disconnected`}})
	st.s.Person("founder", "", "#channel")
	nick := "alice"
	if !strings.HasPrefix(title, "Requesting") {
		nick = speaker(want)
	}
	c := st.dial(nick, usual+" labeled-response soju.im/bouncer-networks", "#channel")
	id := before(st, title, c)
	named := strings.NewReplacer(" 123 ", " "+id+" ", " 123\n", " "+id+"\n")
	from := st.sync(c)
	for _, line := range send {
		if err := c.Send(strings.TrimSuffix(named.Replace(line+"\n"), "\n")); err != nil {
			t.Fatal(err)
		}
	}
	st.sync(c)
	var got, expected []string
	for _, l := range c.Log()[from:] {
		if l.Command != "PONG" {
			got = append(got, bare(l))
		}
	}
	for _, line := range want {
		l, err := ircclient.Parse(strings.TrimSuffix(named.Replace(line+"\n"), "\n"))
		if err != nil {
			t.Fatal(err)
		}
		expected = append(expected, bare(l))
	}
	if !slices.Equal(got, expected) {
		t.Errorf("answered\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(expected, "\n"))
	}
}

// speaker is whose client it is in an example: who is shown to have said what it has sent.
func speaker(want []string) string {
	for _, line := range want {
		if l, err := ircclient.Parse(line); err == nil && strings.Contains(l.Source, "!") {
			return l.Nick()
		}
	}
	return "nick"
}

// bare is a line without what examples make up: times, ids, accounts, hosts, the server's name and batches' references.
func bare(l ircclient.Line) string {
	var out []string
	for _, key := range slices.Sorted(maps.Keys(l.Tags)) {
		switch key {
		case "time", "msgid", "account":
		case "batch":
			out = append(out, "batch")
		default:
			out = append(out, key+"="+l.Tags[key])
		}
	}
	if strings.Contains(l.Source, "!") {
		out = append(out, ":"+l.Nick())
	}
	params := slices.Clone(l.Params)
	if l.Command == "BATCH" && len(params) > 0 {
		params[0] = params[0][:1]
	}
	return strings.Join(out, ";") + " " + strings.ToUpper(l.Command) + " " + strings.Join(params, " | ")
}
