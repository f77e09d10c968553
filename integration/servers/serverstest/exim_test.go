//go:build integration

package serverstest_test

import (
	"bytes"
	"errors"
	"testing"

	"github.com/emersion/go-smtp"

	"gangway/integration/servers"
	"gangway/integration/servers/serverstest"
)

func TestExim(t *testing.T) {
	lmtp := &lmtpServer{got: make(chan received, 10)}
	m := serverstest.Start(t, servers.NewExim, servers.EximConfig{
		Dir: serverstest.Dir(t), Domain: "exim.test", Users: []string{"bob"}, Gateways: []servers.EximGateway{{Domain: gateway, Addr: lmtp.listen(t)}},
		Refuse: map[string]string{"later@exim.test": "451 4.3.0 Try again later", "full@exim.test": "552 5.2.2 Mailbox full"},
	})
	from := "al@" + gateway
	if err := servers.Submit(deadline(t), m.SMTPAddr(), servers.Envelope{From: from, To: []string{m.Address("bob")}}, note(from, m.Address("bob"), "to bob")); err != nil {
		t.Fatal(err)
	}
	raw, err := m.WaitMessage(deadline(t), "bob", servers.Contains("Subject: to bob"))
	if err != nil || !bytes.Contains(raw, []byte("\n\n.dot\nfirst line\n")) {
		t.Fatalf("%v: %q", err, raw)
	}
	to := "alice@" + gateway
	if err := servers.Submit(deadline(t), m.SMTPAddr(), servers.Envelope{From: m.Address("bob"), To: []string{to}}, note(m.Address("bob"), to, "to the gateway")); err != nil {
		t.Fatal(err)
	}
	if r := lmtp.next(t); r.from != m.Address("bob") || r.to != to || !bytes.Contains(r.raw, []byte("\r\n\r\n.dot\r\nfirst line\r\n")) {
		t.Fatalf("the gateway gets %+v", r)
	}
	for to, want := range map[string]int{"later@exim.test": 451, "full@exim.test": 552, "x%y@exim.test": 550, "who@elsewhere.test": 550, "who@exim.test": 0} {
		err := servers.Submit(deadline(t), m.SMTPAddr(), servers.Envelope{From: from, To: []string{to}}, note(from, to, "no"))
		code := 0
		if se, ok := errors.AsType[*smtp.SMTPError](err); ok {
			code = se.Code
		}
		if code != want {
			t.Errorf("%s: %v, want %d", to, err, want)
		}
	}
	if r := lmtp.next(t); r.from != "" || !bytes.Contains(r.raw, []byte("Unknown user")) {
		t.Errorf("the bounce: %+v", r)
	}
	if err := m.Kill(); err != nil {
		t.Fatal(err)
	}
	if err := m.Start(deadline(t)); err != nil {
		t.Fatal(err)
	}
}
