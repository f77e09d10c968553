//go:build integration

package integration

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"gangway/integration/client"
	"gangway/integration/ircclient"
	"gangway/integration/servers"
	"gangway/integration/servers/serverstest"
	"gangway/integration/world"
)

const (
	logins = "sasl.test"     // an InspIRCd with Atheme: SASL
	older  = "services.test" // an ngIRCd with Atheme: NickServ only
	closed = "pass.test"     // an ngIRCd with a password
)

// accounts is a stage beside networks whose services keep accounts.
type accounts struct {
	*stage
	net      *servers.Inspircd
	services *servers.Atheme
	older    *servers.Ngircd
	channel  string // of the subtest
	room     string
	dave     *ircclient.Client // in it, with what IRCv3 tells of accounts
}

// TestIRCAccounts has people make accounts with the services of real networks, and the gateway log in to them.
func TestIRCAccounts(t *testing.T) {
	t.Parallel()
	a := startAccounts(t)
	for _, sc := range []struct {
		name string
		play func(*accounts)
	}{
		{"no services yet", noServices}, // it starts them
		{"made through the gateway", madeThroughTheGateway},
		{"the wrong password", theWrongPassword},
		{"a certificate", aCertificate},
		{"services without SASL", withoutSASL},
		{"the password of a server", serverPassword},
	} {
		t.Run(sc.name, func(t *testing.T) {
			n := a.people.Load()
			sub := *a
			sub.stage = &stage{T: t, World: a.World, ctx: a.ctx, people: a.people}
			sub.channel = fmt.Sprintf("#accounts%d", n)
			sub.room = sub.channel + "%" + logins + "@" + world.IRC
			sub.dave = sub.irc(fmt.Sprintf("dave%d", n), "extended-join", "account-notify")
			if err := sub.dave.Join(a.ctx, sub.channel); err != nil {
				t.Fatal(err)
			}
			sc.play(&sub)
		})
	}
}

func startAccounts(t *testing.T) *accounts {
	t.Helper()
	a := &accounts{}
	a.net = serverstest.Start(t, servers.NewInspircd, servers.IRCConfig{
		Dir: serverstest.Dir(t), Name: logins, Unlimited: true, Services: true,
	})
	a.older = serverstest.Start(t, servers.NewNgircd, servers.IRCConfig{
		Dir: serverstest.Dir(t), Name: older, Unlimited: true, Services: true,
	})
	locked := serverstest.Start(t, servers.NewNgircd, servers.IRCConfig{Dir: serverstest.Dir(t), Name: closed, Password: "open"})
	services, err := servers.NewAtheme(servers.ServicesConfig{Dir: serverstest.Dir(t), Uplink: a.net})
	if err != nil {
		t.Fatal(err)
	}
	a.services = services
	t.Cleanup(func() {
		if err := services.Stop(); err != nil {
			t.Error(err)
		}
	})
	serverstest.Start(t, servers.NewAtheme, servers.ServicesConfig{Dir: serverstest.Dir(t), Uplink: a.older})
	ca, err := a.net.CAFile()
	if err != nil {
		t.Fatal(err)
	}
	w, ctx := start(t, world.Options{Extra: fmt.Sprintf(`
[transport.irc.network.%q]
address = "ircs://%s"
ca = %q
[transport.irc.network.%q]
address = "irc://%s"
[transport.irc.network.%q]
address = "irc://%s"
`, logins, a.net.TLSAddr(), ca, older, a.older.Addr(), closed, locked.Addr())})
	a.stage = newStage(ctx, t, w, world.Usual)
	return a
}

// irc is somebody on IRC.
func (a *accounts) irc(nick string, caps ...string) *ircclient.Client {
	a.Helper()
	c, err := ircclient.Dial(a.ctx, a.net.Addr(), ircclient.Config{Nick: nick, Caps: caps})
	if err != nil {
		a.Fatal(err)
	}
	a.Cleanup(func() { c.Close() })
	return c
}

// nickServ has somebody on IRC ask NickServ for something.
func (a *accounts) nickServ(c *ircclient.Client, command, answer string) {
	a.Helper()
	if err := c.Privmsg("NickServ", command); err != nil {
		a.Fatal(err)
	}
	a.heard(c, answer, func(l ircclient.Line) bool { return l.Nick() == "NickServ" && strings.Contains(l.Last(), answer) })
}

