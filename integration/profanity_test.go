//go:build integration

package integration

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"gangway/integration/ircclient"
	"gangway/integration/twilio"
	"gangway/integration/world"
)

// profanity is Debian's Profanity, logged in as a person.
type profanity struct {
	*terminal
	s *stage
	p *person
}

// newProfanity starts it with a debug log, which holds every stanza, and logs in.
func newProfanity(s *stage, p *person) *profanity {
	s.Helper()
	c := &profanity{newTerminal(s.ctx, s.T, "profanity -l DEBUG"), s, p}
	c.see("Profanity") // its banner
	host, port, err := net.SplitHostPort(s.XMPP.Addr())
	if err != nil {
		s.Fatal(err)
	}
	c.enter("/connect " + p.Bare() + "/profanity server " + host + " port " + port + " tls disable")
	c.see("nter password")
	c.enter(world.Password)
	c.see("logged in successfully")
	return c
}

// log is the debug log. Profanity names it after its process.
func (c *profanity) log() string {
	files, err := filepath.Glob(filepath.Join(c.home, ".local/share/profanity/logs/*.log"))
	if err != nil {
		c.s.Fatal(err)
	}
	all := ""
	for _, file := range files {
		b, err := os.ReadFile(file)
		if err != nil {
			c.s.Fatal(err)
		}
		all += string(b)
	}
	return all
}

// stanza waits for a line of the log, which has one stanza each, that holds all the texts, and returns it.
func (c *profanity) stanza(direction string, texts ...string) string {
	c.s.Helper()
	deadline := time.Now().Add(clientWait)
	for {
		log := c.log()
		for line := range strings.Lines(log) {
			if strings.Contains(line, direction+": <") && containsAll(line, texts) {
				return line
			}
		}
		if time.Now().After(deadline) || c.ctx.Err() != nil {
			c.s.Fatalf("no stanza %s with %q:\n%s", direction, texts, log[max(0, len(log)-12_000):])
		}
		time.Sleep(100 * time.Millisecond)
	}
}

func containsAll(text string, parts []string) bool {
	for _, part := range parts {
		if !strings.Contains(text, part) {
			return false
		}
	}
	return true
}

var stanzaID = regexp.MustCompile(` id="([^"]+)"`)

// sent waits for a stanza that Profanity sends and returns its id.
func (c *profanity) sent(texts ...string) string {
	c.s.Helper()
	m := stanzaID.FindStringSubmatch(c.stanza("SENT", texts...))
	if m == nil {
		c.s.Fatalf("a stanza without an id: %q", texts)
	}
	return m[1]
}

// profanityJourney: a person with Profanity finds the gateway, registers by command, adds a contact, writes, corrects,
// sends a file, and joins a channel.
func profanityJourney(s *stage) {
	p := s.newPerson()
	room, other := p.channel()
	if err := p.Close(); err != nil { // one device only
		s.Fatal(err)
	}
	c := newProfanity(s, p)

	c.enter("/disco items " + world.Domain)
	c.see(world.SMS, world.Mail, world.IRC)
	c.enter("/disco info " + world.SMS)
	c.see("SMS sms gateway", "jabber:iq:register") // name, type and category

	c.enter("/cmd list " + world.SMS)
	c.see("jabber:iq:register", "add-contact", "undelivered")
	c.enter("/cmd exec jabber:iq:register " + world.SMS)
	c.see("/form submit")
	c.enter("/field1 " + p.number)
	c.enter("/form submit")
	c.stanza("RECV", `status="completed"`, p.number)

	c.enter("/win 1")
	c.enter("/roster add " + p.peerJID() + " Peer")
	c.enter("/sub request " + p.peerJID())
	c.stanza("RECV", "<presence", `from="`+p.peerJID()+`"`, `type="subscribed"`)

	c.enter("/receipts request on")
	c.enter("/msg " + p.peerJID() + " hello from profanity " + p.name)
	id := c.sent("<message", "hello from profanity "+p.name)
	c.stanza("RECV", "<message", "<received", `id="`+id+`"`)
	if _, err := s.Twilio.Inbound(s.ctx, p.peer(), p.number, "hello, Profanity"); err != nil {
		s.Fatal(err)
	}
	c.see("hello, Profanity")

	c.correction(id)
	c.upload()
	c.block()
	c.enterRoom(room, other)
	c.unregister()
}

