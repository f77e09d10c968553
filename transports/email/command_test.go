package email

import (
	"strings"
	"testing"
	"time"

	"gangway/core"
	"gangway/transports/email/unsubscribe"
)

// ask carries out a command in a conversation of Alice's.
func (g *gateway) ask(t *testing.T, peer core.Address, name, which string) (core.Step, error) {
	t.Helper()
	var answers map[string]string
	if which != "" {
		answers = map[string]string{"which": which}
	}
	return g.Command(t.Context(), alice, peer, name, answers)
}

// TestOriginalOnCommand: whatever was left out of a mail, all of it can be had: its fields, its text, and itself.
func TestOriginalOnCommand(t *testing.T) {
	g := start(t, nil, nil)
	g.host.Chosen.Own = map[string]string{trimChoice: trimFull}
	first := "From: Bob <bob@example.com>\r\nTo: alice@gw.example\r\nMessage-ID: <o1@x>\r\nSubject: Tea\r\n\r\nYes.\r\n\r\n-- \r\nBob\r\n"
	g.take(t, strings.ReplaceAll(strings.TrimSuffix(first, "\r\n"), "\r\n", "\n"))
	g.take(t, "From: bob@example.com\nMessage-ID: <o2@x>\nSubject: Cake\n\nNo.")
	g.take(t, "From: carol@example.com\nMessage-ID: <o3@x>\n\nHi.")
	step, err := g.ask(t, "bob@example.com", originalCommand, "2")
	if err != nil || !step.Done || !strings.Contains(step.Text, "From: Bob <bob@example.com>\nTo: alice@gw.example\nSubject: Tea") ||
		step.Document != "Yes.\n\n-- \nBob" {
		t.Errorf("%+v, %v", step, err)
	}
	if step.File == nil || step.File.Type != "message/rfc822" {
		t.Errorf("no file: %+v", step)
	} else if got := string(g.host.Files.Content(step.File.URL)); got != first {
		t.Errorf("%q", got)
	}
	if step, err := g.ask(t, "Bob@example.com", originalCommand, ""); err != nil || step.Document != "No." {
		t.Errorf("%+v, %v", step, err)
	}
	for which, want := range map[string]core.Kind{"3": core.NotFound, "0": core.Invalid, "x": core.Invalid} {
		if _, err := g.ask(t, "bob@example.com", originalCommand, which); err == nil || core.KindOf(err) != want {
			t.Errorf("%q: %v", which, err)
		}
	}
	if _, err := g.ask(t, "eve@example.com", originalCommand, ""); core.KindOf(err) != core.NotFound {
		t.Errorf("nobody's: %v", err)
	}
}

// TestOriginalsAreTheAccounts: nobody can ask for somebody else's mail.
func TestOriginalsAreTheAccounts(t *testing.T) {
	g := start(t, nil, nil)
	g.take(t, "From: bob@example.com\nMessage-ID: <o1@x>\n\nFor Alice.")
	if _, err := g.Command(t.Context(), bella, "bob@example.com", originalCommand, nil); core.KindOf(err) != core.NotFound {
		t.Error(err)
	}
}

// TestOriginalsBounded: of a long mail the beginning is kept, of a conversation the newest, and nothing where nothing is
// to be.
func TestOriginalsBounded(t *testing.T) {
	g := start(t, nil, nil)
	g.take(t, "From: bob@example.com\nMessage-ID: <o1@x>\n\n"+strings.Repeat("words and words\n", 20_000))
	step, err := g.ask(t, "bob@example.com", originalCommand, "")
	if err != nil || len(step.Document) > maxOriginal || len(step.Document) < maxOriginal/2 || !strings.Contains(step.Text, "only its beginning") {
		t.Errorf("%d bytes, %q, %v", len(step.Document), step.Text, err)
	}
	off := start(t, map[string]any{"keep_originals": time.Duration(0)}, nil)
	off.take(t, "From: bob@example.com\nMessage-ID: <o1@x>\n\nHi.")
	if _, err := off.ask(t, "bob@example.com", originalCommand, ""); core.KindOf(err) != core.NotFound {
		t.Error(err)
	}
	for range 3 * maxLately {
		if _, err := g.cameLately(t.Context(), "k", mailed{Key: core.Digest(time.Now().String())}, unsubscribe.Ways{}); err != nil {
			t.Fatal(err)
		}
	}
	if n := len(g.recent.lists["k"].Mails); n > maxLately {
		t.Errorf("%d mails", n)
	}
}