func (a *accounts) heard(c *ircclient.Client, what string, match func(ircclient.Line) bool) {
	a.Helper()
	ctx, cancel := context.WithTimeout(a.ctx, 30*time.Second)
	defer cancel()
	if _, err := c.Wait(ctx, match); err != nil {
		a.Fatalf("%s: %v: %v", what, err, c.Log())
	}
}

// joins is the line by which IRC learns that somebody enters, logged in or not ("*").
func (a *accounts) joins(nick, account string) func(ircclient.Line) bool {
	return func(l ircclient.Line) bool {
		return l.Command == "JOIN" && l.Nick() == nick && l.Param(0) == a.channel && l.Param(1) == account
	}
}

// enrol tells the gateway what a person wants on a network, and returns what it says to that. What stands after "more" is
// for the second form.
func (a *accounts) enrol(p *person, network string, fields ...string) string {
	a.Helper()
	all := append([]string{"network", network, "nick", p.name}, fields...)
	more := slices.Index(all, "more")
	if more < 0 {
		return p.command(world.IRC, nsRegister, append(all, "more", "false"))
	}
	return p.command(world.IRC, nsRegister, append(slices.Clone(all[:more]), "more", "true"), all[more+1:])
}

// hat waits until the room shows somebody with the account; empty: with none.
func (a *accounts) hat(p *person, nick, account string) {
	a.Helper()
	p.wait(nick+"'s account, "+account, func(st *client.Stanza) bool {
		if st.Kind() != "presence" || st.Type() != "" || st.From() != a.room+"/"+nick {
			return false
		}
		hats := st.Child("urn:xmpp:hats:0", "hats")
		if account == "" {
			return hats == nil
		}
		return hats != nil && strings.Contains(st.Raw, "logged in as "+account)
	})
}

// madeThroughTheGateway: the account is made by talking to NickServ, then logged in to (PLAIN) before the room is
// entered; others' accounts show as they log in and out.
func madeThroughTheGateway(a *accounts) {
	p := a.newPerson()
	p.enter(a.room, p.name)
	a.heard(a.dave, "somebody without an account", a.joins(p.name, "*"))
	nickServ := "nickserv%" + logins + "@" + world.IRC
	p.say(nickServ, "REGISTER sesame "+p.name+"@example.test")
	p.wait("NickServ's answer", func(st *client.Stanza) bool {
		return client.Bare(st.From()) == nickServ && strings.Contains(st.Body(), "is now registered")
	})
	a.heard(a.dave, "the account", func(l ircclient.Line) bool {
		return l.Command == "ACCOUNT" && l.Nick() == p.name && l.Param(0) == p.name
	})
	a.hat(p, p.name, p.name)
	a.enrol(p, logins, "password", "sesame")
	p.enter(a.room, p.name)
	a.heard(a.dave, "somebody with an account from the start", a.joins(p.name, p.name))

	a.nickServ(a.dave, "REGISTER swordfish dave@example.test", "is now registered")
	a.hat(p, a.dave.Nick(), a.dave.Nick())
	a.nickServ(a.dave, "LOGOUT", "You have been logged out")
	a.hat(p, a.dave.Nick(), "")
	a.nickServ(a.dave, "IDENTIFY "+p.name+" sesame", "You are now identified")
	a.hat(p, a.dave.Nick(), p.name)
}

