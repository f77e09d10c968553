package irc

import (
	"encoding/base64"
	"strings"
	"testing"
	"time"

	"github.com/xdg-go/scram"

	"gangway/core"
)

// begin expects the first lines of a registration and offers capabilities.
func (p *play) begin(caps ...string) {
	p.t.Helper()
	p.accept()
	p.expect("CAP LS 302", "NICK alice", "USER alice 0 * alice")
	for i, some := range caps {
		more := "* "
		if i == len(caps)-1 {
			more = ""
		}
		p.send(":irc.test CAP * LS " + more + ":" + some)
	}
}

// grant expects one CAP REQ and acknowledges it.
func (p *play) grant(caps string) {
	p.t.Helper()
	colon := ""
	if strings.Contains(caps, " ") {
		colon = ":"
	}
	p.expect("CAP REQ " + colon + caps)
	p.send(":irc.test CAP alice ACK :" + caps)
}

// welcome lets the session in after CAP END.
func (p *play) welcome(support ...string) {
	p.t.Helper()
	p.expect("CAP END")
	p.send(":irc.test 001 alice :Welcome")
	p.finish("alice", support...)
}

func secretOf(t *testing.T, c credentials) core.Secret {
	t.Helper()
	secret, err := c.seal()
	if err != nil {
		t.Fatal(err)
	}
	return secret
}

func TestSCRAM(t *testing.T) {
	script(t, quickConfig, core.Account{Secret: []byte("pa55")}, func(p *play) {
		client, err := scram.SHA256.NewClient("alice", "pa55", "")
		if err != nil {
			t.Fatal(err)
		}
		stored, err := client.GetStoredCredentialsWithError(scram.KeyFactors{Salt: "salt", Iters: 4096})
		if err != nil {
			t.Fatal(err)
		}
		srv, err := scram.SHA256.NewServer(func(string) (scram.StoredCredentials, error) { return stored, nil })
		if err != nil {
			t.Fatal(err)
		}
		p.run()
		p.begin("sasl=PLAIN,SCRAM-SHA-256")
		p.grant("sasl")
		p.expect("AUTHENTICATE SCRAM-SHA-256")
		conversation := srv.NewConversation()
		challenge := "+"
		for range 2 {
			p.send("AUTHENTICATE " + challenge)
			text, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(p.line(), "AUTHENTICATE "))
			if err != nil {
				t.Fatal(err)
			}
			answer, err := conversation.Step(string(text))
			if err != nil {
				t.Fatal(err)
			}
			challenge = base64.StdEncoding.EncodeToString([]byte(answer))
		}
		p.send("AUTHENTICATE " + challenge)
		p.expect("AUTHENTICATE +")
		p.send(":irc.test 900 alice alice!a@b alice :You are now logged in", ":irc.test 903 alice :SASL authentication successful")
		p.welcome()
		if !conversation.Valid() || !p.s.link.loggedIn {
			t.Error("not logged in")
		}
	})
}

// TestSASLFallsBack tries what both sides have, the best first, and asks for no more than one try each.
func TestSASLFallsBack(t *testing.T) {
	script(t, quickConfig+"[network.\"irc.test\"]\n", core.Account{}, func(p *play) {
		var c credentials
		c.Password = "pa55"
		if err := c.certify("alice"); err != nil {
			t.Fatal(err)
		}
		p.s.secrets = c
		p.run()
		p.begin("sasl")
		p.grant("sasl")
		if got := p.dialled[0].tls.Certificates; len(got) != 1 {
			t.Errorf("the connection shows %d certificates", len(got))
		}
		p.expect("AUTHENTICATE EXTERNAL")
		p.send("AUTHENTICATE +")
		p.expect("AUTHENTICATE +")
		p.send(":irc.test 908 alice PLAIN,EXTERNAL :are available SASL mechanisms", ":irc.test 904 alice :SASL authentication failed")
		p.expect("AUTHENTICATE PLAIN")
		p.send("AUTHENTICATE +")
		p.expect("AUTHENTICATE AGFsaWNlAHBhNTU=")
		p.send(":irc.test 903 alice :ok")
		p.welcome()
	})
}

