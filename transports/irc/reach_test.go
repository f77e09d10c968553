package irc

import (
	"context"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/tls"
	"encoding/hex"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"gangway/core"
)

// What a user may choose about the way to a network never makes it less safe than the administrator has it.
func TestChosenNetwork(t *testing.T) {
	tr := transportOf(t, openConfig+"\n[network.\"irc.fixed.test\"]\naddress = \"ircs://server.test:7001\"\nflood_burst = 4\n")
	options := map[string]string{optionAddress: "other.test", optionPorts: "6697;7000", optionFingerprint: strings.Repeat("ab:", 31) + "ab", optionBurst: "3"}
	n := tr.cfg.public("irc.test").chosen(options)
	if n.host != "other.test" || n.address != "other.test:6697" || n.tls.ServerName != "other.test" || !n.guarded || n.name != "irc.test" ||
		!slices.Equal(n.ports, []string{"6697", "7000"}) || len(n.pin) != sha256.Size || n.burst != 3 {
		t.Errorf("a public network is reached as %+v", n)
	}
	fixed := tr.networks["irc.fixed.test"]
	options[optionBurst] = "100"
	if n = fixed.chosen(options); n.address != "server.test:7001" || n.tls.ServerName != "server.test" || n.ports != nil || len(n.pin) != sha256.Size || n.burst != 4 {
		t.Errorf("a configured network is reached as %+v", n)
	}
	if fixed.pin != nil || fixed.burst != 4 {
		t.Error("everybody's network was changed")
	}
	bad := map[string]string{optionAddress: "no host!", optionPorts: "25", optionFingerprint: "xyz", optionBurst: "-1"}
	if n, usual := tr.cfg.public("irc.test").chosen(bad), tr.cfg.public("irc.test"); n.address != usual.address || n.ports != nil || n.pin != nil || n.burst != usual.burst {
		t.Errorf("after nonsense: %+v", n)
	}
}

func TestEnrolHowToReach(t *testing.T) {
	tr := transportOf(t, openConfig)
	good := map[string]string{
		"network": "irc.new.test", "unlogged": "", "ports": "6697, 7000", "fingerprint": strings.Repeat("0", 40), "burst": "3", "address": "One.Test",
	}
	step, err := tr.Enroll(t.Context(), "alice@example.test", nil, good)
	if err != nil || !step.Done || step.Link.Options["address"] != "one.test" || step.Link.Options["ports"] != "6697, 7000" || step.Link.Options["burst"] != "3" {
		t.Fatalf("%+v, %v", step, err)
	}
	for name, value := range map[string]string{
		"ports": "22", "fingerprint": "12", "burst": "0", "address": "http://x/",
	} {
		bad := map[string]string{"network": "irc.new.test", "unlogged": "", name: value}
		if step, err := tr.Enroll(t.Context(), "alice@example.test", nil, bad); err != nil || step.Done || step.Text == "" {
			t.Errorf("%s %q: %+v, %v", name, value, step, err)
		}
	}
	fields, err := tr.Connection(*step.Link)
	if err != nil {
		t.Fatal(err)
	}
	answers := map[string]string{"network": step.Link.Realm}
	for _, f := range fields {
		answers[f.Name] = f.Value
	}
	again, err := tr.Enroll(t.Context(), "alice@example.test", step.Link, answers)
	if err != nil || !again.Done || len(again.Link.Options) != len(step.Link.Options) {
		t.Errorf("what the questions propose changes %+v to %+v, %v", step.Link, again, err)
	}
	step.Link.Secret = core.Secret("pa55")
	answers["password"] = noPassword
	if again, err = tr.Enroll(t.Context(), "alice@example.test", step.Link, answers); err != nil || again.Link == nil || again.Link.Secret != nil {
		t.Errorf("a password cannot be taken away: %+v, %v", again, err)
	}
}

// The ports are tried one after the other.
func TestPortsInTurn(t *testing.T) {
	account := core.Account{Options: map[string]string{optionPorts: "7000 6697"}}
	script(t, quickConfig, account, func(p *play) {
		dial := p.s.t.dial
		p.s.t.dial = func(ctx context.Context, n *network) (net.Conn, error) {
			if strings.HasSuffix(n.address, ":7000") {
				p.dialled = append(p.dialled, n)
				return nil, &net.OpError{Op: "dial", Err: net.ErrClosed}
			}
			return dial(ctx, n)
		}
		p.run()
		p.register("alice")
		if len(p.dialled) != 2 || p.dialled[0].address != "irc.test:7000" || p.dialled[1].address != "irc.test:6697" {
			t.Errorf("%d were dialled", len(p.dialled))
		}
	})
}

// A certificate that the user trusts is good, though nobody vouches for it, and no other is.
func TestPinnedCertificate(t *testing.T) {
	var c credentials
	if err := c.certify("irc.self.test"); err != nil {
		t.Fatal(err)
	}
	key, err := c.identified(&tls.Config{MinVersion: tls.VersionTLS12})
	if err != nil {
		t.Fatal(err)
	}
	listener, err := tls.Listen("tcp", "127.0.0.1:0", key)
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			_ = conn.(*tls.Conn).Handshake()
			conn.Close()
		}
	}()
	t.Cleanup(func() { listener.Close(); <-ended })
	short, long := sha256.Sum256(c.Certificate), sha512.Sum512(c.Certificate)
	for name, tc := range map[string]struct {
		pin  string
		good bool
	}{
		"none": {"", false}, "SHA-256": {hex.EncodeToString(short[:]), true}, "SHA-512": {hex.EncodeToString(long[:]), true},
		"SHA-1": {hex.EncodeToString(digest(c.Certificate, 20)), true}, "another": {strings.Repeat("0", 64), false},
	} {
		n := (&network{address: listener.Addr().String(), tls: &tls.Config{ServerName: "irc.other.test", MinVersion: tls.VersionTLS12}}).
			chosen(map[string]string{optionFingerprint: tc.pin})
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
		conn, err := dial(ctx, n)
		cancel()
		if (err == nil) != tc.good {
			t.Errorf("%s: %v", name, err)
		}
		if err != nil && !strings.Contains(core.AsError((&session{net: n}).unreachable(err)).Text, "certificate") {
			t.Errorf("%s: the user is not told why: %v", name, err)
		}
		if conn != nil {
			conn.Close()
		}
	}
}
