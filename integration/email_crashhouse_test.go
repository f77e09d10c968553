//go:build integration

package integration

import (
	"fmt"
	"net"
	"net/textproto"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"gangway/core/outbox"
	"gangway/core/store"
	"gangway/core/xmpp/stream"
	"gangway/core/xmpp/xmpptest"
	"gangway/integration/servers"
	"gangway/integration/servers/serverstest"
)

// The gateways of the crash house: what is written to one is held until it is asked for, to the other it is not held.
const (
	heldGateway = "held.gw"
	nowGateway  = "now.gw"
	crashAlice  = "alice@" + xmpptest.Host
)

// crashPatience is for whatever must come; it ends only tests that fail.
const crashPatience = 120 * time.Second

type stanza = stream.Stanza

// crashHouse is the program between a host server and a mail server that do what the test says.
type crashHouse struct {
	t       *testing.T // the subtest
	xmpp    *xmpptest.Server
	relay   *crashRelay
	gangway *servers.Gangway
	lmtp    string // of nowGateway
	dir     string
	deaths  chan struct{}
}

func openCrashHouse(t *testing.T) *crashHouse {
	t.Helper()
	h := &crashHouse{t: t, xmpp: xmpptest.New(t), relay: newCrashRelay(t), dir: serverstest.Dir(t), deaths: make(chan struct{}, 1)}
	h.xmpp.Patience = crashPatience
	h.xmpp.Ignore("<presence/>")
	h.lmtp = freeAddr(t)
	web := freeAddr(t)
	var b strings.Builder
	fmt.Fprintf(&b, "[xmpp]\nserver = %q\ndomain = %q\n[store]\nurl = \"sqlite:%s/gangway.db\"\n[access]\nallow = [\"*@%[2]s\"]\n"+
		"[limits]\nmessages = 0\n[web]\nlisten = %[4]q\nhooks = %[5]q\n[log]\nlevel = \"debug\"\n", h.xmpp.Addr(), xmpptest.Host, h.dir, web, freeAddr(t))
	gateway := func(name, domain, rest string) {
		fmt.Fprintf(&b, "[transport.%s]\ndriver = \"email\"\ndomain = %q\nsecret = %q\nrelay = \"smtp://%s\"\nreceipt = \"relay\"\nnew_user_hour = 0\nnew_user_day = 0\nnew_recipients = 0\npair_hour = 0\nsame_hour = 0\ndkim_keys = \"none\"\n%s\n",
			name, domain, xmpptest.Secret, h.relay.addr, rest)
	}
	gateway("held", heldGateway, `hold = "60s"`)
	gateway("now", nowGateway, fmt.Sprintf("hold = \"0s\"\nlmtp = %q", h.lmtp))
	config := filepath.Join(h.dir, "gangway.toml")
	if err := os.WriteFile(config, []byte(b.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, domain := range map[string]string{"held": heldGateway, "now": nowGateway} {
		cmd := exec.CommandContext(t.Context(), binary, "user", "link", crashAlice, name, "alice@"+domain, "-c", config)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("link: %v\n%s", err, out)
		}
	}
	h.gangway = serverstest.Start(t, servers.NewGangway, servers.GangwayConfig{Dir: h.dir, Binary: binary, Config: config, Web: web})
	return h
}

func freeAddr(t *testing.T) string {
	t.Helper()
	addr, err := servers.FreeAddr()
	if err != nil {
		t.Fatal(err)
	}
	return addr
}

// kill kills the program; start starts it again.
func (h *crashHouse) kill() {
	h.t.Helper()
	if err := h.gangway.Kill(); err != nil {
		h.t.Fatal(err)
	}
	h.xmpp.AwaitGone(heldGateway)
	h.xmpp.AwaitGone(nowGateway)
}

func (h *crashHouse) start() {
	h.t.Helper()
	if err := h.gangway.Start(h.t.Context()); err != nil {
		h.t.Fatal(err)
	}
}

// killNow kills the program from where it talks to. It is always true.
func (h *crashHouse) killNow() bool {
	_ = h.gangway.Kill() // the test waits for it to be gone
	h.deaths <- struct{}{}
	return true
}

// killed waits until that has happened.
func (h *crashHouse) killed() {
	h.t.Helper()
	select {
	case <-h.deaths:
	case <-time.After(crashPatience):
		h.t.Fatal("the program did not come so far")
	}
	h.xmpp.AwaitGone(heldGateway)
	h.xmpp.AwaitGone(nowGateway)
}

// say has Alice write to somebody by a gateway.
func (h *crashHouse) say(gateway, id, payload string) {
	h.t.Helper()
	h.xmpp.Send("<message type='chat' from='" + crashAlice + "/phone' to='bob\\40far.test@" + gateway + "' id='" + id + "'>" + payload +
		"<request xmlns='urn:xmpp:receipts'/></message>")
}

// await returns the next stanza that is right; others, such as what is said again after a crash, are passed over.
func (h *crashHouse) await(what string, right func(*stanza) bool) *stanza {
	h.t.Helper()
	for end := time.Now().Add(crashPatience); time.Now().Before(end); {
		if st := h.xmpp.Next(); right(st) {
			return st
		}
	}
	h.t.Fatalf("%s has not come", what)
	return nil
}

// receipt waits for the receipt of a message.
func (h *crashHouse) receipt(id string) *stanza {
	h.t.Helper()
	return h.await("the receipt of "+id, func(st *stanza) bool {
		return st.Child("urn:xmpp:receipts", "received").Attr("id") == id
	})
}

// receipts waits for receipts, in any order.
func (h *crashHouse) receipts(ids ...string) {
	h.t.Helper()
	missing := map[string]bool{}
	for _, id := range ids {
		missing[id] = true
	}
	for len(missing) > 0 {
		st := h.await(fmt.Sprint("the receipts of ", missing), func(st *stanza) bool { return st.Child("urn:xmpp:receipts", "received") != nil })
		delete(missing, st.Child("urn:xmpp:receipts", "received").Attr("id"))
	}
}

// hear waits for a message with a text in it.
func (h *crashHouse) hear(text string) *stanza {
	h.t.Helper()
	return h.await("the message "+text, func(st *stanza) bool { return strings.Contains(st.Body(), text) })
}

// until waits until something is so.
func (h *crashHouse) until(what string, so func() bool) {
	h.t.Helper()
	for end := time.Now().Add(crashPatience); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		if so() {
			return
		}
	}
	h.t.Fatalf("not so in time: %s", what)
}

