//go:build integration

package integration

import (
	"bytes"
	"context"
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"gangway/integration/client"
	"gangway/integration/servers"
	"gangway/integration/world"
	"gangway/transports/email/mime"
)

const nsUpload = "urn:xmpp:http:upload:0"

// picture is a file that nothing on its way may change: every byte is in it.
func picture() []byte {
	b := []byte("\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR")
	for i := range 20_000 {
		b = append(b, byte(i), byte(i>>8))
	}
	return b
}

// fetch gets a file as a client does.
func fetch(ctx context.Context, t *testing.T, address string) ([]byte, http.Header) {
	t.Helper()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, address, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode != http.StatusOK {
		t.Fatalf("%s: %s, %v", address, res.Status, err)
	}
	return b, res.Header
}

// mailWithPicture is what a mail program sends.
func mailWithPicture(id string, content []byte) []byte {
	var b strings.Builder
	fmt.Fprintf(&b, "From: Carol <carol@mail.test>\r\nTo: alice@%s\r\nSubject: holiday\r\nMessage-ID: <%s@mail.test>\r\nDate: %s\r\n"+
		"MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=frontier\r\n\r\n--frontier\r\nContent-Type: text/plain\r\n\r\nlook\r\n"+
		"--frontier\r\nContent-Type: image/png\r\nContent-Disposition: attachment; filename*=utf-8''stra%%C3%%9Fe.png\r\n"+
		"Content-Transfer-Encoding: base64\r\n\r\n", world.Mail, id, time.Now().Format(time.RFC1123Z))
	text := base64.StdEncoding.EncodeToString(content)
	for len(text) > 0 {
		n := min(76, len(text))
		b.WriteString(text[:n] + "\r\n")
		text = text[n:]
	}
	b.WriteString("--frontier--\r\n")
	return []byte(b.String())
}

// oob waits for a message that is a file: the body is the address and nothing else (behaviour 23).
func oob(ctx context.Context, t *testing.T, c *client.Client) string {
	t.Helper()
	st := wait(ctx, t, c, "the file", func(s *client.Stanza) bool {
		return s.Kind() == "message" && s.Child("jabber:x:oob", "x") != nil
	})
	url := st.Child("jabber:x:oob", "x").Child("jabber:x:oob", "url").Content()
	if st.Body() != url {
		t.Errorf("body %q, address %q", st.Body(), url)
	}
	return url
}

// share uploads a file as a client does, and returns where it is.
func share(ctx context.Context, t *testing.T, c *client.Client, name string, content []byte) string {
	t.Helper()
	st, err := c.IQ(ctx, "upload."+world.Domain, "get", fmt.Sprintf("<request xmlns='%s' filename='%s' size='%d' content-type='image/png'/>", nsUpload, name, len(content)))
	if err != nil {
		t.Fatal(err)
	}
	slot := st.Child(nsUpload, "slot")
	put := slot.Child(nsUpload, "put")
	r, err := http.NewRequestWithContext(ctx, http.MethodPut, put.Attr("url"), bytes.NewReader(content))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "image/png")
	if h := put.Child(nsUpload, "header"); h != nil {
		r.Header.Set(h.Attr("name"), h.Content())
	}
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	if res.StatusCode/100 != 2 {
		t.Fatalf("upload: %s", res.Status)
	}
	return slot.Child(nsUpload, "get").Attr("url")
}

