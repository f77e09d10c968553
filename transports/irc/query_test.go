package irc

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"gangway/core"
)

// answer is what came of a query.
type answer struct {
	text string
	err  error
}

// ask asks somebody's program something; the channel has what it answers, once.
func (p *play) ask(peer core.Address, q core.Query) <-chan answer {
	p.t.Helper()
	answers := make(chan answer, 2)
	err := p.s.Query(p.t.Context(), peer, q, func(text string, err error) { answers <- answer{text, err} })
	if err != nil {
		p.t.Fatalf("Query: %v", err)
	}
	return answers
}

// answered expects an answer, and only one.
func (p *play) answered(answers <-chan answer) answer {
	p.t.Helper()
	synctest.Wait()
	select {
	case a := <-answers:
		if len(answers) > 0 {
			p.t.Error("answered twice")
		}
		return a
	default:
		p.t.Fatal("no answer")
		return answer{}
	}
}

func TestQueries(t *testing.T) {
	script(t, quickConfig, core.Account{}, func(p *play) {
		p.run()
		p.register("alice")
		version := p.ask("bob", core.QueryVersion)
		p.expect("PRIVMSG bob \x01VERSION\x01")
		p.barrier(1)
		p.send(":carol!c@h NOTICE alice :\x01VERSION other\x01", ":Bob!b@h NOTICE #chan :\x01VERSION loud\x01", ":Bob!b@h NOTICE alice :\x01TIME now\x01",
			":Bob!b@h NOTICE alice :\x01VERSION \x02mIRC\x02 v7\x01", ":Bob!b@h NOTICE alice :\x01VERSION again\x01")
		if a := p.answered(version); a.text != "*mIRC* v7" || a.err != nil {
			t.Errorf("version: %+v", a)
		}
		clock := p.ask("bob", core.QueryTime)
		p.expect("PRIVMSG bob \x01TIME\x01")
		p.barrier(2)
		p.send(":bob!b@h NOTICE alice :\x01TIME " + strings.Repeat("x", 430))
		if a := p.answered(clock); len(a.text) != maxReply || a.err != nil {
			t.Errorf("time: %d bytes, %v", len(a.text), a.err)
		}
		ping := p.ask("bob", core.QueryPing)
		_, token, ok := strings.Cut(p.line(), "PRIVMSG bob :\x01PING ")
		if !ok {
			t.Fatal("no PING")
		}
		p.barrier(3)
		p.send(":bob!b@h NOTICE alice :\x01PING 12345\x01", ":bob!b@h NOTICE alice :\x01PING "+token)
		if a := p.answered(ping); a != (answer{}) {
			t.Errorf("ping: %+v", a)
		}
		p.noEvent()
	})
}

// Whoever asks hears that nobody is there, that nobody answers, or that the connection is gone.
func TestUnansweredQueries(t *testing.T) {
	script(t, quickConfig, core.Account{}, func(p *play) {
		if err := p.s.Query(t.Context(), "bob", core.QueryPing, nil); core.KindOf(err) != core.Unavailable {
			t.Errorf("before there is a connection: %v", err)
		}
		p.run()
		p.register("alice")
		for _, peer := range []core.Address{"#chan", "", "a b"} {
			if err := p.s.Query(t.Context(), peer, core.QueryPing, nil); core.KindOf(err) != core.Invalid {
				t.Errorf("%q: %v", peer, err)
			}
		}
		gone := p.ask("ghost", core.QueryVersion)
		p.expect("PRIVMSG ghost \x01VERSION\x01")
		p.send(":irc.test 401 alice ghost :No such nick/channel")
		p.barrier(1)
		if a := p.answered(gone); core.KindOf(a.err) != core.NotFound {
			t.Errorf("nobody: %+v", a)
		}
		silent := p.ask("bob", core.QueryVersion)
		p.expect("PRIVMSG bob \x01VERSION\x01")
		p.barrier(2)
		began := time.Now()
		time.Sleep(queryWithin)
		if a := p.answered(silent); core.KindOf(a.err) != core.Unavailable || time.Since(began) != queryWithin {
			t.Errorf("no answer: %+v after %v", a, time.Since(began))
		}
		p.send(":bob!b@h NOTICE alice :\x01VERSION late\x01")
		lost := p.ask("bob", core.QueryVersion)
		p.expect("PRIVMSG bob \x01VERSION\x01")
		p.conn.Close()
		p.end()
		if a := p.answered(lost); core.KindOf(a.err) != core.Unavailable {
			t.Errorf("lost: %+v", a)
		}
	})
}

