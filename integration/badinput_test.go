//go:build integration

package integration

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/textproto"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"gangway/integration/client"
	"gangway/integration/ircclient"
	"gangway/integration/servers"
	"gangway/integration/twilio"
	"gangway/integration/world"
	"gangway/transports/irc/ircdtest"
)

// Whatever is fed to the gateway here, the one who did it is told, and the others are not disturbed: after each,
// something ordinary still flows.

const (
	carolJID = `carol\40mail.test@` + world.Mail
	smsPeer  = "+15550199999"
)

// gangway runs a subcommand to its end.
func gangway(ctx context.Context, t *testing.T, w *world.World, args ...string) (out string, code int) {
	t.Helper()
	b, err := exec.CommandContext(ctx, binary, append(args, "-c", w.Config)...).CombinedOutput()
	if _, ok := errors.AsType[*exec.ExitError](err); err != nil && !ok {
		t.Fatal(err)
	}
	if ok := err == nil; ok {
		return string(b), 0
	}
	exit, _ := errors.AsType[*exec.ExitError](err)
	return string(b), exit.ExitCode()
}

// edit changes the configuration file.
func edit(t *testing.T, w *world.World, before, after string) {
	t.Helper()
	text, err := os.ReadFile(w.Config)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Contains(text, []byte(before)) {
		t.Fatalf("the configuration lacks %q", before)
	}
	if err := os.WriteFile(w.Config, bytes.Replace(text, []byte(before), []byte(after), 1), 0o600); err != nil {
		t.Fatal(err)
	}
}

// part is a line of /readyz.
type part struct {
	Name string `json:"name"`
	OK   bool   `json:"ok"`
	Text string `json:"text"`
}

// readyz asks the running program what works.
func readyz(ctx context.Context, t *testing.T, w *world.World) (code int, parts map[string]part, raw string) {
	t.Helper()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+w.Web+"/readyz", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, nil, err.Error()
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	var answer struct{ Parts []part }
	if err := json.Unmarshal(b, &answer); err != nil {
		t.Fatalf("readyz: %v: %s", err, b)
	}
	parts = map[string]part{}
	for _, p := range answer.Parts {
		parts[p.Name] = p
	}
	return res.StatusCode, parts, string(b)
}

