package twilio

import (
	"errors"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
)

func TestInbound(t *testing.T) {
	hook := newHook(t, nil)
	s := start(t, Config{Numbers: []Number{{E164: ours, SMSURL: hook.URL + "/hooks/sms/twilio?a=b#rc=2&rp=all"}}})
	m, err := s.Inbound(t.Context(), peer, ours, "hällo 😀")
	if err != nil {
		t.Fatal(err)
	}
	want := url.Values{
		"MessageSid": {m.SID}, "SmsSid": {m.SID}, "SmsMessageSid": {m.SID}, "AccountSid": {s.AccountSID()},
		"SmsStatus": {"received"}, "From": {peer}, "To": {ours}, "Body": {"hällo 😀"}, "NumMedia": {"0"}, "NumSegments": {"1"},
		"ApiVersion": {"2010-04-01"}, "FromCountry": {"US"}, "ToCountry": {"US"},
		"FromCity": {""}, "FromState": {""}, "FromZip": {""}, "ToCity": {""}, "ToState": {""}, "ToZip": {""},
	}
	if got := hook.forms[0]; got.Encode() != want.Encode() {
		t.Errorf("webhook:\n%v\nwant\n%v", got, want)
	}
	if hook.badSignatures() != 0 {
		t.Error("twilio-go refuses the signature")
	}
	list := getList(t, s, "/Messages.json?To=%2B15550100001")
	if len(list.Messages) != 1 || list.Messages[0].Body != "hällo 😀" {
		t.Errorf("list: %+v", list)
	}
	if m.Direction != DirectionInbound || m.Status != Received || len(s.Paid()) != 0 {
		t.Errorf("message %+v", m)
	}
	at := s.Attempts()
	if len(at) != 1 || !at[0].OK() || at[0].Kind != InboundHook || at[0].SID != m.SID {
		t.Errorf("attempts %+v", at)
	}
}

func TestInboundThroughService(t *testing.T) {
	number, svc := newHook(t, nil), newHook(t, nil)
	s := start(t, Config{
		Numbers:  []Number{{E164: ours, SMSURL: number.URL}},
		Services: []Service{{SID: service, Numbers: []string{ours}, InboundURL: svc.URL, AdvancedOptOut: true}},
	})
	for _, body := range []string{"hi", "stop", "stop it", " Start "} {
		if _, err := s.Inbound(t.Context(), peer, ours, body); err != nil {
			t.Fatal(err)
		}
	}
	if got := svc.got("OptOutType"); !slices.Equal(got, []string{"", "STOP", "", "START"}) {
		t.Errorf("OptOutType %v", got)
	}
	if got := svc.got("MessagingServiceSid"); got[0] != service || len(number.got("From")) != 0 {
		t.Errorf("MessagingServiceSid %v", got)
	}
}

func TestInboundFallback(t *testing.T) {
	status := func(code int) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(code) }
	}
	bad, fallback := newHook(t, status(500)), newHook(t, nil)
	gone := newHook(t, nil)
	gone.Close()
	for _, tt := range []struct{ name, url, code string }{
		{"answered 500", bad.URL + "/in", "11200"},
		{"connection refused", gone.URL + "/in", "11205"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := start(t, Config{Numbers: []Number{{E164: ours, SMSURL: tt.url, FallbackURL: fallback.URL + "/fb"}}})
			if _, err := s.Inbound(t.Context(), peer, ours, "x"); err != nil {
				t.Fatal(err)
			}
			n := len(fallback.forms) - 1
			if f := fallback.forms[n]; f.Get("ErrorCode") != tt.code || f.Get("ErrorUrl") != tt.url || f.Get("Body") != "x" {
				t.Errorf("fallback %v", f)
			}
			at := s.Attempts()
			if !at[len(at)-1].Fallback || fallback.badSignatures() != 0 {
				t.Errorf("attempts %+v", at)
			}
		})
	}
	s := start(t, Config{Numbers: []Number{{E164: ours, SMSURL: bad.URL}, {E164: ours2}}})
	for _, to := range []string{ours, ours2} {
		m, err := s.Inbound(t.Context(), peer, to, "lost")
		if !errors.Is(err, ErrUndelivered) || m.SID == "" {
			t.Errorf("%s: %v, %v", to, m, err)
		}
	}
	if _, err := s.Inbound(t.Context(), peer, "+15550100077", "x"); err == nil || errors.Is(err, ErrUndelivered) {
		t.Errorf("unknown number: %v", err)
	}
	if got := bodies(t, s, "/Messages.json"); len(got) != 2 {
		t.Errorf("a sweep finds %v", got)
	}
	if err := s.SetWebhook(ours2, fallback.URL, ""); err != nil {
		t.Error(err)
	}
	if _, err := s.Inbound(t.Context(), peer, ours2, "x"); err != nil {
		t.Error(err)
	}
	if s.SetWebhook("+15550100077", "", "") == nil {
		t.Error("unknown number: no error")
	}
}

