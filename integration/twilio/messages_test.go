package twilio

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/twilio/twilio-go/client"
	api "github.com/twilio/twilio-go/rest/api/v2010"
)

func TestTwilioGo(t *testing.T) {
	s := start(t, Config{})
	c := sdk(t, s)
	hook := newHook(t, nil)

	m, err := c.CreateMessage((&api.CreateMessageParams{}).SetFrom(ours).SetTo(peer).SetBody("grüße 😀").SetStatusCallback(hook.URL + "/cb"))
	if err != nil {
		t.Fatalf("create: %v", err)
	}
	if *m.Status != Queued || *m.NumSegments != "1" || *m.NumMedia != "0" || *m.Direction != DirectionAPI || m.Price != nil ||
		m.ErrorCode != nil || m.DateSent != nil || *m.Body != "grüße 😀" || m.MessagingServiceSid != nil {
		t.Errorf("created message: %+v", m)
	}
	if err := s.WaitIdle(patience(t)); err != nil {
		t.Fatal(err)
	}
	got, err := c.FetchMessage(*m.Sid, nil)
	if err != nil {
		t.Fatalf("fetch: %v", err)
	}
	if *got.Status != Delivered || got.DateSent == nil || got.Price == nil || *got.Price != "-0.00079" {
		t.Errorf("fetched message: status %s, sent %v, price %v", *got.Status, got.DateSent, got.Price)
	}
	if _, err := time.Parse(time.RFC1123Z, *got.DateSent); err != nil {
		t.Errorf("date_sent: %v", err)
	}
	list, err := c.ListMessage((&api.ListMessageParams{}).SetTo(peer).SetFrom(ours).SetDateSentAfter(time.Now().Add(-time.Minute)))
	if err != nil || len(list) != 1 || *list[0].Sid != *m.Sid {
		t.Errorf("list: %d messages, %v", len(list), err)
	}
	if err := c.DeleteMessage(*m.Sid, nil); err != nil {
		t.Errorf("delete: %v", err)
	}
	var rest *client.TwilioRestError
	if _, err := c.FetchMessage(*m.Sid, nil); !errors.As(err, &rest) || rest.Code != 20404 || rest.Status != 404 {
		t.Errorf("fetch of a deleted message: %v", err)
	}
	if s.Paid()["grüße 😀"] != 1 {
		t.Error("deleting a message must not refund it")
	}
}

func TestRefusals(t *testing.T) {
	s := start(t, Config{
		Numbers: []Number{{E164: ours}, {E164: ours2, NoSMS: true}},
		Services: []Service{
			{SID: service, Numbers: []string{ours}},
			{SID: strings.Replace(service, "01", "02", 1)},
		},
	})
	tests := []struct {
		name string
		form url.Values
		code int
	}{
		{"no To", url.Values{"From": {ours}, "Body": {"x"}}, 21604},
		{"empty To", text("x", "To", ""), 21604},
		{"To is no number", text("x", "To", "alice"), 21211},
		{"To without plus", text("x", "To", "15550199001"), 21211},
		{"To with a leading zero", text("x", "To", "+05550199001"), 21211},
		{"no From", url.Values{"To": {peer}, "Body": {"x"}}, 21603},
		{"From of somebody else", text("x", "From", "+15550100099"), 21606},
		{"From cannot send", text("x", "From", ours2), 21606},
		{"From is nothing", text("x", "From", "+"), 21212},
		{"From is To", text("x", "To", ours), 21266},
		{"no Body", url.Values{"To": {peer}, "From": {ours}}, 21602},
		{"empty message", text(""), 21619},
		{"1601 characters", text(strings.Repeat("a", 1601)), 21617},
		{"bad media URL", text("x", "MediaUrl", "file:///etc/passwd"), 21620},
		{"eleven media", url.Values{"To": {peer}, "From": {ours}, "MediaUrl": slices.Repeat([]string{"https://m.example/a"}, 11)}, 21623},
		{"bad callback", text("x", "StatusCallback", "hook"), 21609},
		{"callback host with underscore", text("x", "StatusCallback", "https://my_host/cb"), 21609},
		{"unknown service", text("x", "MessagingServiceSid", strings.Replace(service, "01", "99", 1)), 21701},
		{"schedule without service", text("x", "SendAt", "2026-11-30T10:00:00Z", "ScheduleType", "fixed"), 35118},
		{"schedule without type", text("x", "SendAt", "2026-11-30T10:00:00Z", "MessagingServiceSid", service), 20001},
		{"schedule without time", text("x", "ScheduleType", "fixed", "MessagingServiceSid", service), 20001},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			resp, body := request(t, s, http.MethodPost, "/Messages.json", tt.form)
			checkError(t, resp, body, http.StatusBadRequest, tt.code)
		})
	}
	if n := len(s.Messages()); n != 0 {
		t.Errorf("%d messages accepted", n)
	}
	create(t, s, text(strings.Repeat("a", 1600))) // the limit itself is no error
	create(t, s, text("to a short code", "To", "12345"))
}

