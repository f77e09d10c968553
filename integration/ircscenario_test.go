//go:build integration

package integration

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"gangway/core/xmpp/xmpptest"
	"gangway/integration/ircclient"
	"gangway/integration/servers"
	"gangway/integration/servers/serverstest"
)

// The kinds of IRC servers; KIND.test is the network of each, and KIND.gw a domain that serves this network only.
const (
	ngircd   = "ngircd"   // RFC 2812 with the prefixes ~&@%+, nearly without IRCv3
	inspircd = "inspircd" // ~&@%+ and IRCv3
	hybrid   = "hybrid"   // @%+ and some of IRCv3
)

// ircPlayers is how many scenarios are played at once. t.Parallel would have one for each processor, though nearly all of
// them wait for a server, and InspIRCd lets nobody in at once.
const ircPlayers = 5

// ircPatience is for whatever must come; it ends only tests that fail.
const ircPatience = 60 * time.Second

const (
	inMUC     = "<x xmlns='http://jabber.org/protocol/muc'/>"
	mucUser   = "xmlns='http://jabber.org/protocol/muc#user'"
	mucAdmin  = "xmlns='http://jabber.org/protocol/muc#admin'"
	mucOwner  = "xmlns='http://jabber.org/protocol/muc#owner'"
	stanzaErr = "xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'"
)

// ircScenario is written once, with the expectations of xmpptest, and played on every kind of server that it is for.
type ircScenario struct {
	name string
	on   []string // all, if empty
	play func(*ircStage)
}

// TestIRCScenarios plays what the gateway does between XMPP and IRC: xmpptest is the host server, the gateway is the
// program, and the networks are real servers, which all scenarios share. Each has users, nicks and a channel of its own.
func TestIRCScenarios(t *testing.T) {
	t.Parallel()
	h := openIRCHouse(t)
	all := make(chan ircScenario)
	var players sync.WaitGroup
	for range ircPlayers {
		players.Go(func() {
			for sc := range all {
				t.Run(sc.name, func(t *testing.T) { h.play(t, sc) })
			}
		})
	}
	for _, sc := range slices.Concat(ircRoomScenarios(), ircMessageScenarios(), ircSettingScenarios()) {
		all <- sc
	}
	close(all)
	players.Wait()
}

// play plays a scenario on each server that it is for.
func (h *ircHouse) play(t *testing.T, sc ircScenario) {
	t.Helper()
	kinds := sc.on
	if len(kinds) == 0 {
		kinds = []string{ngircd, inspircd, hybrid}
	}
	for _, kind := range kinds {
		t.Run(kind, func(t *testing.T) { sc.play(h.stage(t, kind)) })
	}
}

// ircHouse is what the scenarios share.
type ircHouse struct {
	xmpp   *xmpptest.Server
	irc    map[string]servers.IRCServer // by kind
	people atomic.Int32                 // the scenarios that were begun: a number of each one's own
	log    string                       // of the program
	links  map[string]string            // where other servers of a kind can link with it: a port
	spares chan *ircclient.Client       // people on InspIRCd, which takes up to a second to let somebody in
}

