package mx

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"math/big"
	"net"
	"net/netip"
	"net/textproto"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/emersion/go-smtp"
	"github.com/foxcpp/go-mockdns"

	"gangway/transports/email/client"
)

// world is a DNS and the mail servers in it, by address and port.
type world struct {
	t     *testing.T
	zones map[string]mockdns.Zone
	cert  tls.Certificate
	roots *x509.CertPool

	mu      sync.Mutex
	servers map[string]server
	dialled []string
	mails   []string // "server recipient plain|tls"
}

// server is how one answers; what is not set goes well.
type server struct {
	away, greeting, rcpt, dot string
	tls                       string // "good", "broken", "late": what STARTTLS leads to; empty: it is not offered
	cut                       bool   // the connection, before the answer to the final dot
	gone                      bool   // the connection, before the answer to DATA
}

func newWorld(t *testing.T) *world {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), DNSNames: []string{"mx1.x.example"}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Unix(0, 0), NotAfter: time.Now().Add(1000 * time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	w := &world{
		t: t, cert: tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, roots: x509.NewCertPool(),
		servers: map[string]server{}, zones: map[string]mockdns.Zone{
			"x.example.":     {MX: []net.MX{{Host: "mx1.x.example.", Pref: 10}, {Host: "mx2.x.example.", Pref: 20}}},
			"mx1.x.example.": {A: []string{"192.0.9.1"}, AAAA: []string{"2a00:1::1"}},
			"mx2.x.example.": {A: []string{"192.0.9.2"}},
			"a.example.":     {A: []string{"192.0.9.1"}},
		},
	}
	w.roots.AddCert(leaf)
	w.servers["[2a00:1::1]:25"] = server{away: "no route to host"}
	w.servers["192.0.9.1:25"], w.servers["192.0.9.2:25"] = server{}, server{}
	return w
}

func (w *world) dial(_ context.Context, _, addr string) (net.Conn, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.dialled = append(w.dialled, addr)
	s, ok := w.servers[addr]
	if !ok || s.away != "" {
		return nil, errors.New(s.away)
	}
	ours, theirs := net.Pipe()
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		defer theirs.Close()
		w.play(textproto.NewConn(theirs), theirs, addr, s, "plain")
	}()
	w.t.Cleanup(func() {
		ours.Close()
		<-ended
	})
	return ours, nil
}

func or(s, usual string) string {
	if s != "" {
		return s
	}
	return usual
}

func (w *world) play(c *textproto.Conn, raw net.Conn, addr string, s server, how string) {
	if how == "plain" {
		_ = c.PrintfLine("%s", or(s.greeting, "220 mx"))
	}
	rcpt := ""
	for {
		line, err := c.ReadLine()
		if err != nil {
			return
		}
		verb, _, _ := strings.Cut(line, " ")
		answer := "250 ok"
		switch {
		case verb == "EHLO" && s.tls != "" && how == "plain":
			answer = "250-mx\r\n250 STARTTLS"
		case verb == "STARTTLS" && s.tls == "late":
			answer = "454 4.7.0 not now"
		case verb == "STARTTLS":
			_ = c.PrintfLine("220 go")
			if s.tls == "broken" {
				_, _ = raw.Read(make([]byte, 1))
				return
			}
			secure := tls.Server(raw, &tls.Config{Certificates: []tls.Certificate{w.cert}})
			if secure.Handshake() == nil {
				w.play(textproto.NewConn(secure), secure, addr, s, "tls")
			}
			return
		case verb == "RCPT":
			rcpt = strings.TrimSuffix(strings.TrimPrefix(line, "RCPT TO:<"), ">")
			answer = or(s.rcpt, answer)
		case verb == "DATA" && s.gone:
			return
		case verb == "DATA":
			_ = c.PrintfLine("354 go")
			if _, err := c.ReadDotBytes(); err != nil || s.cut {
				return
			}
			if answer = or(s.dot, answer); answer[0] == '2' {
				w.mu.Lock()
				w.mails = append(w.mails, addr+" "+rcpt+" "+how)
				w.mu.Unlock()
			}
		case verb == "QUIT":
			_ = c.PrintfLine("221 bye")
			return
		}
		_ = c.PrintfLine("%s", answer)
	}
}

// policy is a Policy.
type policy struct {
	enforced bool
	hosts    string
}

func (p policy) Allows(host string) bool { return strings.Contains(p.hosts, host) }
func (p policy) Enforced() bool          { return p.enforced }
func (p policy) Name() string            { return "sts" }

