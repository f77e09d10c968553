package ircv3

import (
	"encoding/base64"
	"strings"
	"testing"

	"github.com/xdg-go/scram"

	"gangway/integration/ircclient"
)

func encoded(s string) string { return "AUTHENTICATE " + base64.StdEncoding.EncodeToString([]byte(s)) }

// TestSASL logs in with each mechanism, and with what is wrong in each.
func TestSASL(t *testing.T) {
	st := newStage(t, Config{Accounts: map[string]string{"jilles": "sesame", "long": strings.Repeat("x", 330)}})
	c := st.dial("al", "sasl")
	for _, step := range []struct{ send, code string }{
		{"AUTHENTICATE PLAIN", "AUTHENTICATE"},
		{encoded("\x00jilles\x00wrong"), "904"},
		{"AUTHENTICATE EXTERNAL", "AUTHENTICATE"},
		{"AUTHENTICATE +", "904"}, // there is no certificate
		{"AUTHENTICATE NONSENSE", "908"},
		{"AUTHENTICATE PLAIN", "AUTHENTICATE"},
		{"AUTHENTICATE *", "906"},
		{"AUTHENTICATE PLAIN", "AUTHENTICATE"},
		{"AUTHENTICATE " + strings.Repeat("a", 401), "905"},
		{"AUTHENTICATE PLAIN", "AUTHENTICATE"},
		{encoded("\x00jilles\x00sesame"), "903"},
	} {
		st.expect(c, step.send, step.code)
	}
	if got := st.s.Account("al"); got != "jilles" {
		t.Errorf("logged in as %q", got)
	}
	st.expect(c, "AUTHENTICATE PLAIN", "AUTHENTICATE")
	long := base64.StdEncoding.EncodeToString([]byte("\x00long\x00" + strings.Repeat("x", 330)))
	if err := c.Send("AUTHENTICATE " + long[:saslChunk]); err != nil {
		t.Fatal(err)
	}
	st.expect(c, "AUTHENTICATE "+long[saslChunk:], "903")
}

func (st *stage) expect(c *ircclient.Client, send, code string) ircclient.Line {
	st.Helper()
	if err := c.Send(send); err != nil {
		st.Fatal(err)
	}
	l, err := c.Wait(st.ctx, ircclient.Command(code))
	if err != nil {
		st.Fatalf("%s: no %s: %v", send, code, err)
	}
	return l
}

func TestSCRAM(t *testing.T) {
	st := newStage(t, Config{Accounts: map[string]string{"user": "pencil"}})
	for password, code := range map[string]string{"pencil": "903", "pen": "904"} {
		c := st.dial("nick"+code, "sasl")
		client, err := scram.SHA256.NewClient("user", password, "")
		if err != nil {
			t.Fatal(err)
		}
		conversation := client.NewConversation()
		st.expect(c, "AUTHENTICATE SCRAM-SHA-256", "AUTHENTICATE")
		first, err := conversation.Step("")
		if err != nil {
			t.Fatal(err)
		}
		challenge, err := base64.StdEncoding.DecodeString(st.expect(c, encoded(first), "AUTHENTICATE").Last())
		if err != nil {
			t.Fatal(err)
		}
		final, err := conversation.Step(string(challenge))
		if err != nil {
			t.Fatal(err)
		}
		if code == "904" {
			st.expect(c, encoded(final), code)
			continue
		}
		proof, err := base64.StdEncoding.DecodeString(st.expect(c, encoded(final), "AUTHENTICATE").Last())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := conversation.Step(string(proof)); err != nil {
			t.Errorf("the server's signature: %v", err)
		}
		st.expect(c, "AUTHENTICATE +", code)
	}
}

// TestCapabilities: values and several lines for version 302 only, all or nothing, NEW and DEL.
func TestCapabilities(t *testing.T) {
	st := newStage(t, Config{STS: "port=6697", Networks: []string{"1 name=Libera;state=connected"}, Without: []string{"setname"}})
	c := st.dial("al", "batch")
	if l := st.expect(c, "CAP LS", "CAP"); strings.Contains(l.Last(), "=") || strings.Contains(l.Last(), "setname") {
		t.Errorf("CAP LS: %s", l.Raw)
	}
	if l := st.expect(c, "CAP LS 302", "CAP"); l.Param(2) != "*" {
		t.Errorf("CAP LS 302: %s", l.Raw)
	}
	if l, err := c.Wait(st.ctx, ircclient.Command("CAP")); err != nil || !strings.Contains(l.Last(), "sts=port=6697") {
		t.Errorf("CAP LS 302: %s, %v", l.Raw, err)
	}
	if l := st.expect(c, "CAP REQ :away-notify setname", "CAP"); l.Param(1) != "NAK" {
		t.Errorf("CAP REQ: %s", l.Raw)
	}
	if l := st.expect(c, "CAP REQ :soju.im/bouncer-networks", "CAP"); l.Param(1) != "ACK" {
		t.Errorf("CAP REQ: %s", l.Raw)
	}
	st.s.Offer("setname")
	if l, err := c.Wait(st.ctx, ircclient.Command("CAP")); err != nil || l.Param(1) != "NEW" || l.Last() != "setname" {
		t.Errorf("CAP NEW: %s, %v", l.Raw, err)
	}
	st.s.Withdraw("setname")
	if l, err := c.Wait(st.ctx, ircclient.Command("CAP")); err != nil || l.Param(1) != "DEL" {
		t.Errorf("CAP DEL: %s, %v", l.Raw, err)
	}
	if l := st.expect(c, "BOUNCER LISTNETWORKS", "BOUNCER"); l.Param(1) != "1" || l.Last() != "name=Libera;state=connected" {
		t.Errorf("BOUNCER: %s", l.Raw)
	}
}
