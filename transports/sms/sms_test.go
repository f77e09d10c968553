package sms

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/twilio/twilio-go/client"

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

func listed(m *core.Message, at time.Time) map[string]any {
	return map[string]any{
		"sid": "SM" + strings.Repeat("a", 32), "to": testPeer, "from": testNumber, "body": m.Text, "direction": "outbound-api",
		"date_created": at.UTC().Format(time.RFC1123Z),
	}
}

func statusForm(status, code string) url.Values {
	f := url.Values{
		"AccountSid": {testAccount}, "MessageSid": {"SM" + strings.Repeat("b", 32)}, "From": {testNumber}, "To": {testPeer},
		"MessageStatus": {status},
	}
	if code != "" {
		f.Set("ErrorCode", code)
	}
	return f
}

func TestStatusCallbacks(t *testing.T) {
	for _, c := range []struct {
		status, code string
		state        core.State
		kind         core.Kind
	}{
		{"queued", "", core.Accepted, 0},
		{"sent", "", core.Sent, 0},
		{"delivered", "", core.Delivered, 0},
		{"read", "", core.Read, 0},
		{"undelivered", "30003", core.Failed, core.Unavailable},
		{"undelivered", "39999", core.Failed, core.Unavailable},
		{"failed", "30007", core.Failed, core.Denied},
		{"failed", "", core.Failed, core.Unsupported},
		{"canceled", "", core.Failed, core.Denied},
	} {
		p := newProvider(t)
		_, host := start(t, p)
		id := core.NewID()
		if code, body := p.post("/status/"+string(id), statusForm(c.status, c.code), testToken); code != 200 {
			t.Fatalf("%s: %d %s", c.status, code, body)
		}
		r := host.Wait("receipt", func(e core.Event) bool { _, ok := e.(*core.Receipt); return ok }).(*core.Receipt)
		if r.State != c.state || r.ID != id || (r.Err != nil) != (c.state == core.Failed) || r.Err != nil && r.Err.Kind != c.kind {
			t.Errorf("%s %s: %+v", c.status, c.code, r)
		}
	}
	p := newProvider(t)
	_, host := start(t, p)
	if code, _ := p.post("/status/x", statusForm("brand-new-status", ""), testToken); code != 200 || len(host.Events()) != 0 {
		t.Errorf("an unknown status: %d, %d events", code, len(host.Events()))
	}
}

func TestWebhooksAreVerified(t *testing.T) {
	p := newProvider(t)
	_, host := start(t, p)
	good := func() url.Values { return inboundForm("x", "hello") }
	for _, c := range []struct {
		name  string
		path  string
		edit  func(url.Values)
		token string
		want  int
	}{
		{"forged", "/inbound", func(url.Values) {}, "another token", 403},
		{"another account's", "/inbound", func(f url.Values) { f.Set("AccountSid", "AC"+strings.Repeat("9", 32)) }, testToken, 403},
		{"a sid that is a path", "/inbound", func(f url.Values) { f.Set("MessageSid", "../../x") }, testToken, 403},
		{"a number that is not ours", "/inbound", func(f url.Values) { f.Set("To", "+15550109999") }, testToken, 404},
		{"a number that nobody has", "/inbound", func(f url.Values) { f.Set("To", "+15550100002") }, testToken, 404},
		{"no sender", "/inbound", func(f url.Values) { f.Set("From", "") }, testToken, 400},
		{"nowhere", "/elsewhere", func(url.Values) {}, testToken, 404},
		{"a status of somebody else's number", "/status/x", func(f url.Values) { f.Set("From", "+1999") }, testToken, 403},
		{"too large", "/inbound", func(f url.Values) { f.Set("Body", strings.Repeat("x", 300<<10)) }, testToken, 413},
	} {
		form := good()
		c.edit(form)
		if code, body := p.post(c.path, form, c.token); code != c.want || strings.Contains(body, "signature") {
			t.Errorf("%s: %d %q, want %d", c.name, code, body, c.want)
		}
	}
	if n := len(host.Events()); n != 0 {
		t.Errorf("%d events were delivered", n)
	}
}

// TestSignatureLeavesNothingUnsigned holds ours against the vendor's validator, and goes beyond it: a repeated key,
// whose second value the vendor does not sign, is refused.
func TestSignatureLeavesNothingUnsigned(t *testing.T) {
	vendor := client.NewRequestValidator(testToken)
	for i, body := range []string{"hello", "", "a b+c&d=e", "äöü \U0001F600", "  leading", "x\r\ny"} {
		form := inboundForm("x", body)
		link := fmt.Sprintf("%s/inbound?n=%d", testHook, i)
		signature := sign(link, form, testToken)
		flat := map[string]string{}
		for k := range form {
			flat[k] = form.Get(k)
		}
		if !vendor.Validate(link, flat, signature) || !signed(signature, link, form, testToken) {
			t.Errorf("%q: a good signature is refused", body)
		}
		if signed(signature, link+"x", form, testToken) || signed("", link, form, testToken) || signed(signature, link, form, "", "other") {
			t.Errorf("%q: a bad signature is accepted", body)
		}
		form.Add("Body", "unsigned")
		if signed(signature, link, form, testToken) {
			t.Errorf("%q: an unsigned value is accepted", body)
		}
	}
}

func TestTokenRotation(t *testing.T) {
	form := inboundForm("x", "y")
	if !signed(sign(testHook, form, "next"), testHook, form, testToken, "next") {
		t.Error("the next token's signature is refused")
	}
}