// queue looks into the program's queue from outside, as the command line does.
func (h *crashHouse) queue(do func(*outbox.Outbox) error) {
	h.t.Helper()
	db, err := store.OpenShared(h.t.Context(), store.Config{URL: "sqlite:" + filepath.Join(h.dir, "gangway.db")})
	if err != nil {
		h.t.Fatal(err)
	}
	defer db.Close()
	box, err := outbox.New(h.t.Context(), db, outbox.Config{})
	if err == nil {
		err = do(box)
	}
	if err != nil {
		h.t.Fatal(err)
	}
}

func (h *crashHouse) letters(f outbox.Filter) (all []outbox.Letter) {
	h.t.Helper()
	h.queue(func(box *outbox.Outbox) (err error) {
		all, err = box.List(h.t.Context(), f)
		return err
	})
	return all
}

// again has a letter tried at once.
func (h *crashHouse) again(seq int64) {
	h.t.Helper()
	h.queue(func(box *outbox.Outbox) error { return box.Retry(h.t.Context(), seq) })
}

// deliver brings a mail for Alice; whole: to its end, until it is taken.
func (h *crashHouse) deliver(text string, whole bool) *textproto.Conn {
	h.t.Helper()
	var nc net.Conn
	h.until("mail is taken", func() bool { // the links may be up before it is
		var err error
		nc, err = new(net.Dialer).DialContext(h.t.Context(), "tcp", h.lmtp)
		return err == nil
	})
	c := textproto.NewConn(nc)
	h.t.Cleanup(func() { _ = c.Close() }) // it may be closed already
	expect := func(code int) {
		if _, _, err := c.ReadResponse(code); err != nil {
			h.t.Fatalf("%s: %v", text, err)
		}
	}
	expect(220)
	for _, step := range []struct {
		line string
		code int
	}{{"LHLO far.test", 250}, {"MAIL FROM:<bob@far.test>", 250}, {"RCPT TO:<alice@" + nowGateway + ">", 250}, {"DATA", 354}} {
		_ = c.PrintfLine("%s", step.line) // an error shows in the response
		expect(step.code)
	}
	_ = c.PrintfLine("From: bob@far.test\r\nTo: alice@%s\r\nSubject: %s\r\nMessage-ID: <%[2]s@far.test>\r\n\r\n%[2]s", nowGateway, text)
	if whole {
		_ = c.PrintfLine(".")
		expect(250)
	}
	return c
}

