//go:build integration

package integration

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"gangway/core/xmpp/stream"
	"gangway/core/xmpp/xmpptest"
	"gangway/integration/servers"
	"gangway/integration/servers/serverstest"
	"gangway/transports/email/dkim"
)

// The ways that mail goes, each an e-mail gateway of its own in one program, by its domain.
const (
	viaPostfix = "post.gw"     // in by LMTP from a Postfix that believes OpenDKIM and OpenDMARC, out through it
	viaExim    = "exim.gw"     // in by LMTP from Exim, out through it
	viaMX      = "mx.gw"       // in as the MX of its domain, from Exim and whoever else comes; out straight to Exim
	viaGrey    = "grey.gw"     // out straight to a Postfix that puts off whom it does not know, and has no SMTPUTF8
	viaPlain   = "straight.gw" // out straight to the Postfix of viaPostfix
)

// mailPatience is for whatever must come; it ends only tests that fail.
const mailPatience = 120 * time.Second

// mailHouse is what all scenarios of e-mail share: xmpptest is the host server, the gateway is the program, and the mail
// servers are real. Each scenario has people of its own.
type mailHouse struct {
	xmpp     *xmpptest.Server
	names    *servers.DNS
	policies *policySite
	postfix  *servers.Mail // mail.test
	grey     *servers.Mail // grey.test
	exim     *servers.Exim // exim.test
	gangway  *servers.Gangway
	smtp     string     // of viaMX
	lmtp     string     // of viaPostfix
	bank     []dkim.Key // of bank.test, which wants what is not signed to be refused
	config   string
	dir      string
	people   atomic.Int32
}

// mailPeople are those who have mailboxes at each of the mail servers.
func mailPeople() []servers.User {
	var all []servers.User
	for _, name := range []string{"bob", "carol", "dave", "erin", "frank"} {
		all = append(all, servers.User{Name: name, Password: "secret"})
	}
	return all
}

// openMailHouse starts the servers beside each other, then the program.
func openMailHouse(t *testing.T) *mailHouse {
	t.Helper()
	h := &mailHouse{xmpp: xmpptest.New(t), dir: serverstest.Dir(t)}
	h.xmpp.Patience = mailPatience
	h.names = serverstest.DNS(t, mailRecords()...)
	ca, err := servers.NewCA()
	if err != nil {
		t.Fatal(err)
	}
	addrs := make([]string, 4) // web, LMTP of Postfix, LMTP of Exim, SMTP
	for i := range addrs {
		if addrs[i], err = servers.FreeAddr(); err != nil {
			t.Fatal(err)
		}
	}
	h.lmtp, h.smtp = addrs[1], addrs[3]
	authority := filepath.Join(h.dir, "ca.pem")
	if err := ca.WriteFile(authority); err != nil {
		t.Fatal(err)
	}
	h.bank = h.keysOf(t, "bank.test")
	h.keysOf(t, viaPostfix)
	h.policies = openPolicySite(t, ca, h.names)
	h.startServers(t, ca, addrs, authority)
	h.run(t, ca, addrs, authority)
	return h
}

// mailRecords are what the DNS knows of the mail servers' domains, and of one whose mail must be signed.
func mailRecords() []string {
	var all []string
	for _, domain := range []string{"mail.test", "exim.test", "grey.test"} {
		all = append(all, domain+". 60 IN MX 10 mx."+domain+".", "mx."+domain+". 60 IN A 127.0.0.1",
			domain+`. 60 IN TXT "v=spf1 ip4:127.0.0.1 -all"`, "_dmarc."+domain+`. 60 IN TXT "v=DMARC1; p=reject"`)
	}
	return append(all, "_dmarc."+viaPostfix+`. 60 IN TXT "v=DMARC1; p=reject; adkim=s"`, `bank.test. 60 IN TXT "v=spf1 -all"`, `_dmarc.bank.test. 60 IN TXT "v=DMARC1; p=reject"`)
}

