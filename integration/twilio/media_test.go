package twilio

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"

	api "github.com/twilio/twilio-go/rest/api/v2010"
)

// withMedia makes a picture message arrive and returns its SID and the URLs in its webhook.
func withMedia(t *testing.T, s *Server, hook *hook, media ...Media) (sid string, urls []string) {
	t.Helper()
	m, err := s.Inbound(t.Context(), peer, ours, "look", media...)
	if err != nil {
		t.Fatal(err)
	}
	hook.mu.Lock()
	defer hook.mu.Unlock()
	form := hook.forms[len(hook.forms)-1]
	for i := range media {
		n := string(rune('0' + i))
		urls = append(urls, form.Get("MediaUrl"+n))
		if form.Get("MediaContentType"+n) != media[i].Type {
			t.Errorf("MediaContentType%s %q", n, form.Get("MediaContentType"+n))
		}
	}
	return m.SID, urls
}

func TestMedia(t *testing.T) {
	hook := newHook(t, nil)
	s := start(t, Config{Numbers: []Number{{E164: ours, SMSURL: hook.URL}}})
	png := Media{Type: "image/png", Data: []byte("\x89PNG...")}
	sid, urls := withMedia(t, s, hook, png, Media{Type: "text/vcard", Data: []byte("BEGIN:VCARD")})
	if !strings.HasPrefix(sid, "MM") || hook.got("NumMedia")[0] != "2" {
		t.Errorf("SID %s, NumMedia %v", sid, hook.got("NumMedia"))
	}

	// The resource, through twilio-go.
	list, err := sdk(t, s).ListMedia(sid, &api.ListMediaParams{})
	if err != nil || len(list) != 2 || *list[0].ContentType != "image/png" || *list[0].ParentSid != sid {
		t.Fatalf("list media: %v, %v", list, err)
	}
	one, err := sdk(t, s).FetchMedia(sid, *list[1].Sid, nil)
	if err != nil || *one.ContentType != "text/vcard" {
		t.Errorf("fetch media: %v, %v", one, err)
	}

	// The bytes: no answer without credentials, a redirect with them, the content without them again.
	path := strings.TrimPrefix(urls[0], s.URL()+s.accountPath())
	plain, err := http.Get(urls[0])
	if err != nil {
		t.Fatal(err)
	}
	plain.Body.Close()
	if plain.StatusCode != http.StatusUnauthorized {
		t.Errorf("without credentials: %d", plain.StatusCode)
	}
	resp, _ := request(t, s, http.MethodGet, path, nil)
	if resp.StatusCode != http.StatusTemporaryRedirect {
		t.Fatalf("content: %d", resp.StatusCode)
	}
	content, err := http.Get(resp.Header.Get("Location"))
	if err != nil {
		t.Fatal(err)
	}
	defer content.Body.Close()
	data, _ := io.ReadAll(content.Body)
	if content.Header.Get("Content-Type") != "image/png" || !bytes.Equal(data, png.Data) {
		t.Errorf("content: %s %q", content.Header.Get("Content-Type"), data)
	}
	all := s.Requests()
	if last := all[len(all)-1]; last.Op != ContentOp || last.Authorized {
		t.Errorf("content request %+v", last)
	}

	if err := sdk(t, s).DeleteMedia(sid, *list[0].Sid, nil); err != nil {
		t.Error(err)
	}
	resp, body := request(t, s, http.MethodGet, path, nil)
	checkError(t, resp, body, 404, 20404)
	gone, err := http.Get(content.Request.URL.String())
	if err != nil {
		t.Fatal(err)
	}
	gone.Body.Close()
	if gone.StatusCode != http.StatusForbidden {
		t.Errorf("content after deletion: %d", gone.StatusCode)
	}
	if list, err := sdk(t, s).ListMedia(sid, &api.ListMediaParams{}); err != nil || len(list) != 1 {
		t.Errorf("list after deletion: %v, %v", list, err)
	}
}

func TestDirectMedia(t *testing.T) {
	hook := newHook(t, nil)
	s := start(t, Config{Numbers: []Number{{E164: ours, SMSURL: hook.URL}}, DirectMedia: true})
	_, urls := withMedia(t, s, hook, Media{Type: "image/gif", Data: []byte("GIF89a")})
	resp, body := request(t, s, http.MethodGet, strings.TrimPrefix(urls[0], s.URL()+s.accountPath()), nil)
	if resp.StatusCode != 200 || resp.Header.Get("Content-Type") != "image/gif" || string(body) != "GIF89a" {
		t.Errorf("%d %s %q", resp.StatusCode, resp.Header.Get("Content-Type"), body)
	}
}

func TestMediaFaults(t *testing.T) {
	hook := newHook(t, nil)
	s := start(t, Config{Numbers: []Number{{E164: ours, SMSURL: hook.URL}}, DirectMedia: true})
	_, urls := withMedia(t, s, hook, Media{Type: "image/gif", Data: []byte("GIF89a")})
	path := strings.TrimPrefix(urls[0], s.URL()+s.accountPath())
	s.Fail(ContentOp, Fault{Kind: Unauthorized}, Fault{Kind: Redirect, Location: "http://169.254.169.254/latest/"},
		Fault{Kind: Huge, Size: 3 << 20}, Fault{Kind: WrongType, Type: "text/html"})

	resp, body := request(t, s, http.MethodGet, path, nil)
	checkError(t, resp, body, 401, 20003)
	if resp, _ = request(t, s, http.MethodGet, path, nil); resp.StatusCode != 307 || resp.Header.Get("Location") != "http://169.254.169.254/latest/" {
		t.Errorf("redirect: %d %s", resp.StatusCode, resp.Header.Get("Location"))
	}
	if resp, body = request(t, s, http.MethodGet, path, nil); len(body) != 3<<20 || resp.Header.Get("Content-Type") != "image/jpeg" {
		t.Errorf("huge: %d bytes", len(body))
	}
	if resp, body = request(t, s, http.MethodGet, path, nil); resp.Header.Get("Content-Type") != "text/html" || string(body) != "GIF89a" {
		t.Errorf("wrong type: %s %q", resp.Header.Get("Content-Type"), body)
	}
	if s.PendingFaults() != 0 {
		t.Error("a fault is left")
	}
}

func TestOutboundMedia(t *testing.T) {
	s := start(t, Config{})
	form := text("look")
	form["MediaUrl"] = []string{"https://m.example/a.jpg", "https://m.example/b.jpg"}
	sid := create(t, s, form)
	_, body := request(t, s, http.MethodGet, "/Messages/"+sid+".json", nil)
	var m struct {
		NumMedia    string `json:"num_media"`
		NumSegments string `json:"num_segments"`
	}
	if err := json.Unmarshal(body, &m); err != nil || m.NumMedia != "2" || m.NumSegments != "1" {
		t.Errorf("%s, %v", body, err)
	}
}
