package sms

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"gangway/core"
	"gangway/core/transporttest"
)

func TestConformance(t *testing.T) {
	transporttest.Run(t, func(t *testing.T) transporttest.Fixture {
		p := newProvider(t)
		driver := Driver()
		make := driver.New
		driver.New = func(h core.Host, d core.Decoder) (core.Transport, error) {
			h.(*transporttest.Host).Webhook = testHook
			tr, err := make(h, d)
			if err == nil {
				p.handler = tr.(*transport)
			}
			return tr, err
		}
		return transporttest.Fixture{
			Driver: driver, Settings: p.settings(), Account: alice, Peer: testPeer, Far: p,
			Forms: []transporttest.Form{
				{Text: "+15551234567", Want: core.Target{Address: "+15551234567"}},
				{Text: " (555) 123-4567 ", Want: core.Target{Address: "+15551234567"}},
				{Text: "+49 30 901820", Want: core.Target{Address: "+4930901820"}},
				{Text: "tel:+1-555-123-4567", Want: core.Target{Address: "+15551234567"}},
				{Text: "12345", Want: core.Target{Address: "12345;phone-context=+1"}},
				{Text: "12345;phone-context=+44", Want: core.Target{Address: "12345;phone-context=+44"}},
				{Text: "ACME;phone-context=alpha", Want: core.Target{Address: "acme;phone-context=alpha"}},
			},
			Bad: []string{"alice", "alice@example.com", "+", "+1", "1-800-FLOWERS", "+12345678901234567890", "12;ext=3", "+1555123456７"},
		}
	})
}

func TestSendIsClassified(t *testing.T) {
	fail := func(code int, header, body string) func(http.ResponseWriter, int, map[string]any) bool {
		return func(w http.ResponseWriter, _ int, _ map[string]any) bool {
			if k, v, ok := strings.Cut(header, ":"); ok {
				w.Header().Set(k, v)
			}
			w.WriteHeader(code)
			fmt.Fprint(w, body)
			return true
		}
	}
	rest := func(status, code int) string {
		return fmt.Sprintf(`{"code":%d,"message":"x","status":%d}`, code, status)
	}
	for _, c := range []struct {
		name   string
		answer func(http.ResponseWriter, int, map[string]any) bool
		kind   core.Kind
		code   string
		after  time.Duration
	}{
		{"throttled", fail(429, "Retry-After:7", rest(429, 20429)), core.OverLimit, "429", 7 * time.Second},
		{"throttled, empty", fail(429, "", ""), core.OverLimit, "429", time.Second},
		{"bad number", fail(400, "", rest(400, 21211)), core.Invalid, "21211", 0},
		{"opted out", fail(400, "", rest(400, 21610)), core.Denied, "21610", 0},
		{"landline", fail(400, "", rest(400, 21614)), core.NotFound, "21614", 0},
		{"code that nobody knows", fail(400, "", rest(400, 29999)), core.Unsupported, "29999", 0},
		{"credentials", fail(401, "", rest(401, 20003)), core.Unavailable, "20003", 5 * time.Minute},
		{"credentials, by a proxy", fail(403, "", "<html>"), core.Unavailable, "20003", 5 * time.Minute},
		{"server error", fail(500, "", rest(500, 20500)), core.Uncertain, "", 0},
		{"html 502", fail(502, "", "<html>bad gateway</html>"), core.Uncertain, "", 0},
		{"unavailable", fail(503, "Retry-After:9", ""), core.Uncertain, "", 9 * time.Second},
		{"redirect", fail(307, "Location:http://127.0.0.1:1/", ""), core.Unavailable, "", 0},
		{"201 with half a body", fail(201, "", `{"sid":"SM0000`), core.Uncertain, "", 0},
		{"201 with html", fail(201, "", `<html>`), core.Uncertain, "", 0},
		{"201 without a sid", fail(201, "", `{}`), core.Uncertain, "", 0},
		{"connection dropped", func(w http.ResponseWriter, _ int, _ map[string]any) bool {
			panic(http.ErrAbortHandler)
		}, core.Uncertain, "", 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := newProvider(t)
			p.answer = c.answer
			tr, _ := start(t, p)
			_, err := open(t, tr).Send(t.Context(), message("hi"))
			var e *core.Error
			if !errors.As(err, &e) || e.Kind != c.kind || e.Code != c.code || e.After != c.after {
				t.Fatalf("Send = %+v, want %v %q %v", e, c.kind, c.code, c.after)
			}
			if n := p.asked(); n != 1 {
				t.Errorf("%d requests for one attempt", n)
			}
		})
	}
}

