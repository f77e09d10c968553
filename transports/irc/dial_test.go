package irc

import (
	"bufio"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"gangway/core"
	"gangway/core/transporttest"
	"gangway/transports/irc/ircdtest"
	"gangway/transports/irc/wire"
)

// certificate makes a self-signed certificate for localhost, good for an hour, and writes it to a PEM file.
func certificate(t testing.TB) (tls.Certificate, string) {
	t.Helper()
	return certificateUntil(t, time.Now().Add(time.Hour))
}

func certificateUntil(t testing.TB, until time.Time) (tls.Certificate, string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "localhost"}, DNSNames: []string{"localhost"},
		NotBefore: until.Add(-100 * 24 * time.Hour), NotAfter: until, IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "ca.pem")
	block := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	if err := os.WriteFile(file, block, 0o600); err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, file
}

// serve runs an IRC server until the test ends and returns its port.
func serve(t testing.TB, srv *ircdtest.Server, config *tls.Config) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_, port, _ := net.SplitHostPort(l.Addr().String())
	if config != nil {
		l = tls.NewListener(l, config)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() {
		if err := srv.Serve(ctx, l); err != nil {
			t.Errorf("Serve: %v", err)
		}
	})
	t.Cleanup(func() {
		cancel()
		wg.Wait()
	})
	return port
}

// TestOnlyPublicAddresses names hosts that are not configured: they may not lead inside.
func TestOnlyPublicAddresses(t *testing.T) {
	tr := transportOf(t, `networks = ["*"]`)
	for _, host := range []string{"localhost", "127.0.0.1", "10.0.0.1", "169.254.169.254", "0.0.0.0", "192.168.1.1", "100.64.0.1"} {
		s, err := tr.Open(core.Account{ID: "a1", Realm: host})
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Run(t.Context()); core.KindOf(err) != core.Denied || !strings.Contains(core.AsError(err).Text, "public") {
			t.Errorf("%s: Run = %v", host, err)
		}
	}
	n := tr.cfg.public("irc.example.org")
	if n.address != "irc.example.org:6697" || n.tls == nil || n.tls.InsecureSkipVerify || n.tls.ServerName != "irc.example.org" || !n.guarded {
		t.Errorf("a network that is not configured is %+v", n)
	}
}

func TestConformance(t *testing.T) {
	for name, caps := range map[string][]string{"plain": nil, "echo": {"echo-message"}} {
		t.Run(name, func(t *testing.T) {
			transporttest.Run(t, func(t *testing.T) transporttest.Fixture { return fixture(t, caps) })
		})
	}
}

func fixture(t *testing.T, caps []string) transporttest.Fixture {
	srv := &ircdtest.Server{Caps: caps}
	port := serve(t, srv, nil)
	return transporttest.Fixture{
		Driver: Driver(),
		Settings: settingsOf("networks = [\"*\"]\nflood_interval = \"0s\"\n[network.\"irc.test\"]\naddress = \"irc://127.0.0.1:" +
			port + "\""),
		Account: core.Account{ID: "a1", User: "alice@example.test", Network: "irc", Realm: "irc.test", Options: map[string]string{"nick": "alice"}},
		Peer:    "bob",
		Far:     newBob(t, srv, port),
		Forms: []transporttest.Form{
			{Text: "#Chan%irc.test", Want: core.Target{Realm: "irc.test", Address: "#chan", Room: true}},
			{Text: "Bob%irc.test", Want: core.Target{Realm: "irc.test", Address: "bob"}},
			{Text: "irc.test", Want: core.Target{Realm: "irc.test"}},
		},
		Bad: bad,
	}
}

// bob is a client of the server, and waits for alice before he speaks.
type bob struct {
	srv *ircdtest.Server
	got chan transporttest.Got
}

func newBob(t *testing.T, srv *ircdtest.Server, port string) *bob {
	conn, err := net.Dial("tcp", "127.0.0.1:"+port)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	fmt.Fprint(conn, "NICK bob\r\nUSER bob 0 * bob\r\n")
	b := &bob{srv: srv, got: make(chan transporttest.Got, 1000)}
	welcomed := make(chan struct{})
	go func() {
		in := bufio.NewScanner(conn)
		for in.Scan() {
			m, err := wire.Parse(in.Bytes(), nil, wire.MaxBody)
			if err == nil && m.Command == "422" {
				close(welcomed)
			}
			if err == nil && m.Command == "PRIVMSG" {
				b.got <- transporttest.Got{Text: m.Trailing()}
			}
		}
	}()
	<-welcomed
	return b
}

func (b *bob) Next(ctx context.Context) (transporttest.Got, error) {
	select {
	case got := <-b.got:
		return got, nil
	case <-ctx.Done():
		return transporttest.Got{}, ctx.Err()
	}
}

func (b *bob) Say(ctx context.Context, _, text string) error {
	for !b.srv.Say("bob", "alice", text) {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(time.Millisecond):
		}
	}
	return nil
}