// until polls for what the program can only be asked.
func until(ctx context.Context, t *testing.T, what string, ok func() (bool, string)) {
	t.Helper()
	ctx, cancel := context.WithTimeout(ctx, 45*time.Second)
	defer cancel()
	for {
		done, state := ok()
		if done {
			return
		}
		select {
		case <-ctx.Done():
			t.Fatalf("%s: %s", what, state)
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// smsFlows sends a text message each way.
func smsFlows(ctx context.Context, t *testing.T, w *world.World, alice *client.Client) {
	t.Helper()
	text := "still here " + alice.NewID()
	if _, err := alice.Say(smsPeer+"@"+world.SMS, text); err != nil {
		t.Fatal(err)
	}
	short, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	if _, err := w.Twilio.WaitMessage(short, func(m *twilio.Message) bool { return m.Body == text }); err != nil {
		t.Fatalf("nothing flows to SMS: %v\n%s", err, journal(alice))
	}
	if _, err := w.Twilio.Inbound(ctx, smsPeer, world.Numbers()[0], "back "+text); err != nil {
		t.Fatal(err)
	}
	wait(ctx, t, alice, "a text message", client.MessageFrom(smsPeer+"@"+world.SMS, "back "+text))
}

// mailFlows brings a mail in by way of Postfix.
func mailFlows(ctx context.Context, t *testing.T, w *world.World, alice *client.Client) {
	t.Helper()
	text := "still here " + alice.NewID()
	if err := w.Mail.Send(ctx, "carol@mail.test", "alice@"+world.Mail, mailOf(text, text)); err != nil {
		t.Fatal(err)
	}
	wait(ctx, t, alice, "a mail", bodyHas(text))
}

func mailOf(id, text string) []byte {
	id = strings.ReplaceAll(id, " ", "-")
	return fmt.Appendf(nil, "From: carol@mail.test\r\nTo: alice@%s\r\nSubject: s\r\nMessage-ID: <%s@mail.test>\r\n\r\n%s\r\n", world.Mail, id, text)
}

func bodyHas(text string) func(*client.Stanza) bool {
	return func(s *client.Stanza) bool {
		return s.Kind() == "message" && s.Type() != "error" && strings.Contains(s.Body(), text)
	}
}

func TestCheckFindsAllWell(t *testing.T) {
	w, ctx := start(t, world.Options{})
	for _, state := range []string{"running", "stopped"} {
		out, code := gangway(ctx, t, w, "check")
		if code != 0 || strings.Contains(out, "FAIL") {
			t.Errorf("check beside a %s gateway: %d\n%s", state, code, out)
		}
		for _, d := range []string{world.Mail, world.SMS, world.IRC} {
			if !strings.Contains(out, d) {
				t.Errorf("check beside a %s gateway does not mention %s:\n%s", state, d, out)
			}
		}
		if code, _, raw := readyz(ctx, t, w); state == "running" && code != http.StatusOK {
			t.Errorf("check disturbs the running gateway: %d %s", code, raw)
		}
		if err := w.Gangway.Stop(); err != nil {
			t.Fatal(err)
		}
	}
}

func TestWrongComponentSecret(t *testing.T) {
	w, ctx := start(t, world.Options{})
	alice := login(ctx, t, w, world.Alice, "phone")
	register(ctx, t, alice, world.SMS, world.Numbers()[0])
	if err := w.Gangway.Stop(); err != nil {
		t.Fatal(err)
	}
	edit(t, w, "domain = \"irc.example.test\"\nsecret = \"secret\"", "domain = \"irc.example.test\"\nsecret = \"no-such-secret\"")

	out, code := gangway(ctx, t, w, "check")
	if code != 1 || !strings.Contains(out, "FAIL  xmpp irc.example.test") || !strings.Contains(out, "does not accept the secret for irc.example.test") ||
		!strings.Contains(out, "ok    xmpp sms.example.test") || strings.Contains(out, "no-such-secret") {
		t.Errorf("check: %d\n%s", code, out)
	}

	run(ctx, t, w)
	until(ctx, t, "the other links up, this one refused", func() (bool, string) {
		code, parts, raw := readyz(ctx, t, w)
		bad := parts["link irc.example.test"]
		return code == http.StatusServiceUnavailable && parts["link sms.example.test"].OK && parts["link email.example.test"].OK &&
			!bad.OK && strings.Contains(bad.Text, "does not accept the secret"), raw
	})
	smsFlows(ctx, t, w, alice)
}

// run starts the program without waiting until all is well, since it will not be; it is stopped with the test.
func run(ctx context.Context, t *testing.T, w *world.World) {
	t.Helper()
	cmd := exec.CommandContext(ctx, binary, "run", "-c", w.Config)
	log, err := os.Create(filepath.Join(filepath.Dir(w.Config), "second.log"))
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stdout, cmd.Stderr = log, log
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = 15 * time.Second
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM) // it may have ended
		if err := cmd.Wait(); err != nil && t.Context().Err() == nil {
			t.Errorf("run: %v", err)
		}
		log.Close()
		if b, err := os.ReadFile(log.Name()); err == nil && t.Failed() {
			t.Logf("second.log:\n%s", b[max(0, len(b)-20_000):])
		}
	})
}

