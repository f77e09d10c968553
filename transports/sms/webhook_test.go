package sms

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/twilio/twilio-go/client"

	"gangway/core"
)

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
		{"undelivered", "21610", core.Failed, core.Denied}, // opted out, and told only now
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

// Behaviour 54: a webhook that comes twice names the same message both times, so that it is shown once; that a message
// was handed to a carrier is no delivery, and whatever comes later than its delivery has the message's own name, too:
// the ledger knows what follows what.
func TestRepeatedWebhooks54(t *testing.T) {
	p := newProvider(t)
	_, host := start(t, p)
	for range 2 {
		if code, body := p.post("/inbound", inboundForm("twice", "hello"), testToken); code != 200 {
			t.Fatalf("%d %s", code, body)
		}
	}
	var names []core.RemoteID
	for _, e := range host.Events() {
		if m, ok := e.(*core.Message); ok {
			names = append(names, m.Remote)
		}
	}
	if len(names) == 0 || names[0] == "" || slices.Compact(names)[0] != names[len(names)-1] {
		t.Errorf("named %q", names)
	}
	id := core.NewID()
	for _, status := range []string{"delivered", "sent", "queued"} {
		if code, body := p.post("/status/"+string(id), statusForm(status, ""), testToken); code != 200 {
			t.Fatalf("%s: %d %s", status, code, body)
		}
	}
	var states []core.State
	for _, e := range host.Events() {
		if r, ok := e.(*core.Receipt); ok && r.ID == id {
			states = append(states, r.State)
		}
	}
	if len(states) == 0 || states[0] != core.Delivered || slices.Contains(states[1:], core.Delivered) {
		t.Errorf("states %v", states)
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