// Where the network shows us what we say, our own question is no question to us.
func TestQueryEchoed(t *testing.T) {
	inRich(t, "", "", func(p *play) {
		version := p.ask("bob", core.QueryVersion)
		line := p.line()
		label, text, _ := strings.Cut(line, " ")
		p.send(label+" :alice!al@host.test "+text, ":bob!b@h NOTICE alice :\x01VERSION x\x01")
		if a := p.answered(version); a.text != "x" {
			t.Errorf("%+v", a)
		}
		if n := len(p.s.link.asked); n != 0 {
			t.Errorf("%d requests wait", n)
		}
	})
}

func TestQueriesAreBounded(t *testing.T) {
	script(t, quickConfig, core.Account{}, func(p *play) {
		p.run()
		p.register("alice")
		for range maxQueries {
			p.ask("bob", core.QueryVersion)
		}
		if err := p.s.Query(t.Context(), "bob", core.QueryVersion, nil); core.KindOf(err) != core.OverLimit {
			t.Errorf("one more: %v", err)
		}
		p.conn.Close()
		p.end()
	})
}

// Who asks for the user's program is told their client, the gateway or nothing, as the user wants it.
func TestVersionOfTheUser(t *testing.T) {
	script(t, quickConfig+`version = "Gangway 1"`, core.Account{}, func(p *play) {
		p.host.Client = core.Software{Name: "Conver\x01sations\r\nQUIT", Version: "2.1 " + strings.Repeat("x", 200), OS: "Android"}
		p.host.Chosen.Own = map[string]string{"version bob%irc.test": versionGateway, "version carol%irc.test": versionNothing}
		p.run()
		p.register("alice")
		p.send(":dave!d@h PRIVMSG alice :\x01VERSION\x01")
		line := p.line()
		if !strings.HasPrefix(line, "NOTICE dave :\x01VERSION Conversations") || !strings.Contains(line, " (through the Gangway 1 gateway) 2.1 xxx") ||
			!strings.HasSuffix(line, "x Android\x01") || len(line) > 300 {
			t.Errorf("told %q", line)
		}
		p.send(":bob!b@h PRIVMSG alice :\x01VERSION\x01")
		p.expect("NOTICE bob :\x01VERSION Gangway 1\x01")
		p.send(":carol!c@h PRIVMSG alice :\x01VERSION\x01", ":carol!c@h PRIVMSG alice :\x01CLIENTINFO\x01")
		p.expect("NOTICE carol :\x01CLIENTINFO ACTION CLIENTINFO PING TIME\x01")
		p.noEvent()
	})
}

func TestIntroduction(t *testing.T) {
	for _, c := range []struct {
		client core.Software
		want   string
	}{
		{core.Software{Name: "Gajim", Version: "1.9", OS: "Linux"}, "Gajim (through the Gangway gateway) 1.9 Linux"},
		{core.Software{Name: "Dino", OS: "Linux"}, "Dino (through the Gangway gateway) Linux"},
		{core.Software{Name: "x"}, "x (through the Gangway gateway)"},
	} {
		if got := introduction(c.client, "Gangway"); got != c.want {
			t.Errorf("%+v: %q", c.client, got)
		}
	}
}