// TestTakenComponent: another connection takes a domain away. The gateway takes it back, once the other is gone at the
// latest, and the other domains notice nothing.
func TestTakenComponent(t *testing.T) {
	w, ctx := start(t, world.Options{})
	alice := login(ctx, t, w, world.Alice, "phone")
	register(ctx, t, alice, world.SMS, world.Numbers()[0])

	// A second gateway with the same database is refused, with the reason.
	out, code := gangway(ctx, t, w, "run")
	if code != 1 || !strings.Contains(out, "is in use by process") {
		t.Errorf("a second gateway: %d\n%s", code, out)
	}

	// One with a database of its own gets the domain on this server, which keeps the newer connection.
	before := metric(ctx, t, w, `gangway_link_reconnects_total{domain="irc.example.test"}`)
	other := filepath.Join(filepath.Dir(w.Config), "other.toml")
	text := fmt.Sprintf("[xmpp]\nserver = %q\ndomain = %q\n[store]\nurl = \"sqlite:%s/other/gangway.db\"\n[access]\nallow = [\"*\"]\n"+
		"[transport.loopback]\ndomain = %q\nsecret = %q\n", w.Prosody.ComponentAddr(), world.Domain, filepath.Dir(other), world.IRC, world.Password)
	if err := errors.Join(os.Mkdir(filepath.Join(filepath.Dir(other), "other"), 0o700), os.WriteFile(other, []byte(text), 0o600)); err != nil {
		t.Fatal(err)
	}
	b, err := exec.CommandContext(ctx, binary, "check", "-c", other).CombinedOutput()
	if err != nil {
		t.Fatalf("the other one: %v\n%s", err, b)
	}
	until(ctx, t, "the link back", func() (bool, string) {
		code, _, raw := readyz(ctx, t, w)
		after := metric(ctx, t, w, `gangway_link_reconnects_total{domain="irc.example.test"}`)
		return code == http.StatusOK && after != before, raw + " " + after
	})
	if _, parts, raw := readyz(ctx, t, w); !parts["link sms.example.test"].OK {
		t.Errorf("another link is down: %s", raw)
	}
	smsFlows(ctx, t, w, alice)
	if _, err := alice.Join(ctx, lobby, "alice"); err != nil {
		t.Errorf("joining a room afterwards: %v", err)
	}
}

// metric is the value of a line of /metrics.
func metric(ctx context.Context, t *testing.T, w *world.World, series string) string {
	t.Helper()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+w.Web+"/metrics", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.SplitSeq(string(b), "\n") {
		if v, ok := strings.CutPrefix(line, series+" "); ok {
			return v
		}
	}
	t.Fatalf("there is no %s", series)
	return ""
}

// lmtp gives a mail to the gateway itself, and returns its answer to RCPT or to the content.
func lmtp(ctx context.Context, t *testing.T, w *world.World, raw []byte) (code int, text string) {
	t.Helper()
	conn, err := textproto.Dial("tcp", w.LMTP)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	stop := context.AfterFunc(ctx, func() { conn.Close() })
	defer stop()
	if _, _, err := conn.ReadResponse(220); err != nil {
		t.Fatal(err)
	}
	for _, cmd := range []string{"LHLO mail.test", "MAIL FROM:<carol@mail.test>", "RCPT TO:<alice@" + world.Mail + ">", "DATA"} {
		if err := conn.PrintfLine("%s", cmd); err != nil {
			t.Fatal(err)
		}
		code, text, err = conn.ReadResponse(0)
		if err != nil && code == 0 {
			t.Fatal(err)
		}
		if code >= 400 {
			return code, text
		}
	}
	d := conn.DotWriter()
	if _, err := d.Write(raw); err != nil {
		return 0, err.Error()
	}
	if err := d.Close(); err != nil {
		return 0, err.Error()
	}
	code, text, err = conn.ReadResponse(0)
	if err != nil && code == 0 {
		t.Fatalf("no answer to the mail: %v", err)
	}
	return code, text
}

