package mtasts

import (
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"time"
)

const (
	maxText   = 64 << 10 // RFC 8461 section 3.3
	fetchTime = time.Minute
)

// Fetcher gets the text of the policy of a domain in A-labels.
type Fetcher func(ctx context.Context, domain string) (string, error)

// ByHTTPS is the Fetcher of RFC 8461 section 3.3: one address, a good certificate, no redirect, and plain text of a
// bounded length within a minute. dial connects: to addresses of the Internet only, as domains name what they like.
func ByHTTPS(dial func(ctx context.Context, network, addr string) (net.Conn, error)) Fetcher {
	return byHTTPS(&http.Transport{
		DialContext: dial, DisableKeepAlives: true, TLSHandshakeTimeout: 30 * time.Second, MaxResponseHeaderBytes: maxText,
	})
}

func byHTTPS(transport *http.Transport) Fetcher {
	client := &http.Client{
		Transport: transport, Timeout: fetchTime,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	return func(ctx context.Context, domain string) (string, error) {
		url := "https://mta-sts." + domain + "/.well-known/mta-sts.txt"
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
		if err != nil {
			return "", err
		}
		res, err := client.Do(req)
		if err != nil {
			return "", err
		}
		defer res.Body.Close()
		return policyText(res)
	}
}

func policyText(res *http.Response) (string, error) {
	if res.StatusCode != http.StatusOK {
		return "", fmt.Errorf("status %d", res.StatusCode)
	}
	if kind, _, err := mime.ParseMediaType(res.Header.Get("Content-Type")); err != nil || kind != "text/plain" {
		return "", fmt.Errorf("content of type %q", res.Header.Get("Content-Type"))
	}
	text, err := io.ReadAll(io.LimitReader(res.Body, maxText+1))
	if err != nil {
		return "", err
	}
	if len(text) > maxText {
		return "", errors.New("more text than a policy can have")
	}
	return string(text), nil
}
