//go:build integration

package contract_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/twilio/twilio-go/client"

	"gangway/integration/twilio"
)

func TestSignaturesAgreeWithTwilio(t *testing.T) {
	vectors, err := tools.Vectors(t.Context(), 3000, 1)
	if err != nil {
		t.Fatal(err)
	}
	kinds := map[string]int{}
	for _, v := range vectors {
		kinds[v.Kind]++
		var form url.Values
		if v.Params != nil {
			form = values(t, v.Params)
		}
		if got := twilio.Sign(v.Token, v.URL, form); got != v.Expected {
			t.Errorf("%s: Sign = %s, want %s for %q %v", v.Kind, got, v.Expected, v.URL, v.Params)
		}
		valid := twilio.Valid(v.Token, v.URL, form, v.Signature)
		if v.Params == nil {
			valid = twilio.ValidBody(v.Token, v.URL, []byte(v.Body), v.Signature)
		}
		if valid != v.Valid {
			t.Errorf("%s: valid %v, Twilio says %v for %q %v %q", v.Kind, valid, v.Valid, v.URL, v.Params, v.Signature)
		}
		if v.Valid == strings.HasPrefix(v.Kind, "forged") {
			t.Errorf("%s: Twilio's verdict is %v: the vector does not test what it says", v.Kind, v.Valid)
		}
	}
	for _, kind := range []string{"form", "repeated name", "json", "other port"} {
		if kinds[kind] < 200 || kinds["forged "+kind] < 100 {
			t.Errorf("too few vectors of kind %s: %v", kind, kinds)
		}
	}
	t.Logf("%d vectors: %v", len(vectors), kinds)
}

func values(t *testing.T, params map[string]any) url.Values {
	form := url.Values{}
	for name, v := range params {
		switch v := v.(type) {
		case string:
			form.Add(name, v)
		case []any:
			for _, item := range v {
				form.Add(name, item.(string))
			}
		default:
			t.Fatalf("parameter %s: %T", name, v)
		}
	}
	return form
}

// The webhooks the stand-in makes, seen by a receiver that uses twilio-go.
func TestWebhooksValidateWithTwilioGo(t *testing.T) {
	var seen, bad int
	var mu sync.Mutex
	var base string
	hook := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		validator := client.NewRequestValidator(twilio.DefaultAuthToken)
		mu.Lock()
		defer mu.Unlock()
		seen++
		if !validator.ValidateBody(base+r.URL.RequestURI(), body, r.Header.Get(twilio.SignatureHeader)) {
			bad++
		}
	}))
	defer hook.Close()
	base = hook.URL
	s := start(t, twilio.Config{})
	if err := s.SetWebhook(ours, base+"/in?secret=a%2Fb", ""); err != nil {
		t.Fatal(err)
	}
	texts := randomTexts(200)
	for _, text := range texts {
		if _, err := s.Inbound(t.Context(), peer, ours, text); err != nil {
			t.Fatal(err)
		}
	}
	if seen != len(texts) || bad != 0 {
		t.Errorf("%d webhooks, %d with a bad signature", seen, bad)
	}
}
