package irc

import (
	"maps"
	"net/url"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"gangway/core"
	"gangway/transports/irc/isupport"
)

const (
	maxAddress = 1000
	maxChannel = 200    // RFC 2812 section 1.3: 50; networks go further (CHANNELLEN)
	chanTypes  = "#&!+" // RFC 2811 section 2.1; which of them a network has is known only when connected
)

// Parse accepts, in any case: #chan%host, nick%host and host; name/#chan and name/nick; irc:// and ircs:// URLs; and
// with a fixed network just #chan and nick.
func (t *transport) Parse(s string) (core.Target, error) {
	if s == "" || len(s) > maxAddress || !utf8.ValidString(s) || strings.ContainsFunc(s, unicode.IsControl) {
		return core.Target{}, t.misaddressed()
	}
	scheme, rest, isURL := strings.Cut(s, "://")
	if isURL && (strings.EqualFold(scheme, "irc") || strings.EqualFold(scheme, "ircs")) {
		return t.parseURL(rest)
	}
	if fixed := t.cfg.FixedNetwork; fixed != "" {
		if strings.EqualFold(s, fixed) {
			return core.Target{Realm: fixed}, nil
		}
		return t.target(fixed, s)
	}
	if i := strings.LastIndexByte(s, '%'); i >= 0 {
		return t.target(s[i+1:], s[:i])
	}
	if name, local, ok := strings.Cut(s, "/"); ok && name != "" && !isChannel(name) {
		return t.target(name, local)
	}
	if isChannel(s) {
		return core.Target{}, t.misaddressed()
	}
	realm, err := t.realm(s)
	return core.Target{Realm: realm}, err
}

// Format is the canonical text: what biboumi's users have in their rosters and bookmarks.
func (t *transport) Format(g core.Target) string {
	switch {
	case g.Address == "":
		return g.Realm
	case t.cfg.FixedNetwork != "":
		return string(g.Address)
	}
	return string(g.Address) + "%" + g.Realm
}

// parseURL reads what follows irc:// or ircs://. The port and the scheme only have to be ones that IRC is known at:
// how a network is reached is not the user's to say.
func (t *transport) parseURL(rest string) (core.Target, error) {
	authority, path, _ := strings.Cut(rest, "/")
	host, port, _ := strings.Cut(authority, ":")
	if port != "" && port != securePort && port != plainPort {
		return core.Target{}, core.E(core.Invalid, "irc: parse",
			"Networks are reached at their usual port here. Leave the port out.")
	}
	path, err := url.PathUnescape(path)
	if err != nil || !utf8.ValidString(path) || strings.ContainsFunc(path, unicode.IsControl) {
		return core.Target{}, t.misaddressed()
	}
	if path == "" {
		realm, err := t.realm(host)
		return core.Target{Realm: realm}, err
	}
	if nick, flag, ok := strings.Cut(path, ","); ok && (flag == "isnick" || flag == "isuser") {
		return t.target(host, nick)
	}
	if !isChannel(path) {
		path = "#" + path
	}
	return t.target(host, path)
}

// target is a channel or a nick on a network.
func (t *transport) target(host, name string) (core.Target, error) {
	if name == "" {
		return core.Target{}, t.misaddressed()
	}
	realm, err := t.realm(host)
	if err != nil {
		return core.Target{}, err
	}
	g := core.Target{Realm: realm, Address: lower(name), Room: isChannel(name)}
	if g.Room && !validChannel(string(g.Address)) || !g.Room && !validNick(string(g.Address)) {
		return core.Target{}, t.misaddressed()
	}
	return g, nil
}

// realm is the network that a host or a short name means.
func (t *transport) realm(name string) (string, error) {
	name = strings.TrimSuffix(strings.ToLower(name), ".")
	if realm := t.aliases[name]; realm != "" {
		name = realm
	}
	fixed := t.cfg.FixedNetwork
	switch {
	case !validHost(name):
		return "", t.misaddressed()
	case fixed != "" && name == fixed:
		return name, nil
	case fixed == "" && (t.networks[name] != nil || t.allowed["*"] || t.allowed[name]):
		return name, nil
	}
	return "", core.E(core.Denied, "irc: parse", "This gateway does not connect to "+name+". It connects to "+t.known()+".")
}

// known names the networks that users may use, for their eyes.
func (t *transport) known() string {
	all := t.realms()
	if len(all) > 8 {
		all = append(all[:8], "others")
	}
	return strings.Join(all, ", ")
}

// realms are the networks that can be named.
func (t *transport) realms() []string {
	if fixed := t.cfg.FixedNetwork; fixed != "" {
		return []string{fixed}
	}
	all := slices.Collect(maps.Keys(t.networks))
	for name := range t.allowed {
		if name != "*" && t.networks[name] == nil {
			all = append(all, name)
		}
	}
	slices.Sort(all)
	return all
}

func (t *transport) misaddressed() *core.Error {
	text := "A channel is written #channel%irc.example.org, a person nick%irc.example.org."
	if t.cfg.FixedNetwork != "" {
		text = "A channel is written #channel, a person by their nick."
	}
	return core.E(core.Invalid, "irc: parse", text)
}

// lower makes the address of a nick or channel: in lower case, as JIDs are, but not folded by the network's
// CASEMAPPING, so that "nick[m]" stays what people see. Who is who is decided by foldings, in the session.
func lower(name string) core.Address { return core.Address(strings.ToLower(name)) }

func isChannel(name string) bool { return name != "" && strings.IndexByte(chanTypes, name[0]) >= 0 }

// validChannel follows RFC 2812 section 1.3: no space, comma, BEL; what else a network refuses it says itself.
func validChannel(name string) bool {
	return len(name) > 1 && len(name) <= maxChannel && !strings.ContainsAny(name, " ,") &&
		!strings.ContainsFunc(name, unicode.IsControl)
}

// validNick leaves out what has a meaning in a line or a target; networks differ in the rest.
func validNick(nick string) bool {
	return nick != "" && len(nick) <= isupport.MaxNick && strings.IndexByte(":$~@%&#!+", nick[0]) < 0 &&
		!strings.ContainsAny(nick, " ,!@*?%") && !strings.ContainsFunc(nick, unicode.IsControl)
}

// validHost accepts DNS names, by whose characters RFC 1123 section 2.1 has them, and IPv4 addresses.
func validHost(name string) bool {
	if name == "" || len(name) > 253 {
		return false
	}
	for label := range strings.SplitSeq(name, ".") {
		if label == "" || len(label) > 63 || label[0] == '-' || label[len(label)-1] == '-' {
			return false
		}
		for _, c := range []byte(label) {
			if (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' && c != '_' {
				return false
			}
		}
	}
	return true
}