func TestUnlogged(t *testing.T) {
	for name, c := range map[string]struct {
		unlogged string
		offered  bool
		kind     core.Kind
		stays    bool
	}{
		"refused":               {"", true, core.Denied, false},
		"refused, stop":         {unloggedStop, true, core.Denied, false},
		"refused, continue":     {unloggedContinue, true, 0, true},
		"not offered":           {"", false, 0, true},
		"not offered, stop":     {unloggedStop, false, core.Unavailable, false},
		"not offered, continue": {unloggedContinue, false, 0, true},
	} {
		t.Run(name, func(t *testing.T) {
			account := core.Account{Secret: []byte("x"), Options: map[string]string{optionUnlogged: c.unlogged}}
			script(t, quickConfig, account, func(p *play) {
				p.run()
				if c.offered {
					p.begin("sasl=PLAIN")
					p.grant("sasl")
					p.expect("AUTHENTICATE PLAIN")
					p.send(":irc.test 904 alice :no such account")
				} else {
					p.begin("")
				}
				if !c.offered || c.stays {
					p.expect("CAP END")
					p.send(":irc.test 001 alice :Welcome", ":irc.test 422 alice :No MOTD")
				}
				if !c.stays {
					p.expect("QUIT")
					p.conn.Close()
					if err := p.end(); core.KindOf(err) != c.kind || core.AsError(err).Text == "" {
						t.Errorf("Run = %v", err)
					}
					return
				}
				if m := next[*core.Message](p); !m.Notice || m.Peer != "" || !strings.Contains(m.Text, "connected without") {
					t.Errorf("told %+v", m)
				}
				p.status()
			})
		})
	}
}

// TestSASLComesBack has services return while connected (cap-notify).
func TestSASLComesBack(t *testing.T) {
	for _, numeric := range []string{"903", "904"} {
		script(t, quickConfig, core.Account{Secret: []byte("pa55")}, func(p *play) {
			p.run()
			p.begin("cap-notify")
			p.grant("cap-notify")
			p.welcome1()
			if m := next[*core.Message](p); !strings.Contains(m.Text, "without") {
				t.Errorf("told %+v", m)
			}
			p.status()
			p.send(":irc.test CAP alice NEW :sasl=PLAIN batch")
			p.grant("sasl batch")
			p.expect("AUTHENTICATE PLAIN")
			p.send("AUTHENTICATE +")
			p.expect("AUTHENTICATE AGFsaWNlAHBhNTU=")
			p.send(":irc.test " + numeric + " alice :SASL")
			if numeric == "904" {
				if m := next[*core.Message](p); !strings.Contains(m.Text, "not logged in") {
					t.Errorf("told %+v", m)
				}
			}
			p.noEvent()
			if got := p.s.link.loggedIn; got != (numeric == "903") {
				t.Errorf("%s: logged in %v", numeric, got)
			}
			p.send(":irc.test CAP alice DEL :sasl batch")
			p.noEvent()
			if p.s.link.caps&(capSASL|capBatch) != 0 {
				t.Errorf("still has %v", p.s.link.caps)
			}
		})
	}
}

func (p *play) welcome1() {
	p.t.Helper()
	p.expect("CAP END")
	p.send(":irc.test 001 alice :Welcome", ":irc.test 422 alice :No MOTD")
}

// TestNAKedTogether gets alone what it did not get together.
func TestNAKedTogether(t *testing.T) {
	script(t, quickConfig, core.Account{}, func(p *play) {
		p.run()
		p.begin("batch", "echo-message unknown", "away-notify")
		p.expect("CAP REQ :batch echo-message away-notify")
		p.send(":irc.test CAP alice NAK :batch echo-message away-notify")
		p.grant("batch")
		p.expect("CAP REQ echo-message")
		p.send(":irc.test CAP alice NAK :echo-message")
		p.grant("away-notify")
		p.welcome()
		if got := p.s.link.caps.String(); got != "batch away-notify" {
			t.Errorf("has %q", got)
		}
	})
}

func TestServerPasswordAndCommands(t *testing.T) {
	account := core.Account{Secret: secretOf(t, credentials{Server: "own pass", Commands: []string{"MODE alice +x", "/privmsg NickServ :identify s3cret"}})}
	script(t, quickConfig+"[network.\"irc.test\"]\npassword = \"everybody's\"", account, func(p *play) {
		p.join("#chan", "1")
		p.run()
		p.accept()
		p.expect("CAP LS 302", "PASS :own pass", "NICK alice", "USER alice 0 * alice")
		p.send(":irc.test 001 alice :Welcome")
		p.finish("alice")
		p.expect("MODE alice +x", "PRIVMSG NickServ :identify s3cret", "JOIN #chan")
	})
}

func TestAlternates(t *testing.T) {
	script(t, quickConfig, core.Account{Options: map[string]string{optionAlternates: "al al2"}}, func(p *play) {
		p.run()
		p.begin()
		for _, refused := range []struct{ nick, numeric, next string }{
			{"alice", "433", "al"}, {"al", "437", "al2"}, {"al2", "432", "alice"}, {"alice", "433", "alice__"},
		} {
			p.send(":irc.test " + refused.numeric + " * " + refused.nick + " :No")
			p.expect("NICK " + refused.next)
		}
	})
}

