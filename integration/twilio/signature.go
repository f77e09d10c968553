package twilio

import (
	"crypto/hmac"
	"crypto/sha1" // the algorithm Twilio signs with
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"maps"
	"net/url"
	"slices"
	"strings"
)

// SignatureHeader carries the signature of a webhook.
const SignatureHeader = "X-Twilio-Signature"

// Sign returns the signature of a webhook that posts form to rawURL: the base64 of the HMAC-SHA1, keyed with the
// account's auth token, of the URL as configured followed by every parameter name and value, sorted by name. Of a
// repeated name each distinct value counts once, sorted.
func Sign(token, rawURL string, form url.Values) string {
	mac := hmac.New(sha1.New, []byte(token))
	mac.Write([]byte(rawURL))
	for _, name := range slices.Sorted(maps.Keys(form)) {
		values := slices.Clone(form[name])
		slices.Sort(values)
		for _, v := range slices.Compact(values) {
			mac.Write([]byte(name))
			mac.Write([]byte(v))
		}
	}
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

// SignBody signs a webhook whose body is not a form: the URL gets a bodySHA256 parameter and is all that is signed.
func SignBody(token, rawURL string, body []byte) (signedURL, signature string) {
	sum := sha256.Sum256(body)
	sep := "?"
	if strings.Contains(rawURL, "?") {
		sep = "&"
	}
	signedURL = rawURL + sep + "bodySHA256=" + hex.EncodeToString(sum[:])
	return signedURL, Sign(token, signedURL, nil)
}

// Valid reports whether signature is Twilio's for this form and URL. Like Twilio's libraries it also takes the URL
// without its port, or with the scheme's own port, because Twilio is not consistent there; unlike them it never
// re-encodes the URL.
func Valid(token, rawURL string, form url.Values, signature string) bool {
	ok := 0
	for _, candidate := range []string{rawURL, withoutPort(rawURL), withPort(rawURL)} {
		ok |= subtle.ConstantTimeCompare([]byte(Sign(token, candidate, form)), []byte(signature))
	}
	return ok == 1
}

// ValidBody is Valid for a webhook whose body is not a form; rawURL carries the bodySHA256.
func ValidBody(token, rawURL string, body []byte, signature string) bool {
	u, err := url.Parse(rawURL)
	if err != nil {
		return false
	}
	sum := sha256.Sum256(body)
	want := hex.EncodeToString(sum[:])
	return Valid(token, rawURL, nil, signature) &&
		subtle.ConstantTimeCompare([]byte(want), []byte(u.Query().Get("bodySHA256"))) == 1
}

// urlParts cuts a URL without decoding anything: scheme with "://", user info with "@", host, port with ":", rest.
func urlParts(rawURL string) (scheme, user, host, port, rest string, ok bool) {
	scheme, rest, ok = strings.Cut(rawURL, "://")
	if !ok {
		return "", "", "", "", "", false
	}
	authority := rest
	if i := strings.IndexAny(rest, "/?#"); i >= 0 {
		authority, rest = rest[:i], rest[i:]
	} else {
		rest = ""
	}
	host = authority
	if i := strings.LastIndexByte(authority, '@'); i >= 0 {
		user, host = authority[:i+1], authority[i+1:]
	}
	// A colon starts the port only after the bracket of an IPv6 address.
	if i := strings.LastIndexByte(host, ':'); i > strings.LastIndexByte(host, ']') {
		host, port = host[:i], host[i:]
	}
	return scheme + "://", user, host, port, rest, true
}

func withoutPort(rawURL string) string {
	scheme, user, host, _, rest, ok := urlParts(rawURL)
	if !ok {
		return rawURL
	}
	return scheme + user + host + rest
}

func withPort(rawURL string) string {
	scheme, user, host, port, rest, ok := urlParts(rawURL)
	if !ok || port != "" {
		return rawURL
	}
	port = ":80"
	if strings.EqualFold(scheme, "https://") {
		port = ":443"
	}
	return scheme + user + host + port + rest
}
