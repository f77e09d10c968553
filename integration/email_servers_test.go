//go:build integration

package integration

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"gangway/core/xmpp/stream"
	"gangway/integration/servers"
)

// TestEmailServers plays what the gateway does between XMPP and e-mail, with Postfix and Exim as the mail servers of both
// sides.
func TestEmailServers(t *testing.T) {
	t.Parallel()
	h := openMailHouse(t)
	all := make(chan mailScenario)
	var players sync.WaitGroup
	for range mailPlayers {
		players.Go(func() {
			for sc := range all {
				t.Run(sc.name, func(t *testing.T) { sc.play(h.stage(t, sc.gw)) })
			}
		})
	}
	for _, sc := range mailScenarios() {
		all <- sc
	}
	close(all)
	players.Wait()
}

// mailPlayers is how many scenarios are played at once, as with IRC: they wait for servers, one of them for a minute.
const mailPlayers = 4

// mailScenario is something that is played at a gateway.
type mailScenario struct {
	name string
	gw   string
	play func(*mailStage)
}

func mailScenarios() []mailScenario {
	return []mailScenario{
		{"greylisted", viaGrey, greylisted}, // takes longest
		{"in from Postfix by LMTP", viaPostfix, takesMail},
		{"in from Exim by LMTP", viaExim, takesMail},
		{"in from Exim as the MX", viaMX, takesMail},
		{"in with SMTPUTF8", viaMX, internationalAddress},
		{"out through Postfix", viaPostfix, sendsMail},
		{"out through Exim", viaExim, sendsMail},
		{"out straight to Exim", viaMX, sendsMail},
		{"out straight to Postfix", viaPlain, sendsStraight},
		{"out to an address beyond ASCII", viaGrey, refusesInternationalAddress},
		{"out as MTA-STS says", viaMX, heedsPolicies},
		{"a bounce of Postfix", viaPostfix, bounce},
		{"a bounce of Exim", viaExim, bounce},
		{"refused by Exim at RCPT", viaMX, refusedAtOnce},
		{"an outsider with swaks", viaMX, outsider},
		{"raw bytes", viaMX, rawBytes},
		{"bytes that are no text", viaPostfix, oddTexts},
		{"signed", viaPostfix, signsMail},
		{"what its server says", viaPostfix, believesItsServer},
		{"what the MX says", viaMX, judgesAsMX},
		{"mutt", viaPostfix, muttAnswers},
	}
}

// submit hands a mail to the mail server that is in front of the stage's gateway.
func (s *mailStage) submit(e servers.Envelope, raw []byte) {
	s.Helper()
	addr := s.exim.SMTPAddr()
	if s.gw == viaPostfix {
		addr = s.postfix.SMTPAddr()
	}
	if err := servers.Submit(s.ctx, addr, e, raw); err != nil {
		s.Fatal(err)
	}
}

// peer is somebody with a mailbox on the other side.
func (s *mailStage) peer(name string) string {
	switch s.gw {
	case viaPostfix, viaPlain:
		return s.postfix.Address(name)
	case viaGrey:
		return s.grey.Address(name)
	}
	return s.exim.Address(name)
}

// mailTo waits until somebody on the other side has a mail with a text in it.
func (s *mailStage) mailTo(name, text string) []byte {
	s.Helper()
	var raw []byte
	var err error
	switch s.gw {
	case viaPostfix, viaPlain:
		raw, err = s.postfix.WaitMessage(s.ctx, name, servers.Contains(text))
	case viaGrey:
		raw, err = s.grey.WaitMessage(s.ctx, name, servers.Contains(text))
	default:
		raw, err = s.exim.WaitMessage(s.ctx, name, servers.Contains(text))
	}
	if err != nil {
		s.Fatal(err)
	}
	return raw
}