// openIRCHouse starts the servers and the program.
func openIRCHouse(t *testing.T) *ircHouse {
	t.Helper()
	dir := serverstest.Dir(t)
	h := &ircHouse{xmpp: xmpptest.New(t), irc: map[string]servers.IRCServer{}, links: map[string]string{}}
	h.xmpp.Patience = ircPatience
	conf := func(kind string) servers.IRCConfig {
		return servers.IRCConfig{Dir: filepath.Join(dir, kind), Name: kind + ".test", Unlimited: true, Extra: h.linking(t, kind)}
	}
	var err [3]error
	h.irc[ngircd], err[0] = servers.NewNgircd(conf(ngircd))
	h.irc[inspircd], err[1] = servers.NewInspircd(conf(inspircd))
	h.irc[hybrid], err[2] = servers.NewHybrid(conf(hybrid))
	for _, err := range err {
		if err != nil {
			t.Fatal(err)
		}
	}
	var starting sync.WaitGroup
	for _, s := range h.irc {
		t.Cleanup(func() {
			if err := s.Stop(); err != nil {
				t.Error(err)
			}
		})
		starting.Go(func() {
			if err := s.Start(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
	starting.Wait()
	if t.Failed() {
		t.FailNow()
	}
	h.run(t, dir)
	h.invite(t, 2*len(ircRoomScenarios())+2*len(ircMessageScenarios())+2*len(ircSettingScenarios()))
	return h
}

// invite connects people in advance.
func (h *ircHouse) invite(t *testing.T, n int) {
	t.Helper()
	h.spares = make(chan *ircclient.Client, n)
	var connecting sync.WaitGroup
	for i := range n {
		connecting.Go(func() {
			c, err := ircclient.Dial(t.Context(), h.irc[inspircd].Addr(), ircclient.Config{Nick: fmt.Sprintf("spare%d", i)})
			if err != nil {
				t.Error(err)
				return
			}
			h.spares <- c
		})
	}
	connecting.Wait()
	t.Cleanup(func() {
		close(h.spares)
		for c := range h.spares {
			c.Close()
		}
	})
}

// spare is somebody who is connected already, under their new nick; nil if there is nobody.
func (h *ircHouse) spare(ctx context.Context, kind, nick string) (*ircclient.Client, error) {
	if kind != inspircd {
		return nil, nil
	}
	select {
	case c := <-h.spares:
		if err := c.Send("NICK " + nick); err != nil {
			return nil, err
		}
		_, err := c.Wait(ctx, func(l ircclient.Line) bool { return l.Command == "NICK" && l.Last() == nick })
		return c, err
	default:
		return nil, nil
	}
}

// linking lets one more server into the network of a kind, leaf.KIND.test.
func (h *ircHouse) linking(t *testing.T, kind string) string {
	t.Helper()
	switch kind {
	case ngircd:
		return "[Server]\nName = leaf.ngircd.test\nMyPassword = x\nPeerPassword = x\n"
	case inspircd:
		addr, err := servers.FreeAddr()
		if err != nil {
			t.Fatal(err)
		}
		_, h.links[kind], err = net.SplitHostPort(addr)
		if err != nil {
			t.Fatal(err)
		}
		return inspircdLink("leaf.inspircd.test", h.links[kind]) + "<bind address=\"127.0.0.1\" port=\"" + h.links[kind] + "\" type=\"servers\">\n"
	}
	return ""
}

func inspircdLink(name, port string) string {
	return fmt.Sprintf("<module name=\"spanningtree\">\n"+
		"<link name=%q ipaddr=\"127.0.0.1\" port=%q allowmask=\"127.0.0.1\" sendpass=\"x\" recvpass=\"x\">\n", name, port)
}

// run starts the program, with a configuration as an administrator writes it.
func (h *ircHouse) run(t *testing.T, dir string) {
	t.Helper()
	web, err := servers.FreeAddr()
	if err != nil {
		t.Fatal(err)
	}
	closed, err := servers.FreeAddr()
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "[xmpp]\nserver = %q\ndomain = %q\n[store]\nurl = \"sqlite:%s/gangway.db\"\n[access]\nallow = [\"*@example.org\"]\n"+
		"[limits]\nmessages = 0\nregistrations = 0\ndomain_registrations = 0\n[web]\nlisten = %q\n[log]\nlevel = \"debug\"\n",
		h.xmpp.Addr(), xmpptest.Host, dir, web)
	network := func(transport, name, addr string) {
		fmt.Fprintf(&b, "[transport.%s.network.%q]\naddress = \"irc://%s\"\nflood_interval = \"0s\"\n", transport, name, addr)
	}
	domain := func(name, rest string) {
		fmt.Fprintf(&b, "[transport.%s]\ndriver = \"irc\"\ndomain = \"%[1]s.gw\"\nsecret = %q\n%s", name, xmpptest.Secret, rest)
	}
	domain("irc", "networks = [\"nowhere.invalid\"]\nraw_commands = true\n")
	network("irc", "closed.test", closed)
	for kind, s := range h.irc {
		network("irc", kind+".test", s.Addr())
		network("irc", "again."+kind+".test", s.Addr())
	}
	for kind, s := range h.irc {
		domain(kind, fmt.Sprintf("fixed_network = \"%s.test\"\n", kind))
		network(kind, kind+".test", s.Addr())
	}
	file := filepath.Join(dir, "gangway.toml")
	if err := os.WriteFile(file, []byte(b.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	gw := serverstest.Start(t, servers.NewGangway, servers.GangwayConfig{Dir: dir, Binary: binary, Config: file, Web: web})
	h.log = gw.Logs()[0]
}

// ircStage is where one scenario is played on one server. These names stand for what is this scenario's own:
//
//	$gw $server $chan $room      the domain, the network, its channel, the channel's JID
//	$alice $phone $desk $me      a user, two of their resources, their nick
//	$carl $carlphone $carlnick   another user
//	$bob ...                     the nick of whoever was made by person("bob")
type ircStage struct {
	*testing.T
	*xmpptest.View
	ctx  context.Context
	kind string
	irc  servers.IRCServer
	n    int32 // a number of this scenario's own
	h    *ircHouse
}

func (h *ircHouse) stage(t *testing.T, kind string) *ircStage {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 4*time.Minute)
	t.Cleanup(cancel)
	n := h.people.Add(1)
	alice, carl := fmt.Sprintf("alice%d@%s", n, xmpptest.Host), fmt.Sprintf("carl%d@%s", n, xmpptest.Host)
	s := &ircStage{T: t, View: h.xmpp.Share(t, alice, carl), ctx: ctx, kind: kind, irc: h.irc[kind], n: n, h: h}
	channel := fmt.Sprintf("#room%d", n)
	for name, value := range map[string]string{
		"gw": "irc.gw", "server": kind + ".test", "chan": channel, "room": channel + "%" + kind + ".test@irc.gw",
		"alice": alice, "phone": alice + "/phone", "desk": alice + "/desk", "me": fmt.Sprintf("al%d", n),
		"carl": carl, "carlphone": carl + "/phone", "carlnick": fmt.Sprintf("carl%d", n),
	} {
		s.Set(name, value)
	}
	s.Ignore("<message type='chat' from='" + kind + ".test@irc.gw*'/>") // what the server says besides
	s.Ignore("<presence from='irc.gw'/>")                               // who is new is asked, and told what does not work
	t.Cleanup(func() {
		if t.Failed() {
			s.showLog()
		}
	})
	return s
}

// showLog shows what the program logged of this scenario's users.
func (s *ircStage) showLog() {
	text, err := os.ReadFile(s.h.log)
	if err != nil {
		return
	}
	for line := range strings.Lines(string(text)) {
		if strings.Contains(line, fmt.Sprintf("%d@", s.n)) {
			s.Log(strings.TrimSpace(line))
		}
	}
}

// ircPerson is somebody on the network's own side.
type ircPerson struct {
	*ircclient.Client
	s *ircStage
}

// person connects somebody, whose nick is $NAME from then on, and has them enter channels.
func (s *ircStage) person(name string, channels ...string) *ircPerson {
	s.Helper()
	return s.personWith(name, ircclient.Config{}, channels...)
}

func (s *ircStage) personWith(name string, conf ircclient.Config, channels ...string) *ircPerson {
	s.Helper()
	if conf.Nick == "" {
		conf.Nick = fmt.Sprintf("%s%d", name, s.n)
	}
	var c *ircclient.Client
	var err error
	if conf.User == "" && conf.Pass == "" && conf.Caps == nil {
		c, err = s.h.spare(s.ctx, s.kind, conf.Nick)
	}
	if c == nil && err == nil {
		c, err = ircclient.Dial(s.ctx, s.irc.Addr(), conf)
	}
	if err != nil {
		s.Fatal(err)
	}
	s.Cleanup(func() { c.Close() })
	s.Set(name, conf.Nick)
	p := &ircPerson{c, s}
	p.write()
	for greeted := true; greeted; { // with notices that nobody asked for
		_, greeted = p.Take(ircclient.Command("NOTICE"))
	}
	for _, ch := range channels {
		if err := c.Join(s.ctx, s.Known(ch)); err != nil {
			s.Fatal(err)
		}
	}
	return p
}

// write sends lines, in which $names are replaced, and returns when the server has done what they say.
func (p *ircPerson) write(lines ...string) {
	p.s.Helper()
	for _, line := range lines {
		if err := p.Send(p.s.Known(line)); err != nil {
			p.s.Fatal(err)
		}
	}
	if err := p.Sync(p.s.ctx); err != nil {
		p.s.Fatal(err)
	}
}

// heard waits for a line that was not handed out before: its command, and then the parameters that are given, in which
// $names are replaced; "*" is any.
func (p *ircPerson) heard(command string, params ...string) ircclient.Line {
	p.s.Helper()
	ctx, cancel := context.WithTimeout(p.s.ctx, ircPatience)
	defer cancel()
	l, err := p.Wait(ctx, func(l ircclient.Line) bool { return p.matches(l, command, params) })
	if err != nil {
		p.s.Fatalf("%s did not hear %s %q: %v\n%v", p.Nick(), command, params, err, p.Log())
	}
	return l
}

// notHeard fails if such a line has come. It is asked after something that comes after whatever would cause the line.
func (p *ircPerson) notHeard(command string, params ...string) {
	p.s.Helper()
	if err := p.Sync(p.s.ctx); err != nil {
		p.s.Fatal(err)
	}
	if l, ok := p.Take(func(l ircclient.Line) bool { return p.matches(l, command, params) }); ok {
		p.s.Errorf("%s heard %s", p.Nick(), l)
	}
}

func (p *ircPerson) matches(l ircclient.Line, command string, params []string) bool {
	if l.Command != command || command == "JOIN" && l.Nick() == p.Nick() {
		return false
	}
	for i, want := range params {
		if want != "*" && !strings.EqualFold(l.Param(i), p.s.Known(want)) {
			return false
		}
	}
	return true
}

// join asks to enter the channel, as the user's usual nick, without what was said before.
func (s *ircStage) join(resource string) {
	s.Helper()
	s.Send("<presence from='" + resource + "' to='$room/$me'><x xmlns='http://jabber.org/protocol/muc'><history maxstanzas='0'/></x></presence>")
}

// enter has a resource enter the channel, in which are the others, by the names of their nicks.
func (s *ircStage) enter(resource string, others ...string) {
	s.Helper()
	s.join(resource)
	s.entered(resource, "$me", others...)
}

// entered expects what a resource sees that enters the channel: the others, itself, the subject.
func (s *ircStage) entered(resource, nick string, others ...string) {
	s.Helper()
	var all []string
	for _, other := range others {
		all = append(all, "<presence to='"+resource+"' from='$room/"+other+"' type='!'><x "+mucUser+"><item affiliation='*' role='*'/></x></presence>")
	}
	s.ExpectAll(all...)
	s.Expect("<presence to='" + resource + "' from='$room/" + nick + "' type='!'><x " + mucUser + ">" +
		"<item affiliation='*' role='*'/><status code='100'/><status code='110'/></x></presence>")
	s.Expect("<message to='" + resource + "' type='groupchat' from='$room*'><subject/></message>")
}

// quiet fails if a resource has been told anything more than what was expected.
func (s *ircStage) quiet(resource string) {
	s.Helper()
	s.Quiet(resource, s.Known("$gw"))
}