// TestDiskFull: while the store's disk is full nothing is taken, and whoever tries is told; with room it goes on by
// itself.
func TestDiskFull(t *testing.T) {
	w, ctx := start(t, world.Options{})
	alice := login(ctx, t, w, world.Alice, "phone")
	if err := w.Gangway.Stop(); err != nil {
		t.Fatal(err)
	}
	disk := filepath.Join(filepath.Dir(w.Config), "disk")
	if err := os.Mkdir(disk, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mount("gangway-test", disk, "tmpfs", 0, "size=4m"); err != nil {
		t.Fatalf("this test needs to mount a small disk: %v", err)
	}
	t.Cleanup(func() {
		if err := errors.Join(w.Gangway.Stop(), syscall.Unmount(disk, 0)); err != nil {
			t.Error(err)
		}
	})
	edit(t, w, filepath.Join(filepath.Dir(w.Config), "gangway.db"), filepath.Join(disk, "gangway.db"))
	if err := w.Gangway.Start(ctx); err != nil {
		t.Fatal(err)
	}
	register(ctx, t, alice, world.SMS, world.Numbers()[0])
	register(ctx, t, alice, world.Mail, "alice")
	smsFlows(ctx, t, w, alice)
	mailFlows(ctx, t, w, alice)

	ballast := filepath.Join(disk, "ballast")
	if err := fill(ballast); err != nil {
		t.Fatal(err)
	}
	refusedSMS, refusedMail := false, false
	for i := range 200 { // the database has some free pages
		id, err := alice.Say(smsPeer+"@"+world.SMS, fmt.Sprint(i, strings.Repeat(" padding", 1000)))
		if err != nil {
			t.Fatal(err)
		}
		st := wait(ctx, t, alice, "an answer", client.Either(client.ErrorOf(id), client.ReceiptOf(id)))
		if st.Type() == "error" {
			refusedSMS = true
			e, ok := errors.AsType[*client.StanzaError](st.Err())
			if !ok || e.Type != "wait" {
				t.Errorf("with a full disk: %s", st.Raw)
			}
			t.Log("XMPP:", st.Err())
			break
		}
	}
	for i := range 200 {
		code, text := lmtp(ctx, t, w, mailOf(fmt.Sprint("full-", i), strings.Repeat("padding ", 1000)))
		if code != 250 {
			refusedMail = true
			t.Log("LMTP:", code, text)
			if code != 451 && code != 452 {
				t.Errorf("with a full disk: %d %s", code, text)
			}
			break
		}
	}
	if !refusedSMS || !refusedMail {
		t.Errorf("with a full disk messages are taken: SMS refused %v, mail refused %v", refusedSMS, refusedMail)
	}
	if _, err := w.Twilio.Inbound(ctx, smsPeer, world.Numbers()[0], strings.Repeat("into a full disk ", 20)); err == nil {
		t.Log("the webhook was taken, or will be called again")
	}

	if err := os.Remove(ballast); err != nil {
		t.Fatal(err)
	}
	smsFlows(ctx, t, w, alice)
	mailFlows(ctx, t, w, alice)
	if code, _, raw := readyz(ctx, t, w); code != http.StatusOK {
		t.Errorf("with room again: %d %s", code, raw)
	}
}

// fill writes a file until the disk is full.
func fill(name string) error {
	f, err := os.Create(name)
	if err != nil {
		return err
	}
	block := make([]byte, 4096)
	for {
		if _, err := f.Write(block); errors.Is(err, syscall.ENOSPC) {
			return f.Close()
		} else if err != nil {
			return errors.Join(err, f.Close())
		}
	}
}

func TestRefusedRelay(t *testing.T) {
	w, ctx := start(t, world.Options{})
	alice := login(ctx, t, w, world.Alice, "phone")
	register(ctx, t, alice, world.Mail, "alice")
	bad, err := alice.Say(`reject\40mail.test@`+world.Mail, "refused")
	if err != nil {
		t.Fatal(err)
	}
	st := wait(ctx, t, alice, "the refusal", client.ErrorOf(bad))
	if e, ok := errors.AsType[*client.StanzaError](st.Err()); !ok || e.Type != "cancel" || e.Text == "" {
		t.Errorf("a 550 becomes %s", st.Raw)
	}
	mailFlows(ctx, t, w, alice)

	// The relay is down: the message waits, and is delivered when it is back.
	if err := w.Mail.Stop(); err != nil {
		t.Fatal(err)
	}
	id, err := alice.Say(carolJID, "patience")
	if err != nil {
		t.Fatal(err)
	}
	var waiting []struct {
		Seq      int64
		Attempts int
		Error    string
	}
	until(ctx, t, "the message in the queue", func() (bool, string) {
		out, _ := gangway(ctx, t, w, "queue", "list", "--json", "--transport", "email")
		if err := json.Unmarshal([]byte(out), &waiting); err != nil {
			return false, out
		}
		return len(waiting) == 1 && waiting[0].Attempts > 0 && waiting[0].Error != "", out
	})
	if err := w.Mail.Start(ctx); err != nil {
		t.Fatal(err)
	}
	if out, code := gangway(ctx, t, w, "queue", "retry", fmt.Sprint(waiting[0].Seq)); code != 0 {
		t.Fatalf("queue retry: %s", out)
	}
	if _, err := w.Mail.WaitMessage(ctx, world.Carol, servers.Contains("patience")); err != nil {
		t.Fatal(err)
	}
	wait(ctx, t, alice, "the receipt", client.ReceiptOf(id))
}

func TestBadWebhookSignature(t *testing.T) {
	w, ctx := start(t, world.Options{})
	alice := login(ctx, t, w, world.Alice, "phone")
	register(ctx, t, alice, world.SMS, world.Numbers()[0])
	hook := "http://" + w.Hooks + "/hooks/sms/inbound"
	form := url.Values{
		"MessageSid": {"SM" + strings.Repeat("0", 32)}, "AccountSid": {twilio.DefaultAccountSID}, "From": {smsPeer},
		"To": {world.Numbers()[0]}, "Body": {"forged"}, "NumMedia": {"0"}, "NumSegments": {"1"},
	}
	for name, signature := range map[string]string{
		"none": "", "junk": "????", "other token": twilio.Sign("another-token", hook, form),
		"other url": twilio.Sign(twilio.DefaultAuthToken, hook+"?x=1", form), "other form": twilio.Sign(twilio.DefaultAuthToken, hook, nil),
	} {
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, hook, strings.NewReader(form.Encode()))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		if signature != "" {
			req.Header.Set("X-Twilio-Signature", signature)
		}
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		if res.StatusCode != http.StatusForbidden {
			t.Errorf("signature %s: %s", name, res.Status)
		}
	}
	smsFlows(ctx, t, w, alice)
	if strings.Contains(journal(alice), "forged") {
		t.Error("a forged message arrived")
	}
}