// Section 3.1, both ways in; 1.2: BDAT, PIPELINING; 3.3: a file comes as it was sent, byte by byte.
func takesMail(s *mailStage) {
	from := s.peer("bob")
	s.submit(servers.Envelope{From: from, To: []string{s.Var("mail")}}, plainMail("Bob <"+from+">", s.Var("mail"), "a word "+s.Var("alias"), "", ".dot\r\nfirst line"))
	st := s.hears(from, ".dot\nfirst line")
	if got := st.ChildText("", "subject"); got != "a word "+s.Var("alias") {
		s.Errorf("the subject is %q", got)
	}
	file := make([]byte, 200<<10) // 274 KB as base64
	random := rand.New(rand.NewPCG(uint64(s.n), 1))
	for i := range file {
		file[i] = byte(random.Uint32())
	}
	var encoded strings.Builder
	for rest := base64.StdEncoding.EncodeToString(file); rest != ""; {
		n := min(76, len(rest))
		encoded.WriteString(rest[:n] + "\r\n")
		rest = rest[n:]
	}
	s.submit(servers.Envelope{From: from, To: []string{s.Var("mail")}}, plainMail(from, s.Var("mail"), "a file "+s.Var("alias"),
		"MIME-Version: 1.0\r\nContent-Type: application/octet-stream; name=noise.bin\r\nContent-Disposition: attachment; filename=noise.bin\r\n"+
			"Content-Transfer-Encoding: base64\r\n", encoded.String()))
	link := s.await("the file", func(st *stream.Stanza) bool { return st.Child("jabber:x:oob", "x") != nil }).Child("jabber:x:oob", "x").ChildText("", "url")
	if got, _ := fetch(s.ctx, s.T, link); !bytes.Equal(got, file) {
		s.Errorf("%s has %d bytes, and not the %d that were sent", link, len(got), len(file))
	}
	if s.gw != viaPostfix {
		s.eximSaid("=> "+s.Var("mail"), " K ", " L ")
	}
	if s.gw == viaMX {
		s.eximSaid("=> "+s.Var("mail"), "X=TLS1.3")
	}
}

// eximSaid looks for a line of Exim's log in which all these stand. K is CHUNKING (RFC 3030), L is PIPELINING.
func (s *mailStage) eximSaid(words ...string) {
	s.Helper()
	log, err := os.ReadFile(s.exim.Logs()[1])
	if err != nil {
		s.Fatal(err)
	}
	for line := range strings.Lines(string(log)) {
		if containsAll(line, words) {
			return
		}
	}
	s.Errorf("Exim did not write %q:\n%s", words, log)
}

// Section 3.13: SMTPUTF8 is taken.
func internationalAddress(s *mailStage) {
	from := "björn@exim.test"
	s.submit(servers.Envelope{From: from, To: []string{s.Var("mail")}, UTF8: true},
		plainMail("Björn <"+from+">", s.Var("mail"), "grüße "+s.Var("alias"), "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n", "schöne Grüße"))
	s.hears(from, "schöne Grüße")
}

// Section 3.1, the ways out; 3.3: good MIME, threading; 3.7: a receipt when the next hop has it, or a report of success.
func sendsMail(s *mailStage) {
	to := s.peer("carol")
	text := "hello from " + s.Var("alias")
	s.says(to, "m1", "<subject>Grüße</subject><body>"+text+" — ✓\n.\nFrom here on: = \n"+strings.Repeat("long ", 300)+"</body>")
	raw := s.mailTo("carol", text)
	s.wellFormed(raw)
	s.delivered("m1")
	id := header(string(raw), "Message-ID")
	s.submit(servers.Envelope{From: to, To: []string{s.Var("mail")}}, plainMail(to, s.Var("mail"), "Re: answer "+s.Var("alias"), "In-Reply-To: "+id+"\r\n", "an answer"))
	st := s.hears(to, "an answer")
	if got := st.Child("urn:xmpp:reply:0", "reply").Attr("id"); got != "m1" {
		s.Errorf("it answers %q: %v", got, st)
	}
	s.says(to, "m2", "<body>back again, "+s.Var("alias")+"</body>")
	raw = s.mailTo("carol", "back again, "+s.Var("alias"))
	if refs := header(strings.ReplaceAll(string(raw), "\n ", " "), "References"); !strings.Contains(refs, id) {
		s.Errorf("the answer to the answer refers to %q, not to %s", refs, id)
	}
	s.wellFormed(raw)
}

// strict is Python's parser, which is strict.
const strict = `
import email, email.policy, sys
m = email.message_from_bytes(sys.stdin.buffer.read(), policy=email.policy.strict)
for part in m.walk():
    for name, value in part.items():
        if getattr(value, "defects", ()):
            sys.exit("%s: %s: %s" % (name, value, value.defects))
    if not part.is_multipart():
        part.get_content()
    if part.defects:
        sys.exit(str(part.defects))
`