// checkError wants an error in Twilio's form.
func checkError(t *testing.T, resp response, body []byte, status, code int) {
	t.Helper()
	var e struct {
		Code     int
		Message  string
		MoreInfo string `json:"more_info"`
		Status   int
	}
	if err := json.Unmarshal(body, &e); err != nil {
		t.Fatalf("%d %q: %v", resp.StatusCode, body, err)
	}
	if resp.StatusCode != status || e.Status != status || e.Code != code {
		t.Errorf("got %d, want %d with code %d: %s", resp.StatusCode, status, code, body)
	}
	if e.Message == "" || strings.Contains(e.Message, "%") || e.MoreInfo != fmt.Sprintf("https://www.twilio.com/docs/errors/%d", code) {
		t.Errorf("error body: %s", body)
	}
	if resp.Header.Get("Content-Type") != "application/json" {
		t.Errorf("Content-Type %q", resp.Header.Get("Content-Type"))
	}
}

func TestAuthentication(t *testing.T) {
	const key, secret = "SK00000000000000000000000000000001", "keysecret"
	s := start(t, Config{APIKeys: map[string]string{key: secret}})
	for _, tt := range []struct {
		name, user, pass, account string
		want                      int
	}{
		{"token", s.AccountSID(), s.AuthToken(), s.AccountSID(), 200},
		{"API key", key, secret, s.AccountSID(), 200},
		{"wrong token", s.AccountSID(), "x", s.AccountSID(), 401},
		{"unknown key", "SK2", "", s.AccountSID(), 401},
		{"key with the token", key, s.AuthToken(), s.AccountSID(), 401},
		{"none", "", "", s.AccountSID(), 401},
		{"account of somebody else", s.AccountSID(), s.AuthToken(), "AC99999999999999999999999999999999", 404},
	} {
		t.Run(tt.name, func(t *testing.T) {
			req, _ := http.NewRequestWithContext(patience(t), http.MethodGet, s.URL()+"/2010-04-01/Accounts/"+tt.account+"/Messages.json", nil)
			if tt.user != "" {
				req.SetBasicAuth(tt.user, tt.pass)
			}
			resp, err := http.DefaultClient.Do(req)
			if err != nil {
				t.Fatal(err)
			}
			defer resp.Body.Close()
			if resp.StatusCode != tt.want {
				t.Errorf("status %d, want %d", resp.StatusCode, tt.want)
			}
			if tt.want == 401 {
				body, _ := io.ReadAll(resp.Body)
				checkError(t, response{resp.StatusCode, resp.Header}, body, 401, 20003)
			}
		})
	}
}

func TestNotFound(t *testing.T) {
	s := start(t, Config{})
	sid := create(t, s, text("x"))
	for _, path := range []string{
		"/Messages/SM00000000000000000000000000000000.json", "/Messages/nonsense.json", "/Calls.json",
		"/Messages/" + sid + "/Media/ME0.json", "/Messages/SM0/Media.json", "/Messages/" + sid + "/Media/ME0",
	} {
		resp, body := request(t, s, http.MethodGet, path, nil)
		checkError(t, resp, body, 404, 20404)
	}
}

func TestMessagingService(t *testing.T) {
	hook := newHook(t, nil)
	s := start(t, Config{Services: []Service{{SID: service, Numbers: []string{ours2}, StatusCallback: hook.URL + "/svc"}}})
	_, body := request(t, s, http.MethodPost, "/Messages.json", url.Values{"To": {peer}, "Body": {"x"}, "MessagingServiceSid": {service}})
	var m map[string]any
	if err := json.Unmarshal(body, &m); err != nil {
		t.Fatal(err)
	}
	if m["status"] != Accepted || m["num_segments"] != "0" || m["from"] != nil || m["messaging_service_sid"] != service {
		t.Errorf("created: %s", body)
	}
	if err := s.WaitIdle(patience(t)); err != nil {
		t.Fatal(err)
	}
	if got := hook.got("MessageStatus"); !slices.Equal(got, []string{Queued, Sent, Delivered}) {
		t.Errorf("callbacks %v", got)
	}
	if got := hook.got("MessagingServiceSid"); got[0] != service {
		t.Errorf("MessagingServiceSid %v", got)
	}
	all := s.Messages()
	if all[0].From != ours2 || all[0].Segments != 1 {
		t.Errorf("message %+v", all[0])
	}
}