func (h *mailHouse) startServers(t *testing.T, ca *servers.CA, addrs []string, authority string) {
	t.Helper()
	at := func(name string) string { return filepath.Join(h.dir, name) }
	conf := func(name string) servers.MilterConfig {
		return servers.MilterConfig{Dir: at(name), DNS: h.names, Name: "mx.mail.test"}
	}
	var errs [4]error
	var judges [2]*servers.Milter
	var greylist *servers.Postgrey
	judges[0], errs[0] = servers.NewOpenDKIM(conf("k"))
	judges[1], errs[1] = servers.NewOpenDMARC(conf("m"))
	greylist, errs[2] = servers.NewPostgrey(servers.PostgreyConfig{Dir: at("g"), Delay: 5 * time.Second})
	h.exim, errs[3] = servers.NewExim(servers.EximConfig{
		Dir: at("e"), Domain: "exim.test", Also: []string{enforcing, impostor, unlisted, tested}, Users: []string{"bob", "carol", "dave", "erin"}, CA: ca,
		Refuse: map[string]string{"full@exim.test": "552 5.2.2 Mailbox full", "gone@exim.test": "550 5.1.1 No such user"},
		Gateways: []servers.EximGateway{
			{Domain: viaExim, Addr: addrs[2]}, {Domain: viaMX, Addr: addrs[3], SMTP: true, CA: authority},
		},
	})
	for _, err := range errs {
		if err != nil {
			t.Fatal(err)
		}
	}
	var err error
	h.postfix, err = servers.NewMail(servers.MailConfig{
		Dir: at("p"), Users: mailPeople(), Gateway: viaPostfix, GatewayLMTP: h.lmtp, Milters: []string{judges[0].Addr(), judges[1].Addr()}, CA: ca,
	})
	if err != nil {
		t.Fatal(err)
	}
	h.grey, err = servers.NewMail(servers.MailConfig{Dir: at("y"), Domain: "grey.test", Users: mailPeople(), Policy: greylist.Addr(), Extra: "smtputf8_enable = no"})
	if err != nil {
		t.Fatal(err)
	}
	var starting sync.WaitGroup
	for _, s := range []servers.Server{judges[0], judges[1], greylist, h.exim, h.postfix, h.grey} {
		t.Cleanup(func() {
			if err := s.Stop(); err != nil {
				t.Error(err)
			}
			if t.Failed() {
				serverstest.LogTails(t, s)
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
}

// run starts the program, with a configuration as an administrator writes it.
func (h *mailHouse) run(t *testing.T, ca *servers.CA, addrs []string, authority string) {
	t.Helper()
	cert, key, err := ca.Issue("mx." + viaMX)
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string][]byte{"cert.pem": cert, "key.pem": key} {
		if err := os.WriteFile(filepath.Join(h.dir, name), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	var b strings.Builder
	fmt.Fprintf(&b, "[xmpp]\nserver = %q\ndomain = %q\n[store]\nurl = \"sqlite:%s/gangway.db\"\n[access]\nallow = [\"*@example.org\"]\n"+
		"[limits]\nmessages = 0\nregistrations = 0\ndomain_registrations = 0\n[web]\nlisten = %q\nhooks = %q\npublic_url = \"http://%[5]s\"\n[media]\nupload = false\n[log]\nlevel = \"debug\"\n",
		h.xmpp.Addr(), xmpptest.Host, h.dir, addrs[0], mustFree(t))
	gateway := func(name, domain, rest string) {
		fmt.Fprintf(&b, "[transport.%s]\ndriver = \"email\"\ndomain = %q\nsecret = %q\ndns = %q\nhold = \"0s\"\ndkim_keys = \"%s/dkim\"\n%s\n", name, domain, xmpptest.Secret, h.names.Addr(), h.dir, rest)
	}
	gateway("post", viaPostfix, fmt.Sprintf("lmtp = %q\nrelay = \"smtp://%s\"\nauthserv_id = \"mx.mail.test\"", h.lmtp, h.postfix.SMTPAddr()))
	gateway("exim", viaExim, fmt.Sprintf("lmtp = %q\nrelay = \"smtp://%s\"", addrs[2], h.exim.SMTPAddr()))
	direct := func(to string) string {
		return "direct_private = true\ndirect_port = " + to[strings.LastIndexByte(to, ':')+1:]
	}
	gateway("mx", viaMX, fmt.Sprintf("smtp = %q\ntls_cert = \"%s/cert.pem\"\ntls_key = \"%[2]s/key.pem\"\nmax_size = %d\n%s",
		h.smtp, h.dir, mxMaxSize, direct(h.exim.SMTPAddr())))
	gateway("grey", viaGrey, direct(h.grey.SMTPAddr()))
	gateway("straight", viaPlain, direct(h.postfix.SMTPAddr()))
	h.config = filepath.Join(h.dir, "gangway.toml")
	if err := os.WriteFile(h.config, []byte(b.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	h.gangway = serverstest.Start(t, servers.NewGangway, servers.GangwayConfig{Dir: h.dir, Binary: binary, Config: h.config, Web: addrs[0], CA: authority})
}

// mxMaxSize is how many bytes of a mail the MX takes.
const mxMaxSize = 1 << 20

func mustFree(t *testing.T) string {
	t.Helper()
	addr, err := servers.FreeAddr()
	if err != nil {
		t.Fatal(err)
	}
	return addr
}

// mailStage is where one scenario is played. These names stand for what is this scenario's own:
//
//	$gw               the gateway
//	$alice $phone     a user, a resource of theirs
//	$alias $mail      the local part of their address, their address
type mailStage struct {
	*testing.T
	*xmpptest.View
	*mailHouse
	ctx context.Context
	gw  string
	n   int32 // a number of this scenario's own
}

// stage has somebody who has registered with a gateway.
func (h *mailHouse) stage(t *testing.T, gw string) *mailStage {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 4*time.Minute)
	t.Cleanup(cancel)
	n := h.people.Add(1)
	alias := fmt.Sprintf("alice%d", n)
	alice := alias + "@" + xmpptest.Host
	s := &mailStage{T: t, View: h.xmpp.Share(t, alice), mailHouse: h, ctx: ctx, gw: gw, n: n}
	for name, value := range map[string]string{
		"gw": gw, "alice": alice, "phone": alice + "/phone", "alias": alias, "mail": alias + "@" + gw,
	} {
		s.Set(name, value)
	}
	s.Ignore("<presence/>")
	s.Send("<iq type='set' id='reg' from='$phone' to='$gw'><query xmlns='jabber:iq:register'><x xmlns='jabber:x:data' type='submit'>" +
		field("alias", alias) + "</x></query></iq>")
	s.await("the registration", func(st *stream.Stanza) bool { return st.ID == "reg" && st.Type == "result" })
	t.Cleanup(func() {
		if t.Failed() {
			s.showLog()
		}
	})
	return s
}

// showLog shows the end of the program's log.
func (s *mailStage) showLog() {
	if text, err := os.ReadFile(s.gangway.Logs()[0]); err == nil {
		s.Logf("gangway.log:\n%s", text[max(0, len(text)-6000):])
	}
}

// await returns the next stanza that is right; others are passed over.
func (s *mailStage) await(what string, right func(*stream.Stanza) bool) *stream.Stanza {
	s.Helper()
	passed := ""
	s.Cleanup(func() {
		if s.Failed() && passed != "" {
			s.Logf("before %s came, if it did:\n%s", what, passed)
		}
	})
	for {
		st := s.Next()
		if right(st) {
			return st
		}
		passed += fmt.Sprint(st, "\n")
	}
}

// hears waits for a message from a mail address with a text in it.
func (s *mailStage) hears(from, text string) *stream.Stanza {
	s.Helper()
	jid := s.jid(from)
	return s.await(fmt.Sprintf("%q from %s", text, from), func(st *stream.Stanza) bool {
		return st.Local() == "message" && st.Type != "error" && strings.HasPrefix(st.From, jid) && strings.Contains(st.Body(), text)
	})
}

// jid is a mail address as a contact.
func (s *mailStage) jid(address string) string {
	return strings.Replace(address, "@", `\40`, 1) + "@" + s.gw
}

// says sends a message that wants a receipt, and returns its id.
func (s *mailStage) says(to, id, payload string) {
	s.Helper()
	s.Send("<message type='chat' from='$phone' to='" + s.jid(to) + "' id='" + id + "'>" + payload + "<request xmlns='urn:xmpp:receipts'/></message>")
}

// delivered waits for the receipt.
func (s *mailStage) delivered(id string) {
	s.Helper()
	s.await("the receipt of "+id, func(st *stream.Stanza) bool {
		if st.ID == id && st.Type == "error" {
			s.Fatalf("an error in the place of a receipt: %v", st)
		}
		return st.Child("urn:xmpp:receipts", "received").Attr("id") == id
	})
}

// failed waits for the error about a message, and returns its condition and sentence.
func (s *mailStage) failed(id string) (condition, text string) {
	s.Helper()
	st := s.await("the error about "+id, func(st *stream.Stanza) bool { return st.ID == id && st.Type == "error" })
	for el := range st.Child("", "error").Children() {
		if el.Local() == "text" {
			text = el.Text()
		} else if condition == "" {
			condition = el.Local()
		}
	}
	return condition, text
}

// plainMail is a mail of one part, in ASCII.
func plainMail(from, to, subject, more, text string) []byte {
	return []byte("From: " + from + "\r\nTo: " + to + "\r\nSubject: " + subject + "\r\nMessage-ID: <" + strings.ReplaceAll(subject, " ", "-") +
		"-" + strings.ReplaceAll(to, "@", ".") + "@test>\r\nDate: " + time.Now().Format(time.RFC1123Z) + "\r\n" + more + "\r\n" + text + "\r\n")
}
