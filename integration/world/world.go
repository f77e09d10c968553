// Package world sets up everything that Gangway's main job needs, for the tests and for the demo: an XMPP server, a
// Postfix with a Dovecot, an IRC server, the stand-in of Twilio, a configuration, and the program itself as a child
// process.
package world

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"time"

	"gangway/integration/client"
	"gangway/integration/servers"
	"gangway/integration/twilio"
)

// The names in every world.
const (
	Domain   = "example.test" // of the XMPP server
	Mail     = "email." + Domain
	SMS      = "sms." + Domain
	IRC      = "irc." + Domain
	Loop     = "loop." + Domain // where Options.Loopback says so
	Password = "secret"
)

// People of the world: users of the XMPP server, and Carol who has only e-mail.
const (
	Alice = "alice"
	Bob   = "bob"
	Carol = "carol"
)

// Numbers are the account's first numbers at the stand-in of Twilio.
func Numbers() []string { return []string{Number(1), Number(2)} }

// Number is the account's nth number; Options.Numbers says how many there are.
func Number(n int) string { return fmt.Sprintf("+15550100%03d", n) }

// Flavour is which XMPP server a world has, and what it lets the gateway do.
type Flavour string

// The flavours. All but the empty one keep archives (XEP-0313) and offer STARTTLS.
const (
	Usual              Flavour = ""                  // a small Prosody
	PlainProsody       Flavour = "prosody"           // without mod_privilege
	PrivilegedProsody  Flavour = "prosody+privilege" // XEP-0356, version 2 of the namespace
	PrivilegedEjabberd Flavour = "ejabberd"          // XEP-0356, version 1, without iq; offline messages in SQLite
)

// Options say how a world differs from the usual one.
type Options struct {
	Dir      string // its own; every directory above must be traversable by others
	Binary   string // the program as built
	Flavour  Flavour
	Users    []string             // further users of the XMPP server
	Extra    string               // TOML at the end of the configuration
	Media    string               // TOML at the end of the table [media]
	IRC      string               // TOML at the end of the table [transport.irc]
	Hold     string               // for how long mail is held, so that several lines become one; "0s" if empty
	Access   string               // who may register; "*@example.test" if empty
	Guests   bool                 // others than Access may ask, or come with an invitation
	Loopback bool                 // with the network that ends where it begins, which can do what the others cannot
	Numbers  int                  // how many numbers; 2 if 0
	Twilio   func(*twilio.Config) // a last word on the stand-in
	// InspIRCd takes the place of ngIRCd, and IRCTLS makes the program speak TLS with it, as ircs:// in its configuration.
	InspIRCd, IRCTLS bool
}

// World is a set of servers and the program between them.
type World struct {
	Dir     string
	Config  string // the path of gangway.toml
	Web     string // host:port of health and metrics
	Hooks   string // host:port of webhooks
	LMTP    string // host:port where the program takes mail
	XMPP    servers.Host
	Mail    *servers.Mail
	IRC     servers.IRCServer
	Twilio  *twilio.Server
	API     string // the base URL of the stand-in
	Gangway *servers.Gangway

	stop context.CancelFunc
	run  sync.WaitGroup
	err  error // of the stand-in
}

// New writes all configurations. It starts nothing.
func New(o Options) (*World, error) {
	w := &World{Dir: o.Dir, Config: filepath.Join(o.Dir, "gangway", "gangway.toml")}
	o.Numbers = max(o.Numbers, len(Numbers()))
	if o.Access == "" {
		o.Access = "*@" + Domain
	}
	var err error
	for _, addr := range []*string{&w.Web, &w.Hooks, &w.LMTP} {
		if *addr, err = servers.FreeAddr(); err != nil {
			return nil, err
		}
	}
	steps := []func(Options) error{w.xmpp, w.mail, w.irc, w.twilio, w.gangway}
	for _, step := range steps {
		if err := step(o); err != nil {
			return nil, err
		}
	}
	return w, nil
}