// wellFormed has another program read a mail of ours.
func (s *mailStage) wellFormed(raw []byte) {
	s.Helper()
	cmd := exec.CommandContext(s.ctx, "/usr/bin/python3", "-c", strict)
	cmd.Stdin = bytes.NewReader(raw)
	if out, err := cmd.CombinedOutput(); err != nil {
		s.Errorf("Python's strict parser: %v\n%s\n%s", err, out, raw)
	}
	for line := range strings.Lines(string(raw)) {
		if len(strings.TrimRight(line, "\r\n")) > 998 || strings.ContainsFunc(line, func(r rune) bool { return r > 126 }) {
			s.Errorf("not 7-bit, or too long: %q", line)
		}
	}
}

// Section 3.7: who is not there, known after the mail was taken, is told as an error about the message. Exim's report has
// the status 5.0.0, which may mean anything: its words say what it is.
func bounce(s *mailStage) {
	s.says(s.peer("nobody"), "b1", "<body>is anybody there?</body>")
	condition, text := s.failed("b1")
	if condition != "item-not-found" || !strings.HasPrefix(text, "There is no mailbox "+s.peer("nobody")+".") {
		s.Errorf("the bounce is %s: %q", condition, text)
	}
}

// Section 3.7: what a server refuses at RCPT.
func refusedAtOnce(s *mailStage) {
	for to, want := range map[string]string{"full": "resource-constraint", "gone": "item-not-found"} {
		s.says(s.peer(to), to, "<body>anybody?</body>")
		if condition, text := s.failed(to); condition != want || text == "" {
			s.Errorf("%s: %s, want %s: %q", to, condition, want, text)
		}
	}
}

// Section 3.8: who is put off comes again by the schedule, whose first step is longer than the list's.
func greylisted(s *mailStage) {
	to := s.peer("dave")
	begun := time.Now()
	s.says(to, "g1", "<body>patience, "+s.Var("alias")+"</body>")
	s.wellFormed(s.mailTo("dave", "patience, "+s.Var("alias")))
	s.delivered("g1")
	log, err := os.ReadFile(s.grey.Postfix.Logs()[1])
	if err != nil {
		s.Fatal(err)
	}
	if n := strings.Count(string(log), "Greylisted"); n == 0 {
		s.Errorf("nobody was put off:\n%s", log)
	} else {
		s.Logf("put off %d times, %v", n, time.Since(begun).Round(time.Second))
	}
}

// swaks is an outsider with that program; it returns the transcript.
func (s *mailStage) swaks(args ...string) string {
	s.Helper()
	cmd := exec.CommandContext(s.ctx, "/usr/bin/swaks", append([]string{"--server", s.smtp, "--helo", "mx.exim.test", "--timeout", "60s"}, args...)...)
	out, err := cmd.CombinedOutput()
	if cmd.ProcessState == nil {
		s.Fatal(err)
	}
	return string(out)
}