// sendFile sends a file's address to Carol, as Conversations does, and returns the message's id.
func sendFile(t *testing.T, c *client.Client, url string) string {
	t.Helper()
	id, err := c.SendMessage(client.Message{
		To: carolJID, Body: url, Receipt: true, Extra: "<x xmlns='jabber:x:oob'><url>" + client.Escape(url) + "</url></x>",
	})
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// inMailbox waits for a mail with a file of that name, compares its bytes, and returns the mail.
func inMailbox(ctx context.Context, t *testing.T, w *world.World, name string, content []byte) string {
	t.Helper()
	raw, err := w.Mail.WaitMessage(ctx, world.Carol, servers.Contains(url.PathEscape(name)))
	if err != nil {
		t.Fatal(err)
	}
	files := mime.Parse(raw).Body(1000).Files
	if len(files) != 1 || !bytes.Equal(files[0].Decode(), content) || files[0].FileName() != name || files[0].Type != "image/png" {
		t.Errorf("%d files in\n%.2000s", len(files), raw)
	}
	return string(raw)
}

// Files go both ways, byte for byte, through the upload services of the host servers; in a mail there is the file and
// no address of it.
func TestMedia(t *testing.T) {
	t.Parallel()
	for _, f := range []world.Flavour{world.PlainProsody, world.PrivilegedProsody, world.PrivilegedEjabberd} {
		t.Run(string(f), func(t *testing.T) {
			w, ctx := start(t, world.Options{Flavour: f})
			alice := login(ctx, t, w, world.Alice, "phone")
			register(ctx, t, alice, world.Mail, "alice")
			content := picture()
			mail := mailWithPicture("holiday", content)
			for range 2 { // as if the first answer had been lost
				if err := w.Mail.Send(ctx, "carol@mail.test", "alice@"+world.Mail, mail); err != nil {
					t.Fatal(err)
				}
			}
			url := oob(ctx, t, alice)
			if !strings.HasPrefix(url, w.XMPP.HTTPURL()) || !strings.HasSuffix(url, ".png") {
				t.Errorf("not with the upload service: %s", url)
			}
			got, header := fetch(ctx, t, url)
			if !bytes.Equal(got, content) || header.Get("Content-Type") != "image/png" {
				t.Errorf("%d bytes of %s", len(got), header.Get("Content-Type"))
			}

			shared := share(ctx, t, alice, "cat.png", content)
			id := sendFile(t, alice, shared)
			wait(ctx, t, alice, "the receipt", client.ReceiptOf(id))
			if raw := inMailbox(ctx, t, w, "cat.png", content); strings.Contains(raw, strings.TrimPrefix(w.XMPP.HTTPURL(), "http://")) {
				t.Error("the address of the upload is in the mail")
			}

			gone := sendFile(t, alice, w.XMPP.HTTPURL()+"file_share/gone/x.png")
			st := wait(ctx, t, alice, "the refusal of what is not there", client.ErrorOf(gone))
			if !client.IsCondition(st.Err(), "item-not-found") {
				t.Errorf("%v", st.Err())
			}
			inside := sendFile(t, alice, "http://"+w.Web+"/metrics")
			t.Log(wait(ctx, t, alice, "the refusal of an inner address", client.ErrorOf(inside)).Err())
			if out, _ := gangway(ctx, t, w, "check"); !strings.Contains(out, "the host server takes files at upload."+world.Domain) {
				t.Errorf("gangway check says\n%s", out)
			}
			var files []string
			for _, s := range alice.Log() {
				if s.Kind() == "message" && s.Child("jabber:x:oob", "x") != nil && s.Type() != "error" {
					files = append(files, s.Raw)
				}
			}
			if len(files) != 1 {
				t.Errorf("the mail that came twice brought %d files:\n%s", len(files), strings.Join(files, "\n"))
			}
		})
	}
}

// Where the host server takes no files they are served from here, until they expire, and survive a restart.
func TestMediaOfOurOwn(t *testing.T) {
	t.Parallel()
	w, ctx := start(t, world.Options{Media: "upload = false"})
	alice := login(ctx, t, w, world.Alice, "phone")
	register(ctx, t, alice, world.Mail, "alice")
	content := picture()
	if err := w.Mail.Send(ctx, "carol@mail.test", "alice@"+world.Mail, mailWithPicture("holiday", content)); err != nil {
		t.Fatal(err)
	}
	url := oob(ctx, t, alice)
	if !strings.HasPrefix(url, "http://"+w.Hooks+"/media/") {
		t.Errorf("not from here: %s", url)
	}
	if err := w.Gangway.Kill(); err != nil {
		t.Fatal(err)
	}
	if err := w.Gangway.Start(ctx); err != nil {
		t.Fatal(err)
	}
	got, header := fetch(ctx, t, url)
	if !bytes.Equal(got, content) || header.Get("X-Content-Type-Options") != "nosniff" || !strings.Contains(header.Get("Content-Security-Policy"), "sandbox") {
		t.Errorf("%d bytes, %v", len(got), header)
	}
	sendFile(t, alice, url) // what we gave out comes back to us, and is not fetched over the network
	inMailbox(ctx, t, w, "straße.png", content)
}