// TestBadLinesFromIRC: a server that relays whatever it is given, as a real one may not.
func TestBadLinesFromIRC(t *testing.T) {
	w, ctx := start(t, world.Options{})
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	hostile := &ircdtest.Server{Name: "bad.test"}
	serving, stop := context.WithCancel(ctx)
	var server sync.WaitGroup
	server.Go(func() {
		if err := hostile.Serve(serving, l); err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(func() { stop(); server.Wait() })
	if err := w.Gangway.Stop(); err != nil {
		t.Fatal(err)
	}
	edit(t, w, `networks = ["irc.test"]`, fmt.Sprintf("networks = [\"irc.test\", \"bad.test\"]\n[transport.irc.network.\"bad.test\"]\naddress = \"irc://%s\"", l.Addr()))
	if err := w.Gangway.Start(ctx); err != nil {
		t.Fatal(err)
	}
	const room = "#lobby%bad.test@" + world.IRC
	alice := login(ctx, t, w, world.Alice, "phone")
	for _, r := range []string{room, lobby} {
		if _, err := alice.Join(ctx, r, "alice"); err != nil {
			t.Fatal(err)
		}
	}
	for i, text := range []string{
		"\x02\x03\x0f\x1d\x1f\x01", "c0 \x01\x04\x05\x06\x07\x08\x0b\x0c\x0e\x10\x1a\x1b\x1c\x7f end", "nul \x00 nul", "\xff\xfe\xc3\x28 not UTF-8",
		"\x03" + "99,99" + "\x04" + "zzzzzz", "\x01ACTION", "\x01\x01", "<b>&amp;</b> ]]> <!-- <?xml ?>", "\xef\xbf\xbe\xef\xbf\xbf non-characters",
		"\xed\xa0\x80 surrogate", strings.Repeat("x", 4000), strings.Repeat("\x03\x02", 200), ":", " ", "", "a\rb",
	} {
		mark := fmt.Sprintf("mark %d", i)
		if !hostile.Say("eve", "#lobby", text) || !hostile.Say("eve", "#lobby", mark) {
			t.Fatal("alice is not in the channel any more")
		}
		wait(ctx, t, alice, fmt.Sprintf("the line after %.40q", text), client.MessageFrom(room+"/eve", mark))
	}
	log := journal(alice)
	for _, r := range log {
		if r < ' ' && r != '\n' && r != '\t' && r != '\r' || r == 0xfffe || r == 0xffff {
			t.Errorf("the stream carries %U", r)
			break
		}
	}
	for _, want := range []string{"not UTF-8", "end</body>", "&lt;b>&amp;amp;&lt;/b>"} {
		if !strings.Contains(strings.ReplaceAll(log, "&gt;", ">"), want) {
			t.Errorf("what can be read of a bad line is lost: %q", want)
		}
	}

	// A line that never ends costs its sender the connection, and nobody else anything.
	if !hostile.Say("eve", "#lobby", strings.Repeat("endless ", 1<<17)) {
		t.Fatal("alice is not in the channel any more")
	}
	tooLong(ctx, t, w, alice)
}

// tooLong: what a user writes that is too long for IRC is said in several lines, or refused.
func tooLong(ctx context.Context, t *testing.T, w *world.World, alice *client.Client) {
	t.Helper()
	dave := dial(ctx, t, w, "dave")
	long := strings.Repeat("many words ", 200)
	if _, err := alice.SendMessage(client.Message{To: lobby, Type: "groupchat", Body: long + "END"}); err != nil {
		t.Fatal(err)
	}
	if _, err := dave.Wait(ctx, func(l ircclient.Line) bool {
		return l.Nick() == "alice" && l.Command == "PRIVMSG" && strings.HasSuffix(l.Last(), "END")
	}); err != nil {
		t.Errorf("a long message: %v", err)
	}
	for _, l := range dave.Log() {
		if len(l.Raw) > 512 {
			t.Errorf("a line of %d bytes", len(l.Raw))
		}
	}
	id, err := alice.SendMessage(client.Message{To: lobby, Type: "groupchat", Body: strings.Repeat("word ", 120_000)})
	if err != nil {
		t.Fatal(err)
	}
	st := wait(ctx, t, alice, "the refusal of 600 kB", client.ErrorOf(id))
	t.Log(st.Err())
	if err := dave.Privmsg("#lobby", "and on"); err != nil {
		t.Fatal(err)
	}
	wait(ctx, t, alice, "a line afterwards", client.MessageFrom(lobby+"/dave", "and on"))
}

func TestBrokenMail(t *testing.T) {
	w, ctx := start(t, world.Options{})
	alice := login(ctx, t, w, world.Alice, "phone")
	register(ctx, t, alice, world.Mail, "alice")
	head := "From: carol@mail.test\r\nTo: alice@" + world.Mail + "\r\nSubject: s\r\nMIME-Version: 1.0\r\n"
	nested := head
	for i := range 5000 {
		nested += fmt.Sprintf("Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n", i, i)
	}
	for name, raw := range map[string]string{
		"8-bit junk":             head + "Content-Type: text/plain; charset=utf-8\r\n\r\n\xff\xfe\x80\x01\x02 junk\r\n",
		"junk headers":           "\xff\xfe: \x80\r\nno colon\r\n: empty\r\n" + head + "\r\ntext\r\n",
		"unterminated multipart": head + "Content-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\nContent-Type: text/plain\r\n\r\nno end\r\n",
		"no boundary":            head + "Content-Type: multipart/mixed\r\n\r\nno boundary\r\n",
		"5000 nested parts":      nested + "Content-Type: text/plain\r\n\r\ndeep\r\n",
		"no headers":             "\r\njust text\r\n",
		"nothing":                "",
		"broken base64":          head + "Content-Transfer-Encoding: base64\r\n\r\n!!!! not base64 ====\r\n",
		"unknown charset":        head + "Content-Type: text/plain; charset=klingon\r\n\r\nqapla\r\n",
		"unknown encoding":       head + "Content-Transfer-Encoding: morse\r\n\r\n... --- ...\r\n",
		"bad encoded words":      head + "X: =?utf-8?q?=ZZ?= =?x?y?z?=\r\n\r\nwords\r\n",
		"600 kB of text":         head + "\r\n" + strings.Repeat("words and words\r\n", 38_000),
		"one line of 600 kB":     head + "\r\n" + strings.Repeat("x", 600_000) + "\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			code, text := lmtp(ctx, t, w, []byte(raw))
			switch {
			case code == 250:
				st := wait(ctx, t, alice, "the mail", func(s *client.Stanza) bool { return client.Bare(s.From()) == carolJID && s.Body() != "" })
				t.Logf("taken: %.100q", st.Body())
			case code < 550 || code > 559:
				t.Errorf("%d %s", code, text)
			default:
				t.Log("refused:", code, text)
			}
			mailFlows(ctx, t, w, alice)
		})
	}
	if code, _, raw := readyz(ctx, t, w); code != http.StatusOK {
		t.Errorf("%d %s", code, raw)
	}
}

