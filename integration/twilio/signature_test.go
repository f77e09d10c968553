package twilio

import (
	"net/url"
	"testing"

	"github.com/twilio/twilio-go/client"
)

// The example of Twilio's security documentation.
func TestSignDocumentedExample(t *testing.T) {
	form := url.Values{
		"CallSid": {"CA1234567890ABCDE"}, "Caller": {"+12349013030"}, "Digits": {"1234"},
		"From": {"+12349013030"}, "To": {"+18005551212"},
	}
	const rawURL, want = "https://mycompany.com/myapp.php?foo=1&bar=2", "0/KCTR6DLpKmkAf8muzZqo1nDgQ="
	if got := Sign("12345", rawURL, form); got != want {
		t.Errorf("Sign = %s, want %s", got, want)
	}
}

func TestValid(t *testing.T) {
	const token = "secret"
	form := url.Values{"Body": {"hi & bye"}, "From": {peer}}
	tests := []struct {
		name, signed, seen string
		want               bool
	}{
		{"same", "https://gw.example/hook?a=b", "https://gw.example/hook?a=b", true},
		{"signed with the scheme's port", "https://gw.example:443/hook", "https://gw.example/hook", true},
		{"signed with http's port", "http://gw.example:80", "http://gw.example", true},
		{"signed without the port", "https://gw.example/hook", "https://gw.example:8443/hook", true},
		{"IPv6 with port", "http://[::1]/hook", "http://[::1]:8080/hook", true},
		{"IPv6 without port", "http://[::1]:80/hook", "http://[::1]/hook", true},
		{"user info", "https://u:p@gw.example/hook", "https://u:p@gw.example:1/hook", true},
		{"other path", "https://gw.example/hook", "https://gw.example/hook/", false},
		{"other host", "https://gw.example/hook", "https://gw.exampl/hook", false},
		{"other scheme", "https://gw.example/hook", "http://gw.example/hook", false},
		{"not a URL", "https://gw.example/hook", "gw.example/hook", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			sig := Sign(token, tt.signed, form)
			if got := Valid(token, tt.seen, form, sig); got != tt.want {
				t.Errorf("Valid = %v, want %v", got, tt.want)
			}
			if Valid("other", tt.seen, form, sig) || Valid(token, tt.seen, nil, sig) || Valid(token, tt.seen, form, "") {
				t.Error("a forgery is valid")
			}
		})
	}
}

func TestSignBody(t *testing.T) {
	const token = "secret"
	body := []byte(`{"a":"ü"}`)
	for _, rawURL := range []string{"https://gw.example/json", "https://gw.example/json?x=1"} {
		signed, sig := SignBody(token, rawURL, body)
		theirs := client.NewRequestValidator(token)
		if !theirs.ValidateBody(signed, body, sig) {
			t.Errorf("twilio-go refuses %s", signed)
		}
		if !ValidBody(token, signed, body, sig) {
			t.Errorf("ValidBody refuses %s", signed)
		}
		if ValidBody(token, signed, []byte(`{"a":"u"}`), sig) || ValidBody(token, rawURL, body, sig) {
			t.Errorf("ValidBody takes a forgery of %s", signed)
		}
	}
}

// FuzzSign compares with twilio-go, which is right as long as no name is repeated.
func FuzzSign(f *testing.F) {
	f.Add("tok", "https://gw.example/hook", "Body", "hello", "From", "+15550199001")
	f.Add("tok", "http://u:p@gw.example:8080/a b?q=ü#f", "", "", "A", "ü 😀")
	f.Fuzz(func(t *testing.T, token, rawURL, k1, v1, k2, v2 string) {
		form := url.Values{k1: {v1}, k2: {v2}}
		sig := Sign(token, rawURL, form)
		if !Valid(token, rawURL, form, sig) {
			t.Fatal("own signature refused")
		}
		if Valid(token+"x", rawURL, form, sig) {
			t.Fatal("signature of another token taken")
		}
		u, err := url.Parse(rawURL)
		if err != nil || u.Port() != "" || u.String() != rawURL || len(form) != 2 {
			return // twilio-go re-encodes URLs with ports
		}
		theirs := client.NewRequestValidator(token)
		if !theirs.Validate(rawURL, map[string]string{k1: v1, k2: v2}, sig) {
			t.Errorf("twilio-go refuses the signature of %q", rawURL)
		}
	})
}