func (w *World) xmpp(o Options) (err error) {
	conf := servers.HostConfig{
		Dir: filepath.Join(o.Dir, "xmpp"), Domain: Domain, Archive: o.Flavour != Usual, TLS: o.Flavour != Usual,
	}
	for _, name := range append([]string{Alice, Bob, "admin"}, o.Users...) {
		conf.Users = append(conf.Users, servers.User{Name: name, Password: Password})
	}
	privileged := o.Flavour == PrivilegedProsody || o.Flavour == PrivilegedEjabberd
	domains := []string{Mail, SMS, IRC}
	if o.Loopback {
		domains = append(domains, Loop)
	}
	for _, domain := range domains {
		conf.Components = append(conf.Components, servers.Component{Domain: domain, Secret: Password, Privileged: privileged})
	}
	if o.Flavour == PrivilegedEjabberd {
		w.XMPP, err = servers.NewEjabberd(conf)
	} else {
		w.XMPP, err = servers.NewProsody(conf)
	}
	return err
}

func (w *World) mail(o Options) (err error) {
	w.Mail, err = servers.NewMail(servers.MailConfig{
		Dir: filepath.Join(o.Dir, "mail"), Users: []servers.User{{Name: Carol, Password: Password}},
		Gateway: Mail, GatewayLMTP: w.LMTP,
	})
	return err
}

func (w *World) irc(o Options) (err error) {
	conf := servers.IRCConfig{Dir: filepath.Join(o.Dir, "irc"), Unlimited: true}
	if o.InspIRCd {
		w.IRC, err = servers.NewInspircd(conf)
	} else {
		w.IRC, err = servers.NewNgircd(conf)
	}
	return err
}

func (w *World) twilio(o Options) error {
	addr, err := servers.FreeAddr()
	if err != nil {
		return err
	}
	w.API = "http://" + addr
	conf := twilio.Config{Addr: addr}
	for n := range o.Numbers {
		conf.Numbers = append(conf.Numbers, twilio.Number{E164: Number(n + 1), SMSURL: "http://" + w.Hooks + "/hooks/sms/inbound"})
	}
	if o.Twilio != nil {
		o.Twilio(&conf)
	}
	w.Twilio = twilio.New(conf)
	return nil
}

// Start starts everything, the program last, and returns when all of it answers.
func (w *World) Start(ctx context.Context) error {
	run, stop := context.WithCancel(context.WithoutCancel(ctx))
	w.stop = stop
	w.run.Go(func() { w.err = w.Twilio.Run(run) })
	for _, s := range []servers.Server{w.XMPP, w.Mail, w.IRC, w.Gangway} {
		if err := s.Start(ctx); err != nil {
			return errors.Join(err, w.Stop())
		}
	}
	return nil
}

// Stop stops what runs, the program first.
func (w *World) Stop() error {
	var errs []error
	for _, s := range []servers.Server{w.Gangway, w.IRC, w.Mail, w.XMPP} {
		errs = append(errs, s.Stop())
	}
	if w.stop != nil {
		w.stop()
		w.run.Wait()
		errs = append(errs, w.err)
	}
	return errors.Join(errs...)
}

// Join makes an account on the running XMPP server, for one who is not among the first users.
func (w *World) Join(ctx context.Context, user string) error {
	return w.XMPP.AddUser(ctx, servers.User{Name: user, Password: Password})
}

// Login logs in as a user of the XMPP server, available, with a resource.
func (w *World) Login(ctx context.Context, user, resource string, opts ...client.Option) (*client.Client, error) {
	c, err := client.Dial(ctx, w.XMPP.Addr(), user+"@"+Domain+"/"+resource, Password, opts...)
	if err != nil {
		return nil, err
	}
	if err := c.Online(ctx); err != nil {
		return nil, errors.Join(err, c.Close())
	}
	return c, nil
}

// Register takes a user through the chat registration with a gateway, giving the same answers to its questions in
// turn, and returns the gateway's last words.
func Register(ctx context.Context, c *client.Client, gateway string, answers ...string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	last := ""
	for _, say := range append([]string{"register"}, answers...) {
		if _, err := c.Say(gateway, say); err != nil {
			return "", err
		}
		st, err := c.Wait(ctx, client.MessageFrom(gateway, ""))
		if err != nil {
			return "", fmt.Errorf("%s does not answer %q: %w", gateway, say, err)
		}
		last = st.Body()
	}
	return last, nil
}