// theWrongPassword: nobody is on IRC under a name that is not logged in, unless that is the user's wish.
func theWrongPassword(a *accounts) {
	account := a.dave.Nick()
	a.nickServ(a.dave, "REGISTER swordfish dave@example.test", "is now registered")
	p := a.newPerson()
	a.enrol(p, logins, "login", account, "password", "sardine")
	_, err := p.Join(a.ctx, a.room, p.name)
	if !client.IsCondition(err, "not-authorized") || !strings.Contains(err.Error(), "does not accept your account's name and password. SASL authentication failed") {
		a.Errorf("a wrong password: %v\n%s", err, journal(p.Client))
	}
	if err := a.dave.Send("ISON " + p.name); err != nil {
		a.Fatal(err)
	}
	a.heard(a.dave, "nobody", func(l ircclient.Line) bool { return l.Command == "303" && strings.TrimSpace(l.Last()) == "" })

	a.enrol(p, logins, "login", account, "password", "sardine", "more", "unlogged", "continue")
	p.enter(a.room, p.name)
	p.wait("the word that nobody is logged in", func(st *client.Stanza) bool {
		return client.Bare(st.From()) == logins+"@"+world.IRC && strings.Contains(st.Body(), "You are connected without.")
	})
	a.heard(a.dave, "somebody without an account", a.joins(p.name, "*"))

	a.enrol(p, logins, "login", account, "password", "swordfish", "more", "unlogged", "")
	p.enter(a.room, p.name)
	a.heard(a.dave, "somebody with the account", a.joins(p.name, account))
}

// aCertificate is made by the gateway, added to the account, and logged in with (EXTERNAL), without any password.
func aCertificate(a *accounts) {
	account := a.dave.Nick()
	a.nickServ(a.dave, "REGISTER swordfish dave@example.test", "is now registered")
	p := a.newPerson()
	said := a.enrol(p, logins, "login", account, "more", "certificate", "true")
	fingerprint := regexp.MustCompile(`[0-9a-f]{64}`).FindString(said)
	if fingerprint == "" {
		a.Fatalf("no fingerprint: %q", said)
	}
	if _, err := p.Join(a.ctx, a.room, p.name); !client.IsCondition(err, "not-authorized") {
		a.Errorf("a certificate that nobody knows: %v", err)
	}
	a.nickServ(a.dave, "CERT ADD "+fingerprint, "Added fingerprint")
	a.enrol(p, logins, "login", account, "more", "certificate", "true")
	p.enter(a.room, p.name)
	a.heard(a.dave, "somebody with the account", a.joins(p.name, account))
}

// noServices: the connection is made without the login. The next one, when the services are there, logs in with the
// password that the gateway has kept.
func noServices(a *accounts) {
	account := a.dave.Nick()
	p := a.newPerson()
	a.enrol(p, logins, "login", account, "password", "swordfish")
	p.enter(a.room, p.name)
	p.wait("the word that nobody is logged in", func(st *client.Stanza) bool {
		return client.Bare(st.From()) == logins+"@"+world.IRC && strings.Contains(st.Body(), "You are connected without.")
	})
	a.heard(a.dave, "somebody without an account", a.joins(p.name, "*"))
	if err := a.services.Start(a.ctx); err != nil {
		a.Fatal(err)
	}
	a.nickServ(a.dave, "REGISTER swordfish dave@example.test", "is now registered")
	a.enrol(p, logins, "login", account)
	p.enter(a.room, p.name)
	a.heard(a.dave, "somebody with the account", a.joins(p.name, account))
}

// withoutSASL: what the user has written when connected identifies them.
func withoutSASL(a *accounts) {
	made, err := ircclient.Dial(a.ctx, a.older.Addr(), ircclient.Config{Nick: "made"})
	if err != nil {
		a.Fatal(err)
	}
	a.Cleanup(func() { made.Close() })
	a.nickServ(made, "REGISTER sesame made@example.test", "is now registered")
	p := a.newPerson()
	a.enrol(p, older, "more", "commands", "PRIVMSG NickServ :IDENTIFY made sesame")
	p.enter("#older%"+older+"@"+world.IRC, p.name)
	p.wait("NickServ's answer", func(st *client.Stanza) bool {
		return client.Bare(st.From()) == "nickserv%"+older+"@"+world.IRC && strings.Contains(st.Body(), "You are now identified for")
	})
}

// serverPassword: a server lets nobody in without its password.
func serverPassword(a *accounts) {
	p := a.newPerson()
	room := "#inside%" + closed + "@" + world.IRC
	a.enrol(p, closed, "more", "server_password", "shut")
	if _, err := p.Join(a.ctx, room, p.name); !client.IsCondition(err, "not-authorized") {
		a.Errorf("a wrong password: %v\n%s", err, journal(p.Client))
	}
	a.enrol(p, closed, "more", "server_password", "open")
	p.enter(room, p.name)
}