func TestProviderThatIsNotThereTookNothing(t *testing.T) {
	p := newProvider(t)
	tr, _ := start(t, p)
	p.srv.Close()
	_, err := open(t, tr).Send(t.Context(), message("hi"))
	if core.KindOf(err) != core.Unavailable {
		t.Errorf("Send = %v", err)
	}
}

func TestHangAfterAcceptIsUncertain(t *testing.T) {
	p := newProvider(t)
	ctx, cancel := context.WithCancel(t.Context())
	p.answer = func(_ http.ResponseWriter, _ int, made map[string]any) bool {
		p.accept(made)
		cancel() // the gateway is stopped while it waits
		time.Sleep(time.Millisecond)
		panic(http.ErrAbortHandler)
	}
	tr, _ := start(t, p)
	if _, err := open(t, tr).Send(ctx, message("hi")); core.KindOf(err) != core.Uncertain {
		t.Errorf("Send = %v", err)
	}
}

func TestWhatSMSCannotCarry(t *testing.T) {
	p := newProvider(t)
	tr, _ := start(t, p)
	s := open(t, tr)
	alpha := message("hi")
	alpha.Peer = "acme;phone-context=alpha"
	for _, c := range []struct {
		m    *core.Message
		kind core.Kind
	}{
		{message(strings.Repeat("é", 1601)), core.TooLarge},
		{message(""), core.Invalid},
		{alpha, core.Unsupported},
	} {
		if _, err := s.Send(t.Context(), c.m); core.KindOf(err) != c.kind || core.AsError(err).Text == "" {
			t.Errorf("Send = %v, want %v", err, c.kind)
		}
	}
	if p.paid() != 0 {
		t.Errorf("%d messages were paid for", p.paid())
	}
}

func TestReconcile(t *testing.T) {
	for _, c := range []struct {
		name  string
		made  func(m *core.Message) map[string]any // what the list shows; nil: nothing
		bound bool                                 // the SID is another message's
		taken bool
	}{
		{name: "it is in the list", made: func(m *core.Message) map[string]any { return listed(m, time.Now()) }, taken: true},
		{name: "it is nowhere"},
		{name: "another one with the same text, known already", made: func(m *core.Message) map[string]any { return listed(m, time.Now()) }, bound: true},
		{name: "one of last week with the same text", made: func(m *core.Message) map[string]any {
			return listed(m, time.Now().Add(-7*24*time.Hour))
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := newProvider(t)
			tr, host := start(t, p)
			s := open(t, tr)
			m := message("was it sent?")
			if c.made != nil {
				p.made = append(p.made, c.made(m))
			}
			if c.bound {
				if err := host.Notes().Put(t.Context(), "sid/SM"+strings.Repeat("a", 32), []byte("other"), 0); err != nil {
					t.Fatal(err)
				}
			}
			if _, err := s.Reconcile(t.Context(), m, time.Now()); core.KindOf(err) != core.Uncertain || core.AsError(err).After <= 0 {
				t.Errorf("at once: %v: the callback needs time", err)
			}
			since := time.Now().Add(-time.Minute)
			taken, err := s.Reconcile(t.Context(), m, since)
			if c.taken {
				if err != nil || taken.State != core.Accepted || taken.Remote == "" {
					t.Errorf("found = %+v, %v", taken, err)
				}
				return
			}
			if core.KindOf(err) != core.Uncertain || core.AsError(err).After < 30*time.Second {
				t.Errorf("first look: %v", err)
			}
			_, err = s.Reconcile(t.Context(), m, since.Add(-2*time.Minute))
			if e := core.AsError(err); e == nil || e.Kind != core.Uncertain || e.After != 0 || e.Text == "" {
				t.Errorf("second look: %+v", e)
			}
			if p.asked() != 0 {
				t.Error("it was sent again")
			}
		})
	}
}

