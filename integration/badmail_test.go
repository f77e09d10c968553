//go:build integration

package integration

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/textproto"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"gangway/integration/client"
	"gangway/integration/servers"
	"gangway/integration/world"
)

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
	t.Parallel()
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
	in, err := w.Twilio.Inbound(ctx, smsPeer, world.Numbers()[0], "into a full disk"+strings.Repeat(".", 1500))
	t.Log("webhook:", err)

	if err := os.Remove(ballast); err != nil {
		t.Fatal(err)
	}
	if err != nil { // it was refused; the provider tries again
		if _, err := w.Twilio.Redeliver(ctx, in.SID); err != nil {
			t.Fatal(err)
		}
	}
	wait(ctx, t, alice, "the text message of before", bodyHas("into a full disk"))
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
	t.Parallel()
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

func TestBrokenMail(t *testing.T) {
	t.Parallel()
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