// block hears nothing of a contact until it is unblocked.
func (c *profanity) block() {
	c.s.Helper()
	c.enter("/blocked add " + c.p.peerJID())
	c.stanza("RECV", "<iq", "urn:xmpp:blocking", "<block", c.p.peerJID()) // the server's push
	c.p.text("while blocked")
	c.p.nothingWaits()
	c.enter("/blocked remove " + c.p.peerJID())
	c.stanza("RECV", "<iq", "urn:xmpp:blocking", "<unblock", c.p.peerJID())
	c.p.text("after all that")
	c.see("after all that")
	if strings.Contains(c.screen(), "while blocked") {
		c.s.Errorf("what a blocked contact says is shown:\n%s", c.screen())
	}
}

// unregister deletes the account by a command that asks whether to.
func (c *profanity) unregister() {
	c.s.Helper()
	c.enter("/win 1")
	c.enter("/cmd exec unregister " + world.SMS)
	c.stanza("RECV", `node="unregister"`, `status="executing"`)
	c.see("Delete it?")
	c.enter("/field1 on")
	c.enter("/form submit")
	c.stanza("RECV", `node="unregister"`, `status="completed"`, "deleted")
}

// correction: SMS cannot, so it is said anew, or refused with a sentence; Profanity sees one or the other.
func (c *profanity) correction(original string) {
	c.s.Helper()
	c.enter("/correction on")
	c.enter("/correct hello, corrected, " + c.p.name)
	id := c.sent("<message", "corrected, "+c.p.name, "<replace", original)
	answer := c.stanza("RECV", "<message", id)
	if strings.Contains(answer, `type="error"`) {
		if !strings.Contains(answer, "<text") {
			c.s.Errorf("refused without a sentence: %s", answer)
		}
		return
	}
	if _, err := c.s.Twilio.WaitMessage(c.s.ctx, func(m *twilio.Message) bool {
		return strings.Contains(m.Body, "corrected, "+c.p.name)
	}); err != nil {
		c.s.Error(err)
	}
}

// upload sends a file: Profanity puts it on the server and sends the address.
func (c *profanity) upload() {
	c.s.Helper()
	file := filepath.Join(c.home, "note.txt")
	if err := os.WriteFile(file, []byte("a note\n"), 0o600); err != nil {
		c.s.Fatal(err)
	}
	c.enter("/sendfile " + file)
	id := c.sent("<message", "jabber:x:oob", c.p.peerJID())
	answer := c.stanza("RECV", "<message", id)
	if strings.Contains(answer, `type="error"`) && !strings.Contains(answer, "<text") {
		c.s.Errorf("the file is refused without a sentence: %s", answer)
	}
}

// enterRoom joins a channel, speaks and listens.
func (c *profanity) enterRoom(room string, other *ircclient.Client) {
	c.s.Helper()
	c.enter("/join " + room + " nick " + c.p.name)
	c.stanza("RECV", "<presence", room+"/"+c.p.name, `code="110"`)
	c.see("irc-" + c.p.name) // among the occupants
	c.enter("hello IRC from profanity")
	if _, err := other.Wait(c.s.ctx, ircclient.Said(c.p.name, "#of-"+c.p.name, "hello IRC from profanity")); err != nil {
		c.s.Fatal(err)
	}
	line := fmt.Sprintf("hello %s, welcome", c.p.name)
	if err := other.Privmsg("#of-"+c.p.name, line); err != nil {
		c.s.Fatal(err)
	}
	c.see(line)
}

func profanityScenarios() []scenario {
	return []scenario{{"Profanity", profanityJourney}}
}