// TestHugeStanza: the host server may end the stream of whoever sends 10 MB; the gateway's links are not touched.
func TestHugeStanza(t *testing.T) {
	w, ctx := start(t, world.Options{})
	alice, bob := login(ctx, t, w, world.Alice, "phone"), login(ctx, t, w, world.Bob, "phone")
	register(ctx, t, alice, world.SMS, world.Numbers()[0])
	register(ctx, t, bob, world.SMS, world.Numbers()[1])
	before := metric(ctx, t, w, `gangway_link_reconnects_total{domain="sms.example.test"}`)
	id, err := bob.Say(smsPeer+"@"+world.SMS, strings.Repeat("x", 10<<20))
	if err != nil {
		t.Log("the host server ends bob's stream: ", err)
	} else {
		answered := make(chan struct{})
		go func() {
			defer close(answered)
			if st, err := bob.Wait(ctx, client.ErrorOf(id)); err == nil {
				t.Log("bob is told:", st.Err())
			}
		}()
		select {
		case <-answered:
		case <-bob.Done():
			t.Log("the host server ends bob's stream")
			<-answered
		}
	}
	smsFlows(ctx, t, w, alice)
	if after := metric(ctx, t, w, `gangway_link_reconnects_total{domain="sms.example.test"}`); after != before {
		t.Errorf("the link was lost: %s connections, %s before", after, before)
	}

	// What the host server lets through and SMS cannot carry comes back as an error.
	id, err = alice.Say(smsPeer+"@"+world.SMS, strings.Repeat("words ", 20_000))
	if err != nil {
		t.Fatal(err)
	}
	st := wait(ctx, t, alice, "the refusal of 120 kB", client.ErrorOf(id))
	t.Log(st.Err())
	smsFlows(ctx, t, w, alice)
}