type policies map[string]Policy

func (p policies) Policy(_ context.Context, domain string) (Policy, error) { return p[domain], nil }

func (w *world) carrier(change func(*Config)) *Carrier {
	c := Config{
		Hello: "gw.example", Resolver: &mockdns.Resolver{Zones: w.zones}, Port: 25, TLS: &tls.Config{RootCAs: w.roots},
		Ours: func(host string) bool { return host == "gw.example" }, OursAt: func(netip.AddrPort) bool { return false },
		Times: client.DefaultTimes(), Dial: w.dial, Now: time.Now,
	}
	if change != nil {
		change(&c)
	}
	return New(c)
}

func (w *world) got() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return strings.Join(w.mails, ", ")
}

func (w *world) tried() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return strings.Join(w.dialled, " ")
}

func to(rcpt string) client.Envelope { return client.Envelope{From: "a@gw.example", To: rcpt} }

var mail = []byte("Subject: x\r\n\r\nx\r\n")

const both = "[2a00:1::1]:25 192.0.9.1:25"

// TestDeliver is the table of what becomes of a mail, by what the DNS and the servers say.
func TestDeliver(t *testing.T) {
	temporary := &net.DNSError{Err: "server misbehaving", IsTemporary: true}
	for _, tt := range []struct {
		name   string
		rcpt   string
		change func(*world)
		mails  string
		status string // of the error: what a server said, or our own
		tried  string
	}{
		{"the preferred server, by IPv4 after IPv6", "b@x.example", nil, "192.0.9.1:25 b@x.example plain", "", both},
		{"case of the domain", "b@X.Example", nil, "192.0.9.1:25 b@X.Example plain", "", both},
		{"no MX", "b@a.example", nil, "192.0.9.1:25 b@a.example plain", "", "192.0.9.1:25"},
		{"next after no connection", "b@x.example", func(w *world) { delete(w.servers, "192.0.9.1:25") }, "192.0.9.2:25 b@x.example plain", "", both + " 192.0.9.2:25"},
		{"next after 4xx greeting", "b@x.example", func(w *world) { w.servers["192.0.9.1:25"] = server{greeting: "451 busy"} }, "192.0.9.2:25 b@x.example plain", "", both + " 192.0.9.2:25"},
		{"next after 5xx greeting", "b@x.example", func(w *world) { w.servers["192.0.9.1:25"] = server{greeting: "554 no"} }, "192.0.9.2:25 b@x.example plain", "", both + " 192.0.9.2:25"},
		{"next after 421", "b@x.example", func(w *world) { w.servers["192.0.9.1:25"] = server{rcpt: "421 4.3.2 later"} }, "192.0.9.2:25 b@x.example plain", "", both + " 192.0.9.2:25"},
		{"next after a break", "b@x.example", func(w *world) { w.servers["192.0.9.1:25"] = server{gone: true} }, "192.0.9.2:25 b@x.example plain", "", both + " 192.0.9.2:25"},
		{"not next after a break at the end", "b@x.example", func(w *world) { w.servers["192.0.9.1:25"] = server{cut: true} }, "", "Dot", both},
		{"greylisted is an answer", "b@x.example", func(w *world) { w.servers["192.0.9.1:25"] = server{rcpt: "450 4.2.0 greylisted"} }, "", "450 4.2.0", both},
		{"refused is an answer", "b@x.example", func(w *world) { w.servers["192.0.9.1:25"] = server{rcpt: "550 5.1.1 nobody"} }, "", "550 5.1.1", both},
		{"refused at the end", "b@x.example", func(w *world) { w.servers["192.0.9.1:25"] = server{dot: "554 5.7.1 spam"} }, "", "554 5.7.1", both},
		{"all away", "b@x.example", func(w *world) { clear(w.servers) }, "", "Connect", both + " 192.0.9.2:25"},
		{"null MX", "b@n.example", func(w *world) { w.zones["n.example."] = mockdns.Zone{MX: []net.MX{{Host: "."}}} }, "", "5.1.10", ""},
		{"no domain", "b@nowhere.example", nil, "", "5.1.2", ""},
		{"DNS fails", "b@s.example", func(w *world) { w.zones["s.example."] = mockdns.Zone{Err: temporary} }, "", "4.4.3", ""},
		{"DNS fails for a server", "b@x.example", func(w *world) { w.zones["mx1.x.example."] = mockdns.Zone{Err: temporary} }, "192.0.9.2:25 b@x.example plain", "", "192.0.9.2:25"},
		{"a server's name fails, the other has none", "b@x.example", func(w *world) {
			w.zones["mx1.x.example."] = mockdns.Zone{Err: temporary}
			delete(w.zones, "mx2.x.example.")
		}, "", "4.4.3", ""},
		{"no server has an address", "b@x.example", func(w *world) { delete(w.zones, "mx1.x.example."); delete(w.zones, "mx2.x.example.") }, "", "5.1.2", ""},
		{"alias", "b@alias.example", func(w *world) { w.zones["alias.example."] = mockdns.Zone{CNAME: "x.example."} }, "192.0.9.1:25 b@alias.example plain", "", both},
		{"a server's name is an alias", "b@c.example", func(w *world) {
			w.zones["c.example."] = mockdns.Zone{MX: []net.MX{{Host: "c1.example."}}}
			w.zones["c1.example."] = mockdns.Zone{CNAME: "a.example."}
		}, "192.0.9.1:25 b@c.example plain", "", "192.0.9.1:25"},
		{"IDN", "b@xn--bcher-kva.example", func(w *world) {
			w.zones["xn--bcher-kva.example."] = mockdns.Zone{MX: []net.MX{{Host: "mx2.x.example."}}}
		}, "192.0.9.2:25 b@xn--bcher-kva.example plain", "", "192.0.9.2:25"},
		{"literal", "b@[192.0.9.1]", nil, "", "5.1.2", ""},
		{"literal without brackets", "b@192.0.9.1", nil, "", "5.1.2", ""},
		{"an address as MX", "b@i.example", func(w *world) { w.zones["i.example."] = mockdns.Zone{MX: []net.MX{{Host: "192.0.9.1."}}} }, "", "5.4.4", ""},
		{"ourselves", "b@gw.example", nil, "", "5.4.6", ""},
		{"we are the only MX", "b@o.example", func(w *world) { w.zones["o.example."] = mockdns.Zone{MX: []net.MX{{Host: "GW.example."}}} }, "", "5.4.6", ""},
		{"we stand in the middle", "b@o.example", func(w *world) {
			w.zones["o.example."] = mockdns.Zone{MX: []net.MX{{Host: "mx2.x.example.", Pref: 5}, {Host: "gw.example.", Pref: 10}, {Host: "mx1.x.example.", Pref: 10}}}
		}, "192.0.9.2:25 b@o.example plain", "", "192.0.9.2:25"},
		{"loopback", "b@l.example", func(w *world) { w.zones["l.example."] = mockdns.Zone{A: []string{"127.0.0.1"}} }, "", "5.4.4", ""},
		{"private", "b@l.example", func(w *world) {
			w.zones["l.example."] = mockdns.Zone{A: []string{"10.0.0.1"}, AAAA: []string{"fd00::1", "::1", "::ffff:192.168.0.1"}}
		}, "", "5.4.4", ""},
		{"TLS", "b@x.example", func(w *world) { w.servers["192.0.9.1:25"] = server{tls: "good"} }, "192.0.9.1:25 b@x.example tls", "", both},
		{"TLS of a name that is not its own", "b@x.example", func(w *world) {
			delete(w.servers, "192.0.9.1:25")
			w.servers["192.0.9.2:25"] = server{tls: "good"}
		}, "192.0.9.2:25 b@x.example tls", "", both + " 192.0.9.2:25"},
		{"broken TLS", "b@x.example", func(w *world) { w.servers["192.0.9.1:25"] = server{tls: "broken"} }, "192.0.9.1:25 b@x.example plain", "", both + " 192.0.9.1:25"},
		{"TLS not now", "b@x.example", func(w *world) { w.servers["192.0.9.1:25"] = server{tls: "late"} }, "192.0.9.1:25 b@x.example plain", "", both + " 192.0.9.1:25"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t)
			if tt.change != nil {
				tt.change(w)
			}
			_, err := w.carrier(nil).Send(t.Context(), to(tt.rcpt), mail)
			if got := w.got(); got != tt.mails {
				t.Errorf("mails %q, want %q", got, tt.mails)
			}
			if got := statusOf(err); got != tt.status {
				t.Errorf("%q, want %q: %v", got, tt.status, err)
			}
			if got := w.tried(); got != tt.tried {
				t.Errorf("tried %q, want %q", got, tt.tried)
			}
		})
	}
}

