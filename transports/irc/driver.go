package irc

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"net"
	"slices"
	"strings"
	"time"

	"golang.org/x/text/encoding/htmlindex"

	"gangway/core"
)

// Driver describes IRC. Accounts are made at first use; enrolling is for a nick of one's own and its password.
func Driver() core.Driver {
	return core.Driver{
		Name: "irc", Title: "IRC", Type: "irc", Prompt: "Nick or channel, with its network",
		Lane: core.Live, Pace: 50 * time.Millisecond, Implicit: true,
		Session: (*session)(nil),
		New: func(h core.Host, settings core.Decoder) (core.Transport, error) {
			return newTransport(h, settings)
		},
	}
}

// transport is what all sessions share: the settings and the configured networks. Nothing in it changes after New.
type transport struct {
	host     core.Host
	log      *slog.Logger
	cfg      settings
	networks map[string]*network // configured, by realm
	aliases  map[string]string   // short name or server host -> realm
	allowed  map[string]bool     // further realms, or "*"
	dial     func(context.Context, *network) (net.Conn, error)
	identity *identity
	traffic  map[string]*traffic // by Group
}

func newTransport(h core.Host, decode core.Decoder) (*transport, error) {
	cfg := defaults()
	if err := decode(&cfg); err != nil {
		return nil, err
	}
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	if _, err := htmlindex.Get(cfg.Charset); err != nil {
		return nil, fmt.Errorf("charset %q is not known", cfg.Charset)
	}
	t := &transport{
		host: h, log: h.Logger(), cfg: cfg,
		networks: map[string]*network{}, aliases: map[string]string{}, allowed: map[string]bool{}, dial: dial,
	}
	var err error
	if t.identity, err = newIdentity(&cfg); err != nil {
		return nil, err
	}
	if err := t.configure(); err != nil {
		return nil, err
	}
	t.traffic = t.groups()
	return t, nil
}

// configure makes the configured networks and everything that leads to them.
func (t *transport) configure() error {
	short := map[string][]string{}
	for _, key := range slices.Sorted(maps.Keys(t.cfg.Network)) {
		s := t.cfg.Network[key]
		realm := strings.ToLower(key)
		if !validHost(realm) {
			return fmt.Errorf("network.%q: a network is named like a host", key)
		}
		n, err := t.cfg.configured(realm, s)
		if err != nil {
			return fmt.Errorf("network.%q: %w", key, err)
		}
		t.networks[realm] = n
		for _, alias := range s.Alias {
			t.aliases[strings.ToLower(alias)] = realm
		}
		short[shortName(realm)] = append(short[shortName(realm)], realm)
	}
	for name, realms := range short {
		if t.aliases[name] == "" && len(realms) == 1 && t.networks[name] == nil {
			t.aliases[name] = realms[0]
		}
	}
	for _, host := range t.cfg.Networks {
		host = strings.ToLower(host)
		if host != "*" && !validHost(host) {
			return fmt.Errorf("networks: %q is no host name", host)
		}
		t.allowed[host] = true
	}
	fixed := strings.ToLower(t.cfg.FixedNetwork)
	if fixed != "" && t.networks[fixed] == nil && !t.allowed[fixed] && !t.allowed["*"] {
		return fmt.Errorf("fixed_network: %q is in neither networks nor [transport.irc.network]", fixed)
	}
	t.cfg.FixedNetwork = fixed
	return nil
}

// Single implements core.Single: a fixed network is the gateway itself.
func (t *transport) Single() string { return t.cfg.FixedNetwork }

// shortName is what people call a network: "libera" for "irc.libera.chat".
func shortName(realm string) string {
	name, _, _ := strings.Cut(strings.TrimPrefix(realm, "irc."), ".")
	return name
}

// Run answers who the users are, where networks may ask. Connections belong to sessions.
func (t *transport) Run(ctx context.Context) error { return t.answerIdent(ctx) }

// Open makes the session of an account, whose Realm says on which network.
func (t *transport) Open(a core.Account) (core.Session, error) {
	realm, err := t.realm(firstOf(a.Realm, t.cfg.FixedNetwork))
	if err != nil {
		return nil, err
	}
	n := t.networks[realm]
	if n == nil {
		n = t.cfg.public(realm)
	}
	secrets, err := openCredentials(a.Secret)
	if err != nil {
		return nil, err
	}
	return newSession(t, n, a, secrets), nil
}
