package irc

import (
	"maps"
	"strings"
	"testing"

	"gangway/core"
)

// TestCharsets has a user who reads and writes another encoding on the network, and yet another in one channel.
func TestCharsets(t *testing.T) {
	account := core.Account{Options: map[string]string{
		"encoding_in": "windows-1251", "encoding_out": "windows-1251", "encodings": "#Old iso-8859-15 utf-8\n#ru koi8-r koi8-r",
	}}
	script(t, quickConfig, account, func(p *play) {
		p.enter("#ru")
		p.send(":bob!b@h PRIVMSG #RU :\xf0\xd2\xc9\xd7\xc5\xd4", ":bob!b@h PRIVMSG #ru :Привет", ":carol!c@h PRIVMSG alice :\xcf\xf0\xe8\xe2\xe5\xf2")
		for _, want := range []string{"Привет", "Привет", "Привет"} {
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
	})
}

func TestUTF8OnlyWinsOverCharsets(t *testing.T) {
	account := core.Account{Options: map[string]string{"encoding_out": "latin1"}}
	script(t, quickConfig, account, func(p *play) {
		p.run()
		p.register("alice", "UTF8ONLY")
		p.say("carol", "é")
		p.expect("PRIVMSG carol é")
	})
}

func TestEnrolWithNamesAndCharsets(t *testing.T) {
	tr := transportOf(t, openConfig)
	answers := map[string]string{
		"network": "libera", "nick": "al", "more": "true", "unlogged": "", "username": "al", "realname": "Alice A.",
		"encoding_in": "koi8-r", "encoding_out": "KOI8-R", "encodings": "#old latin1",
	}
	step, err := tr.Enroll(t.Context(), "alice@example.test", nil, answers)
	if err != nil || !step.Done {
		t.Fatalf("%+v, %v", step, err)
	}
	for _, name := range []string{"username", "realname", "encoding_in", "encoding_out", "encodings"} {
		if got := step.Link.Options[name]; got != answers[name] {
			t.Errorf("%s is %q", name, got)
		}
	}
	for name, value := range map[string]string{
		"username": "no spaces", "realname": strings.Repeat("long", 100), "encoding_in": "klingon", "encoding_out": "utf-16le", "encodings": "#x",
	} {
		bad := maps.Clone(answers)
		bad[name] = value
		if step, err := tr.Enroll(t.Context(), "alice@example.test", nil, bad); err != nil || step.Done || step.Text == "" {
			t.Errorf("%s %q: %+v, %v", name, value, step, err)
		}
	}
}
