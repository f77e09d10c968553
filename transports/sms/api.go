package sms

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/twilio/twilio-go/client"
	openapi "github.com/twilio/twilio-go/rest/api/v2010"

	"gangway/core"
)

const (
	callTimeout = 30 * time.Second
	maxAnswer   = 8 << 20 // bytes of one answer: a page of a thousand messages
	maxCalls    = 8       // at once: Twilio answers more with 20429
)

// api makes calls to the provider. The library has no contexts, loses the answers' headers, does not close bodies it
// dislikes, and takes a message that was accepted for one that was not (twilio-go v1.31.0); so each call has a
// RoundTripper of its own that knows better, and what became of the call is read there.
type api struct {
	set   settings
	base  *url.URL
	http  *http.Transport
	slots chan struct{}
}

func newAPI(set settings, base *url.URL) *api {
	return &api{
		set: set, base: base, slots: make(chan struct{}, maxCalls),
		http: &http.Transport{
			Proxy:                 http.ProxyFromEnvironment,
			DialContext:           (&net.Dialer{Timeout: 10 * time.Second}).DialContext,
			TLSHandshakeTimeout:   10 * time.Second,
			ResponseHeaderTimeout: callTimeout,
			MaxIdleConnsPerHost:   maxCalls,
			IdleConnTimeout:       90 * time.Second,
		},
	}
}

func (a *api) close() { a.http.CloseIdleConnections() }

// call is one request and what is known of it afterwards.
type call struct {
	ctx   context.Context //nolint:containedctx // lives as long as one call of a library that has no contexts
	base  *url.URL
	inner http.RoundTripper

	wrote  atomic.Bool // the request was, at least partly, written
	status int         // of the answer; 0: there was none
	after  time.Duration
	err    error // of the answer's body, or instead of an answer
}

// do makes one call through the library.
func (a *api) do(ctx context.Context, fn func(*openapi.ApiService) error) (*call, error) {
	select {
	case a.slots <- struct{}{}:
		defer func() { <-a.slots }()
	case <-ctx.Done():
		c := &call{err: ctx.Err()}
		return c, ctx.Err()
	}
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	c := &call{ctx: ctx, base: a.base, inner: a.http}
	user, password := a.set.Account, a.set.Token
	if a.set.Key != "" {
		user, password = a.set.Key, a.set.KeySecret
	}
	lib := &client.Client{
		Credentials: client.NewCredentials(user, password),
		HTTPClient: &http.Client{
			Transport: c,
			// A redirected POST would be sent again elsewhere, credentials and all.
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}
	lib.SetAccountSid(a.set.Account)
	err := fn(openapi.NewApiServiceWithClient(lib))
	return c, err
}

// RoundTrip sends the request to the configured API and reads the whole answer, within bounds.
func (c *call) RoundTrip(req *http.Request) (*http.Response, error) {
	trace := &httptrace.ClientTrace{
		WroteHeaderField: func(string, []string) { c.wrote.Store(true) },
		WroteHeaders:     func() { c.wrote.Store(true) },
	}
	req = req.Clone(httptrace.WithClientTrace(c.ctx, trace))
	req.URL.Scheme, req.URL.Host, req.Host = c.base.Scheme, c.base.Host, c.base.Host
	res, err := c.inner.RoundTrip(req)
	if err != nil {
		c.err = err
		return nil, err
	}
	defer res.Body.Close()
	c.status = res.StatusCode
	if s, err := strconv.Atoi(res.Header.Get("Retry-After")); err == nil && s > 0 {
		c.after = min(time.Duration(s)*time.Second, time.Hour)
	}
	body, err := io.ReadAll(io.LimitReader(res.Body, maxAnswer+1))
	if err == nil && len(body) > maxAnswer {
		err = errors.New("the answer is too large")
	}
	if err != nil {
		c.err = err
		return nil, err
	}
	res.Body = io.NopCloser(bytes.NewReader(body))
	return res, nil
}

// failed says what a call that returned err means for the message it was to send.
func (c *call) failed(op string, err error) error {
	var rest *client.TwilioRestError
	switch {
	case c.status == 0 && !c.wrote.Load():
		return &core.Error{Kind: core.Unavailable, Op: op, Err: err}
	case c.status == http.StatusTooManyRequests: // 20429: never processed
		return &core.Error{Kind: core.OverLimit, Op: op, Code: "429", After: max(c.after, time.Second), Err: err}
	case c.status >= 300 && c.status < 400: // never followed, so never processed
		return &core.Error{Kind: core.Unavailable, Op: op, Err: err}
	case c.status >= 400 && c.status < 500:
		if errors.As(err, &rest) {
			return refusal(op, rest.Code, "failed", err)
		}
		if c.status == http.StatusUnauthorized || c.status == http.StatusForbidden {
			return refusal(op, 20003, "failed", err)
		}
		return &core.Error{Kind: core.Internal, Op: op, Code: strconv.Itoa(c.status), Err: err}
	}
	// No answer, a broken one, or 5xx: it may have been taken all the same.
	return &core.Error{Kind: core.Uncertain, Op: op, Text: textUncertain, After: c.after, Err: err}
}

const textUncertain = "It is not known whether this message was sent. It is not sent again by itself, because it might arrive twice and cost twice."
