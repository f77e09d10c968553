package email

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/url"

	"gangway/transports/email/client"
)

// submission is the server that mail is handed to: the site's relay, or a user's own.
type submission struct {
	host  string // a name, or an address; the one whose certificate is looked for
	port  string
	mode  client.Mode
	login client.Login // for each connection; nil: none. client.Password makes that of a password
	// dial connects, such as only to addresses of the Internet; nil: package net does.
	dial func(ctx context.Context, network, addr string) (net.Conn, error)
}

// relay is a carrier to one server. It is safe for concurrent use.
type relay struct {
	host   string // host:port
	config client.Config
	site   bool   // it is the one of all users
	out    *tally // nil: nobody counts
	lane   *client.Lane
}

const (
	relayConns = 8
	relayWaits = 1000 // mails that wait for one of them: more than are ever tried at once
)

// newRelay makes the carrier to a server. hello is what we are called there, in A-labels; conns is how many
// connections there may be at once.
func newRelay(s submission, hello string, conns int) *relay {
	return &relay{
		host: net.JoinHostPort(s.host, s.port),
		config: client.Config{
			Hello: hello, Mode: s.mode, Login: s.login, Dial: s.dial, Times: client.DefaultTimes(),
			TLS: &tls.Config{ServerName: s.host, MinVersion: tls.VersionTLS12},
		},
		lane: client.NewLane(conns, relayWaits),
	}
}

// relayOf reads the settings. Without TLS the relay must be on this machine, unless it is said otherwise; a password
// never goes over an open line to another.
func relayOf(s settings, hello string) (*relay, error) {
	u, err := url.Parse(s.Relay)
	if err != nil {
		return nil, errors.New("relay is not a URL like smtp://host:port") // err would quote a password
	}
	if u.Scheme != "smtp" && u.Scheme != "smtps" || u.Hostname() == "" || u.Path != "" && u.Path != "/" || u.RawQuery != "" {
		return nil, errors.New("relay must be smtp://host:port or smtps://host:port")
	}
	user, password := s.User, s.Password
	if u.User != nil {
		user = u.User.Username()
		if p, ok := u.User.Password(); ok {
			password = p
		}
	}
	to := submission{host: u.Hostname(), port: u.Port()}
	if user != "" {
		to.login = client.Password(user, password)
	}
	implicit := u.Scheme == "smtps"
	if to.mode, err = relayMode(s.StartTLS, implicit, isLoopback(to.host)); err != nil {
		return nil, err
	}
	if user != "" && !implicit && !isLoopback(to.host) && to.mode != client.Require {
		return nil, errors.New(`a password is not sent without TLS: use smtps:// or starttls = "require"`)
	}
	switch {
	case to.port != "":
	case implicit:
		to.port = "465"
	default:
		to.port = "25"
	}
	r := newRelay(to, hello, relayConns)
	r.site = true
	return r, nil
}

func relayMode(startTLS string, implicit, local bool) (client.Mode, error) {
	mode, ok := map[string]client.Mode{
		"": client.Require, "require": client.Require, "offered": client.Offered, "never": client.Never,
	}[startTLS]
	switch {
	case !ok:
		return 0, fmt.Errorf(`starttls must be "require", "offered" or "never", not %q`, startTLS)
	case implicit:
		return client.Implicit, nil
	case startTLS == "" && local:
		return client.Never, nil
	}
	return mode, nil
}

func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// dial makes a connection that is ready for a mail.
func (r *relay) dial(ctx context.Context) (*client.Conn, error) {
	c, err := client.Dial(ctx, r.host, r.config)
	if err != nil && r.site {
		err = &siteError{err}
	}
	return c, client.Named(r.host, err)
}

// send hands one mail over. nil: the relay has it.
func (r *relay) send(ctx context.Context, e envelope, mail []byte) error {
	version, err := r.hand(ctx, e, mail)
	if r.out != nil {
		r.out.note(err, version)
	}
	return err
}

// hand does it, and returns the version of TLS that it was done over, if any.
func (r *relay) hand(ctx context.Context, e envelope, mail []byte) (version uint16, err error) {
	c, err := r.lane.Enter(ctx)
	if err != nil {
		return 0, client.At(client.Connect, err)
	}
	defer func() { r.lane.Leave(c) }()
	if c, err = r.ready(ctx, c); err != nil {
		return 0, err
	}
	if state := c.TLS(); state != nil {
		version = state.Version
	}
	_, err = c.Send(ctx, e.wire(), mail)
	if !c.Usable(err) {
		c.Close()
		c = nil
	}
	return version, client.Named(r.host, err)
}

// ready is the connection of the mail before, if it still answers, else a new one.
func (r *relay) ready(ctx context.Context, c *client.Conn) (*client.Conn, error) {
	if c != nil && c.Renew(ctx) {
		return c, nil
	}
	return r.dial(ctx)
}
