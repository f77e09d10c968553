package media

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"net/url"
	"path"
	"strings"
	"sync"
	"time"

	"code.dny.dev/ssrf"

	"gangway/core"
)

const (
	maxURL       = 4096
	maxRedirects = 3
	maxFetches   = 16 // at once
)

// patience is how long each part of a fetch may take.
type patience struct {
	dial, answer, idle, total time.Duration
}

func defaultPatience() patience {
	return patience{dial: 10 * time.Second, answer: 30 * time.Second, idle: 30 * time.Second, total: 5 * time.Minute}
}

// Errors of a fetch that the net/http library wraps.
var (
	errRedirects = errors.New("too many redirects")
	errDowngrade = errors.New("redirected to where it must not be")
	errIdle      = errors.New("the server has stopped sending")
)

// fetcher gets files from wherever users say, and from nowhere that only we can reach.
type fetcher struct {
	client   *http.Client
	patience patience
	slots    chan struct{}
	trusted  map[string]bool // host:port, in lower case
	guard    *ssrf.Guardian

	resolver *net.Resolver // nil: the system's
}

func newFetcher(trusted []string) *fetcher {
	f := &fetcher{patience: defaultPatience(), slots: make(chan struct{}, maxFetches), trusted: map[string]bool{}, guard: newGuard()}
	for _, t := range trusted {
		f.trusted[strings.ToLower(t)] = true
	}
	f.client = &http.Client{
		CheckRedirect: checkRedirect,
		Transport: &http.Transport{
			Proxy:                  nil, // a proxy would look the name up itself, and reach what it reaches
			DialContext:            f.dial,
			DisableKeepAlives:      true, // each address is looked at anew
			DisableCompression:     true, // what unpacks to a thousand times its size is not unpacked
			MaxResponseHeaderBytes: 64 << 10,
			TLSHandshakeTimeout:    10 * time.Second,
			ForceAttemptHTTP2:      false,
		},
	}
	return f
}

func (f *fetcher) close() { f.client.CloseIdleConnections() }

// dial connects to a server of the world, or to one that the administrator trusts. The address is looked at after the
// name was resolved, for each attempt: a name that leads elsewhere the second time gains nothing.
func (f *fetcher) dial(ctx context.Context, network, address string) (net.Conn, error) {
	d := net.Dialer{Timeout: f.patience.dial, Resolver: f.resolver}
	if !f.trusted[strings.ToLower(address)] {
		d.Control = f.guard.Safe
	}
	return d.DialContext(ctx, network, address)
}

// newGuard knows the addresses that are not the world's (IANA's special-purpose registries). The ports are those of the
// web, and the usual ones of upload services: Prosody's, ejabberd's and Openfire's.
func newGuard() *ssrf.Guardian {
	return ssrf.New(ssrf.WithPorts(80, 443, 5280, 5281, 5443, 7443, 8443))
}

func checkRedirect(r *http.Request, via []*http.Request) error {
	r.Header.Del("Referer") // the URL is for us alone
	switch {
	case len(via) > maxRedirects:
		return errRedirects
	case checkURL(r.URL) != nil, via[0].URL.Scheme == "https" && r.URL.Scheme != "https":
		return errDowngrade
	}
	return nil
}

// checkURL says, in a sentence for its sender, why an address is not fetched.
func checkURL(u *url.URL) error {
	refuse := func(kind core.Kind, text string) error { return core.E(kind, "media: get", text) }
	switch {
	case u.Scheme == "aesgcm":
		return refuse(core.Unsupported, "The file is encrypted for XMPP, and the other network could not read it. "+
			"Switch encryption off for this contact and send it again.")
	case u.Scheme != "https" && u.Scheme != "http":
		return refuse(core.Unsupported, "Files are fetched from web addresses only (https).")
	case u.Hostname() == "" || u.Opaque != "":
		return refuse(core.Invalid, "The address of the file is not complete.")
	case u.User != nil:
		return refuse(core.Invalid, "The address of the file has a password in it. Such files are not fetched.")
	}
	return nil
}