// TestKeepNick takes the wanted nick back when it is free: as MONITOR says it, or found out by ISON.
func TestKeepNick(t *testing.T) {
	for _, support := range []string{"MONITOR=100", "CHANTYPES=#"} {
		script(t, quickConfig+"ping_every = \"1h\"\n", core.Account{}, func(p *play) {
			p.join("#chan", "1")
			p.run()
			p.begin()
			p.send(":irc.test 433 * alice :In use")
			p.expect("NICK alice_")
			p.send(":irc.test 001 alice_ :Welcome")
			p.finish("alice_", support)
			p.expect("JOIN #chan")
			if support == "MONITOR=100" {
				p.expect("MONITOR + alice")
			}
			p.send(":alice_!al@h JOIN #chan", ":irc.test 353 alice_ = #chan :alice_", ":irc.test 366 alice_ #chan :End")
			p.expect("WHO #chan")
			p.barrier(1)
			began := time.Now()
			if support == "MONITOR=100" {
				p.send(":irc.test 730 alice_ :alice!x@y")
				p.silent(time.Second)
				p.send(":irc.test 731 alice_ :alice")
			} else {
				p.expect("ISON alice")
				p.send(":irc.test 303 alice_ :Alice")
				p.expect("ISON alice")
				if d := time.Since(began); d != 2*keepEvery {
					t.Errorf("asked after %v", d)
				}
				p.send(":irc.test 303 alice_ :")
			}
			p.expect("NICK alice")
			p.send(":alice_!al@h NICK alice")
			p.silent(10 * time.Second)
		})
	}
}

// TestSTS is told in plain to use TLS, does so, and never goes back.
func TestSTS(t *testing.T) {
	config := quickConfig + "[network.\"irc.test\"]\naddress = \"irc://irc.test:6667\"\n"
	script(t, config, core.Account{}, func(p *play) {
		p.join("#chan", "1")
		p.run()
		p.begin("sts=port=6697 echo-message")
		p.expect("QUIT")
		p.conn.Close()
		p.begin("sts=duration=1000,port=9 echo-message") // the port says nothing in TLS
		p.grant("echo-message")
		p.welcome()
		p.expect("JOIN #chan")
		p.let("#chan")
		next[*core.RoomJoined](p)
		if n := p.dialled[0]; n.tls != nil || n.address != "irc.test:6667" {
			t.Errorf("first went to %s with %v", n.address, n.tls)
		}
		if n := p.dialled[1]; n.tls == nil || n.tls.ServerName != "irc.test" || n.address != "irc.test:6697" || n.tls.InsecureSkipVerify {
			t.Errorf("then went to %s with %v", n.address, n.tls)
		}
		p.noEvent() // nobody hears of it
		p.conn.Close()
		p.end()
		for range p.host.Events()[p.seen:] {
			p.seen++
		}
		if kept, err := p.host.Notes().Get(t.Context(), stsKey("irc.test")); err != nil || string(kept) != "6697" {
			t.Errorf("kept %q, %v", kept, err)
		}
		p.run()
		p.begin("sts=duration=0")
		p.welcome()
		p.expect("JOIN #chan")
		if n := p.dialled[2]; n.tls == nil || n.address != "irc.test:6697" {
			t.Errorf("the next time went to %s with %v", n.address, n.tls)
		}
		p.conn.Close()
		p.end()
		if _, err := p.host.Notes().Get(t.Context(), stsKey("irc.test")); core.KindOf(err) != core.NotFound {
			t.Errorf("a policy that ended is kept: %v", err)
		}
	})
}

// TestSTSWithoutPort is no policy where it is read in plain, and one that lasts no time is none in TLS.
func TestSTSWithoutPort(t *testing.T) {
	for _, value := range []string{"sts", "sts=duration=1000", "sts=port=0", "sts=port=99999999"} {
		script(t, quickConfig+"[network.\"irc.test\"]\naddress = \"irc://irc.test:6667\"\n", core.Account{}, func(p *play) {
			p.run()
			p.begin(value)
			p.expect("CAP END")
		})
	}
}