// TestStopKeepsTheQueue: SIGTERM ends the program politely with messages queued; they are delivered after the restart.
func TestStopKeepsTheQueue(t *testing.T) {
	w, ctx := start(t, world.Options{})
	alice := login(ctx, t, w, world.Alice, "phone")
	register(ctx, t, alice, world.SMS, world.Numbers()[0])
	register(ctx, t, alice, world.Mail, "alice")
	if err := w.Mail.Stop(); err != nil {
		t.Fatal(err)
	}
	const n = 20
	for i := range n {
		if _, err := alice.Say(carolJID, fmt.Sprintf("queued %d.", i)); err != nil {
			t.Fatal(err)
		}
	}
	until(ctx, t, "all queued", func() (bool, string) {
		out, _ := gangway(ctx, t, w, "queue", "list", "--json", "--transport", "email")
		var rows []struct{ Attempts int }
		if err := json.Unmarshal([]byte(out), &rows); err != nil {
			return false, out
		}
		return len(rows) == n, out
	})
	begun := time.Now()
	if err := w.Gangway.Stop(); err != nil {
		t.Fatal(err)
	}
	if took := time.Since(begun); took > servers.StopTimeout {
		t.Errorf("SIGTERM is obeyed after %v only, by force", took)
	}
	log, err := os.ReadFile(w.Gangway.Logs()[0])
	if err != nil || !bytes.Contains(log, []byte("gangway is stopping")) || bytes.Contains(log, []byte("panic")) {
		t.Errorf("no polite end: %v", err)
	}
	if err := errors.Join(w.Mail.Start(ctx), w.Gangway.Start(ctx)); err != nil {
		t.Fatal(err)
	}
	out, _ := gangway(ctx, t, w, "queue", "list", "--json", "--transport", "email")
	var rows []struct{ Seq int64 }
	if err := json.Unmarshal([]byte(out), &rows); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	for _, r := range rows { // those whose turn is later are asked to come now; the others are on their way
		if out, code := gangway(ctx, t, w, "queue", "retry", fmt.Sprint(r.Seq)); code != 0 && !strings.Contains(out, "no such message") {
			t.Fatal(out)
		}
	}
	for i := range n {
		if _, err := w.Mail.WaitMessage(ctx, world.Carol, servers.Contains(fmt.Sprintf("queued %d.", i))); err != nil {
			t.Fatal(err)
		}
	}
	smsFlows(ctx, t, w, alice)
}

