package discover

import (
	"errors"
	"net"
	"net/netip"
	"strconv"
	"strings"
)

var errNoServer = errors.New("that is no server")

// ParseServer reads a server as a person writes it, host or host:port, and returns the secure ways to reach it, the
// likelier first, and the one without TLS. usual are the ports for TLS and for STARTTLS.
func ParseServer(text string, usual [2]int) (secure []Server, plain Server, err error) {
	host, digits, hasPort := text, "", false
	if h, p, err := net.SplitHostPort(text); err == nil {
		host, digits, hasPort = h, p, true
	}
	name, ok := hostOf(host)
	if !ok {
		ip, err := netip.ParseAddr(strings.Trim(host, "[]"))
		if name = ip.String(); err != nil && !strings.EqualFold(host, "localhost") {
			return nil, Server{}, errNoServer
		} else if err != nil {
			name = "localhost"
		}
	}
	if !hasPort {
		return []Server{{Host: name, Port: usual[0]}, {Host: name, Port: usual[1], Security: StartTLS}}, Server{Host: name, Port: usual[1], Security: Plain}, nil
	}
	port, err := strconv.Atoi(digits)
	if err != nil || port < 1 || port > 65535 {
		return nil, Server{}, errNoServer
	}
	tls, start := Server{Host: name, Port: port}, Server{Host: name, Port: port, Security: StartTLS}
	secure = []Server{tls, start}
	if port == usual[1] {
		secure = []Server{start, tls}
	}
	return secure, Server{Host: name, Port: port, Security: Plain}, nil
}
