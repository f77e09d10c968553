package client

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"strings"
	"time"
)

const (
	nsSASL    = "urn:ietf:params:xml:ns:xmpp-sasl"
	nsBind    = "urn:ietf:params:xml:ns:xmpp-bind"
	nsSession = "urn:ietf:params:xml:ns:xmpp-session"

	handshakeTimeout = 30 * time.Second
	closeTimeout     = 5 * time.Second
	writeTimeout     = 30 * time.Second
)

// ErrNotAuthorized is within Dial's error when the server refuses the name or the password.
var ErrNotAuthorized = errors.New("not authorized")

// Option changes what Dial makes.
type Option func(*Client)

// WithReceipts answers every XEP-0184 request by itself, as most clients do.
func WithReceipts() Option { return func(c *Client) { c.receipts = true } }

// WithCarbons asks for copies of what the account's other resources send and receive (XEP-0280).
func WithCarbons() Option { return func(c *Client) { c.carbons = true } }

// WithoutReplies leaves every iq request to the test: without it, pings are answered and all else is refused politely.
func WithoutReplies() Option { return func(c *Client) { c.mute = true } }

// Dial connects to addr, which must be a loopback address, logs in as jid (with the resource it asks for, if any) and
// binds. The client is not available yet: see Online. The caller closes it.
func Dial(ctx context.Context, addr, jid, password string, opts ...Option) (*Client, error) {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, err
	}
	if ip, err := netip.ParseAddr(host); err != nil || !ip.IsLoopback() {
		return nil, fmt.Errorf("dial %s: only loopback addresses, as the password is sent in the clear", addr)
	}
	ctx, cancel := context.WithTimeout(ctx, handshakeTimeout)
	defer cancel()
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", addr)
	if err != nil {
		return nil, err
	}
	c := &Client{conn: conn, in: newReader(conn), done: make(chan struct{})}
	for _, o := range opts {
		o(c)
	}
	stop := context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })
	err = c.login(jid, password)
	if !stop() && err == nil {
		err = context.Cause(ctx)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("log in as %s at %s: %w", Bare(jid), addr, err), conn.Close())
	}
	go c.read()
	if c.carbons {
		if _, err := c.IQ(ctx, "", "set", "<enable xmlns='"+NSCarbons+"'/>"); err != nil {
			return nil, errors.Join(fmt.Errorf("enable carbons: %w", err), c.Close())
		}
	}
	return c, nil
}

// login goes through RFC 6120: stream, SASL PLAIN, stream again, bind.
func (c *Client) login(jid, password string) error {
	local, rest, ok := strings.Cut(jid, "@")
	if !ok {
		return errors.New("the JID has no local part")
	}
	domain, resource, _ := strings.Cut(rest, "/")
	features, err := c.open(domain)
	if err != nil {
		return err
	}
	if err := c.authenticate(features, local, password); err != nil {
		return err
	}
	c.in.restart()
	if features, err = c.open(domain); err != nil {
		return err
	}
	if err := c.bind(resource); err != nil {
		return err
	}
	session := features.Child(nsSession, "session") // RFC 3921 wants it, RFC 6121 made it optional
	if session == nil || session.Child(nsSession, "optional") != nil {
		return nil
	}
	_, err = c.handshakeIQ("session", "<session xmlns='"+nsSession+"'/>")
	return err
}

func (c *Client) open(domain string) (*Stanza, error) {
	_, err := fmt.Fprintf(c.conn, "<?xml version='1.0'?><stream:stream to='%s' version='1.0' xml:lang='en' xmlns='%s' xmlns:stream='%s'>",
		Escape(domain), NSClient, nsStream)
	if err != nil {
		return nil, err
	}
	if err := c.in.header(); err != nil {
		return nil, err
	}
	features, err := c.in.next()
	if err != nil {
		return nil, err
	}
	if features.Name.Local != "features" {
		return nil, fmt.Errorf("instead of stream features: %s", features.Raw)
	}
	return features, nil
}

func (c *Client) authenticate(features *Stanza, local, password string) error {
	offered := false
	for _, m := range features.Child(nsSASL, "mechanisms").All(nsSASL, "mechanism") {
		offered = offered || m.Text == "PLAIN"
	}
	if !offered {
		return errors.New("the server does not offer SASL PLAIN: " + features.Raw)
	}
	secret := base64.StdEncoding.EncodeToString([]byte("\x00" + local + "\x00" + password))
	if _, err := fmt.Fprintf(c.conn, "<auth xmlns='%s' mechanism='PLAIN'>%s</auth>", nsSASL, secret); err != nil {
		return err
	}
	answer, err := c.in.next()
	if err != nil {
		return err
	}
	if answer.Name.Local != "success" {
		return fmt.Errorf("%w: %s", ErrNotAuthorized, answer.Raw)
	}
	return nil
}

func (c *Client) bind(resource string) error {
	want := ""
	if resource != "" {
		want = "<resource>" + Escape(resource) + "</resource>"
	}
	answer, err := c.handshakeIQ("bind", "<bind xmlns='"+nsBind+"'>"+want+"</bind>")
	if err != nil {
		return err
	}
	c.jid = answer.Child(nsBind, "bind").Child(nsBind, "jid").Content()
	if c.jid == "" {
		return errors.New("the server binds no JID: " + answer.Raw)
	}
	return nil
}

// handshakeIQ is a request before the reader runs: the answer is the next stanza.
func (c *Client) handshakeIQ(id, payload string) (*Stanza, error) {
	if _, err := io.WriteString(c.conn, "<iq type='set' id='"+id+"'>"+payload+"</iq>"); err != nil {
		return nil, err
	}
	answer, err := c.in.next()
	if err != nil {
		return nil, err
	}
	if err := answer.Err(); err != nil {
		return nil, err
	}
	if answer.Kind() != "iq" || answer.ID() != id {
		return nil, fmt.Errorf("instead of an answer to %s: %s", id, answer.Raw)
	}
	return answer, nil
}
