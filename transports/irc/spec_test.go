package irc

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"gopkg.in/irc.v4"

	"gangway/core"
)

// TestSpecifications plays the examples of the IRCv3 specifications: what the gateway makes of a server's lines, and what
// it writes. See testdata/ircv3/README.md.
func TestSpecifications(t *testing.T) {
	files, err := filepath.Glob("testdata/ircv3/*.txt")
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
			t.Run(filepath.Base(file)+"/"+title, func(t *testing.T) { playExample(t, strings.Split(strings.TrimSuffix(lines, "\n"), "\n")) })
		}
	}
}

const exampleCaps = "message-tags server-time batch userhost-in-names account-notify account-tag chghost setname draft/multiline " +
	"draft/message-redaction draft/read-marker"

func playExample(t *testing.T, lines []string) {
	script(t, quickConfig, core.Account{}, func(p *play) {
		p.run()
		p.begin(exampleCaps)
		p.grant(exampleCaps)
		p.welcome()
		p.join("#channel", "1")
		p.expect("JOIN #channel")
		p.send(":alice!al@host.test JOIN #channel", ":irc.test 353 alice = #channel :alice!al@host.test nick!u@h n!u@h nick2!user2@host2 "+
			"@chanop!u@h tim!~toolshed@backyard user!u@h", ":irc.test 366 alice #channel :End")
		next[*core.RoomJoined](p)
		var want []string
		asked := false
		for _, line := range lines {
			kind, rest, _ := strings.Cut(line, ": ")
			rest = strings.ReplaceAll(rest, `\x01`, "\x01")
			switch {
			case kind == "E":
				want = append(want, rest)
			case kind == "G":
				asked = true
				p.wants(rest)
			case kind == "C" && asked:
				if got := p.line(); canonical(got) != canonical(rest) {
					t.Errorf("wrote %q, want %q", got, rest)
				}
			case kind == "S" && !strings.HasPrefix(rest, "FAIL "):
				p.send(rest)
			}
		}
		synctest.Wait()
		var got []string
		for _, e := range p.host.Events()[p.seen:] {
			got = append(got, told(e))
		}
		if len(want) > 0 && !slices.Equal(got, want) {
			t.Errorf("told\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
	})
}

// canonical is a line with its tags in order, and every last parameter written the same way.
func canonical(line string) string {
	m, err := irc.ParseMessage(line)
	if err != nil {
		return line
	}
	tags := ""
	for _, key := range slices.Sorted(maps.Keys(m.Tags)) {
		tags += key + "=" + m.Tags[key] + ";"
	}
	return tags + " " + m.Command + " " + strings.Join(m.Params, "\x00")
}

// wants has the session do something: "what peer id text".
func (p *play) wants(what string) {
	p.t.Helper()
	f := append(strings.SplitN(what, " ", 4), "", "")
	ref := core.Ref{Account: "a1", Peer: core.Address(f[1])}
	ids := core.IDs{Remote: core.RemoteID(f[2])}
	var err error
	switch ctx := p.t.Context(); f[0] {
	case "redact":
		err = p.s.Retract(ctx, &core.Retraction{Ref: ref, IDs: ids, Reason: f[3]})
	case "react":
		err = p.s.React(ctx, &core.Reaction{Ref: ref, IDs: ids, Emoji: []string{f[3]}})
	case "reply":
		_, err = p.s.Send(ctx, &core.Message{Ref: ref, Room: true, ReplyTo: ids, Text: f[3]})
	case "typing":
		err = p.s.Typing(ctx, &core.Typing{Ref: ref, On: true})
	case "read":
		err = p.s.Read(ctx, &core.Receipt{Ref: ref, IDs: ids, State: core.Read})
	default:
		p.t.Fatalf("what is %q?", what)
	}
	if err != nil {
		p.t.Errorf("%s: %v", what, err)
	}
}

// told is an event as the examples have it.
func told(e core.Event) string {
	var b strings.Builder
	word := func(on bool, w string) {
		if on && w != "" {
			b.WriteString(" " + w)
		}
	}
	stamp := func(at time.Time) { word(at.Year() != 2000, at.UTC().Format(serverTime)) } // the bubble's own time
	switch e := e.(type) {
	case *core.Message:
		if e.Peer == "" {
			return fmt.Sprintf("notice %q", e.Text)
		}
		b.WriteString("said " + string(e.Peer))
		word(e.Room, string(e.Author))
		word(true, string(e.Remote))
		word(e.ReplyTo.Known(), "to "+string(e.ReplyTo.Remote))
		word(e.Past, "past")
		word(e.Notice, "notice")
		word(e.Mine, "mine")
		stamp(e.At)
		return b.String() + fmt.Sprintf(" %q", e.Text)
	case *core.Retraction:
		fmt.Fprintf(&b, "redacted %s %s %s", e.Peer, e.Author, e.Remote)
		word(e.Moderated, "moderated")
		return b.String() + fmt.Sprintf(" %q", e.Reason)
	case *core.Reaction:
		return fmt.Sprintf("reacted %s %s to %s %v", e.Peer, e.Author, e.Remote, e.Emoji)
	case *core.Typing:
		return fmt.Sprintf("typing %s %s %v", e.Peer, e.Author, e.On)
	case *core.Receipt:
		return fmt.Sprintf("read %s %s", e.Peer, e.Remote)
	case *core.MemberChanged:
		return fmt.Sprintf("member %s %s %s %q", e.Peer, e.Member.Nick, e.Member.Real, e.Member.Account)
	}
	return fmt.Sprintf("%T", e)
}