func TestReplaysAndForgeries(t *testing.T) {
	hook := newHook(t, nil)
	s := start(t, Config{Numbers: []Number{{E164: ours, SMSURL: hook.URL + "/in"}}})
	m, err := s.Inbound(t.Context(), peer, ours, "pay 10")
	if err != nil {
		t.Fatal(err)
	}
	again, err := s.Redeliver(t.Context(), m.SID)
	if err != nil || hook.badSignatures() != 0 {
		t.Errorf("redelivery: %v, %d bad signatures", err, hook.badSignatures())
	}
	if first := s.Attempts()[0]; first.Signature != again.Signature || first.Form.Encode() != again.Form.Encode() {
		t.Error("redelivery differs from the first delivery")
	}
	if _, err := s.Forge(t.Context(), m.SID); err != nil || hook.badSignatures() != 1 {
		t.Errorf("forgery: %v, %d bad signatures", err, hook.badSignatures())
	}
	a, err := s.Tamper(t.Context(), m.SID, func(f url.Values) { f.Set("Body", "pay 10000") })
	if err != nil || hook.badSignatures() != 2 || a.Form.Get("Body") != "pay 10000" {
		t.Errorf("tampered: %v, %d bad signatures", err, hook.badSignatures())
	}
	if got := hook.got("Body"); !slices.Equal(got, []string{"pay 10", "pay 10", "pay 10", "pay 10000"}) {
		t.Errorf("bodies %v", got)
	}
	if _, err := s.Redeliver(t.Context(), "SM0"); err == nil {
		t.Error("unknown message: no error")
	}
}

func TestOptOut(t *testing.T) {
	hook := newHook(t, nil)
	s := start(t, Config{Numbers: []Number{{E164: ours, SMSURL: hook.URL}, {E164: ours2, SMSURL: hook.URL}}})
	say := func(body string) {
		t.Helper()
		if _, err := s.Inbound(t.Context(), peer, ours, body); err != nil {
			t.Fatal(err)
		}
	}
	sends := func(from string, want int) {
		t.Helper()
		resp, body := request(t, s, http.MethodPost, "/Messages.json", text("x", "From", from))
		if want != 0 {
			checkError(t, resp, body, 400, want)
		} else if resp.StatusCode != 201 {
			t.Errorf("send from %s: %s", from, body)
		}
	}
	say("please stop")
	sends(ours, 0)
	say("Stop ")
	say("STOP")
	if !s.OptedOut(ours, peer) || s.OptedOut(ours2, peer) {
		t.Error("STOP is for one number only")
	}
	sends(ours, 21610)
	sends(ours2, 0)
	say("START")
	say("help")
	sends(ours, 0)

	var replies []string
	for _, m := range s.Messages() {
		if m.Direction == DirectionReply {
			replies = append(replies, strings.Fields(m.Body)[4])
			if m.From != ours || m.To != peer {
				t.Errorf("reply %+v", m)
			}
		}
	}
	if !slices.Equal(replies, []string{"unsubscribed.", "re-subscribed", "Msg&Data"}) {
		t.Errorf("replies %v", replies)
	}
	if got := hook.got("Body"); len(got) != 5 {
		t.Errorf("the webhook is still called for keywords: %v", got)
	}
	if s.Paid()["x"] != 3 {
		t.Errorf("paid %v", s.Paid())
	}
}

func TestOptOutOfService(t *testing.T) {
	s := start(t, Config{
		Numbers:  []Number{{E164: ours}, {E164: ours2}, {E164: "+15550100003", NoOptOut: true}},
		Services: []Service{{SID: service, Numbers: []string{ours, ours2}}},
	})
	if _, err := s.Inbound(t.Context(), peer, ours, "STOP"); !errors.Is(err, ErrUndelivered) {
		t.Fatal(err)
	}
	for _, form := range []url.Values{text("x"), text("x", "From", ours2), {"To": {peer}, "Body": {"x"}, "MessagingServiceSid": {service}}} {
		resp, body := request(t, s, http.MethodPost, "/Messages.json", form)
		checkError(t, resp, body, 400, 21610)
	}
	_, _ = s.Inbound(t.Context(), peer, "+15550100003", "STOP")
	if s.OptedOut("+15550100003", peer) {
		t.Error("a number without opt-out handling was opted out")
	}
}

// What a webhook answers is obeyed, so a careless "ok" becomes a text to the peer.
func TestAnswersAreObeyed(t *testing.T) {
	for _, tt := range []struct{ name, contentType, body, want string }{
		{"empty TwiML", "text/xml", `<?xml version="1.0" encoding="UTF-8"?><Response></Response>`, ""},
		{"nothing", "text/plain", "", ""},
		{"plain text", "text/plain; charset=utf-8", "ok", "ok"},
		{"TwiML text", "application/xml", `<Response><Message>hi</Message><Message><Body>there</Body></Message></Response>`, "hi there"},
		{"broken TwiML", "text/xml", `<Response><Message>hi`, ""},
		{"other XML", "text/xml", `<Message>hi</Message>`, ""},
		{"JSON", "application/json", `{"message":"hi"}`, ""},
		{"no type", "", "ok", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			hook := newHook(t, func(w http.ResponseWriter, _ *http.Request) {
				w.Header()["Content-Type"] = []string{tt.contentType}
				_, _ = io.WriteString(w, tt.body)
			})
			s := start(t, Config{Numbers: []Number{{E164: ours, SMSURL: hook.URL}}})
			if _, err := s.Inbound(t.Context(), peer, ours, "x"); err != nil {
				t.Fatal(err)
			}
			var sent []string
			for _, m := range s.Messages()[1:] {
				sent = append(sent, m.Body)
			}
			if got := strings.Join(sent, " "); got != tt.want {
				t.Errorf("sent %q, want %q", got, tt.want)
			}
		})
	}
}

func FuzzReplies(f *testing.F) {
	f.Add("text/xml", []byte(`<Response><Message>hi</Message></Response>`))
	f.Add("text/plain", []byte("ok"))
	f.Add("application/xml;", []byte("<Response><Message/><!-- --></Response>"))
	f.Fuzz(func(t *testing.T, contentType string, body []byte) {
		if len(replies(contentType, body)) > len(body) {
			t.Error("more replies than bytes")
		}
	})
}
