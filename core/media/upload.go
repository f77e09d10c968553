package media

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"gangway/core"
)

// Slots is the host server's upload service (XEP-0363).
type Slots interface {
	// Find looks for the service and returns its address; Unsupported if the host server has none.
	Find(ctx context.Context) (string, error)
	// Slot asks for a place for a file of the account's user. Unsupported if there is no service, TooLarge if the
	// file is too large for it.
	Slot(ctx context.Context, a core.Account, f core.Attachment) (Slot, error)
}

// Slot is a place for one file.
type Slot struct {
	Put    string            // where it is to be sent
	Get    string            // where it will be found
	Header map[string]string // to be sent with it
}

const (
	uploadTime = 10 * time.Minute // for one file
	maxUploads = 8                // at once
)

// putter sends files to upload services. They are the administrator's own, so that their addresses are not guarded.
type putter struct {
	client *http.Client
	slots  chan struct{}
}

func newPutter() *putter {
	return &putter{
		slots: make(chan struct{}, maxUploads),
		client: &http.Client{
			Timeout:       uploadTime,
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
			Transport: &http.Transport{
				DialContext:            (&net.Dialer{Timeout: 10 * time.Second}).DialContext,
				TLSHandshakeTimeout:    10 * time.Second,
				ResponseHeaderTimeout:  time.Minute,
				IdleConnTimeout:        30 * time.Second,
				MaxIdleConnsPerHost:    maxUploads,
				MaxResponseHeaderBytes: 64 << 10,
			},
		},
	}
}

func (p *putter) close() { p.client.CloseIdleConnections() }

// upload sends a file to the upload service and returns where it is found. Unsupported if there is no such service.
func (m *Media) upload(ctx context.Context, a core.Account, f core.Attachment, s *spooled) (string, error) {
	if m.cfg.Slots == nil {
		return "", core.E(core.Unsupported, "media: upload", "")
	}
	slot, err := m.cfg.Slots.Slot(ctx, a, f)
	if err != nil {
		return "", err
	}
	if err := m.put.send(ctx, slot, f, s.content()); err != nil {
		return "", err
	}
	return slot.Get, nil
}

func (p *putter) send(ctx context.Context, slot Slot, f core.Attachment, content io.Reader) error {
	const op = "media: upload"
	if err := errors.Join(checkSlotURL(slot.Put), checkSlotURL(slot.Get)); err != nil {
		return core.Wrap(core.Unavailable, op, err)
	}
	select {
	case p.slots <- struct{}{}:
		defer func() { <-p.slots }()
	case <-ctx.Done():
		return core.Wrap(core.Unavailable, op, ctx.Err())
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPut, slot.Put, io.NopCloser(content))
	if err != nil {
		return core.Wrap(core.Unavailable, op, errors.New("a slot without a usable address"))
	}
	r.ContentLength = f.Size
	r.Header.Set("Content-Type", f.Type)
	r.Header.Set("User-Agent", "gangway")
	setHeader(r.Header, slot.Header)
	res, err := p.client.Do(r)
	if err != nil {
		if u, ok := errors.AsType[*url.Error](err); ok {
			err = u.Err // without the address, which lets one write
		}
		return core.Wrap(core.Unavailable, op, err)
	}
	defer res.Body.Close()
	_, _ = io.CopyN(io.Discard, res.Body, 64<<10) // so that the connection can be used again
	switch code := res.StatusCode; {
	case code == http.StatusRequestEntityTooLarge:
		return &core.Error{Kind: core.TooLarge, Op: op, Code: fmt.Sprint(code), Text: "The file is too large for the server's upload service."}
	case code < 200 || code > 299:
		return &core.Error{Kind: core.Unavailable, Op: op, Code: fmt.Sprint(code), Err: errors.New("the upload service refused the file")}
	}
	return nil
}

// setHeader sets the three headers that a slot may ask for (XEP-0363 section 5), and no other.
func setHeader(h http.Header, asked map[string]string) {
	for name, value := range asked {
		value = strings.NewReplacer("\r", "", "\n", "").Replace(value)
		switch name = http.CanonicalHeaderKey(name); name {
		case "Authorization", "Cookie", "Expires":
			h.Set(name, value)
		}
	}
}

// checkSlotURL wants https (XEP-0363 section 7), except where nothing leaves the machine.
func checkSlotURL(s string) error {
	u, err := url.Parse(s)
	switch {
	case err != nil || len(s) > maxURL || u.Host == "" || u.User != nil || u.Fragment != "":
		return errors.New("a slot without a usable address")
	case u.Scheme == "https", u.Scheme == "http" && isLoopback(u.Hostname()):
		return nil
	}
	return errors.New("a slot that is not https")
}

func isLoopback(host string) bool {
	ip, err := netip.ParseAddr(host)
	return strings.EqualFold(host, "localhost") || err == nil && ip.Unmap().IsLoopback()
}
