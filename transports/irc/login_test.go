package irc

import (
	"encoding/base64"
	"strings"
	"testing"

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

// TestSASLGoes has services go while they are asked, with a word of the network or without, and return.
func TestSASLGoes(t *testing.T) {
	for _, last := range []string{":irc.test CAP alice DEL :sasl", ""} {
		t.Run(last, func(t *testing.T) { saslGoes(t, last) })
	}
}

func saslGoes(t *testing.T, last string) {
	script(t, quickConfig, core.Account{Secret: []byte("pa55")}, func(p *play) {
		p.run()
		p.begin("cap-notify sasl=PLAIN")
		p.grant("cap-notify sasl")
		p.expect("AUTHENTICATE PLAIN")
		if last != "" {
			p.send(last)
		} else {
			p.expect("AUTHENTICATE *")
		}
		p.welcome1()
		if m := next[*core.Message](p); !strings.Contains(m.Text, "connected without") {
			t.Errorf("told %+v", m)
		}
		p.status()
		for range 2 { // and once more, when it is not needed to be in
			p.send(":irc.test CAP alice NEW :sasl=PLAIN")
			p.grant("sasl")
			p.expect("AUTHENTICATE PLAIN")
			p.send(":irc.test CAP alice DEL :sasl")
		}
		p.noEvent()
		if p.s.link.auth != nil || p.s.link.loggedIn {
			t.Errorf("a login is under way: %v", p.s.link.auth)
		}
	})
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
