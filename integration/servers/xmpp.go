package servers

import (
	"context"
	"crypto/tls"
	"fmt"
	"os"
	"path/filepath"
)

// User is an account that a server has from its first start.
type User struct {
	Name     string // the local part
	Password string
}

// Component is an external component (XEP-0114) that a server lets in.
type Component struct {
	Domain string
	Secret string
	// Privileged gives the component XEP-0356 privileges on the server's domain: rosters, messages in its name,
	// roster presence. A server without a privileged component does not load the module at all.
	Privileged bool
}

// DefaultDomain is the XMPP domain of a server whose configuration names none.
const DefaultDomain = "example.test"

const (
	nsClient    = "jabber:client"
	nsComponent = "jabber:component:accept"
)

// HostConfig says what an XMPP server shall be like.
type HostConfig struct {
	Dir        string // its own; made when absent
	Domain     string // DefaultDomain when empty
	Users      []User
	Components []Component
	// Archive switches on XEP-0313, for users and rooms, and keeps it and offline messages in SQLite. Off by default: it
	// costs time per message.
	Archive bool
	// TLS offers STARTTLS to clients, with a certificate of CA or of an authority of its own. Clients without TLS
	// are let in all the same.
	TLS bool
	CA  *CA
	// Balanced lists component domains that take two connections at once, each sender going to one of two fixed slots
	// by bare JID (ejabberd's domain_balancing). Stanzas for a slot without a connection vanish.
	Balanced []string
	// ComponentPort is where components connect; a free port when 0.
	ComponentPort int
	// Extra stands in the configuration, in the server's own language: Lua at the end of Prosody's global section, YAML at
	// the end of ejabberd's file, at its top level.
	Extra string
}

// Privileges says whether any component has some: the templates ask.
func (c *HostConfig) Privileges() bool {
	for _, component := range c.Components {
		if component.Privileged {
			return true
		}
	}
	return false
}

// Host is an XMPP server that Gangway can stand beside.
type Host interface {
	Server
	// Domain is the server's XMPP domain.
	Domain() string
	// Addr is where clients connect.
	Addr() string
	// ComponentAddr is where components connect.
	ComponentAddr() string
	// HTTPURL is the base of the server's HTTP services, uploads among them.
	HTTPURL() string
	// ClientTLS is for clients that use STARTTLS; nil when the server does not offer it.
	ClientTLS() *tls.Config
	// CertFile is the server's certificate, where everybody can read it; empty when it has none.
	CertFile() string
	// CAFile writes the certificate of the authority that issued the server's, for programs that read it from a file. There
	// is none without TLS.
	CAFile() (string, error)
	// AddUser makes an account in the running server. One that exists keeps its data.
	AddUser(ctx context.Context, u User) error
}

var (
	_ Host = (*Prosody)(nil)
	_ Host = (*Ejabberd)(nil)
)

// xmppHost is what both XMPP servers have in common.
type xmppHost struct {
	conf HostConfig
	home *home
	file string // the configuration

	c2s, component, http int

	certFile, keyFile string
}

// prepareHost makes the directory of a server that runs as that user, its folders, its ports and its certificate.
func prepareHost(conf HostConfig, username string, folders ...string) (_ *xmppHost, err error) {
	if conf.Domain == "" {
		conf.Domain = DefaultDomain
	}
	h := &xmppHost{conf: conf, component: conf.ComponentPort}
	if h.home, err = newHome(conf.Dir, username); err != nil {
		return nil, err
	}
	h.conf.Dir = h.home.dir
	ports := []*int{&h.c2s, &h.http}
	if h.component == 0 {
		ports = append(ports, &h.component)
	}
	if err := freePorts(ports...); err != nil {
		return nil, err
	}
	for _, name := range folders {
		if err := h.home.mkdir(name); err != nil {
			return nil, err
		}
	}
	if conf.TLS {
		h.conf.CA, h.certFile, h.keyFile, err = h.home.issue(conf.CA, h.conf.Domain)
		if err != nil {
			return nil, err
		}
		if err := os.Chmod(h.certFile, 0o644); err != nil { //nolint:gosec // a certificate is public
			return nil, err
		}
	}
	return h, nil
}

// render writes the configuration from the template of that name.
func (h *xmppHost) render(name string) (err error) {
	h.file, err = h.home.render(name, struct {
		*HostConfig
		C2S, Component, HTTP int
		Cert, Key            string
	}{&h.conf, h.c2s, h.component, h.http, h.certFile, h.keyFile})
	return err
}

// answers succeeds when the server greets clients and components.
func (h *xmppHost) answers(ctx context.Context) error {
	if err := probeStream(ctx, h.Addr(), nsClient, h.conf.Domain, "</stream:features>"); err != nil {
		return err
	}
	if len(h.conf.Components) > 0 {
		err := probeStream(ctx, h.ComponentAddr(), nsComponent, h.conf.Components[0].Domain, "<stream:stream")
		if err != nil {
			return err
		}
	}
	conn, err := dial(ctx, loopback(h.http))
	if err != nil {
		return err
	}
	return conn.Close()
}

// Domain is the server's XMPP domain.
func (h *xmppHost) Domain() string { return h.conf.Domain }

// Addr is where clients connect.
func (h *xmppHost) Addr() string { return loopback(h.c2s) }

// ComponentAddr is where components connect.
func (h *xmppHost) ComponentAddr() string { return loopback(h.component) }

// HTTPURL is the base of the server's HTTP services.
func (h *xmppHost) HTTPURL() string { return "http://" + loopback(h.http) + "/" }

// ClientTLS is for clients that use STARTTLS; nil when the server does not offer it.
func (h *xmppHost) ClientTLS() *tls.Config {
	if !h.conf.TLS {
		return nil
	}
	return h.conf.CA.Client(h.conf.Domain)
}

// CertFile is the server's certificate, where everybody can read it.
func (h *xmppHost) CertFile() string { return h.certFile }

// CAFile writes the certificate of the authority that issued the server's, for programs that read it from a file.
func (h *xmppHost) CAFile() (string, error) {
	name := h.below("ca.pem")
	return name, h.conf.CA.WriteFile(name)
}

// ConfigFile is the configuration as written, for a person who wants to look.
func (h *xmppHost) ConfigFile() string { return h.file }

// checkUser refuses names and passwords that the servers' files cannot hold.
func checkUser(u User) error {
	for _, v := range []string{u.Name, u.Password} {
		if _, err := safe(v); err != nil || v == "" {
			return fmt.Errorf("user %q: name and password must be plain and not empty", u.Name)
		}
	}
	return nil
}

// below is the path of a file in the server's directory.
func (h *xmppHost) below(name string) string { return filepath.Join(h.home.dir, name) }
