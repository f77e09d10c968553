package email

import (
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"testing"

	"github.com/emersion/go-smtp"
	"github.com/foxcpp/go-mockdns"

	"gangway/core"
)

// zoned starts a DNS server on loopback.
func zoned(t *testing.T, zones map[string]mockdns.Zone) string {
	t.Helper()
	s, err := mockdns.NewServerWithLogger(zones, quiet{}, false)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s.LocalAddr().String()
}

// directTo starts a gateway without a relay, whose DNS leads example.com to a server.
func directTo(t *testing.T, server *relayDouble, keys map[string]any) *gateway {
	t.Helper()
	_, port, err := net.SplitHostPort(server.addr)
	if err != nil {
		t.Fatal(err)
	}
	n, err := strconv.Atoi(port)
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]any{"relay": "", "direct_port": n, "direct_private": true, "dns": zoned(t, map[string]mockdns.Zone{
		"example.com.":    {MX: []net.MX{{Host: "mx.example.com.", Pref: 10}}},
		"mx.example.com.": {A: []string{"127.0.0.1"}},
		"null.example.":   {MX: []net.MX{{Host: "."}}},
	})}
	for k, v := range keys {
		all[k] = v
	}
	return start(t, all, nil)
}

// Without a relay mail goes to the servers that the DNS names.
func TestDirect(t *testing.T) {
	server := startRelay(t, nil)
	g := directTo(t, server, nil)
	m := note("hello")
	if _, err := g.session(t).Send(t.Context(), m); err != nil {
		t.Fatal(err)
	}
	if got := <-server.mails; got.to != "bob@example.com" || !strings.Contains(got.mail, "hello") {
		t.Errorf("%+v", got)
	}
	for peer, want := range map[core.Address]core.Error{
		"bob@nowhere.example": {Kind: core.NotFound, Reason: core.NoHost, Code: "5.1.2"},
		"bob@null.example":    {Kind: core.NotFound, Reason: core.NoHost, Code: "5.1.10"},
		"bob@gw.example":      {Kind: core.Unsupported, Reason: core.Looping, Code: "5.4.6"},
	} {
		m := note("hello")
		m.Peer = peer
		_, err := g.session(t).Send(t.Context(), m)
		if e := core.AsError(err); e == nil || e.Kind != want.Kind || e.Reason != want.Reason || e.Code != want.Code || e.Text == "" {
			t.Errorf("%s: %+v", peer, e)
		}
	}
	server.set("rcpt", refusal(450, smtp.EnhancedCode{4, 2, 0}, "greylisted"))
	_, err := g.session(t).Send(t.Context(), note("again"))
	if e := core.AsError(err); e == nil || e.Kind != core.Unavailable || e.Code != "450 4.2.0" || e.By != "mx.example.com" {
		t.Errorf("%+v", e)
	}
	if got := fmt.Sprint(g.Counts()); got != "[{mail out deferred plain 1} {mail out refused  3} {mail out taken plain 1}]" {
		t.Error(got)
	}
	if g.Lifetime() != usualLifetime {
		t.Errorf("%v", g.Lifetime())
	}
}

// No mail server that another domain names is looked for inside.
func TestDirectOnlyOutside(t *testing.T) {
	server := startRelay(t, nil)
	g := directTo(t, server, map[string]any{"direct_private": false})
	_, err := g.session(t).Send(t.Context(), note("hello"))
	if e := core.AsError(err); e == nil || e.Reason != core.NoHost || e.Kind.Retried() {
		t.Errorf("%+v", e)
	}
	if len(server.mails) != 0 {
		t.Error("it was delivered")
	}
}

func TestOwnListener(t *testing.T) {
	tr := &transport{settings: settings{SMTP: "0.0.0.0:25"}}
	for at, want := range map[string]bool{"127.0.0.1:25": true, "[::1]:25": true, "127.0.0.1:26": false, "192.0.2.1:25": false} {
		if at == "[::1]:25" && !tr.oursAt(netip.MustParseAddrPort(at)) {
			continue // a machine without IPv6
		}
		if got := tr.oursAt(netip.MustParseAddrPort(at)); got != want {
			t.Errorf("%s: %v", at, got)
		}
	}
	tr.settings.SMTP = "192.0.2.1:25"
	if !tr.oursAt(netip.MustParseAddrPort("192.0.2.1:25")) || tr.oursAt(netip.MustParseAddrPort("127.0.0.1:25")) {
		t.Error("one address")
	}
	tr.settings.SMTP = ""
	if tr.oursAt(netip.MustParseAddrPort("127.0.0.1:25")) {
		t.Error("no listener")
	}
}
