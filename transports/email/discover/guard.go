package discover

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strings"
	"time"

	"code.dny.dev/ssrf"
)

const (
	dialTime     = 10 * time.Second
	answerTime   = 10 * time.Second
	maxRedirects = 3
)

// ErrForbidden says that the address leads to where the gateway connects people to nothing.
var ErrForbidden = errors.New("that is not a mail server on the Internet")

// Guard keeps people from reaching, through the gateway, what only it can reach. The address is looked at after the name
// was resolved, for each connection: a name that leads elsewhere the second time gains nothing.
type Guard struct {
	Resolver *net.Resolver // nil: the system's

	trusted []string // host, or host:port, in lower case
	mail    *ssrf.Guardian
	web     *ssrf.Guardian
}

// NewGuard makes a guard that lets through to the usual ports of mail servers on the Internet, and to the trusted hosts
// (a name or an address, with or without a port) wherever they are.
func NewGuard(trusted ...string) *Guard {
	g := &Guard{mail: ssrf.New(ssrf.WithPorts(143, 993, 465, 587)), web: ssrf.New(ssrf.WithPorts(443))}
	for _, t := range trusted {
		g.trusted = append(g.trusted, strings.ToLower(t))
	}
	return g
}

// Trusts says whether a host is one that the configuration names.
func (g *Guard) Trusts(host string, port int) bool {
	host = strings.ToLower(host)
	return slices.Contains(g.trusted, host) || slices.Contains(g.trusted, net.JoinHostPort(host, fmt.Sprint(port)))
}

// Dial connects to a mail server. ErrForbidden if it is none that may be connected to.
func (g *Guard) Dial(ctx context.Context, network, address string) (net.Conn, error) {
	return g.dial(ctx, g.mail, network, address)
}

func (g *Guard) dial(ctx context.Context, guard *ssrf.Guardian, network, address string) (net.Conn, error) {
	d := net.Dialer{Timeout: dialTime, Resolver: g.Resolver}
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	if !slices.Contains(g.trusted, strings.ToLower(host)) && !slices.Contains(g.trusted, strings.ToLower(address)) {
		d.Control = guard.Safe
	}
	c, err := d.DialContext(ctx, network, address)
	for _, forbidden := range []error{ssrf.ErrProhibitedIP, ssrf.ErrProhibitedPort, ssrf.ErrProhibitedNetwork} {
		if errors.Is(err, forbidden) {
			return nil, ErrForbidden
		}
	}
	return c, err
}

// Client fetches files over HTTPS, from public addresses only, redirected or not.
func (g *Guard) Client() *http.Client {
	return &http.Client{
		Timeout: answerTime,
		CheckRedirect: func(r *http.Request, via []*http.Request) error {
			r.Header.Del("Referer")
			if len(via) > maxRedirects || r.URL.Scheme != "https" || r.URL.User != nil {
				return errors.New("redirected to where it must not be")
			}
			return nil
		},
		Transport: &http.Transport{
			Proxy: nil, // a proxy would look the name up itself, and reach what it reaches
			DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
				return g.dial(ctx, g.web, network, address)
			},
			DisableKeepAlives:      true, // each address is looked at anew
			DisableCompression:     true,
			MaxResponseHeaderBytes: 64 << 10,
			TLSHandshakeTimeout:    answerTime,
		},
	}
}
