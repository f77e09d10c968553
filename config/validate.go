package config

import (
	"net"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// transportName is what may stand in a path under /hooks/ and in a metric's label.
var transportName = regexp.MustCompile(`^[a-z][a-z0-9_-]{0,31}$`)

// validate returns what the single values do not show: what is missing, contradicts or is dangerous.
func (c *Config) validate() []*Error {
	v := validation{doc: c.doc.get()}
	for i, jid := range c.Admins {
		if why := whyNotBareJID(jid); why != "" {
			v.add(strconv.Quote(jid)+" "+why, "write a bare JID, as in \"admin@example.org\"", "admins", strconv.Itoa(i))
		}
	}
	v.xmpp(c)
	v.store(c)
	v.access(c)
	v.limits(c.Limits)
	v.web(c)
	v.media(c)
	v.archive(c)
	v.oneOf(c.Log.Level, []string{"debug", "info", "warn", "error"}, "log", "level")
	v.oneOf(c.Log.Format, []string{"text", "json"}, "log", "format")
	v.transports(c)
	return v.errs
}

type validation struct {
	doc  *document
	errs []*Error
}

func (v *validation) add(why, next string, path ...string) {
	v.errs = append(v.errs, v.doc.errorf(path, why, next))
}

func (v *validation) xmpp(c *Config) {
	const example = "write the host server's component port, as in \"127.0.0.1:5347\""
	for _, t := range c.Transports {
		if t.Server != "" {
			v.server(c, t.Server, transportTable, t.Name, "server")
		} else if c.XMPP.Server == "" {
			v.add("is not set", example, "xmpp", "server")
			break
		}
	}
	if c.XMPP.Server != "" {
		v.server(c, c.XMPP.Server, "xmpp", "server")
	}
	if why := whyNotDomain(c.XMPP.Domain); c.XMPP.Domain != "" && why != "" {
		v.add(why, "write the host server's own domain, as in \"example.org\"", "xmpp", "domain")
	}
}

// server checks the address of a host server, and that the component's secret does not cross a network in the clear.
func (v *validation) server(c *Config, addr string, path ...string) {
	if why := whyNotAddress(addr, true); why != "" {
		v.add(strconv.Quote(addr)+" "+why, "write host:port, as in \"127.0.0.1:5347\"", path...)
		return
	}
	if c.XMPP.TLS || c.XMPP.Insecure || loopback(addr) {
		return
	}
	v.add(addr+" is another machine and TLS is off: whoever is between can read every message and take the component over",
		"set tls = true under [xmpp] if the server's component port has TLS (ejabberd: tls, Prosody: through stunnel), "+
			"or insecure = true if the network between is yours alone", path...)
}

func (v *validation) store(c *Config) {
	url := c.Store.URL.Reveal()
	scheme, rest, _ := strings.Cut(url, ":")
	known := scheme == "sqlite" || scheme == "postgres" || scheme == "postgresql"
	if !known || strings.Trim(rest, "/") == "" {
		v.add("names no database that is known", "write \"sqlite:/path/to/gangway.db\" or \"postgres://...\"", "store", "url")
	}
	if key := c.Store.Key; key.IsSet() && !isKey(key.Reveal()) {
		v.add("is not 32 bytes in hex", "make one with: openssl rand -hex 32", "store", "key")
	}
}

func isKey(s string) bool {
	return len(s) == 64 && strings.Trim(s, "0123456789abcdefABCDEF") == ""
}

func (v *validation) access(c *Config) {
	if !slices.Contains([]string{"accept", "request", "reject"}, c.Access.Strangers) {
		v.add(strconv.Quote(c.Access.Strangers)+" is not what can become of strangers", "write \"accept\", \"request\" or \"reject\"", "access", "strangers")
	}
	for i, pattern := range c.Access.Allow {
		if pattern == "*" {
			continue
		}
		why := whyNotBareJID(pattern)
		if domain, ok := strings.CutPrefix(pattern, "*@"); ok {
			why = whyNotDomain(domain)
		} else if why == "" && strings.Contains(pattern, "*") {
			why = "has a * in it"
		}
		if why != "" {
			v.add(strconv.Quote(pattern)+" "+why, "write a bare JID, \"*@domain\" or \"*\"", "access", "allow", strconv.Itoa(i))
		}
	}
}

func (v *validation) web(c *Config) {
	const example = "write host:port, as in \"127.0.0.1:8090\""
	for key, addr := range map[string]string{"listen": c.Web.Listen, "hooks": c.Web.Hooks} {
		if why := whyNotAddress(addr, false); addr != "" && why != "" {
			v.add(strconv.Quote(addr)+" "+why, example, "web", key)
		}
	}
	if c.Web.Listen != "" && c.Web.Listen == c.Web.Hooks && !strings.HasSuffix(c.Web.Listen, ":0") {
		v.add("is the address of listen too", "give webhooks a port of their own: the world may see it, "+
			"and must not see the admin pages", "web", "hooks")
	}
	if c.Web.PublicURL == "" {
		return
	}
	u, err := url.Parse(c.Web.PublicURL)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || u.RawQuery != "" || u.Fragment != "" || u.User != nil {
		v.add("is not the address of a web server", "write it as in \"https://gw.example.org\"", "web", "public_url")
	} else if strings.HasSuffix(c.Web.PublicURL, "/") {
		v.add("ends with a slash", "leave it out", "web", "public_url")
	}
}

func (v *validation) oneOf(value string, known []string, path ...string) {
	if slices.Contains(known, value) {
		return
	}
	next := "write one of " + strings.Join(known, ", ")
	if s := nearest(value, known); s != "" {
		next = "did you mean " + strconv.Quote(s) + "?"
	}
	v.add(strconv.Quote(value)+" is not known", next, path...)
}

func (v *validation) transports(c *Config) {
	if len(c.Transports) == 0 {
		v.add("there is no transport", "add a table such as [transport.irc]; see the example")
		return
	}
	owner := make(map[string]string)
	for i := range c.Transports {
		t := &c.Transports[i]
		if !transportName.MatchString(t.Name) {
			v.add("is no name for a transport", "use up to 32 of a-z, 0-9, - and _, a letter first", t.path()...)
		}
		if t.Driver == "" {
			v.add("is empty", "leave it out: the name says it", t.path("driver")...)
		}
		if !t.Secret.IsSet() && t.table.get()["secret"] == nil {
			v.add("is not set", "set it to the component_secret of "+orDomain(t.Domain)+" in the host server", t.path("secret")...)
		}
		v.domain(c, t, owner)
	}
}

func orDomain(s string) string {
	if s == "" {
		return "the component"
	}
	return s
}

// domain checks a transport's domain; owner says which transport has a domain already.
func (v *validation) domain(c *Config, t *Transport, owner map[string]string) {
	key := strings.ToLower(t.Domain)
	switch why := whyNotDomain(t.Domain); {
	case t.Domain == "":
		v.add("is not set", "write the component's domain, as in \""+t.Name+".example.org\"", t.path("domain")...)
	case why != "":
		v.add(strconv.Quote(t.Domain)+" "+why, "write the component's domain, as in \""+t.Name+".example.org\"", t.path("domain")...)
	case strings.EqualFold(t.Domain, c.XMPP.Domain):
		v.add(t.Domain+" is the host server's own domain", "use a subdomain, as in \""+t.Name+"."+t.Domain+"\"", t.path("domain")...)
	case owner[key] != "":
		v.add(t.Domain+" is the domain of [transport."+owner[key]+"] too", "give each transport its own", t.path("domain")...)
	default:
		owner[key] = t.Name
	}
}

// whyNotAddress says what keeps s from being a host and a port, or "". A listener may leave the host out, and have
// port 0 for any.
func whyNotAddress(s string, dial bool) string {
	host, port, err := net.SplitHostPort(s)
	if err != nil {
		return "is not a host and a port"
	}
	n, err := strconv.ParseUint(port, 10, 16)
	switch {
	case err != nil || dial && n == 0:
		return "has no port number from 1 to 65535"
	case dial && host == "":
		return "has no host"
	case host == "":
		return ""
	}
	if _, err := netip.ParseAddr(host); err == nil {
		return ""
	}
	if whyNotDomain(host) != "" {
		return "has a host that " + whyNotDomain(host)
	}
	return ""
}

// loopback says whether what is sent to addr stays on this machine.
func loopback(addr string) bool {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return false
	}
	if strings.EqualFold(host, "localhost") {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.Unmap().IsLoopback()
}

// warnings returns what works but should not stay so.
func (c *Config) warnings() []*Error {
	var all []*Error
	doc := c.doc.get()
	warn := func(why, next string, path ...string) { all = append(all, doc.errorf(path, why, next)) }
	if len(c.Access.Allow) == 0 && !c.Access.Approve && !c.Access.Invites {
		warn("nobody but the administrators may register", "set allow = [\"*@your.domain\"] under [access]", "access", "allow")
	}
	if c.Access.Approve && len(c.Admins) == 0 {
		warn("there is nobody to be told who asks to be let in", "name administrators: admins = [\"admin@example.org\"]",
			"access", "approve")
	}
	if slices.Contains(c.Access.Allow, "*") {
		warn("everyone in the world may register", "name the domains whose users may: \"*@example.org\"", "access", "allow")
	}
	if c.XMPP.Domain == "" {
		warn("is not set: what is handed to the host server while it stops may be lost", "set it to the host server's own domain",
			"xmpp", "domain")
	}
	if c.Web.Listen != "" && !loopback(c.Web.Listen) {
		warn(c.Web.Listen+" can be reached from other machines", "use 127.0.0.1 and a reverse proxy with TLS", "web", "listen")
	}
	return all
}

// exposed returns the secrets that stand in the file itself, for when others can read it.
func (c *Config) exposed() []*Error {
	var all []*Error
	doc := c.doc.get()
	note := func(path ...string) {
		all = append(all, doc.errorf(path, "the secret stands in a file that everyone on this machine can read",
			"chmod 0640 "+doc.file+", or give the secret a file of its own: { file = \"...\" }"))
	}
	if s, ok := doc.root["store"].(map[string]any); ok {
		if _, ok := s["key"].(string); ok {
			note("store", "key")
		}
		if _, ok := s["url"].(string); ok && hasPassword(c.Store.URL.Reveal()) {
			note("store", "url")
		}
	}
	for i := range c.Transports {
		if _, ok := c.Transports[i].table.get()["secret"].(string); ok {
			note(c.Transports[i].path("secret")...)
		}
	}
	return all
}

func hasPassword(dsn string) bool {
	u, err := url.Parse(dsn)
	if err != nil || u.User == nil {
		return strings.Contains(dsn, "password=")
	}
	_, has := u.User.Password()
	return has
}
