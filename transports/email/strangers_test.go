package email

import (
	"testing"

	"gangway/core"
)

// TestRefusedAtRCPT: who is blocked, or a stranger to somebody who wants none, is told at RCPT; nothing is bounced later.
// Where servers put an address of their own into the envelope, From decides.
func TestRefusedAtRCPT(t *testing.T) {
	g := start(t, nil, nil)
	refused := core.E(core.Denied, "test", "")
	g.host.Turned = map[core.Ref]error{
		{Account: alice.ID, Peer: "eve@evil.example"}:                      refused,
		{Account: alice.ID, Peer: "SRS0=a=b=evil.example=eve@fwd.example"}: refused,
	}
	for from, want := range map[string]string{
		"eve@evil.example": "550 5.7.1", "bob@example.com": "250", "SRS0=a=b=evil.example=eve@fwd.example": "250", "": "250",
	} {
		for _, listener := range []string{"smtp", "lmtp"} {
			d := g.hello(t, listener)
			d.send("MAIL FROM:<" + from + ">")
			d.expect("250")
			d.send("RCPT TO:<alice@gw.example>")
			d.expect(want)
			d.send("RCPT TO:<bella@gw.example>")
			d.expect("250")
		}
	}
}

// TestBlockedByFrom: what core refuses is refused in the answer to the mail.
func TestBlockedByFrom(t *testing.T) {
	g := start(t, nil, nil)
	g.host.Refuse(core.E(core.Denied, "test", "This person does not accept messages from you."))
	d := g.hello(t, "smtp")
	d.transaction("bounces=1@esp.example", "alice@gw.example")
	d.send(mail, ".")
	d.expect("550 5.7.1")
}