func TestReload(t *testing.T) {
	w, ctx := start(t, world.Options{Access: "alice@" + world.Domain})
	alice, bob := login(ctx, t, w, world.Alice, "phone"), login(ctx, t, w, world.Bob, "phone")
	register(ctx, t, alice, world.SMS, world.Numbers()[0])
	answer := func() string {
		t.Helper()
		last, err := world.Register(ctx, bob, world.SMS)
		if err != nil {
			t.Fatal(err)
		}
		return last
	}
	refusal := answer()
	t.Log("before:", refusal)

	hup := func(line string) {
		t.Helper()
		log := w.Gangway.Logs()[0]
		old, err := os.ReadFile(log)
		if err != nil {
			t.Fatal(err)
		}
		if err := syscall.Kill(w.Gangway.Pid(), syscall.SIGHUP); err != nil {
			t.Fatal(err)
		}
		until(ctx, t, line, func() (bool, string) {
			b, err := os.ReadFile(log)
			if err != nil {
				return false, err.Error()
			}
			return bytes.Contains(b[len(old):], []byte(line)), string(b[len(old):])
		})
	}
	edit(t, w, "[access]", "[acess]")
	hup("configuration not reloaded: the old one stays in force")
	if now := answer(); now != refusal {
		t.Errorf("a broken file changes something: %q", now)
	}
	smsFlows(ctx, t, w, alice)
	edit(t, w, "[acess]\nallow = [\"alice@", "[access]\nallow = [\"*@")
	hup("configuration reloaded")
	if now := answer(); now == refusal {
		t.Errorf("the reload has no effect: %q", now)
	}
	smsFlows(ctx, t, w, alice)
}
