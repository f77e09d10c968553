// Package world sets up everything that Gangway's main job needs, for the tests and for the demo: a Prosody, a
// Postfix with a Dovecot, an IRC server, the stand-in of Twilio, a configuration, and the program itself as a child
// process.
package world

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
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
	Password = "secret"
)

// People of the world: users of the XMPP server, and Carol who has only e-mail.
const (
	Alice = "alice"
	Bob   = "bob"
	Carol = "carol"
)

// Numbers are the account's numbers at the stand-in of Twilio.
func Numbers() []string { return []string{"+15550100001", "+15550100002"} }

// Options say how a world differs from the usual one.
type Options struct {
	Dir    string               // its own; every directory above must be traversable by others
	Binary string               // the program as built
	Users  []string             // further users of the XMPP server
	Extra  string               // TOML at the end of the configuration
	Access string               // who may register; "*@example.test" if empty
	Twilio func(*twilio.Config) // a last word on the stand-in
}

// World is a set of servers and the program between them.
type World struct {
	Dir     string
	Config  string // the path of gangway.toml
	Web     string // host:port of health and metrics
	Hooks   string // host:port of webhooks
	LMTP    string // host:port where the program takes mail
	Prosody *servers.Prosody
	Mail    *servers.Mail
	IRC     *servers.Ngircd
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
	var err error
	for _, addr := range []*string{&w.Web, &w.Hooks, &w.LMTP} {
		if *addr, err = servers.FreeAddr(); err != nil {
			return nil, err
		}
	}
	steps := []func(Options) error{w.prosody, w.mail, w.irc, w.twilio, w.gangway}
	for _, step := range steps {
		if err := step(o); err != nil {
			return nil, err
		}
	}
	return w, nil
}

func (w *World) prosody(o Options) (err error) {
	conf := servers.HostConfig{Dir: filepath.Join(o.Dir, "xmpp"), Domain: Domain}
	for _, name := range append([]string{Alice, Bob, "admin"}, o.Users...) {
		conf.Users = append(conf.Users, servers.User{Name: name, Password: Password})
	}
	for _, domain := range []string{Mail, SMS, IRC} {
		conf.Components = append(conf.Components, servers.Component{Domain: domain, Secret: Password})
	}
	w.Prosody, err = servers.NewProsody(conf)
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
	w.IRC, err = servers.NewNgircd(servers.IRCConfig{Dir: filepath.Join(o.Dir, "irc"), Unlimited: true})
	return err
}

func (w *World) twilio(o Options) error {
	addr, err := servers.FreeAddr()
	if err != nil {
		return err
	}
	w.API = "http://" + addr
	conf := twilio.Config{Addr: addr}
	for _, n := range Numbers() {
		conf.Numbers = append(conf.Numbers, twilio.Number{E164: n, SMSURL: "http://" + w.Hooks + "/hooks/sms/inbound"})
	}
	if o.Twilio != nil {
		o.Twilio(&conf)
	}
	w.Twilio = twilio.New(conf)
	return nil
}

const configuration = `
admins = ["admin@example.test"]

[xmpp]
server = "%[1]s"
domain = "example.test"

[store]
url = "sqlite:%[2]s"

[access]
allow = ["%[10]s"]

[web]
listen = "%[3]s"
hooks = "%[4]s"
public_url = "http://%[4]s"

[log]
level = "debug"

[transport.email]
domain = "email.example.test"
secret = "secret"
lmtp = "%[5]s"
relay = "smtp://%[6]s"

[transport.sms]
domain = "sms.example.test"
secret = "secret"
provider = "twilio"
account = "%[7]s"
token = "%[8]s"
api_url = "%[9]s"
numbers = ["%[11]s"]

[transport.irc]
domain = "irc.example.test"
secret = "secret"
networks = ["irc.test"]

[transport.irc.network."irc.test"]
address = "irc://%[12]s"
`

func (w *World) gangway(o Options) (err error) {
	dir := filepath.Dir(w.Config)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	access := o.Access
	if access == "" {
		access = "*@" + Domain
	}
	text := fmt.Sprintf(configuration, w.Prosody.ComponentAddr(), filepath.Join(dir, "gangway.db"), w.Web, w.Hooks, w.LMTP,
		w.Mail.SMTPAddr(), twilio.DefaultAccountSID, twilio.DefaultAuthToken, w.API, access,
		strings.Join(Numbers(), `", "`), w.IRC.Addr())
	if err := os.WriteFile(w.Config, []byte(text+o.Extra), 0o600); err != nil {
		return err
	}
	w.Gangway, err = servers.NewGangway(servers.GangwayConfig{Dir: dir, Binary: o.Binary, Config: w.Config, Web: w.Web})
	return err
}

// Start starts everything, the program last, and returns when all of it answers.
func (w *World) Start(ctx context.Context) error {
	run, stop := context.WithCancel(context.WithoutCancel(ctx))
	w.stop = stop
	w.run.Go(func() { w.err = w.Twilio.Run(run) })
	for _, s := range []servers.Server{w.Prosody, w.Mail, w.IRC, w.Gangway} {
		if err := s.Start(ctx); err != nil {
			return errors.Join(err, w.Stop())
		}
	}
	return nil
}

// Stop stops what runs, the program first.
func (w *World) Stop() error {
	var errs []error
	for _, s := range []servers.Server{w.Gangway, w.IRC, w.Mail, w.Prosody} {
		errs = append(errs, s.Stop())
	}
	if w.stop != nil {
		w.stop()
		w.run.Wait()
		errs = append(errs, w.err)
	}
	return errors.Join(errs...)
}

// Login logs in as a user of the XMPP server, available, with a resource.
func (w *World) Login(ctx context.Context, user, resource string, opts ...client.Option) (*client.Client, error) {
	c, err := client.Dial(ctx, w.Prosody.Addr(), user+"@"+Domain+"/"+resource, Password, opts...)
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