// get fetches a file of at most limit bytes.
func (f *fetcher) get(ctx context.Context, file core.Attachment, limit int64) (*core.Blob, error) {
	if len(file.URL) > maxURL {
		return nil, core.E(core.Invalid, "media: get", "The address of the file is too long.")
	}
	u, err := url.Parse(file.URL)
	if err != nil {
		return nil, core.E(core.Invalid, "media: get", "The address of the file is not one.") // err would quote it
	}
	if err := checkURL(u); err != nil {
		return nil, err
	}
	select {
	case f.slots <- struct{}{}:
	case <-ctx.Done():
		return nil, core.Wrap(core.Unavailable, "media: get", ctx.Err())
	}
	b, err := f.begin(ctx, u, limit)
	if err != nil {
		<-f.slots
		return nil, err
	}
	b.free = func() { <-f.slots }
	return b.blob(file)
}

// begin sends the request and reads the header of the answer.
func (f *fetcher) begin(ctx context.Context, u *url.URL, limit int64) (*body, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	ctx, end := context.WithTimeout(ctx, f.patience.total)
	b := &body{left: limit, limit: limit, idle: f.patience.idle}
	b.timer = time.AfterFunc(f.patience.answer, func() { cancel(errIdle) })
	b.stop = func() {
		b.timer.Stop()
		end()
		cancel(nil)
	}
	b.cause = func() error { return context.Cause(ctx) }
	err := f.request(ctx, u, b)
	if err != nil {
		b.stop()
		return nil, err
	}
	return b, nil
}

func (f *fetcher) request(ctx context.Context, u *url.URL, b *body) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), http.NoBody)
	if err != nil {
		return core.E(core.Invalid, "media: get", "The address of the file is not one.")
	}
	r.Header.Set("User-Agent", "gangway")
	r.Header.Set("Accept-Encoding", "identity")
	b.res, err = f.client.Do(r) //nolint:bodyclose // body.Close closes it
	if err != nil {
		return failure(err, b.cause())
	}
	b.timer.Stop()
	if err := accept(b.res, b.limit); err != nil {
		b.res.Body.Close()
		return err
	}
	return nil
}

// failure says what it means that there was no answer. The error's own text has the URL in it, which logs must not.
func failure(err, cause error) error {
	const op = "media: get"
	var u *url.Error
	if errors.As(err, &u) {
		err = u.Err
	}
	var dns *net.DNSError
	switch {
	case errors.Is(err, ssrf.ErrProhibitedIP), errors.Is(err, ssrf.ErrProhibitedPort), errors.Is(err, ssrf.ErrProhibitedNetwork):
		return &core.Error{Kind: core.Denied, Op: op, Text: "The address of the file leads to where this gateway fetches nothing from.", Err: errAddress(err)}
	case errors.Is(err, errRedirects), errors.Is(err, errDowngrade):
		return &core.Error{Kind: core.Denied, Op: op, Text: "The file's server sends one from address to address, or to where this gateway fetches nothing from.", Err: err}
	case errors.As(err, &dns) && dns.IsNotFound:
		return core.E(core.NotFound, op, "The file's server does not exist.")
	}
	if cause != nil {
		err = cause
	}
	return &core.Error{Kind: core.Unavailable, Op: op, Text: "The file's server does not answer.", Err: scrub(err)}
}

// errAddress is what the log reads of a forbidden address: which rule it met, and not who asked for what.
func errAddress(err error) error {
	for _, known := range []error{ssrf.ErrProhibitedIP, ssrf.ErrProhibitedPort, ssrf.ErrProhibitedNetwork} {
		if errors.Is(err, known) {
			return known
		}
	}
	return err
}

// scrub keeps names and addresses out of the log.
func scrub(err error) error {
	var op *net.OpError
	var dns *net.DNSError
	switch {
	case errors.As(err, &dns):
		return errors.New("dns: " + dns.Err)
	case errors.As(err, &op):
		return fmt.Errorf("%s: %w", op.Op, op.Err)
	}
	return err
}

