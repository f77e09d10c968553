//go:build integration

package integration

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"gangway/core/xmpp"
	"gangway/core/xmpp/stream"
	"gangway/integration/twilio"
	"gangway/integration/world"
	"gangway/transports/irc/ircdtest"
)

var (
	payloads     = flag.Int("hostile", 6000, "hostile payloads for all host servers together")
	hostileHosts = flag.String("hostile-hosts", "prosody,ejabberd", "the host servers they go to")
)

const (
	megabytes = 10 // payloads of 1 MB from each network
	inFlight  = 1000
)

// TestHostilePayloads sends what no XML stream can carry through the program, from each network, to real host servers:
// most by IRC, where nothing stands between a hostile server and the rooms, some by SMS and e-mail, and a part straight
// onto the component stream by its encoder, without a transport that could have cleaned it before. No stream may end,
// and every payload arrives, or is refused where it was sent. The number is small by default; -hostile 200000 takes some
// minutes.
func TestHostilePayloads(t *testing.T) {
	t.Parallel()
	flavours := strings.Split(*hostileHosts, ",")
	var report strings.Builder
	for _, f := range flavours {
		t.Run(f, func(t *testing.T) {
			h := newHostile(t, world.Flavour(f))
			begun := time.Now()
			n := *payloads / len(flavours)
			h.irc(n * 70 / 100)
			h.sms(n * 2 / 100)
			h.mail(n * 1 / 100)
			h.alive()
			closures := h.closures()
			closures += h.raw(n - h.total().sent)
			h.judge()
			fmt.Fprintf(&report, "%s: %d stream closures, %v\n%s\n", f, closures, time.Since(begun).Round(time.Second), &h.table)
			if closures != 0 {
				t.Errorf("%d streams were closed", closures)
			}
		})
	}
	t.Log("\n" + report.String())
	if err := errors.Join(os.MkdirAll("../results", 0o755), os.WriteFile("../results/hostile.txt", []byte("hostile payloads\n\n"+report.String()), 0o644)); err != nil {
		t.Error(err)
	}
}

// hostile is one host server with the program beside it, and a hostile IRC server.
type hostile struct {
	table
	t      *testing.T
	ctx    context.Context
	w      *world.World
	sink   *sink
	server *ircdtest.Server
	random *rand.Rand
	said   map[key]string // how what was sent begins, without what was refused
}

// key is a payload by its row and number.
type key struct {
	row string
	n   int
}

const hostileRoom = "#lobby%bad.test@" + world.IRC

