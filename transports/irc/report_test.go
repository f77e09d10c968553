package irc

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"gangway/core"
)

// TestReport says how a connection does: its lag by a keepalive and by answers, and what waits.
func TestReport(t *testing.T) {
	script(t, "networks = [\"irc.test\"]\nflood_burst = 1\nflood_interval = \"2s\"\n", core.Account{}, func(p *play) {
		if r := p.s.Report(); r != (core.Report{}) || p.s.Facts() != nil {
			p.t.Errorf("before there is a connection: %+v, %q", r, p.s.Facts())
		}
		p.run()
		p.register("alice")
		if r := p.s.Report(); r != (core.Report{}) {
			p.t.Errorf("at first: %+v", r)
		}
		p.expect("PING gangway")
		time.Sleep(5 * time.Second)
		if r := p.s.Report(); r.Lag != 5*time.Second {
			p.t.Errorf("not answered yet: %+v", r)
		}
		time.Sleep(time.Second)
		p.send(":irc.test PONG irc.test gangway")
		synctest.Wait()
		if r := p.s.Report(); r.Lag != 6*time.Second {
			p.t.Errorf("answered: %+v", r)
		}
		m := &core.Message{Ref: core.Ref{Account: "a1", Peer: "bob"}, IDs: core.IDs{ID: "m1"}, Text: "one\ntwo\nthree"}
		if _, err := p.s.Send(p.t.Context(), m); err != nil {
			p.t.Fatal(err)
		}
		p.expect("PRIVMSG bob one")
		if r := p.s.Report(); r.Waiting != 2 || r.Within != 4*time.Second {
			p.t.Errorf("two wait: %+v", r)
		}
		p.expect("PRIVMSG bob two", "PRIVMSG bob three")
		if traffic := p.s.t.Traffic()["irc.test"]; traffic.Out < 6 || traffic.In < 3 {
			p.t.Errorf("traffic %+v", traffic)
		}
	})
}

// TestFacts tells a user what they may want to know of their connection.
func TestFacts(t *testing.T) {
	script(t, quickConfig, core.Account{Options: map[string]string{"nick": "al"}}, func(p *play) {
		p.run()
		p.accept()
		p.expect("CAP LS 302", "NICK al", "USER al 0 * al")
		p.send(":irc.test CAP * LS :away-notify message-tags", ":irc.test 433 * al :Nickname is already in use")
		p.expect("CAP REQ :away-notify message-tags", "NICK al_")
		p.send(":irc.test CAP * ACK :message-tags away-notify")
		p.expect("CAP END")
		p.send(":irc.test 900 al_ al_!u@h account :You are now logged in as account", ":irc.test 001 al_ :Welcome")
		p.finish("al_", "CLIENTTAGDENY=typing")
		facts := strings.Join(p.s.Facts(), "\n")
		for _, want := range []string{
			"Server: irc.test at pipe, without TLS.", "Nick: al_; you wanted al, which is taken as soon as it is free.", "Logged in as account.",
			"The network tells and takes: replies, reactions, who is away.",
		} {
			if !strings.Contains(facts, want) {
				p.t.Errorf("%q is not in\n%s", want, facts)
			}
		}
		if strings.Contains(facts, "Rooms") {
			p.t.Errorf("facts\n%s", facts)
		}
		p.s.rooms["#b"], p.s.rooms["#a"] = &room{name: "#b", stage: inside}, &room{name: "#a", stage: inside}
		p.s.rooms["#c"] = &room{name: "#c", stage: joining}
		if facts := strings.Join(p.s.Facts(), "\n"); !strings.Contains(facts, "Rooms: #a, #b.") {
			p.t.Errorf("facts\n%s", facts)
		}
		p.s.rooms = map[string]*room{}
	})
}

func TestGroupsAreFew(t *testing.T) {
	tr := transportOf(t, "networks = [\"*\", \"irc.allowed.test\"]\n[network.\"irc.test\"]\n")
	for realm, want := range map[string]string{"irc.test": "irc.test", "irc.allowed.test": "irc.allowed.test", "anything.example": "other", "*": "other", "other": "other"} {
		if got := tr.Group(realm); got != want {
			t.Errorf("%s counts in %s", realm, got)
		}
	}
	if n := len(tr.Traffic()); n != 3 {
		t.Errorf("%d groups", n)
	}
}