// TestSTSUpgradeFails ends the try: plain is no way out.
func TestSTSUpgradeFails(t *testing.T) {
	script(t, quickConfig+"[network.\"irc.test\"]\naddress = \"irc://irc.test:6667\"\n", core.Account{}, func(p *play) {
		p.run()
		p.begin("sts=port=6697")
		p.expect("QUIT")
		p.conn.Close()
		p.accept()
		p.expect("CAP LS 302", "NICK alice", "USER alice 0 * alice")
		p.conn.Close()
		if err := p.end(); core.KindOf(err) != core.Unavailable || upgradeOf(err) != "" {
			t.Errorf("Run = %v", err)
		}
		if len(p.dialled) != 2 {
			t.Errorf("dialled %d times", len(p.dialled))
		}
	})
}

// TestContactsAreWatched shows when those come and go whom the user has written to.
func TestContactsAreWatched(t *testing.T) {
	script(t, quickConfig+"ping_every = \"1h\"\n", core.Account{}, func(p *play) {
		p.run()
		p.begin("echo-message away-notify")
		p.grant("echo-message away-notify")
		p.welcome("MONITOR=2")
		for _, peer := range []core.Address{"bob", "carol", "dave"} {
			p.say(peer, "hi")
			p.expect("MONITOR + "+string(peer), "PRIVMSG "+string(peer)+" hi")
			p.send(":alice!a@b PRIVMSG " + string(peer) + " hi")
			next[*core.Receipt](p)
		}
		p.send(":irc.test 730 alice :Bob!b@b.test,eve", ":irc.test 731 alice :carol", ":bob!b@c AWAY :lunch", ":bob!b@c AWAY")
		for _, want := range []core.Presence{
			{Ref: core.Ref{Account: "a1", Peer: "bob"}}, {Ref: core.Ref{Account: "a1", Peer: "carol"}, Show: core.Offline},
			{Ref: core.Ref{Account: "a1", Peer: "bob"}, Show: core.Away, Text: "lunch"}, {Ref: core.Ref{Account: "a1", Peer: "bob"}},
		} {
			if got := next[*core.Presence](p); *got != want {
				t.Errorf("got %+v, want %+v", got, want)
			}
		}
		p.noEvent()
		p.join("#chan", "1")
		p.expect("JOIN #chan")
		p.let("#chan")
		p.conn.Close()
		p.end()
		p.seen = len(p.host.Events())
		p.run()
		p.begin()
		p.send(":irc.test 421 * CAP :Unknown command", ":irc.test 001 alice :Welcome")
		p.finish("alice", "MONITOR=2")
		p.expect("MONITOR + carol,dave", "JOIN #chan")
	})
}

// TestBouncerNetwork finds a bouncer's network by its name, and binds to it before anything else is done.
func TestBouncerNetwork(t *testing.T) {
	caps := "batch soju.im/bouncer-networks"
	networks := func(p *play) {
		p.send(":irc.test BATCH +n soju.im/bouncer-networks", "@batch=n :irc.test BOUNCER NETWORK 41 name=OFTC;state=connected",
			"@batch=n :irc.test BOUNCER NETWORK 42 name=Libera\\sChat;state=connected", ":irc.test BATCH -n")
	}
	script(t, quickConfig, core.Account{Options: map[string]string{optionBouncer: "libera chat"}}, func(p *play) {
		p.join("#chan", "1")
		p.run()
		p.begin(caps)
		p.grant(caps)
		p.welcome1()
		p.expect("BOUNCER LISTNETWORKS")
		networks(p)
		p.expect("QUIT")
		p.conn.Close()
		p.begin(caps)
		p.grant(caps)
		p.expect("BOUNCER BIND 42", "CAP END")
		p.send(":irc.test 001 alice :Welcome", ":irc.test 422 alice :No MOTD")
		p.expect("JOIN #chan")
		p.status()
		p.noEvent()
	})
	script(t, quickConfig, core.Account{Options: map[string]string{optionBouncer: "undernet"}}, func(p *play) {
		p.run()
		p.begin(caps)
		p.grant(caps)
		p.welcome1()
		p.expect("BOUNCER LISTNETWORKS")
		networks(p)
		p.expect("QUIT")
		p.conn.Close()
		if err := p.end(); core.KindOf(err) != core.Denied || !strings.Contains(core.AsError(err).Text, "OFTC, Libera Chat") {
			t.Errorf("Run = %v", err)
		}
	})
	script(t, quickConfig, core.Account{}, func(p *play) {
		p.run()
		p.begin(caps)
		p.grant(caps)
		p.welcome()
		p.expect("BOUNCER LISTNETWORKS")
		networks(p)
		if m := next[*core.Message](p); !m.Notice || !strings.Contains(m.Text, "OFTC, Libera Chat") {
			t.Errorf("told %+v", m)
		}
	})
}
