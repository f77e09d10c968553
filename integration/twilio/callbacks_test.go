package twilio

import (
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestCallbackModes(t *testing.T) {
	tests := []struct {
		name   string
		script Script
		want   string // statuses called back
		final  string // what the API says in the end
	}{
		{"default", Script{}, "sent delivered", Delivered},
		{"off", Script{Off: true}, "", Delivered},
		{"stay", Stay(), "", Queued},
		{"failed", FailWith(Failed, 30007), "failed", Failed},
		{"undelivered", FailWith(Undelivered, 30003), "sent undelivered", Undelivered},
		{"duplicate", Script{Duplicate: true}, "sent sent delivered delivered", Delivered},
		{"reversed", Script{Reversed: true}, "delivered sent", Delivered},
		{"reversed duplicates", Script{Reversed: true, Duplicate: true}, "delivered delivered sent sent", Delivered},
		{"conflict", Script{Conflict: Undelivered}, "sent delivered undelivered", Delivered},
		{"silent step", Script{Steps: []Step{{Status: Sending, Silent: true}, {Status: Sent}}}, "sent", Sent},
		{"read", Script{Steps: []Step{{Status: Sent}, {Status: Delivered}, {Status: Read}}}, "sent delivered read", Read},
		{"delayed", Script{Steps: []Step{{Status: Sent}, {Status: Delivered, Wait: 20 * time.Millisecond}}}, "sent delivered", Delivered},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			hook := newHook(t, nil)
			s := start(t, Config{})
			s.Script(Match{Body: "x"}, tt.script)
			sid := create(t, s, text("x", "StatusCallback", hook.URL+"/t/acct/s/1?x=a%20b"))
			idle(t, s)
			if got := strings.Join(hook.got("MessageStatus"), " "); got != tt.want {
				t.Errorf("callbacks %q, want %q", got, tt.want)
			}
			if m, _ := s.Message(sid); m.Status != tt.final {
				t.Errorf("status %s, want %s", m.Status, tt.final)
			}
			if n := hook.badSignatures(); n != 0 {
				t.Errorf("twilio-go refuses %d signatures", n)
			}
		})
	}
}

func TestCallbackFields(t *testing.T) {
	hook := newHook(t, nil)
	s := start(t, Config{})
	s.Script(Match{}, FailWith(Undelivered, 30003))
	sid := create(t, s, text("x", "StatusCallback", hook.URL))
	idle(t, s)
	want := url.Values{
		"MessageSid": {sid}, "SmsSid": {sid}, "AccountSid": {s.AccountSID()}, "MessageStatus": {Sent}, "SmsStatus": {Sent},
		"To": {peer}, "From": {ours}, "ApiVersion": {"2010-04-01"},
	}
	if got := hook.forms[0]; got.Encode() != want.Encode() {
		t.Errorf("sent callback:\n%v\nwant\n%v", got, want)
	}
	last := hook.forms[1]
	if last.Get("ErrorCode") != "30003" || !regexp.MustCompile(`^\d{10}$`).MatchString(last.Get("RawDlrDoneDate")) {
		t.Errorf("undelivered callback: %v", last)
	}
	resp, body := request(t, s, http.MethodGet, "/Messages/"+sid+".json", nil)
	if !strings.Contains(string(body), `"error_code":30003`) || !strings.Contains(string(body), `"error_message":"Unreachable destination handset"`) {
		t.Errorf("fetch: %d %s", resp.StatusCode, body)
	}
}

func TestScriptsMatchByNumberAndBody(t *testing.T) {
	s := start(t, Config{})
	s.Script(Match{To: peer}, FailWith(Failed, 30005))
	s.Script(Match{To: peer, Body: "fine"}, Script{})
	s.Script(Match{From: ours2}, Script{Reject: 21611})
	for _, tt := range []struct {
		form url.Values
		want string
	}{
		{text("x"), Failed},
		{text("fine"), Delivered},
		{text("x", "To", "+15550199002"), Delivered},
	} {
		if err := s.WaitStatus(patience(t), create(t, s, tt.form), tt.want); err != nil {
			t.Errorf("%v: %v", tt.form, err)
		}
	}
	resp, body := request(t, s, http.MethodPost, "/Messages.json", text("fine", "From", ours2))
	checkError(t, resp, body, 400, 21611)
	if n := s.Paid()["fine"]; n != 1 {
		t.Errorf("%d sends accepted for the body, want 1: a rejected send is not paid", n)
	}
}

// With Early the receiver has all callbacks before the client has its answer.
func TestEarlyCallbacks(t *testing.T) {
	hook := newHook(t, nil)
	s := start(t, Config{})
	s.Script(Match{}, Script{Early: true})
	create(t, s, text("x", "StatusCallback", hook.URL))
	if got := hook.got("MessageStatus"); !slices.Equal(got, []string{Sent, Delivered}) {
		t.Errorf("callbacks before the answer: %v", got)
	}
	all := s.Requests()
	if at := s.Attempts(); !all[0].At.After(at[len(at)-1].At) {
		t.Error("answer was written before the last callback")
	}
}

func TestDuplicatesShareTheirToken(t *testing.T) {
	hook := newHook(t, nil)
	s := start(t, Config{})
	s.Script(Match{}, Script{Duplicate: true})
	create(t, s, text("x", "StatusCallback", hook.URL))
	idle(t, s)
	if k := hook.tokens; len(k) != 4 || k[0] != k[1] || k[1] == k[2] || k[2] != k[3] {
		t.Errorf("idempotency tokens %v", k)
	}
}

func TestCallback(t *testing.T) {
	hook := newHook(t, nil)
	s := start(t, Config{})
	s.Script(Match{}, Stay())
	sid := create(t, s, text("x", "StatusCallback", hook.URL))
	if a, err := s.Callback(t.Context(), sid, Failed, 30008); err != nil || !a.OK() {
		t.Fatalf("%+v, %v", a, err)
	}
	if f := hook.forms[0]; f.Get("MessageStatus") != Failed || f.Get("ErrorCode") != "30008" {
		t.Errorf("callback %v", f)
	}
	if m, _ := s.Message(sid); m.Status != Queued {
		t.Errorf("status %s", m.Status)
	}
	if _, err := s.Callback(t.Context(), "SM0", Failed, 0); err == nil {
		t.Error("unknown message: no error")
	}
}

// A deleted message has no further callbacks.
func TestDeleteEndsTheScript(t *testing.T) {
	entered, release := make(chan struct{}), make(chan struct{})
	hook := newHook(t, func(http.ResponseWriter, *http.Request) {
		entered <- struct{}{}
		<-release
	})
	s := start(t, Config{})
	sid := create(t, s, text("x", "StatusCallback", hook.URL))
	<-entered // the callback of "sent"
	if resp, body := request(t, s, http.MethodDelete, "/Messages/"+sid+".json", nil); resp.StatusCode != http.StatusNoContent {
		t.Fatalf("delete: %d %s", resp.StatusCode, body)
	}
	close(release)
	idle(t, s)
	if got := hook.got("MessageStatus"); !slices.Equal(got, []string{Sent}) {
		t.Errorf("callbacks %v", got)
	}
}