func TestSweepFindsWhatTheWebhookMissed(t *testing.T) {
	p := newProvider(t)
	tr, host := start(t, p)
	for i := range 3 {
		p.made = append(p.made, map[string]any{
			"sid": fmt.Sprintf("SM%032x", 100+i), "to": testNumber, "from": testPeer, "body": fmt.Sprintf("missed %d", i),
			"direction": "inbound", "num_media": "0", "date_created": time.Now().UTC().Format(time.RFC1123Z),
		})
	}
	for range 2 { // the second finds what is known already
		if !tr.sweep(t.Context(), time.Now().Add(-time.Hour)) {
			t.Fatal("the sweep was not whole")
		}
	}
	var texts []string
	for _, e := range host.Events() {
		if m, ok := e.(*core.Message); ok {
			texts = append(texts, m.Text)
		}
	}
	if fmt.Sprint(texts) != "[missed 0 missed 1 missed 2]" {
		t.Errorf("swept %v", texts)
	}
	host.Refuse(core.E(core.Unavailable, "disk", ""))
	if tr.sweep(t.Context(), time.Now().Add(-time.Hour)) {
		t.Error("a sweep that could not deliver calls itself whole")
	}
}

func TestSweepsGoOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		host := transporttest.NewHost(t)
		tr, err := newTransport(host, settings{Account: testAccount, Token: testToken, APIURL: "http://127.0.0.1:1", Numbers: []string{testNumber}})
		if err != nil {
			t.Fatal(err)
		}
		sweeps := 0
		tr.api.http.DialContext = func(context.Context, string, string) (net.Conn, error) {
			sweeps++
			return nil, errors.New("away")
		}
		ctx, cancel := context.WithTimeout(t.Context(), 21*time.Minute)
		defer cancel()
		if err := tr.Run(ctx); err != nil || sweeps != 5 {
			t.Errorf("Run = %v after %d sweeps", err, sweeps)
		}
	})
}

// What came while the provider could not be reached, however long, is looked for when it can be again: also by the
// next run of the program.
func TestSweepReachesBackToTheLastWholeOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		host := transporttest.NewHost(t)
		away := false
		var since []time.Time
		run := func(d time.Duration) {
			tr, err := newTransport(host, settings{Account: testAccount, Token: testToken, APIURL: "http://127.0.0.1:1", Numbers: []string{testNumber}})
			if err != nil {
				t.Fatal(err)
			}
			tr.api.http.DialContext = func(context.Context, string, string) (net.Conn, error) {
				if away {
					return nil, errors.New("away")
				}
				return emptyList(&since), nil
			}
			ctx, cancel := context.WithTimeout(t.Context(), d)
			defer cancel()
			if err := tr.Run(ctx); err != nil {
				t.Fatal(err)
			}
		}
		began := time.Now()
		run(time.Minute)
		away = true
		run(30 * time.Hour)
		time.Sleep(20 * time.Hour)
		away = false
		run(6 * time.Minute)
		if len(since) != 3 {
			t.Fatalf("%d sweeps reached the provider", len(since))
		}
		for i, limit := range []time.Time{began.Add(-firstBack), began, time.Now().Add(-sweepBack)} {
			if since[i].After(limit) {
				t.Errorf("sweep %d looks back to %v only, want %v", i, since[i], limit)
			}
		}
		if since[2].Before(time.Now().Add(-firstBack)) {
			t.Errorf("the sweep after a whole one looks back to %v", since[2])
		}
	})
}

// emptyList is a connection to a provider that has no messages, and notes since when it is asked for them.
func emptyList(since *[]time.Time) net.Conn {
	near, far := net.Pipe()
	go func() {
		defer far.Close()
		r, err := http.ReadRequest(bufio.NewReader(far))
		if err != nil {
			return
		}
		at, err := time.Parse(time.RFC3339, r.FormValue("DateSent>"))
		if err == nil {
			*since = append(*since, at)
		}
		body := `{"messages":[]}`
		fmt.Fprintf(far, "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%s", len(body), body)
	}()
	return near
}

// A number's old messages are not its new owner's, nor twice those of somebody who registers again.
func TestSweepIsNotForWhatCameBeforeTheAccount(t *testing.T) {
	p := newProvider(t)
	tr, host := start(t, p)
	const number = "+15550100002"
	now := time.Now()
	host.Add(core.Account{ID: "b1", User: "bob@example.test", Network: "sms", Own: number, Created: now.Add(-10 * time.Minute)})
	for i, at := range []time.Time{now.Add(-30 * time.Minute), now.Add(-5 * time.Minute)} {
		p.made = append(p.made, map[string]any{
			"sid": fmt.Sprintf("SM%032x", 100+i), "to": number, "from": testPeer, "body": fmt.Sprintf("text %d", i),
			"direction": "inbound", "num_media": "0", "date_created": at.UTC().Format(time.RFC1123Z),
		})
	}
	if !tr.sweep(t.Context(), now.Add(-time.Hour)) {
		t.Error("the sweep was not whole")
	}
	var texts []string
	for _, e := range host.Events() {
		if m, ok := e.(*core.Message); ok {
			texts = append(texts, m.Text)
		}
	}
	if fmt.Sprint(texts) != "[text 1]" {
		t.Errorf("swept %v", texts)
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

func FuzzWebhook(f *testing.F) {
	p := newProvider(f)
	start(f, p)
	f.Add("/inbound", inboundForm("x", "y").Encode())
	f.Add("/status/abc", statusForm("failed", "30003").Encode())
	f.Add("/inbound", "%zz&&=;")
	f.Fuzz(func(t *testing.T, path, raw string) {
		form, err := url.ParseQuery(raw)
		if err != nil || !strings.HasPrefix(path, "/") || strings.ContainsAny(path, " \x7f%?#") || hasControls(path) {
			return
		}
		code, _ := p.post(path, form, testToken)
		if code != 200 && code/100 != 4 {
			t.Errorf("%s %q: %d", path, raw, code)
		}
	})
}

func hasControls(s string) bool {
	return strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r > '~' })
}