func statusOf(err error) string {
	if err == nil {
		return ""
	}
	var s *smtp.SMTPError
	if !errors.As(err, &s) {
		return map[client.Stage]string{client.Connect: "Connect", client.Dot: "Dot", client.Secure: "Secure"}[client.StageOf(err)]
	}
	text := fmt.Sprintf("%d.%d.%d", s.EnhancedCode[0], s.EnhancedCode[1], s.EnhancedCode[2])
	if s.Code != 0 {
		text = fmt.Sprint(s.Code) + " " + text
	}
	return text
}

func TestPolicy(t *testing.T) {
	for _, tt := range []struct {
		name   string
		policy policy
		first  server
		mails  string
		status string
	}{
		{"good", policy{true, "mx1.x.example"}, server{tls: "good"}, "192.0.9.1:25 b@x.example tls", ""},
		{"a server that is not named", policy{true, "mx3.x.example"}, server{tls: "good"}, "", "4.7.11"},
		{"no TLS", policy{true, "mx1.x.example"}, server{}, "", "4.7.11"}, // of the second server, which is not named
		{"no TLS at any", policy{true, "mx1.x.example mx2.x.example"}, server{}, "", "4.7.10"},
		{"a certificate of another", policy{true, "mx2.x.example"}, server{tls: "good"}, "", "4.7.10"},
		{"broken TLS", policy{true, "mx1.x.example"}, server{tls: "broken"}, "", "4.7.11"},
		{"only tested", policy{false, "mx3.x.example"}, server{}, "192.0.9.1:25 b@x.example plain", ""},
	} {
		w := newWorld(t)
		w.servers["192.0.9.1:25"] = tt.first
		sent, err := w.carrier(func(c *Config) { c.Policies = policies{"x.example": tt.policy} }).Send(t.Context(), to("b@x.example"), mail)
		if got := w.got(); got != tt.mails || statusOf(err) != tt.status {
			t.Errorf("%s: mails %q, %v", tt.name, got, err)
		}
		if err == nil && (sent.Policy != "sts" || sent.MTA != "mx1.x.example" || (sent.TLS != 0) != tt.policy.enforced) {
			t.Errorf("%s: %+v", tt.name, sent)
		}
	}
}

