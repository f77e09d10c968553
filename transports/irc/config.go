package irc

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"os"
	"strings"
	"time"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/htmlindex"
)

const (
	securePort = "6697" // RFC 7194
	plainPort  = "6667"

	maxBackfill = 1000 // lines
)

// settings are the [transport.irc] table.
type settings struct {
	// Networks lists the hosts that users may connect to besides the configured ones; "*" allows every public one.
	Networks []string `toml:"networks"`
	// FixedNetwork makes the gateway serve one network only: addresses are then "#chan" and "nick".
	FixedNetwork string                     `toml:"fixed_network"`
	Network      map[string]networkSettings `toml:"network"`

	Charset     string   `toml:"charset"` // of lines that are not UTF-8; default "windows-1252"
	Username    string   `toml:"username"`
	Realname    string   `toml:"realname"`
	QuitMessage string   `toml:"quit_message"`
	Version     string   `toml:"version"` // what CTCP VERSION answers
	Linger      duration `toml:"linger"`  // how long a connection without rooms outlives the last private message
	PingEvery   duration `toml:"ping_every"`
	PingTimeout duration `toml:"ping_timeout"`
	RawCommands bool     `toml:"raw_commands"` // users may write commands of IRC to the network's own address
	// Ident is where identd listens, as in "0.0.0.0:113" (RFC 1413); empty: nowhere. SourcePrefix is an IPv6 prefix, routed
	// to this machine, from which every user has an address of their own. WebIRCHost is the domain of the names that
	// WEBIRC tells networks; empty: it tells addresses.
	Ident        string `toml:"ident"`
	SourcePrefix string `toml:"source_prefix"`
	WebIRCHost   string `toml:"webirc_host"`
	Queue        int    `toml:"queue"` // the most lines that wait to be written, per session
	// Backfill is how many of the latest lines of a room the history begins with, when a user enters it for the first
	// time and the network can tell (CHATHISTORY); 0: none.
	Backfill int `toml:"backfill"`

	FloodBurst    int      `toml:"flood_burst"`    // lines that may go at once
	FloodInterval duration `toml:"flood_interval"` // then one per interval; "0s": no flood control
}

// networkSettings are a [transport.irc.network."HOST"] table.
type networkSettings struct {
	Address  string   `toml:"address"` // ircs://host:6697 or irc://host:6667
	Alias    []string `toml:"alias"`   // short names: "libera" for "libera/#chan"
	CA       string   `toml:"ca"`      // a PEM file of the authorities to trust here, instead of the system's
	Charset  string   `toml:"charset"`
	Nick     string   `toml:"nick"` // for users who did not choose one
	Username string   `toml:"username"`
	Realname string   `toml:"realname"`
	Password string   `toml:"password"` // the server password (PASS), the same for all users
	WebIRC   string   `toml:"webirc"`   // the password with which the network believes us who our users are

	FloodBurst    int       `toml:"flood_burst"`
	FloodInterval *duration `toml:"flood_interval"`
}

// duration is a time.Duration written as "90s".
type duration time.Duration

// UnmarshalText reads the form of time.ParseDuration.
func (d *duration) UnmarshalText(text []byte) error {
	v, err := time.ParseDuration(string(text))
	if err == nil && v < 0 {
		err = errors.New("a duration here cannot be negative")
	}
	*d = duration(v)
	return err
}

func defaults() settings {
	return settings{
		Charset: "windows-1252", QuitMessage: "Gateway disconnected", Version: "Gangway",
		Linger:    duration(10 * time.Minute),
		PingEvery: duration(90 * time.Second), PingTimeout: duration(60 * time.Second),
		Queue: 200, Backfill: 100, FloodBurst: 10, FloodInterval: duration(2 * time.Second),
	}
}

func (c *settings) validate() error {
	switch {
	case len(c.Networks) == 0 && len(c.Network) == 0:
		return errors.New(`networks: say which networks users may connect to, or "*" for every public one`)
	case c.Queue < 1 || c.Queue > 10_000:
		return errors.New("queue: must be 1 to 10000 lines")
	case c.Backfill < 0 || c.Backfill > maxBackfill:
		return fmt.Errorf("backfill: must be 0 to %d lines", maxBackfill)
	case c.FloodBurst < 1:
		return errors.New("flood_burst: must be at least 1")
	case c.PingEvery < duration(time.Second) || c.PingTimeout < duration(time.Second):
		return errors.New("ping_every, ping_timeout: must be at least 1s")
	}
	if c.WebIRCHost != "" && !validHost(c.WebIRCHost) {
		return errors.New("webirc_host: must be a domain in lower case")
	}
	for _, text := range []string{c.Username, c.Realname, c.QuitMessage, c.Version} {
		if strings.ContainsAny(text, "\r\n\x00\x01") {
			return errors.New("username, realname, quit_message, version: one line each")
		}
	}
	return nil
}