// Section 3.11: what an outsider is refused, and at which moment.
func outsider(s *mailStage) {
	huge := s.TempDir() + "/huge"
	if err := os.WriteFile(huge, bytes.Repeat([]byte(strings.Repeat("x", 70)+"\n"), 2*mxMaxSize/71), 0o600); err != nil {
		s.Fatal(err)
	}
	for _, c := range []struct {
		name string
		args []string
		want string
	}{
		{"nobody of that name", []string{"--from", "bob@exim.test", "--to", "nobody@mx.gw"}, "<** 550 5.1.1"},
		{"an open relay", []string{"--from", "bob@exim.test", "--to", "someone@elsewhere.test"}, "<** 550 5.7.1"},
		{"a reserved name", []string{"--from", "bob@exim.test", "--to", "abuse@mx.gw"}, "<** 550 5.1.1"},
		{"our own domain", []string{"--from", s.Var("mail"), "--to", s.Var("mail"), "--h-From", "<boss@mx.gw>"}, "<** 550 5.7.1"},
		{"a domain that signs", []string{"--from", "boss@bank.test", "--to", s.Var("mail"), "--h-From", "<boss@bank.test>"}, "<** 550 5.7.1"},
		{"another From than the envelope's", []string{"--from", "bob@exim.test", "--to", s.Var("mail"), "--h-From", "<boss@bank.test>"}, "<** 550 5.7.1"},
		{"a bounce of what we never sent", []string{"--from", "<>", "--to", "b=aaaaaaaaaaaaaaaaaaaaaaaaaa=aaaa=aaaaaaaa@mx.gw"}, "<** 550 5."},
		{"too much", []string{"--from", "bob@exim.test", "--to", s.Var("mail"), "--body", "@" + huge}, "<** 552 5.3.4"},
		{"an address that is none", []string{"--from", "bob@exim.test", "--to", "a b@mx.gw"}, "<** 5"},
	} {
		if out := s.swaks(c.args...); !strings.Contains(out, c.want) {
			s.Errorf("%s: no %q in\n%s", c.name, c.want, tailOf(out))
		}
	}
	out := s.swaks("--tls", "--from", "bob@exim.test", "--to", s.Var("mail"), "--h-From", "Bob <bob@exim.test>", "--h-Subject", "after all", "--body", "it is me")
	if !strings.Contains(out, "TLS started") || !strings.Contains(out, "<~  250") {
		s.Fatalf("a good mail:\n%s", out)
	}
	s.hears("bob@exim.test", "it is me")
}

// tailOf is the end of a transcript.
func tailOf(out string) string { return out[max(0, len(out)-2000):] }

// Section 1.2: bytes of the wire that mail has not, straight to the listener: what is taken is shown, and nothing of it
// becomes another mail.
func rawBytes(s *mailStage) {
	const head = "From: bob@exim.test\r\nSubject: raw\r\n"
	for _, c := range []struct{ name, raw, want string }{
		{"NUL", head + "\r\none\x00two NUL\r\n", "NUL"},
		{"bare LF", head + "\r\nbare\nLF\r\n", "bare"},
		{"smuggled", head + "\r\nbefore\n.\nMAIL FROM:<boss@bank.test>\r\nRCPT TO:<" + s.Var("mail") + ">\r\nDATA\r\nafter\r\n", "after"},
		{"8 bit, undeclared", head + "\r\nna\xefve 8bit\r\n", "8bit"},
		{"no header", "\r\nheaderless\r\n", ""},
	} {
		data := s.TempDir() + "/" + strings.ReplaceAll(c.name, " ", "-")
		if err := os.WriteFile(data, []byte(c.raw+".\r\n"), 0o600); err != nil {
			s.Fatal(err)
		}
		out := s.swaks("--from", "bob@exim.test", "--to", s.Var("mail"), "--no-data-fixup", "--data", "@"+data)
		switch {
		case c.want == "" && strings.Contains(out, "<** 550 5.7.1"): // nobody can vouch for it
		case !strings.Contains(out, "<-  250 2.0.0"):
			s.Errorf("%s is not taken:\n%s", c.name, tailOf(out))
		default:
			s.hears("bob@exim.test", c.want)
		}
	}
}

// Section 3.3: texts that are not what they say they are show what can be shown.
func oddTexts(s *mailStage) {
	from := s.peer("bob")
	for i, c := range []struct{ kind, text, want string }{
		{"text/plain; charset=x-unknown", "one caf\xe9", "one caf"},
		{"text/plain; charset=iso-8859-15", "two \xa4", "two €"},
		{"text/html; charset=utf-8", "<p>three <b>bold</b> <a href='https://example.org/'>link</a></p><script>no()</script>", "three *bold* link"},
		{"text/plain; charset=utf-16", "\xfe\xff\x00f\x00o\x00u\x00r", "four"},
	} {
		encoded := base64.StdEncoding.EncodeToString([]byte(c.text))
		s.submit(servers.Envelope{From: from, To: []string{s.Var("mail")}}, plainMail(from, s.Var("mail"), fmt.Sprint("odd ", s.Var("alias"), i),
			"MIME-Version: 1.0\r\nContent-Type: "+c.kind+"\r\nContent-Transfer-Encoding: base64\r\n", encoded))
		if st := s.hears(from, c.want); strings.Contains(st.Body(), "no()") {
			s.Errorf("%s is shown as %q", c.kind, st.Body())
		}
	}
}
