package servers

import (
	"context"
	"crypto/tls"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
)

// The operator that both IRC servers know: OPER oper oper.
const (
	OperName     = "oper"
	OperPassword = "oper"
)

// DefaultIRCName is the name of an IRC server whose configuration gives none.
const DefaultIRCName = "irc.test"

// IRCConfig says what an IRC server shall be like. It listens on two ports: plain and TLS.
type IRCConfig struct {
	Dir  string // its own; made when absent
	Name string // DefaultIRCName when empty
	CA   *CA    // issues the certificate; an authority of its own when nil
	Site *Site  // where it runs, reached by the line that can be cut; nil: here, on loopback
	// Password is what clients must send with PASS; none when empty.
	Password string
	// Unlimited lifts flood control and the limits on connections and channels: for load, and for tests that must not
	// measure the server's patience.
	Unlimited bool
	// ID tells linked InspIRCds apart: a digit and two digits or letters; "001" when empty.
	ID string
	// Services lets network services in, and has users log in with them (SASL) where the server can: see NewAtheme.
	Services bool
	// Ident asks clients' machines whose they are (RFC 1413); an InspIRCd only.
	Ident bool
	// Extra stands at the end of the configuration, in the server's own language.
	Extra string
}

// IRCServer is an IRC network of one server.
type IRCServer interface {
	Server
	// ServerName is the server's name, in its certificate too.
	ServerName() string
	// Addr is where clients connect without TLS.
	Addr() string
	// TLSAddr is where clients connect with TLS.
	TLSAddr() string
	// ClientTLS is the TLS configuration of a client of this server.
	ClientTLS() *tls.Config
	// CAFile writes the certificate of the authority that issued the server's, for programs that read it from a file.
	CAFile() (string, error)
}

var (
	_ IRCServer = (*Ngircd)(nil)
	_ IRCServer = (*Inspircd)(nil)
)

// ircPorts is what both IRC servers have in common.
type ircPorts struct {
	conf             IRCConfig
	plain, tls, link int
}

// ServerName is the server's name, in its certificate too.
func (p *ircPorts) ServerName() string { return p.conf.Name }

// Addr is where clients connect without TLS.
func (p *ircPorts) Addr() string { return p.at(p.plain) }

// TLSAddr is where clients connect with TLS.
func (p *ircPorts) TLSAddr() string { return p.at(p.tls) }

func (p *ircPorts) at(port int) string {
	if p.conf.Site != nil {
		return netip.AddrPortFrom(p.conf.Site.Addr, uint16(port)).String() //nolint:gosec // a port
	}
	return loopback(port)
}

// SideAddr is where clients connect without TLS who want to stay when the line to the server's site is cut.
func (p *ircPorts) SideAddr() string {
	if p.conf.Site != nil {
		return netip.AddrPortFrom(p.conf.Site.Side, uint16(p.plain)).String() //nolint:gosec // a port
	}
	return p.Addr()
}

// Addr6 is Addr by IPv6, for a server that has a site.
func (p *ircPorts) Addr6() string {
	return netip.AddrPortFrom(p.conf.Site.Addr6, uint16(p.plain)).String() //nolint:gosec // a port
}

// CA is the authority that issued the server's certificate.
func (p *ircPorts) CA() *CA { return p.conf.CA }

// ClientTLS is the TLS configuration of a client of this server.
func (p *ircPorts) ClientTLS() *tls.Config { return p.conf.CA.Client(p.conf.Name) }

// CAFile writes the authority's certificate beside the configuration, for programs that read it from a file.
func (p *ircPorts) CAFile() (string, error) {
	name := filepath.Join(p.conf.Dir, "ca.pem")
	if _, err := os.Stat(name); err == nil {
		return name, nil
	}
	return name, p.conf.CA.WriteFile(name)
}

func (p *ircPorts) answers(ctx context.Context) error {
	if p.conf.Password != "" { // registering would be refused
		conn, err := dial(ctx, p.Addr())
		if err != nil {
			return err
		}
		return conn.Close()
	}
	if err := probeIRC(ctx, p.Addr(), nil); err != nil {
		return err
	}
	return probeIRC(ctx, p.TLSAddr(), p.ClientTLS())
}

// prepareIRC makes the directory, the certificate and the configuration from the template of that name.
func prepareIRC(conf IRCConfig, templateName string) (*home, *ircPorts, string, error) {
	if conf.Name == "" {
		conf.Name = DefaultIRCName
	}
	if conf.ID == "" {
		conf.ID = "001"
	}
	h, err := newHome(conf.Dir, "irc")
	if err != nil {
		return nil, nil, "", err
	}
	p := &ircPorts{}
	if err := freePorts(&p.plain, &p.tls, &p.link); err != nil {
		return nil, nil, "", err
	}
	if err := h.mkdir("data"); err != nil {
		return nil, nil, "", err
	}
	data := struct {
		IRCConfig
		Plain, TLS, Link int
		Cert, Key        string
		OperName         string
		OperPass         string
		Modules          string // of ircd-hybrid
		ServicesPassword string
	}{conf, p.plain, p.tls, p.link, "", "", OperName, OperPassword, hybridAt() + "/usr/lib/ircd-hybrid/modules", servicesPassword}
	data.Dir = h.dir
	if conf.CA, data.Cert, data.Key, err = h.issue(conf.CA, conf.Name); err != nil {
		return nil, nil, "", err
	}
	p.conf = conf
	file, err := h.render(templateName, data)
	return h, p, file, err
}

// Ngircd is an ngIRCd 26: a small RFC 2812 server, with no IRCv3 but multi-prefix.
type Ngircd struct {
	*Process
	*ircPorts
}

// NewNgircd writes the configuration; it starts nothing.
func NewNgircd(conf IRCConfig) (*Ngircd, error) {
	h, ports, file, err := prepareIRC(conf, "ngircd.conf")
	if err != nil {
		return nil, fmt.Errorf("ngircd: %w", err)
	}
	p := h.process("ngircd", "/usr/sbin/ngircd", "--nodaemon", "--config", file)
	p.site = conf.Site
	p.ready = ports.answers
	return &Ngircd{p, ports}, nil
}

// Inspircd is an InspIRCd 3 with its IRCv3 modules and the prefixes ~&@%+.
type Inspircd struct {
	*Process
	*ircPorts
}

// NewInspircd writes the configuration; it starts nothing.
func NewInspircd(conf IRCConfig) (*Inspircd, error) {
	h, ports, file, err := prepareIRC(conf, "inspircd.conf")
	if err != nil {
		return nil, fmt.Errorf("inspircd: %w", err)
	}
	log, err := h.touch("inspircd.log")
	if err != nil {
		return nil, fmt.Errorf("inspircd: %w", err)
	}
	p := h.process("inspircd", "/usr/sbin/inspircd", "--nofork", "--nopid", "--config="+file)
	p.logs, p.site = []string{log}, conf.Site
	p.ready = ports.answers
	return &Inspircd{p, ports}, nil
}