// A certificate that nobody vouches for is taken where no policy asks for more, and refused where one does.
func TestUntrustedCertificate(t *testing.T) {
	for _, enforced := range []bool{false, true} {
		w := newWorld(t)
		w.servers["192.0.9.1:25"] = server{tls: "good"}
		c := w.carrier(func(c *Config) {
			c.TLS = nil
			c.Policies = policies{"x.example": policy{enforced, "mx1.x.example"}}
		})
		_, err := c.Send(t.Context(), to("b@x.example"), mail)
		if (err != nil) != enforced || enforced && w.got() != "" {
			t.Errorf("enforced %v: %v, %s", enforced, err, w.got())
		}
	}
}

func TestOwnAddress(t *testing.T) {
	w := newWorld(t)
	c := w.carrier(func(c *Config) {
		c.OursAt = func(a netip.AddrPort) bool { return a == netip.MustParseAddrPort("192.0.9.1:25") }
	})
	if _, err := c.Send(t.Context(), to("b@a.example"), mail); statusOf(err) != "5.4.6" || w.tried() != "" {
		t.Errorf("%v", err)
	}
}

func TestPrivateInLab(t *testing.T) {
	w := newWorld(t)
	w.zones["l.example."] = mockdns.Zone{A: []string{"127.0.0.9"}}
	w.servers["127.0.0.9:2525"] = server{}
	if _, err := w.carrier(func(c *Config) { c.Private, c.Port = true, 2525 }).Send(t.Context(), to("b@l.example"), mail); err != nil {
		t.Error(err)
	}
}

// Servers of equal preference share the load, each is tried once, and no more than ten are.
func TestOrder(t *testing.T) {
	var found []net.MX
	for i := range 30 {
		found = append(found, net.MX{Host: fmt.Sprintf("h%d.example.", i/2), Pref: uint16(i / 8)})
	}
	r := &mockdns.Resolver{Zones: map[string]mockdns.Zone{"many.example.": {MX: found}}}
	orders := map[string]bool{}
	for range 50 {
		names, err := Routes(t.Context(), r, "many.example", func(string) bool { return false })
		if err != nil || len(names) != maxHosts {
			t.Fatalf("%v, %v", names, err)
		}
		for i, name := range names {
			var n int
			if _, _ = fmt.Sscanf(name, "h%d.example", &n); n/4 != i/4 {
				t.Errorf("%d: %s", i, name)
			}
		}
		orders[strings.Join(names, " ")] = true
	}
	if len(orders) < 2 {
		t.Error("they are always in the same order")
	}
}