func TestSIDs(t *testing.T) {
	s := start(t, Config{})
	for _, tt := range []struct{ body, media, pattern string }{
		{"x", "", `^SM[0-9a-f]{32}$`},
		{"x", "https://m.example/a.jpg", `^MM[0-9a-f]{32}$`},
	} {
		form := text(tt.body)
		if tt.media != "" {
			form.Add("MediaUrl", tt.media)
		}
		if sid := create(t, s, form); !regexp.MustCompile(tt.pattern).MatchString(sid) {
			t.Errorf("SID %s, want %s", sid, tt.pattern)
		}
	}
}

func TestSmartEncodedCountsAsGSM(t *testing.T) {
	s := start(t, Config{})
	body := strings.Repeat("“", 100)
	plain, smart := create(t, s, text(body)), create(t, s, text(body, "SmartEncoded", "true"))
	a, _ := s.Message(plain)
	b, _ := s.Message(smart)
	if a.Segments != 2 || b.Segments != 1 {
		t.Errorf("segments %d and %d, want 2 and 1", a.Segments, b.Segments)
	}
}

func TestScheduleAndCancel(t *testing.T) {
	hook := newHook(t, nil)
	s := start(t, Config{Services: []Service{{SID: service, Numbers: []string{ours}}}})
	at := time.Now().Add(time.Hour).Format(time.RFC3339)
	sid := create(t, s, text("later", "MessagingServiceSid", service, "ScheduleType", "fixed", "SendAt", at, "StatusCallback", hook.URL))
	if m, _ := s.Message(sid); m.Status != Scheduled {
		t.Fatalf("status %s", m.Status)
	}
	resp, body := request(t, s, http.MethodDelete, "/Messages/"+sid+".json", nil)
	checkError(t, resp, body, http.StatusUnprocessableEntity, 20009)
	resp, body = request(t, s, http.MethodPost, "/Messages/"+sid+".json", url.Values{"Status": {"canceled"}})
	if resp.StatusCode != 200 || !strings.Contains(string(body), `"status":"canceled"`) {
		t.Fatalf("cancel: %d %s", resp.StatusCode, body)
	}
	if err := s.WaitIdle(patience(t)); err != nil {
		t.Fatal(err)
	}
	if got := hook.got("MessageStatus"); !slices.Equal(got, []string{Canceled}) {
		t.Errorf("callbacks %v", got)
	}
	resp, body = request(t, s, http.MethodPost, "/Messages/"+sid+".json", url.Values{"Status": {"canceled"}})
	checkError(t, resp, body, 400, 20001)

	due := create(t, s, text("now", "MessagingServiceSid", service, "ScheduleType", "fixed", "SendAt", time.Now().Add(-time.Second).Format(time.RFC3339)))
	if err := s.WaitStatus(patience(t), due, Delivered); err != nil {
		t.Error(err)
	}
}

func TestRedact(t *testing.T) {
	s := start(t, Config{})
	sid := create(t, s, text("secret"))
	resp, body := request(t, s, http.MethodPost, "/Messages/"+sid+".json", url.Values{"Body": {""}})
	if resp.StatusCode != 200 || !strings.Contains(string(body), `"body":""`) {
		t.Errorf("redact: %d %s", resp.StatusCode, body)
	}
	resp, body = request(t, s, http.MethodPost, "/Messages/"+sid+".json", url.Values{"Body": {"other"}})
	checkError(t, resp, body, 400, 20001)
	if s.Paid()["secret"] != 1 {
		t.Error("Paid must count by the body that was posted")
	}
}

func TestBadConfig(t *testing.T) {
	for _, cfg := range []Config{
		{AccountSID: "AC1"},
		{Numbers: []Number{{E164: "5550100001"}}},
		{Services: []Service{{SID: "MG1"}}},
		{Services: []Service{{SID: service, Numbers: []string{ours}}}},
		{Addr: "127.0.0.1:-1"},
	} {
		s := New(cfg)
		if err := s.Run(t.Context()); err == nil {
			t.Errorf("%+v: no error", cfg)
		}
		if s.URL() != "" {
			t.Error("URL of a server that did not start")
		}
	}
}

func TestRequestTooLarge(t *testing.T) {
	s := start(t, Config{})
	resp, _, err := send(t, s, http.MethodPost, "/Messages.json", text(strings.Repeat("a", maxBody)))
	if err == nil && resp.StatusCode != http.StatusRequestEntityTooLarge {
		t.Errorf("status %d", resp.StatusCode)
	}
	if len(s.Messages()) != 0 {
		t.Error("accepted")
	}
}
