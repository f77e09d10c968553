package sms

import (
	"crypto/hmac"
	"crypto/sha1" //nolint:gosec // the provider's signature is HMAC-SHA1
	"encoding/base64"
	"net/url"
	"slices"
	"strings"
)

// signed says whether a webhook was signed by one of the tokens: base64(HMAC-SHA1(token, URL + sorted keys and
// values)). The URL is the one that the provider was told, never what a request claims. Every key must stand once,
// or the signature would not cover it.
func signed(signature, link string, form url.Values, tokens ...string) bool {
	got, err := base64.StdEncoding.DecodeString(signature)
	if err != nil || len(got) != sha1.Size {
		return false
	}
	var text strings.Builder
	text.WriteString(link)
	keys := make([]string, 0, len(form))
	for k, values := range form {
		if len(values) != 1 {
			return false
		}
		keys = append(keys, k)
	}
	slices.Sort(keys)
	for _, k := range keys {
		text.WriteString(k)
		text.WriteString(form.Get(k))
	}
	ok := false
	for _, token := range tokens {
		if token == "" {
			continue
		}
		mac := hmac.New(sha1.New, []byte(token))
		mac.Write([]byte(text.String()))
		ok = hmac.Equal(got, mac.Sum(nil)) || ok
	}
	return ok
}
