package irc

import (
	"maps"
	"strings"
	"testing"
	"time"

	"gangway/core"
)

// TestCharsets has a user who reads and writes another encoding on the network, and yet another in one channel.
func TestCharsets(t *testing.T) {
	script(t, quickConfig, core.Account{}, func(p *play) {
		p.host.Chosen.Own = map[string]string{
			"encoding_in irc.test": "windows-1251", "encoding_out": "windows-1251", "encoding_in #old%irc.test": "iso-8859-15",
			"encoding_in #ru%irc.test": "koi8-r", "encoding_out #ru%irc.test": "koi8-r", "encoding_in dora%irc.test": "koi8-r", "encoding_in #ru%irc.other": "latin1",
		}
		p.enter("#ru")
		p.send(":bob!b@h PRIVMSG #RU :\xf0\xd2\xc9\xd7\xc5\xd4", ":bob!b@h PRIVMSG #ru :Привет", ":carol!c@h PRIVMSG alice :\xcf\xf0\xe8\xe2\xe5\xf2",
			":Dora!d@h PRIVMSG alice :\xf0\xd2\xc9\xd7\xc5\xd4")
		for _, want := range []string{"Привет", "Привет", "Привет", "Привет"} {
			if m := next[*core.Message](p); m.Text != want {
				t.Errorf("read %q, want %q", m.Text, want)
			}
		}
		m := p.say("#ru", "Да ☃")
		p.expect("PRIVMSG #ru :\xe4\xc1 ?")
		p.barrier(2)
		reflected(t, next[*core.Message](p), m, "Да ☃")
		p.say("carol", "Да")
		p.expect("PRIVMSG carol \xc4\xe0")
		p.barrier(3)
		next[*core.Receipt](p)

		// What is chosen now counts now: for what is written at once, for what is read within seconds.
		p.host.Choose(core.Preferences{Own: map[string]string{"encoding_out #ru%irc.test": "utf-8", "encoding_in": "latin1"}})
		time.Sleep(choicesFor)
		p.send(":bob!b@h PRIVMSG #ru :caf\xe9")
		if m := next[*core.Message](p); m.Text != "café" {
			t.Errorf("read %q", m.Text)
		}
		p.say("#ru", "Да")
		p.expect("PRIVMSG #ru Да")
	})
}

func TestUTF8OnlyWinsOverCharsets(t *testing.T) {
	script(t, quickConfig, core.Account{}, func(p *play) {
		p.host.Chosen.Own = map[string]string{"encoding_out": "latin1"}
		p.run()
		p.register("alice", "UTF8ONLY")
		p.say("carol", "é")
		p.expect("PRIVMSG carol é")
	})
}

func TestEnrolWithNames(t *testing.T) {
	tr := transportOf(t, openConfig)
	answers := map[string]string{"network": "libera", "nick": "al", "more": "true", "unlogged": "", "username": "al", "realname": "Alice A."}
	step, err := tr.Enroll(t.Context(), "alice@example.test", nil, answers)
	if err != nil || !step.Done {
		t.Fatalf("%+v, %v", step, err)
	}
	for _, name := range []string{"username", "realname"} {
		if got := step.Link.Options[name]; got != answers[name] {
			t.Errorf("%s is %q", name, got)
		}
	}
	for name, value := range map[string]string{"username": "no spaces", "realname": strings.Repeat("long", 100)} {
		bad := maps.Clone(answers)
		bad[name] = value
		if step, err := tr.Enroll(t.Context(), "alice@example.test", nil, bad); err != nil || step.Done || step.Text == "" {
			t.Errorf("%s %q: %+v, %v", name, value, step, err)
		}
	}
}