// A server that is away is left alone for a while, and no longer each time; one that has said 421, too.
func TestLeftAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.servers["192.0.9.1:25"] = server{rcpt: "421 closing"}
		c := w.carrier(nil)
		_, err := c.Send(t.Context(), to("b@a.example"), mail)
		if statusOf(err) != "421 0.0.0" && statusOf(err) != "421 -1.-1.-1" {
			t.Errorf("%v: %s", err, statusOf(err))
		}
		_, err = c.Send(t.Context(), to("c@a.example"), mail)
		var wait *Wait
		if !errors.As(err, &wait) || wait.For != closedFor {
			t.Errorf("%v", err)
		}
		w.mu.Lock()
		w.servers["192.0.9.1:25"] = server{away: "refused"}
		w.mu.Unlock()
		for _, want := range []time.Duration{closedFor, firstAway, 2 * firstAway, 4 * firstAway, 8 * firstAway, lastAway, lastAway} {
			time.Sleep(want - time.Second)
			if _, err = c.Send(t.Context(), to("b@a.example"), mail); !errors.As(err, &wait) || wait.For != time.Second {
				t.Fatalf("%s: %v", want, err)
			}
			time.Sleep(time.Second)
			if _, err = c.Send(t.Context(), to("b@a.example"), mail); errors.As(err, &wait) || err == nil {
				t.Fatalf("after %s: %v", want, err)
			}
		}
		time.Sleep(lastAway)
		w.mu.Lock()
		w.servers["192.0.9.1:25"] = server{}
		w.mu.Unlock()
		if _, err = c.Send(t.Context(), to("b@a.example"), mail); err != nil {
			t.Error(err)
		}
	})
}

// What one server refuses for good another, that is only left alone, might take.
func TestRefusedByOneOfTwo(t *testing.T) {
	w := newWorld(t)
	c := w.carrier(nil)
	c.hosts.missed("mx1.x.example", time.Now())
	delete(w.zones, "mx2.x.example.")
	_, err := c.Send(t.Context(), to("b@x.example"), mail)
	var wait *Wait
	if !errors.As(err, &wait) || statusOf(err) != "Connect" {
		t.Errorf("%v", err)
	}
}

// At most two connections to a domain at once; those who wait use them on, and they end with the last mail.
func TestManyForOneDomain(t *testing.T) {
	w := newWorld(t)
	w.servers["192.0.9.1:25"] = server{tls: "good"}
	c := w.carrier(func(c *Config) { c.Policies = policies{"x.example": policy{true, "mx1.x.example"}} })
	var all sync.WaitGroup
	for i := range atOnce + waits {
		all.Go(func() {
			if _, err := c.Send(t.Context(), to(fmt.Sprintf("b%d@x.example", i)), mail); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.mails) != atOnce+waits {
		t.Errorf("%d mails", len(w.mails))
	}
	if len(c.lanes) != 0 {
		t.Errorf("%d lanes are left", len(c.lanes))
	}
}

func TestTooManyForOneDomain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		hold := make(chan struct{})
		c := w.carrier(func(c *Config) {
			c.Dial = func(context.Context, string, string) (net.Conn, error) {
				<-hold
				return nil, errors.New("away")
			}
		})
		var all sync.WaitGroup
		for range atOnce + waits {
			all.Go(func() { _, _ = c.Send(t.Context(), to("b@x.example"), mail) })
		}
		synctest.Wait()
		var wait *Wait
		if _, err := c.Send(t.Context(), to("b@x.example"), mail); !errors.As(err, &wait) || wait.For != busyFor {
			t.Errorf("%v", err)
		}
		close(hold)
		all.Wait()
	})
}

func TestHostsAreBounded(t *testing.T) {
	var h hosts
	now := time.Now()
	for i := range maxAway + 10 {
		h.missed(fmt.Sprint(i), now)
	}
	if len(h.away) != maxAway {
		t.Errorf("%d", len(h.away))
	}
	h.missed("later", now.Add(time.Hour))
	if len(h.away) != 1 {
		t.Errorf("%d after an hour", len(h.away))
	}
}
