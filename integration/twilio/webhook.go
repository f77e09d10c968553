package twilio

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// HookKind tells the two kinds of webhook apart.
type HookKind string

// The webhooks Twilio makes for messages.
const (
	InboundHook HookKind = "inbound"
	StatusHook  HookKind = "status"
)

// Attempt is one try to call a webhook.
type Attempt struct {
	Kind      HookKind
	SID       string // of the message
	URL       string // as configured, without the fragment
	Form      url.Values
	Signature string
	Token     string // I-Twilio-Idempotency-Token: the same in every try of one webhook
	Try       int    // 1, 2, ...
	Fallback  bool
	At        time.Time

	Status int    // of the answer; 0 if there was none
	Type   string // of the answer's content
	Body   []byte // of the answer, at most 64 KiB
	Err    error  // why there was no answer
}

// OK reports whether the webhook was answered with 2xx.
func (a *Attempt) OK() bool { return a.Err == nil && a.Status >= 200 && a.Status < 300 }

// webhook is a request to be made.
type webhook struct {
	kind     HookKind
	sid      string
	url      string // with its fragment
	form     url.Values
	token    string
	fallback bool
	signKey  string     // the auth token if empty
	sendForm url.Values // sent instead of form, which is signed; nil: form itself
}

// overrides are the connection settings of one webhook URL, from its fragment
// (https://www.twilio.com/docs/usage/webhooks/webhooks-connection-overrides).
type overrides struct {
	connect, read, total time.Duration
	retries              int
	policy               string // comma separated: 4xx, 5xx, ct, rt, all
}

// parseOverrides ignores what it does not know or what is out of range, as Twilio does.
func parseOverrides(rawURL string) (bare string, o overrides) {
	o = overrides{connect: 5 * time.Second, read: 15 * time.Second, total: 15 * time.Second, retries: 1, policy: "ct"}
	bare, fragment, _ := strings.Cut(rawURL, "#")
	for pair := range strings.SplitSeq(fragment, "&") {
		name, value, _ := strings.Cut(pair, "=")
		if name == "rp" {
			o.policy = value
			continue
		}
		n, err := strconv.Atoi(value)
		if err != nil {
			continue
		}
		ms := time.Duration(n) * time.Millisecond
		switch {
		case name == "ct" && n >= 100 && n <= 10000:
			o.connect = ms
		case name == "rt" && n >= 100 && n <= 15000:
			o.read = ms
		case name == "tt" && n >= 100 && n <= 15000:
			o.total = ms
		case name == "rc" && n >= 0 && n <= 5:
			o.retries = n
		}
	}
	return bare, o
}

// retry reports whether the policy asks for another try after a.
func (o *overrides) retry(a *Attempt, connected bool) bool {
	var class string
	switch {
	case a.Err != nil && !connected:
		class = "ct"
	case a.Err != nil:
		class = "rt"
	case a.Status >= 500:
		class = "5xx"
	case a.Status >= 400:
		class = "4xx"
	default:
		return false
	}
	policies := strings.Split(o.policy, ",")
	return slices.Contains(policies, class) || slices.Contains(policies, "all")
}

// post calls a webhook by Twilio's delivery rules and returns its tries; none if it has no URL. All tries together take
// no longer than the total timeout.
func (s *Server) post(ctx context.Context, w webhook) []Attempt {
	if w.url == "" {
		return nil
	}
	bare, o := parseOverrides(w.url)
	if w.signKey == "" {
		w.signKey = s.cfg.AuthToken
	}
	signed := bare
	if s.cfg.SignFragment {
		signed = w.url
	}
	ctx, cancel := context.WithTimeout(ctx, o.total)
	defer cancel()
	var tries []Attempt
	for n := 1; ; n++ {
		a := Attempt{
			Kind: w.kind, SID: w.sid, URL: bare, Form: w.form, Token: w.token, Try: n, Fallback: w.fallback,
			Signature: Sign(w.signKey, signed, w.form),
		}
		if w.sendForm != nil {
			a.Form = w.sendForm
		}
		connected := s.try(ctx, o, &a)
		tries = append(tries, a)
		if n > o.retries || ctx.Err() != nil || !o.retry(&a, connected) {
			return tries
		}
	}
}

// try makes one request, fills in what came of it and records it. It reports whether a connection was made.
func (s *Server) try(ctx context.Context, o overrides, a *Attempt) (connected bool) {
	a.At = s.now()
	defer func() {
		s.mu.Lock()
		s.attempts = append(s.attempts, *a)
		s.notify()
		s.mu.Unlock()
	}()
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		GotConn: func(httptrace.GotConnInfo) { connected = true },
	})
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, a.URL, strings.NewReader(a.Form.Encode()))
	if err != nil {
		a.Err = fmt.Errorf("call webhook: %w", err)
		return false
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded; charset=UTF-8")
	req.Header.Set("User-Agent", "TwilioProxy/1.1")
	req.Header.Set("Accept", "*/*")
	req.Header.Set("I-Twilio-Idempotency-Token", a.Token)
	req.Header.Set(SignatureHeader, a.Signature)
	if user := req.URL.User; user != nil {
		pass, _ := user.Password()
		req.SetBasicAuth(user.Username(), pass)
	}
	resp, err := s.client(o).Do(req)
	if err != nil {
		a.Err = fmt.Errorf("call webhook: %w", err)
		return connected
	}
	defer func() { _ = resp.Body.Close() }()
	a.Status, a.Type = resp.StatusCode, resp.Header.Get("Content-Type")
	if a.Body, err = io.ReadAll(io.LimitReader(resp.Body, 64<<10)); err != nil {
		a.Err = fmt.Errorf("read webhook's answer: %w", err)
	}
	return connected
}

// client returns the client for a webhook's timeouts; there is one for each set of them.
func (s *Server) client(o overrides) *http.Client {
	key := overrides{connect: o.connect, read: o.read}
	s.mu.Lock()
	defer s.mu.Unlock()
	if c := s.clients[key]; c != nil {
		return c
	}
	dial := s.cfg.Dial
	if dial == nil {
		dial = (&net.Dialer{}).DialContext
	}
	var config *tls.Config
	if s.cfg.TLS != nil {
		config = s.cfg.TLS.Clone()
	}
	c := &http.Client{
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport: &http.Transport{
			DialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
				ctx, cancel := context.WithTimeout(ctx, o.connect)
				defer cancel()
				return dial(ctx, network, addr)
			},
			TLSClientConfig:       config,
			TLSHandshakeTimeout:   o.connect,
			ResponseHeaderTimeout: o.read,
			MaxConnsPerHost:       64,   // a burst of messages is no burst of connections
			DisableKeepAlives:     true, // so that a restarted receiver is never met by a dead connection
			DisableCompression:    true,
		},
	}
	s.clients[key] = c
	return c
}
