package irc

import (
	"strings"
	"testing"

	"gangway/core"
)

// Whoever asks for a session may start it before the first join says under which nick: the join's nick counts, however
// far the connection has come.
func TestNickOfTheFirstJoin(t *testing.T) {
	for _, welcomed := range []bool{false, true} {
		script(t, quickConfig, core.Account{}, func(p *play) {
			p.run()
			if welcomed {
				p.register("alice")
			} else {
				p.accept()
				p.expect("CAP LS 302", "NICK alice", "USER alice 0 * alice")
			}
			for _, nick := range []string{"ally", "another"} {
				if err := p.s.Join(p.t.Context(), core.Address("#"+nick), core.Join{Nick: nick, Origin: origin(nick)}); err != nil {
					t.Fatal(err)
				}
			}
			p.expect("NICK ally")
			if !welcomed {
				p.send(":irc.test 421 * CAP :Unknown command", ":irc.test 433 * ally :Nickname is already in use")
				p.expect("NICK ally_")
				p.send(":irc.test 001 ally_ :Welcome")
				p.finish("ally_")
				p.expect("JOIN #ally,#another")
				return
			}
			p.expect("JOIN #ally", "JOIN #another")
			p.send(":alice!al@host.test NICK ally")
			p.let2("#ally", "ally")
			if j := next[*core.RoomJoined](p); j.Self.Nick != "ally" || j.Asked != "ally" {
				t.Errorf("joined as %+v", j)
			}
			for _, room := range []core.Address{"#ally", "#another"} {
				if err := p.s.Leave(p.t.Context(), room, ""); err != nil {
					t.Fatal(err)
				}
			}
			if err := p.s.Join(p.t.Context(), "#third", core.Join{Nick: "third", Origin: origin("3")}); err != nil {
				t.Fatal(err)
			}
			if p.s.wish != "third" {
				t.Errorf("the first join after all rooms were left wants %q", p.s.wish)
			}
		})
	}
}

// let2 has the network let a nick into an empty room.
func (p *play) let2(room, nick string) {
	p.t.Helper()
	p.send(":"+nick+"!al@host.test JOIN "+room, ":irc.test 353 "+nick+" = "+room+" :@"+nick, ":irc.test 366 "+nick+" "+room+" :End")
	if got := p.line(); got != "WHO "+room {
		p.t.Fatalf("got %q, want WHO", got)
	}
	p.barrier(1)
	p.send(":irc.test 315 " + nick + " " + room + " :End of /WHO list")
}

// ngIRCd has one numeric for a room that is full and for one that is for those with an account.
func TestRegisteredOnly471(t *testing.T) {
	for code, words := range map[string]string{
		"477": "Cannot join channel (+R) -- Registered users only", "471": "Cannot join channel (+l) -- Channel is full, try later",
	} {
		script(t, quickConfig, core.Account{}, func(p *play) {
			p.join("#chan", "1")
			p.run()
			p.register("alice")
			p.expect("JOIN #chan")
			p.send(":irc.test 471 alice #chan :" + words)
			if l := next[*core.RoomLeft](p); l.Err == nil || l.Err.Code != code || !strings.Contains(l.Err.Text, words) {
				t.Errorf("%s: %+v", words, l.Err)
			}
		})
	}
}

// Why somebody is banned some servers say in their last line only.
func TestWhyBanned(t *testing.T) {
	for name, lines := range map[string][]string{
		"inspircd": {":irc.test 465 alice :You're banned!", "ERROR :Closing link: (al@host.test) [K-lined: No robots]"},
		"ngircd":   {`ERROR :Access denied: "No robots" (K-Line)`},
	} {
		t.Run(name, func(t *testing.T) {
			script(t, quickConfig, core.Account{}, func(p *play) {
				p.join("#chan", "1")
				p.run()
				p.accept()
				p.expect("CAP LS 302", "NICK alice", "USER alice 0 * alice")
				p.send(lines...)
				p.conn.Close()
				if err := p.end(); core.KindOf(err) != core.Denied || !strings.Contains(core.AsError(err).Text, "No robots") {
					t.Errorf("%v: %v", core.KindOf(err), err)
				}
			})
		})
	}
}

// A mode that the network does not have is not taken away: ngIRCd has no +p.
func TestShowingARoomAgain(t *testing.T) {
	for modes, want := range map[string]string{"beI,k,l,imnpst": "MODE #chan -s-p", "beI,k,l,imMnOPQRstVz": "MODE #chan -s"} {
		script(t, quickConfig, core.Account{}, func(p *play) {
			p.join("#chan", "1")
			p.run()
			p.register("alice", "CHANMODES="+modes+" MODES=5")
			p.expect("JOIN #chan")
			p.let("#chan")
			next[*core.RoomJoined](p)
			p.send(":irc.test 324 alice #chan +s")
			done := make(chan error, 1)
			go func() { done <- p.s.Configure(p.t.Context(), "#chan", core.Settings{}) }()
			p.expect(want)
			p.barrier(2)
			if err := <-done; err != nil {
				t.Error(err)
			}
		})
	}
}
