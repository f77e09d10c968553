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
	"net/url"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"gangway/integration/client"
	"gangway/integration/ircclient"
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
	exit, failed := errors.AsType[*exec.ExitError](err)
	switch {
	case err == nil:
		return string(b), 0
	case !failed:
		t.Fatal(err)
	}
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

func TestBadWebhookSignature(t *testing.T) {
	t.Parallel()
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
	t.Parallel()
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

	// An endless line is left out, and alice is told; a shorter one above was too.
	if !hostile.Say("eve", "#lobby", strings.Repeat("endless ", 1<<17)) {
		t.Fatal("alice is not in the channel any more")
	}
	for range 2 {
		wait(ctx, t, alice, "word of a line left out", bodyHas("sent a line that is too long"))
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
	// Prosody lets a user send 256 KiB at once.
	id, err := alice.SendMessage(client.Message{To: lobby, Type: "groupchat", Body: strings.Repeat("word ", 40_000)})
	if err != nil {
		t.Fatal(err)
	}
	st := wait(ctx, t, alice, "the refusal of 200 kB", client.ErrorOf(id))
	t.Log(st.Err())
	if err := dave.Privmsg("#lobby", "and on"); err != nil {
		t.Fatal(err)
	}
	wait(ctx, t, alice, "a line afterwards", client.MessageFrom(lobby+"/dave", "and on"))
}
