// Package unsubscribe leaves mailing lists the ways that their mails name (RFC 2369, RFC 8058). It does nothing by
// itself: only a user's word makes it connect to anybody.
package unsubscribe

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"
)

const (
	maxURIs  = 10
	maxURI   = 2000
	patience = 30 * time.Second
	maxSaid  = 64 << 10 // bytes of an answer that are read
)

// Ways are how a list can be left; the zero value: none is known.
type Ways struct {
	Page     string `json:"page,omitempty"`      // an https URL, of one's own if the list has given each reader one
	OneClick bool   `json:"one_click,omitempty"` // a POST to Page is enough (RFC 8058)
	Mail     string `json:"mail,omitempty"`      // a mailto URL
}

// Known says whether there is any.
func (w Ways) Known() bool { return w != Ways{} }

// Read reads the fields List-Unsubscribe and List-Unsubscribe-Post. What is neither https nor mailto is left out, and
// http, too: whoever sees it on its way could leave a list for somebody.
func Read(field, post string) Ways {
	var w Ways
	for range maxURIs {
		_, rest, ok := strings.Cut(field, "<")
		if !ok {
			break
		}
		var uri string
		if uri, field, ok = strings.Cut(rest, ">"); !ok {
			break
		}
		uri = strings.Join(strings.Fields(uri), "") // it may be folded
		u, err := url.Parse(uri)
		switch {
		case err != nil || len(uri) > maxURI || strings.ContainsFunc(uri, func(r rune) bool { return r <= ' ' || r >= 0x7f }):
		case u.Scheme == "https" && u.Host != "" && u.User == nil && w.Page == "":
			w.Page = uri
		case u.Scheme == "mailto" && strings.Contains(u.Opaque, "@") && w.Mail == "":
			w.Mail = uri
		}
	}
	w.OneClick = w.Page != "" && strings.EqualFold(strings.TrimSpace(post), "List-Unsubscribe=One-Click")
	return w
}

// Letter is the mail that leaves a list.
type Letter struct{ To, Subject, Text string }

// Letter returns what Mail says (RFC 6068): whom to write to, and what. Nothing else in it is heeded, nobody else gets
// the mail, and no line of it can become a field.
func (w Ways) Letter() (Letter, bool) {
	u, err := url.Parse(w.Mail)
	if err != nil || u.Scheme != "mailto" {
		return Letter{}, false
	}
	to, err := url.PathUnescape(u.Opaque)
	if err != nil || strings.ContainsAny(to, ", \r\n") {
		return Letter{}, false
	}
	l := Letter{To: to, Subject: "unsubscribe", Text: "unsubscribe"}
	for pair := range strings.SplitSeq(u.RawQuery, "&") {
		name, value, _ := strings.Cut(pair, "=")
		value, err := url.PathUnescape(value) // "+" is no blank here
		if err != nil || value == "" {
			continue
		}
		switch strings.ToLower(name) {
		case "subject":
			l.Subject = strings.Join(strings.Fields(value), " ")
		case "body":
			l.Text = strings.TrimSpace(value)
		}
	}
	return l, true
}

// ErrRefused says that the list's server answered, and not with a yes.
var ErrRefused = errors.New("the server of the list refused")

// Dial connects to a web server of the Internet, and to nothing else.
type Dial func(ctx context.Context, network, addr string) (net.Conn, error)

// Post leaves a list with one click (RFC 8058 section 3.2): no cookies, no credentials, and no redirection is followed.
func (w Ways) Post(ctx context.Context, dial Dial) error {
	if !w.OneClick {
		return errors.New("the list does not offer that")
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	const form = "List-Unsubscribe=One-Click"
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, w.Page, strings.NewReader(form))
	if err != nil {
		return fmt.Errorf("unsubscribe: %w", err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("User-Agent", "Gangway")
	transport := &http.Transport{
		DialContext: dial, DisableKeepAlives: true, TLSHandshakeTimeout: patience, ResponseHeaderTimeout: patience,
		MaxResponseHeaderBytes: maxSaid,
	}
	client := http.Client{Transport: transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	res, err := client.Do(req)
	if err != nil {
		return fmt.Errorf("unsubscribe: %w", hidden(err))
	}
	defer res.Body.Close()
	_, _ = io.Copy(io.Discard, io.LimitReader(res.Body, maxSaid)) // it has been understood: what follows does not matter
	if res.StatusCode < 200 || res.StatusCode > 299 {
		return fmt.Errorf("%w: %d", ErrRefused, res.StatusCode)
	}
	return nil
}

// hidden leaves the URL out of an error: it is the reader's own.
func hidden(err error) error {
	if u, ok := errors.AsType[*url.Error](err); ok {
		return u.Err
	}
	return err
}