// crashRelay is a mail server that takes everything, but for what it is told to do once.
type crashRelay struct {
	addr string

	mu    sync.Mutex
	once  map[string]func() (reply string, gone bool)
	mails []crashMail
}

// crashMail is a mail that it has taken.
type crashMail struct{ id, text string }

func newCrashRelay(t *testing.T) *crashRelay {
	t.Helper()
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	r := &crashRelay{addr: l.Addr().String(), once: map[string]func() (string, bool){}}
	var all sync.WaitGroup
	all.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			all.Go(func() { r.serve(c) })
		}
	})
	t.Cleanup(func() {
		_ = l.Close()
		all.Wait() // the program, which had the connections, has ended by then
	})
	return r
}

// when has something done once in a stage: another reply, or none any more.
func (r *crashRelay) when(stage string, do func() (reply string, gone bool)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.once[stage] = do
}

// at does it.
func (r *crashRelay) at(stage, reply string) (string, bool) {
	r.mu.Lock()
	do := r.once[stage]
	delete(r.once, stage)
	r.mu.Unlock()
	if do == nil {
		return reply, false
	}
	return do()
}

// with are the mails with a text in them.
func (r *crashRelay) with(text string) (found []crashMail) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, m := range r.mails {
		if strings.Contains(m.text, text) {
			found = append(found, m)
		}
	}
	return found
}

func (r *crashRelay) serve(nc net.Conn) {
	defer nc.Close()
	c := textproto.NewConn(nc)
	say := func(stage, reply string) bool {
		reply, gone := r.at(stage, reply)
		return !gone && c.PrintfLine("%s", reply) == nil
	}
	for ok := say("greeting", "220 relay.test ESMTP"); ok; {
		line, err := c.ReadLine()
		if err != nil {
			return
		}
		switch verb, _, _ := strings.Cut(strings.ToUpper(line), " "); verb {
		case "EHLO":
			ok = say("ehlo", "250-relay.test\r\n250 8BITMIME")
		case "RCPT":
			ok = say("rcpt", "250 2.1.5 ok")
		case "DATA":
			ok = say("data", "354 go on") && r.take(c) && say("dot", "250 2.0.0 taken")
			if _, gone := r.at("replied", ""); gone {
				return
			}
		case "QUIT":
			say("quit", "221 bye")
			return
		default:
			ok = say(verb, "250 2.0.0 ok")
		}
	}
}

// take reads a mail.
func (r *crashRelay) take(c *textproto.Conn) bool {
	b, err := c.ReadDotBytes()
	if err != nil {
		return false
	}
	text := strings.ReplaceAll(string(b), "\n", "\r\n")
	r.mu.Lock()
	defer r.mu.Unlock()
	r.mails = append(r.mails, crashMail{id: header(text, "Message-ID"), text: text})
	return true
}