// network is one IRC network as configured, or as found by its host name.
type network struct {
	name     string // the realm
	address  string // host:port
	host     string // whose name the certificate must bear
	tls      *tls.Config
	roots    *x509.CertPool // nil: the system's
	guarded  bool           // may only lead to public addresses
	charset  encoding.Encoding
	nick     string
	username string
	realname string
	password string
	webirc   string
	burst    int
	interval time.Duration

	ports []string // to try one after the other; nil: that of the address
	pin   []byte   // the digest of the only certificate that is good; nil: whoever the authorities vouch for

	source    netip.Addr     // to come from; not valid: any of ours. This and what follows is set for one connection
	dialing   func() func()  // called before the connection is made; what it returns, when it is or will not be
	connected func(net.Conn) // called with the connection before anything is written
}

// public makes the network of a host that is not configured: verified TLS, the standard port, public addresses only.
func (c *settings) public(host string) *network {
	charset, err := htmlindex.Get(c.Charset)
	if err != nil {
		charset = encoding.Nop // cannot be: the settings were checked
	}
	return &network{
		name: host, address: net.JoinHostPort(host, securePort), host: host,
		tls:     &tls.Config{ServerName: host, MinVersion: tls.VersionTLS12},
		guarded: true, charset: charset, username: c.Username, realname: c.Realname,
		burst: c.FloodBurst, interval: time.Duration(c.FloodInterval),
	}
}

// configured makes a network from its table.
func (c *settings) configured(name string, s networkSettings) (*network, error) {
	n := c.public(name)
	n.guarded = false
	n.nick, n.password, n.webirc = s.Nick, s.Password, s.WebIRC
	n.username, n.realname = firstOf(s.Username, c.Username), firstOf(s.Realname, c.Realname)
	for _, text := range []string{n.nick, n.username, n.realname, n.password} {
		if strings.ContainsAny(text, "\r\n\x00") {
			return nil, errors.New("nick, username, realname, password: one line each")
		}
	}
	if strings.ContainsAny(n.webirc, " \r\n\x00") || strings.HasPrefix(n.webirc, ":") {
		return nil, errors.New("webirc: a password without spaces that does not begin with a colon")
	}
	if s.FloodBurst > 0 {
		n.burst = s.FloodBurst
	}
	if s.FloodInterval != nil {
		n.interval = time.Duration(*s.FloodInterval)
	}
	if s.Charset != "" {
		charset, err := htmlindex.Get(s.Charset)
		if err != nil {
			return nil, fmt.Errorf("charset %q is not known", s.Charset)
		}
		n.charset = charset
	}
	if s.Address != "" {
		if err := n.parseAddress(s.Address); err != nil {
			return nil, fmt.Errorf("address: %w", err)
		}
	}
	if s.CA != "" {
		return n, n.trust(s.CA)
	}
	return n, nil
}

// parseAddress reads ircs://host:port or irc://host:port. Only the latter, where it is written so, is plain.
func (n *network) parseAddress(s string) error {
	u, err := url.Parse(s)
	if err != nil {
		return errors.New("want ircs://host:6697 or irc://host:6667")
	}
	port := securePort
	switch u.Scheme {
	case "ircs":
	case "irc":
		port, n.tls = plainPort, nil
	default:
		return fmt.Errorf("want ircs:// or irc://, not %q", s)
	}
	if u.Hostname() == "" || u.User != nil || strings.Trim(u.Path, "/") != "" {
		return errors.New("want ircs://host:6697 or irc://host:6667")
	}
	if u.Port() != "" {
		port = u.Port()
	}
	n.host = u.Hostname()
	n.address = net.JoinHostPort(n.host, port)
	if n.tls != nil {
		n.tls.ServerName = n.host
	}
	return nil
}

// trust makes the authorities in a PEM file the only ones. Of a plain network they count once it asks for TLS (sts).
func (n *network) trust(file string) error {
	pem, err := os.ReadFile(file)
	if err != nil {
		return fmt.Errorf("ca: %w", err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(pem) {
		return fmt.Errorf("ca: no certificate in %s", file)
	}
	if n.roots = pool; n.tls != nil {
		n.tls.RootCAs = pool
	}
	return nil
}

func firstOf(texts ...string) string {
	for _, t := range texts {
		if t != "" {
			return t
		}
	}
	return ""
}