// accept looks at the head of an answer.
func accept(res *http.Response, limit int64) error {
	const op = "media: get"
	code := res.StatusCode
	refuse := func(kind core.Kind, text string) error {
		return &core.Error{Kind: kind, Op: op, Text: text, Code: fmt.Sprint(code)}
	}
	switch {
	case code == http.StatusNotFound, code == http.StatusGone:
		return refuse(core.NotFound, "The file is gone from its server.")
	case code == http.StatusTooManyRequests, code == http.StatusRequestTimeout, code >= 500:
		return refuse(core.Unavailable, "The file's server does not give it out at the moment.")
	case code >= 400:
		return refuse(core.NotFound, "The file's server does not give it out.")
	case code != http.StatusOK:
		return refuse(core.Invalid, "The file's server gives no file at that address.")
	case res.ContentLength > limit:
		return tooLarge(limit)
	}
	if e := strings.ToLower(strings.TrimSpace(res.Header.Get("Content-Encoding"))); e != "" && e != "identity" {
		return refuse(core.Invalid, "The file's server sends it packed in a way that was not asked for.")
	}
	return nil
}

// body is a file being fetched.
type body struct {
	res   *http.Response
	in    *bufio.Reader
	left  int64 // bytes that may still come
	limit int64
	idle  time.Duration
	timer *time.Timer // ends the fetch; runs while the server is waited for
	cause func() error
	stop  func()
	free  func()
	once  sync.Once
}

// blob describes the file, by what its sender says and what its first bytes show. The body is closed on error.
func (b *body) blob(file core.Attachment) (*core.Blob, error) {
	b.in = bufio.NewReader(counted{b})
	head, err := b.in.Peek(headLen)
	if err != nil && !errors.Is(err, io.EOF) {
		_ = b.Close() // it never fails
		return nil, err
	}
	claimed := file.Type
	if claimed == "" {
		claimed = b.res.Header.Get("Content-Type")
	}
	name := file.Name
	if name == "" {
		name = nameOf(b.res)
	}
	kind := fileType(claimed, name, head)
	page := baseType(b.res.Header.Get("Content-Type")) == "text/html"
	if page && baseType(file.Type) != "text/html" && byExtension(name) != "text/html" {
		_ = b.Close() // it never fails
		return nil, core.E(core.Invalid, "media: get", "The address leads to a web page, not to a file.")
	}
	found := core.Attachment{URL: file.URL, Name: fileName(name, kind), Type: kind, Size: max(0, b.res.ContentLength)}
	return &core.Blob{Attachment: found, Body: b}, nil
}

// nameOf is what a server calls a file: in the header, else in the address.
func nameOf(res *http.Response) string {
	if _, params, err := mime.ParseMediaType(res.Header.Get("Content-Disposition")); err == nil && params["filename"] != "" {
		return params["filename"]
	}
	if name := path.Base(res.Request.URL.Path); name != "." && name != "/" {
		return name
	}
	return ""
}

// Read reads the file. Its errors are *core.Error, but for io.EOF.
func (b *body) Read(p []byte) (int, error) { return b.in.Read(p) }

// Close ends the fetch.
func (b *body) Close() error {
	b.once.Do(func() {
		b.stop()
		_ = b.res.Body.Close() // the fetch is over, however it went
		if b.free != nil {
			b.free()
		}
	})
	return nil
}

// counted reads within the limits of size and time.
type counted struct{ b *body }

func (c counted) Read(p []byte) (int, error) {
	b := c.b
	b.timer.Reset(b.idle)
	n, err := b.res.Body.Read(p[:min(int64(len(p)), b.left+1)])
	b.timer.Stop()
	if b.left -= int64(n); b.left < 0 {
		return 0, tooLarge(b.limit)
	}
	if err != nil && !errors.Is(err, io.EOF) {
		if cause := b.cause(); cause != nil {
			err = cause
		}
		return n, &core.Error{Kind: core.Unavailable, Op: "media: get", Text: "The file's server broke off in the middle.", Err: scrub(err)}
	}
	return n, err
}