// What a user does not want, because its sender is blocked, is neither an error for the provider nor tried for ever.
func TestUnwantedIsNotTriedAgain(t *testing.T) {
	p := newProvider(t)
	tr, host := start(t, p)
	host.Refuse(core.E(core.Denied, "test", "This person does not accept messages from you."))
	r := received{sid: fmt.Sprintf("SM%032x", 7), from: testPeer, to: testNumber, body: "buy", at: time.Now()}
	if err := tr.receive(t.Context(), r); err != nil {
		t.Errorf("denied: %v", err)
	}
	host.Refuse(core.E(core.Unavailable, "test", ""))
	if err := tr.receive(t.Context(), r); core.KindOf(err) != core.Unavailable {
		t.Errorf("away: %v", err)
	}
}

func TestEnrol(t *testing.T) {
	p := newProvider(t)
	tr, host := start(t, p)
	step, err := tr.Enroll(t.Context(), "bob@example.test", nil, nil)
	if err != nil || step.Done || len(step.Fields) != 1 || len(step.Fields[0].Options) != 1 {
		t.Fatalf("first step: %+v, %v", step, err)
	}
	step, err = tr.Enroll(t.Context(), "bob@example.test", nil, map[string]string{"number": testNumber})
	if err != nil || step.Done {
		t.Errorf("alice's number was handed out: %+v, %v", step, err)
	}
	step, err = tr.Enroll(t.Context(), "bob@example.test", nil, map[string]string{"number": "(555) 010-0002"})
	if err != nil || !step.Done || step.Link.Own != "+15550100002" {
		t.Errorf("last step: %+v, %v", step, err)
	}
	host.Add(core.Account{ID: "b", User: "bob@example.test", Own: "+15550100002"})
	if _, err = tr.Enroll(t.Context(), "carol@example.test", nil, nil); core.KindOf(err) != core.OverLimit {
		t.Errorf("when all are taken: %v", err)
	}
}

func TestSettings(t *testing.T) {
	good := settings{Account: testAccount, Token: testToken, Numbers: []string{testNumber}}
	for name, edit := range map[string]func(*settings){
		"provider": func(s *settings) { s.Provider = "carrier-pigeon" },
		"account":  func(s *settings) { s.Account = "AC1" },
		"token":    func(s *settings) { s.Token = "" },
		"api_key":  func(s *settings) { s.Key = "SK1" },
		"api_url":  func(s *settings) { s.APIURL = "ftp://x" },
		"numbers":  func(s *settings) { s.Numbers = nil },
		"number":   func(s *settings) { s.Numbers = []string{"555"} },
		"country":  func(s *settings) { s.Country = "XX" },
	} {
		set := good
		edit(&set)
		if _, err := newTransport(transporttest.NewHost(t), set); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestCheck(t *testing.T) {
	p := newProvider(t)
	tr, host := start(t, p)
	for _, f := range tr.Check(t.Context()) {
		if f.Err != nil {
			t.Errorf("%s: %v", f.Name, f.Err)
		}
	}
	host.Webhook = ""
	tr.api.set.Token = "wrong"
	for _, f := range tr.Check(t.Context()) {
		if f.Err == nil || f.Text == "" {
			t.Errorf("%s finds nothing wrong", f.Name)
		}
	}
}

func FuzzParse(f *testing.F) {
	tr, err := newTransport(transporttest.NewHost(f), settings{Account: testAccount, Token: testToken, Numbers: []string{testNumber}})
	if err != nil {
		f.Fatal(err)
	}
	for _, s := range []string{"+15551234567", "(555) 123-4567", "12345", "12345;phone-context=+1", "acme;phone-context=alpha", "tel:+1", "+00"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		target, err := tr.Parse(s)
		if err != nil {
			return
		}
		again, err := tr.Parse(tr.Format(target))
		if err != nil || again != target {
			t.Errorf("Parse(%q) = %+v, then %+v, %v", s, target, again, err)
		}
	})
}