func newHostile(t *testing.T, f world.Flavour) *hostile {
	t.Helper()
	w, _ := start(t, world.Options{Flavour: f})
	ctx, cancel := context.WithTimeout(t.Context(), 4*time.Minute+time.Duration(*payloads)*10*time.Millisecond)
	t.Cleanup(cancel)
	h := &hostile{t: t, ctx: ctx, w: w, random: rand.New(rand.NewPCG(1, 2)), said: map[key]string{}, server: &ircdtest.Server{Name: "bad.test"}}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	serving, stop := context.WithCancel(ctx)
	var server sync.WaitGroup
	server.Go(func() {
		if err := h.server.Serve(serving, l); err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(func() { stop(); server.Wait() })

	alice := login(ctx, t, w, world.Alice, "phone")
	register(ctx, t, alice, world.SMS, world.Numbers()[0])
	register(ctx, t, alice, world.Mail, "alice")
	alice.Close()
	if err := w.Gangway.Stop(); err != nil {
		t.Fatal(err)
	}
	edit(t, w, `networks = ["irc.test"]`, fmt.Sprintf("networks = [\"irc.test\", \"bad.test\"]\n[transport.irc.network.\"bad.test\"]\naddress = \"irc://%s\"", l.Addr()))
	edit(t, w, `level = "debug"`, `level = "warn"`)
	if err := w.Gangway.Start(ctx); err != nil {
		t.Fatal(err)
	}
	h.sink = openSink(ctx, t, w, world.Alice)
	h.sink.write("<presence to='" + hostileRoom + "/alice'><x xmlns='http://jabber.org/protocol/muc'/></presence>")
	h.sink.await(ctx, "the room", func() bool { return h.sink.subject[hostileRoom] })
	return h
}

// payload is a text that names its row and number, so that it is known again however it was cleaned.
func (h *hostile) payload(row string, text string) string {
	c := h.of(row)
	c.sent++
	text = fmt.Sprintf("h|%s|%d|%s", row, c.sent, text)
	h.said[key{row, c.sent}] = text[:min(len(text), 300)]
	return text
}

// refuse counts that the last payload of a row was refused where it was sent.
func (h *hostile) refuse(row string) { h.refuseOne(key{row, h.of(row).sent}) }

func (h *hostile) refuseOne(k key) {
	h.of(k.row).refused++
	delete(h.said, k)
}

// missing quotes what has neither arrived nor been refused of a network, in part.
func (h *hostile) missing(network string) string {
	h.sink.mu.Lock()
	defer h.sink.mu.Unlock()
	var b strings.Builder
	n := 0
	for k, text := range h.said {
		if !strings.HasPrefix(k.row, network) || h.sink.arrived[k.row][k.n] {
			continue
		}
		if n++; n <= 10 {
			fmt.Fprintf(&b, "\n  %+q", text)
		}
	}
	return fmt.Sprintf("%d are missing, such as%s", n, &b)
}

// irc has a hostile server say n things in a room, under hostile nicks among others.
func (h *hostile) irc(n int) {
	h.t.Helper()
	classes := hostileClasses()
	for i := range n {
		c := classes[i%len(classes)]
		nick, to, row := "eve", "#lobby", "irc: "+c.name
		switch i / len(classes) % 20 {
		case 0:
			nick, row = hostileNick(h.random, c), "irc, as nick: "+c.name
		case 10:
			nick, to, row = hostileNick(h.random, c), world.Alice, "irc, in private: "+c.name
		}
		h.speak(nick, to, row, c.text(h.random))
		if i%inFlight == 0 {
			h.settled("irc", inFlight)
		}
	}
	for range megabytes {
		h.speak("eve", "#lobby", "irc: 1 MB", strings.Repeat("endless ", 1<<17))
	}
	h.settled("irc", 0)
	h.sink.await(h.ctx, "word of the lines left out", func() bool { return h.sink.notes > 0 })
}

// speak has a nick say something to the room or to alice. A line that is longer than IRC allows is left out by the program, and alice is told.
func (h *hostile) speak(nick, to, row, text string) {
	h.t.Helper()
	text = h.payload(row, text)
	h.said[key{row, h.of(row).sent}] += " said by " + nick[:min(len(nick), 300)]
	if len(":"+nick+"!u@far.test PRIVMSG "+to+" :"+text) > 512 {
		h.refuse(row)
	}
	if !h.server.Say(nick, to, text) {
		h.t.Fatalf("alice is not there any more, before %q says %q", nick, text)
	}
}

// settled waits until all but so many payloads of a network have arrived.
func (h *hostile) settled(network string, but int) {
	h.t.Helper()
	want := -but
	for row, c := range h.count {
		if strings.HasPrefix(row, network) {
			want += c.sent - c.refused
		}
	}
	err := h.sink.until(h.ctx, func() bool {
		have := 0
		for row := range h.sink.arrived {
			if strings.HasPrefix(row, network) {
				have += h.sink.count(row)
			}
		}
		return have >= want
	})
	if err != nil {
		h.t.Fatalf("payloads of %s: %v; %s", network, err, h.missing(network))
	}
}

// sms has the carrier deliver n texts, several at once.
func (h *hostile) sms(n int) {
	h.t.Helper()
	classes := hostileClasses()
	type text struct {
		key
		body string
	}
	var all []text
	for i := range n {
		c := classes[i%len(classes)]
		row := "sms: " + c.name
		body := h.payload(row, withLines(h.random, c.text(h.random)))
		all = append(all, text{key{row, h.of(row).sent}, body})
	}
	for i := range megabytes {
		all = append(all, text{key{"sms: 1 MB", i + 1}, h.payload("sms: 1 MB", strings.Repeat("endless ", 1<<17))})
	}
	var mu sync.Mutex
	var next atomic.Int64
	var workers sync.WaitGroup
	for worker := range 8 {
		workers.Go(func() {
			for i := next.Add(1) - 1; int(i) < len(all); i = next.Add(1) - 1 {
				_, err := h.w.Twilio.Inbound(h.ctx, fmt.Sprintf("+1555019%04d", worker), world.Numbers()[0], all[i].body)
				if errors.Is(err, twilio.ErrUndelivered) {
					mu.Lock()
					h.refuseOne(all[i].key)
					mu.Unlock()
				} else if err != nil {
					h.t.Error(err)
				}
			}
		})
	}
	workers.Wait()
	h.settled("sms", 0)
}

// mail gives n mails to the program, hostile in all that people read of a mail.
func (h *hostile) mail(n int) {
	h.t.Helper()
	classes := hostileClasses()
	for i := range n + megabytes {
		c := classes[i%len(classes)]
		row, text := "email: "+c.name, withLines(h.random, c.text(h.random))
		if i >= n {
			row, text = "email: 1 MB", strings.Repeat("endless \r\n", 1<<17)
		}
		flat := strings.NewReplacer("\r", " ", "\n", " ", "\x00", " ").Replace(c.text(h.random))
		raw := fmt.Sprintf("From: \"%s\" <carol@mail.test>\r\nTo: alice@%s\r\nSubject: %s\r\nMessage-ID: <h%d@mail.test>\r\nContent-Type: text/plain; charset=%s\r\n\r\n%s\r\n",
			strings.NewReplacer(`"`, "", `\`, "").Replace(flat[:min(len(flat), 500)]), world.Mail, flat[:min(len(flat), 800)], i,
			[]string{"utf-8", "us-ascii", "windows-1252", "koi8-r", "x-unknown"}[i%5], h.payload(row, text))
		if code, _ := lmtp(h.ctx, h.t, h.w, []byte(raw)); code >= 400 {
			h.refuse(row)
		}
	}
	h.settled("email", 0)
}

// alive makes sure that every stream works, and that what was sent before has been dealt with.
func (h *hostile) alive() {
	h.t.Helper()
	for _, domain := range []string{world.IRC, world.SMS, world.Mail} {
		h.sink.ping(h.ctx, domain)
	}
	h.sink.ping(h.ctx, world.Domain)
}

// closures is how often the program has lost a connection to the host server.
func (h *hostile) closures() (n int) {
	h.t.Helper()
	for _, domain := range []string{world.IRC, world.SMS, world.Mail} {
		var connections int
		v := metric(h.ctx, h.t, h.w, `gangway_link_reconnects_total{domain="`+domain+`"}`)
		if _, err := fmt.Sscan(v, &connections); err != nil {
			h.t.Fatal(err)
		}
		n += connections - 1
	}
	return n
}

// raw puts n payloads on a component stream by the encoder alone, in every place where text of others stands, and
// returns how often the connection was lost.
func (h *hostile) raw(n int) (closures int) {
	h.t.Helper()
	if err := h.w.Gangway.Stop(); err != nil {
		h.t.Fatal(err)
	}
	var connections atomic.Int32
	link, err := xmpp.New(xmpp.Config{
		Server: h.w.XMPP.ComponentAddr(), Domain: world.IRC, Secret: world.Password, HostDomain: world.Domain, Router: xmpp.NewRouter(xmpp.RouterConfig{}),
		Trace: &xmpp.Trace{State: func(_ string, s xmpp.Status) {
			if s.State == xmpp.Online {
				connections.Add(1)
			}
		}},
	})
	if err != nil {
		h.t.Fatal(err)
	}
	ctx, stop := context.WithCancel(h.ctx)
	var running sync.WaitGroup
	running.Go(func() {
		if err := link.Run(ctx); err != nil {
			h.t.Error(err)
		}
	})
	defer func() { stop(); running.Wait() }()
	if err := link.Ready(h.ctx); err != nil {
		h.t.Fatal(err)
	}
	classes := hostileClasses()
	for i := range n {
		c := classes[i%len(classes)]
		row, text := "raw: "+c.name, withLines(h.random, c.text(h.random))
		if i < megabytes {
			row, text = "raw: 1 MB", strings.Repeat("endless\x02", 1<<17)
		}
		body, other := h.payload(row, text), withLines(h.random, c.text(h.random))
		batch, err := link.Send(func(enc *stream.Encoder) { rawMessage(enc, body, other) })
		switch {
		case errors.Is(err, stream.ErrTooLarge):
			h.refuse(row)
		case err != nil:
			h.t.Fatal(err)
		case i%inFlight == 0:
			if err := link.Confirm(h.ctx, batch); err != nil {
				h.t.Errorf("after %s: %v", row, err)
				return int(connections.Load())
			}
			h.settled("raw", inFlight)
		}
	}
	h.settled("raw", 0)
	h.sink.ping(h.ctx, world.Domain)
	return int(connections.Load()) - 1
}

// rawMessage has a hostile text in its elements, attributes and names of things.
func rawMessage(enc *stream.Encoder, body, other string) {
	enc.Start("message", "", "from", "x%bad.test@"+world.IRC+"/gateway", "to", world.Alice+"@"+world.Domain, "type", "chat")
	enc.Leaf("body", "", body)
	enc.Leaf("subject", "", other)
	enc.Leaf("thread", "", other)
	enc.Leaf("nick", "http://jabber.org/protocol/nick", other)
	enc.Empty("origin-id", "urn:xmpp:sid:0", "id", other)
	enc.Start("x", "jabber:x:oob")
	enc.Leaf("url", "", other)
	for range 2 {
		enc.End()
	}
}

// judge fails for what has neither arrived nor been refused.
func (h *hostile) judge() {
	h.t.Helper()
	h.sink.mu.Lock()
	defer h.sink.mu.Unlock()
	for _, row := range h.rows {
		c := h.count[row]
		c.arrived = h.sink.count(row)
		if c.arrived+c.refused != c.sent {
			h.t.Errorf("%s: of %d sent, %d arrived and %d were refused", row, c.sent, c.arrived, c.refused)
		}
		if c.refused > 0 && !strings.HasPrefix(row, "irc") && !strings.HasSuffix(row, "1 MB") {
			h.t.Errorf("%s: %d were refused", row, c.refused)
		}
	}
	if all := h.total(); all.arrived < all.sent*9/10 {
		h.t.Errorf("only %d of %d arrived: the test shows nothing", all.arrived, all.sent)
	}
}