const listHead = "From: news@shop.example\nList-Id: <1.shop.example>\n"

// TestUnsubscribeByMail: a list that wants a mail gets one, from the address that reads it.
func TestUnsubscribeByMail(t *testing.T) {
	relay := startRelay(t, nil)
	g := start(t, map[string]any{"relay": "smtp://" + relay.addr}, nil)
	g.take(t, listHead+"Message-ID: <u1@x>\nList-Unsubscribe: <mailto:leave-17@shop.example?subject=leave%2017>\n\nBuy!")
	g.take(t, "From: news@shop.example\nMessage-ID: <u2@x>\n\nThanks for your order.") // says nothing of it
	step, err := g.ask(t, "news@shop.example", unsubscribeCommand, "")
	if err != nil || !strings.Contains(step.Text, "on its way") {
		t.Fatalf("%+v, %v", step, err)
	}
	if sent := <-relay.mails; sent.to != "leave-17@shop.example" || !strings.Contains(sent.mail, "Subject: leave 17") || !strings.Contains(sent.mail, "alice@gw.example") {
		t.Errorf("%+v", sent)
	}
}

// TestUnsubscribeElse: where nothing works by itself, people are told where they can do it, and a server of our own
// network is not asked.
func TestUnsubscribeElse(t *testing.T) {
	g := start(t, nil, nil)
	g.take(t, listHead+"Message-ID: <u1@x>\nList-Unsubscribe: <https://127.0.0.1/u?me>\nList-Unsubscribe-Post: List-Unsubscribe=One-Click\n\nBuy!")
	step, err := g.ask(t, "news@shop.example", unsubscribeCommand, "")
	if err != nil || step.Text != "To unsubscribe, open this page: https://127.0.0.1/u?me" {
		t.Errorf("%+v, %v", step, err)
	}
	g.take(t, "From: bob@example.com\nMessage-ID: <u2@x>\n\nHi.")
	if _, err := g.ask(t, "bob@example.com", unsubscribeCommand, ""); core.KindOf(err) != core.NotFound {
		t.Error(err)
	}
}

// TestUnsubscribeForum: a list that people write to is left in its own conversation.
func TestUnsubscribeForum(t *testing.T) {
	relay := startRelay(t, nil)
	g := start(t, map[string]any{"relay": "smtp://" + relay.addr}, nil)
	g.take(t, "From: bob@example.com\nMessage-ID: <l1@x>\n"+listMail+"List-Unsubscribe: <mailto:garden-leave@lists.example.com>\n\nRed?")
	if step, err := g.ask(t, "garden@lists.example.com", unsubscribeCommand, ""); err != nil || !step.Done {
		t.Fatalf("%+v, %v", step, err)
	}
	if sent := <-relay.mails; sent.to != "garden-leave@lists.example.com" {
		t.Errorf("%+v", sent)
	}
}

// TestAutocryptIsKept: the key of who wrote, and of nobody else.
func TestAutocryptIsKept(t *testing.T) {
	g := start(t, nil, nil)
	bob := address{local: "bob", domain: "example.com", wire: "example.com"}
	kept := func() string {
		b, _ := g.host.Notes().Get(t.Context(), autocryptKey(alice.ID, bob))
		return string(b)
	}
	for i, fields := range []string{
		"Autocrypt: addr=eve@example.com; keydata=AAAA\n", "Autocrypt: addr=bob@example.com; keydata=A\nAutocrypt: addr=bob@example.com; keydata=B\n",
		"Autocrypt: addr=bob@example.com; keydata=" + strings.Repeat("A", maxAutocrypt) + "\n", "Autocrypt: nonsense\n",
		"List-Id: x\nAutocrypt: addr=bob@example.com; keydata=AAAA\n",
	} {
		g.take(t, "From: bob@example.com\nMessage-ID: <k"+string(rune('a'+i))+"@x>\n"+fields+"\nHi.")
		if got := kept(); got != "" {
			t.Errorf("%.60q: kept %.60q", fields, got)
		}
	}
	g.take(t, "From: bob@example.com\nMessage-ID: <k9@x>\nAutocrypt: addr=Bob@Example.com; prefer-encrypt=mutual; keydata=AA\n AA\n\nHi.")
	if got := kept(); got != "addr=Bob@Example.com; prefer-encrypt=mutual; keydata=AA AA" {
		t.Errorf("%q", got)
	}
}
