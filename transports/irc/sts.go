package irc

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"strconv"
	"strings"
	"time"

	"gangway/core"
	"gangway/transports/irc/wire"
)

// stsKey is where the policy of a host is kept (IRCv3 sts): all users share it.
func stsKey(host string) string { return "sts " + host }

// errUpgrade ends a plain connection to a network that wants to be spoken to in TLS only.
type errUpgrade struct{ port string }

func (e errUpgrade) Error() string { return "the network asks for TLS at port " + e.port }

// secured takes note of the network's strict transport security, if it has any: true if this connection is over for it.
func (s *session) secured(l *link) bool {
	value, ok := l.offers["sts"]
	if !ok {
		return false
	}
	port, duration := "", ""
	for token := range strings.SplitSeq(value, ",") {
		switch key, v, _ := strings.Cut(token, "="); key {
		case "port":
			port = v
		case "duration":
			duration = v
		}
	}
	if s.net.tls == nil && l.secure == "" {
		if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
			return false // a policy without a port means nothing here
		}
		l.refusal = &core.Error{Kind: core.Unavailable, Op: "irc: connect", Err: errUpgrade{port},
			Text: s.net.name + " asks for TLS."}
		s.urgent(wire.Quit(""))
		return true
	}
	seconds, err := strconv.ParseInt(duration, 10, 64)
	if err != nil || seconds < 0 {
		return false
	}
	host, at := s.net.host, l.secure
	if at == "" {
		_, at, _ = net.SplitHostPort(s.net.address)
	}
	s.chore(func(ctx context.Context) error {
		if seconds == 0 {
			return s.t.host.Notes().Delete(ctx, stsKey(host))
		}
		const most = 5 * 365 * 24 * time.Hour
		return s.t.host.Notes().Put(ctx, stsKey(host), []byte(at), min(time.Duration(min(seconds, int64(most/time.Second)))*time.Second, most))
	})
	return false
}

// route is how the network is reached now: as configured, or, where that is plain and it has asked for TLS before, in
// TLS. It never gets less secure.
func (s *session) route(ctx context.Context, upgrade string) (n *network, secure string, err error) {
	n = s.net
	if n.tls == nil && upgrade == "" {
		kept, err := s.t.host.Notes().Get(ctx, stsKey(n.host))
		switch {
		case err == nil:
			upgrade = string(kept)
		case core.KindOf(err) != core.NotFound:
			return nil, "", core.Wrap(core.Unavailable, "irc: connect", err)
		}
	}
	if n.tls == nil && upgrade != "" {
		n = n.secured(upgrade)
		secure = upgrade
	}
	config, err := s.secrets.identified(n.tls)
	if err != nil {
		return nil, "", err
	}
	if config != n.tls {
		own := *n
		own.tls = config
		n = &own
	}
	return n, secure, nil
}

// secured is the network in TLS, at a port.
func (n *network) secured(port string) *network {
	up := *n
	up.address = net.JoinHostPort(n.host, port)
	up.tls = &tls.Config{ServerName: n.host, MinVersion: tls.VersionTLS12, RootCAs: n.roots}
	return &up
}

// upgradeOf returns the port that an error leads to; empty if it leads nowhere.
func upgradeOf(err error) string {
	var up errUpgrade
	if errors.As(err, &up) {
		return up.port
	}
	return ""
}
