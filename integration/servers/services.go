package servers

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"
)

// servicesPassword is what an IRC server and its services tell each other.
const servicesPassword = "services-secret"

// ServicesConfig says whose services they are.
type ServicesConfig struct {
	Dir string // its own; made when absent
	// Uplink is the server, whose configuration has Services set: an *Inspircd or a *Ngircd.
	Uplink IRCServer
}

// Atheme are an Atheme 7.2: NickServ, with which people register accounts (no address is checked) and certificates,
// and SASL with PLAIN and EXTERNAL where the server passes it on.
type Atheme struct {
	*Process
	conf ServicesConfig
}

// NewAtheme writes the configuration; it starts nothing. Start returns when NickServ is there, so the server must run.
func NewAtheme(conf ServicesConfig) (*Atheme, error) {
	a, err := newAtheme(conf)
	if err != nil {
		return nil, fmt.Errorf("atheme: %w", err)
	}
	return a, nil
}

func newAtheme(conf ServicesConfig) (*Atheme, error) {
	data := struct {
		ServicesConfig
		Protocol, Password string
		Port               int
	}{ServicesConfig: conf, Password: servicesPassword}
	var ports *ircPorts
	switch uplink := conf.Uplink.(type) {
	case *Inspircd:
		ports, data.Protocol, data.Port = uplink.ircPorts, "inspircd", uplink.link
	case *Ngircd:
		ports, data.Protocol, data.Port = uplink.ircPorts, "ngircd", uplink.plain
	default:
		return nil, errors.New("no protocol for that server")
	}
	if !ports.conf.Services {
		return nil, errors.New("the server does not let services in")
	}
	h, err := newHome(conf.Dir, "irc")
	if err != nil {
		return nil, err
	}
	if err := h.mkdir("data"); err != nil {
		return nil, err
	}
	log, err := h.touch("atheme.log")
	if err != nil {
		return nil, err
	}
	file, err := h.render("atheme.conf", data)
	if err != nil {
		return nil, err
	}
	p := h.process("atheme", "/usr/bin/atheme-services", "-n", "-c", file, "-D", h.path("data"), "-l", log, "-p", h.path("data")+"/pid")
	p.logs, p.site = []string{log}, ports.conf.Site
	p.ready = func(ctx context.Context) error { return probeNick(ctx, ports.Addr(), "NickServ") }
	return &Atheme{p, conf}, nil
}

// probeNick succeeds when an IRC server says that somebody is on it (ISON).
func probeNick(ctx context.Context, addr, nick string) error {
	conn, err := dial(ctx, addr)
	if err != nil {
		return err
	}
	defer conn.Close()
	own := fmt.Sprintf("p%d", time.Now().UnixNano()%1e8)
	if _, err := fmt.Fprintf(conn, "NICK %s\r\nUSER %s 0 * :probe\r\n", own, own); err != nil {
		return err
	}
	lines := bufio.NewScanner(io.LimitReader(conn, maxGreeting))
	for lines.Scan() {
		reply := ""
		switch f := strings.Fields(lines.Text()); {
		case len(f) > 1 && f[0] == "PING":
			reply = "PONG " + f[1]
		case len(f) > 1 && f[1] == "001":
			reply = "ISON " + nick
		case len(f) > 3 && f[1] == "303":
			if !strings.EqualFold(strings.Trim(strings.Join(f[3:], " "), ": "), nick) {
				return fmt.Errorf("irc server at %s: %s is not there", addr, nick)
			}
			_, _ = io.WriteString(conn, "QUIT\r\n")
			return nil
		}
		if reply == "" {
			continue
		}
		if _, err := io.WriteString(conn, reply+"\r\n"); err != nil {
			return err
		}
	}
	return fmt.Errorf("irc server at %s: no answer about %s: %w", addr, nick, errors.Join(lines.Err(), io.ErrUnexpectedEOF))
}
