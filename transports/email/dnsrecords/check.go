package dnsrecords

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"

	"golang.org/x/net/publicsuffix"

	"gangway/transports/email/dkim"
	"gangway/transports/email/mtasts"

	"blitiri.com.ar/go/spf"
)

// Resolver asks the DNS. *net.Resolver is one.
type Resolver interface {
	LookupTXT(ctx context.Context, name string) ([]string, error)
	LookupMX(ctx context.Context, name string) ([]*net.MX, error)
	LookupIPAddr(ctx context.Context, host string) ([]net.IPAddr, error)
	LookupAddr(ctx context.Context, addr string) ([]string, error)
}

// State is what was found of a record.
type State string

// The states.
const (
	OK      State = "ok"
	Missing State = "missing" // there is none
	Differs State = "differs" // there is another one, which will not do
	Unknown State = "unknown" // the DNS, or a web server, did not answer
)

// Result is what was found of a record.
type Result struct {
	Record
	State State  `json:"state"`
	Found string `json:"found,omitempty"` // what is there
	Do    string `json:"do,omitempty"`    // what is to be done, or known
}

// Checker looks at what is published.
type Checker struct {
	Resolver Resolver
	// Policy fetches the MTA-STS policy of a domain.
	Policy mtasts.Fetcher
}

// Check looks at each record of a domain, in their order.
func (c *Checker) Check(ctx context.Context, d Domain) []Result {
	records := d.Records()
	all := make([]Result, len(records))
	for i, r := range records {
		all[i] = c.one(ctx, d, r)
		all[i].Record = r
	}
	return all
}

// Good says whether nothing is wrong that mail would be refused for.
func Good(all []Result) bool {
	return !slices.ContainsFunc(all, func(r Result) bool { return r.State != OK && !r.Optional })
}

func (c *Checker) one(ctx context.Context, d Domain, r Record) Result {
	switch r.kind {
	case kindMX:
		return c.mx(ctx, d)
	case kindAddress:
		return c.address(ctx, r)
	case kindSPF:
		return c.spf(ctx, d, r)
	case kindDKIM:
		return c.dkim(ctx, r)
	case kindDMARC:
		return c.dmarc(ctx, d)
	case kindSTS:
		return c.tagged(ctx, r, "v=STSv1", "id", true)
	case kindPolicy:
		return c.policy(ctx, d)
	case kindReports:
		return c.tagged(ctx, r, "v=TLSRPTv1", "rua", false)
	case kindPTR:
		return c.ptr(ctx, d, r)
	}
	return c.hello(ctx, d)
}

// failed is the result where the DNS had no answer: that there is nothing, or that nobody knows.
func failed(err error) Result {
	var e *net.DNSError
	if errors.As(err, &e) && e.IsNotFound {
		return Result{State: Missing, Do: "publish it"}
	}
	return Result{State: Unknown, Found: err.Error(), Do: "see whether the name servers of the domain answer, and try again"}
}

func (c *Checker) mx(ctx context.Context, d Domain) Result {
	all, err := c.Resolver.LookupMX(ctx, d.Name)
	if err != nil {
		return failed(err)
	}
	if len(all) == 0 {
		return Result{State: Missing, Do: "publish it"}
	}
	var found []string
	ours := false
	for _, mx := range all {
		host := strings.ToLower(strings.TrimSuffix(mx.Host, "."))
		found = append(found, fmt.Sprintf("%d %s.", mx.Pref, host))
		ours = ours || host == d.Host
	}
	r := Result{State: OK, Found: strings.Join(found, ", ")}
	switch {
	case len(all) == 1 && all[0].Host == ".":
		r.State, r.Do = Differs, "it says that the domain takes no mail (RFC 7505): replace it"
		return r
	case !ours:
		r.State, r.Do = Differs, "none of these is "+d.Host+": publish it, or name the server of yours that takes the mail with --host"
		return r
	}
	for _, mx := range all {
		if ips, err := c.Resolver.LookupIPAddr(ctx, strings.TrimSuffix(mx.Host, ".")); err != nil || len(ips) == 0 {
			r.State, r.Do = Differs, mx.Host+" has no address: publish A or AAAA for it, or take it out"
		}
	}
	return r
}

func (c *Checker) addresses(ctx context.Context, host string) ([]netip.Addr, error) {
	all, err := c.Resolver.LookupIPAddr(ctx, host)
	if err != nil {
		return nil, err
	}
	var ips []netip.Addr
	for _, a := range all {
		if ip, ok := netip.AddrFromSlice(a.IP); ok {
			ips = append(ips, ip.Unmap())
		}
	}
	return ips, nil
}

func (c *Checker) address(ctx context.Context, r Record) Result {
	ips, err := c.addresses(ctx, r.Name)
	if err != nil {
		return failed(err)
	}
	want, _ := netip.ParseAddr(r.Value)
	var found []string
	for _, ip := range ips {
		if ip.Is4() == want.Is4() {
			found = append(found, ip.String())
		}
	}
	switch {
	case len(found) == 0:
		return Result{State: Missing, Do: "publish it"}
	case !slices.Contains(ips, want):
		return Result{State: Differs, Found: strings.Join(found, ", "), Do: "publish it, or say what the server's address is with --ip"}
	}
	return Result{State: OK, Found: strings.Join(found, ", ")}
}

// texts are the TXT records of a name that begin with a word.
func (c *Checker) texts(ctx context.Context, name, begin string) ([]string, error) {
	all, err := c.Resolver.LookupTXT(ctx, name)
	if err != nil {
		return nil, err
	}
	var found []string
	for _, text := range all {
		rest, ok := cutFold(text, begin)
		if ok && (rest == "" || rest[0] == ' ' || rest[0] == ';') {
			found = append(found, text)
		}
	}
	return found, nil
}

func cutFold(s, prefix string) (rest string, ok bool) {
	if len(s) < len(prefix) || !strings.EqualFold(s[:len(prefix)], prefix) {
		return s, false
	}
	return s[len(prefix):], true
}

// only is the one record of a name that there may be; ok is false where the result says what is wrong.
func (c *Checker) only(ctx context.Context, name, begin string) (text string, r Result, ok bool) {
	all, err := c.texts(ctx, name, begin)
	switch {
	case err != nil:
		return "", failed(err), false
	case len(all) == 0:
		return "", Result{State: Missing, Do: "publish it"}, false
	case len(all) > 1:
		return "", Result{
			State: Differs, Found: strings.Join(all, " | "),
			Do: fmt.Sprintf("there are %d records that begin with %s, so that none of them counts: make one of them", len(all), begin),
		}, false
	}
	return all[0], Result{State: OK, Found: all[0]}, true
}

// spf evaluates what is published for the addresses that mail comes from, with all its includes and redirects.
func (c *Checker) spf(ctx context.Context, d Domain, want Record) Result {
	_, r, ok := c.only(ctx, d.Name, "v=spf1")
	if !ok {
		return r
	}
	ips, from := d.IPs, "your server"
	if d.Relay != "" {
		var err error
		if ips, err = c.addresses(ctx, d.Relay); err != nil {
			r.Do = "the addresses of the relay cannot be found out; ask its operator what belongs into this record"
			return r
		}
		from = "the relay " + d.Relay + " (it may send from others: ask its operator what belongs into this record)"
	}
	for _, ip := range ips {
		result, err := spf.CheckHostWithSender(ip.AsSlice(), d.Hello, "postmaster@"+d.Name, spf.WithContext(ctx), spf.WithResolver(c.Resolver))
		switch result {
		case spf.Pass:
			continue
		case spf.TempError:
			return Result{State: Unknown, Found: r.Found, Do: "the name servers of what it includes do not answer: try again"}
		case spf.PermError:
			return Result{State: Differs, Found: r.Found, Do: fmt.Sprintf("it is not valid (%v): publish %q", err, want.Value)}
		}
		r.State = Differs
		r.Do = fmt.Sprintf("%s is not allowed by it (%s): add it, as in %q", ip, result, want.Value)
		return r
	}
	if len(ips) > 0 {
		r.Do = "it allows " + from
	}
	return r
}

func (c *Checker) dkim(ctx context.Context, want Record) Result {
	all, err := c.Resolver.LookupTXT(ctx, want.Name) // through a CNAME, too
	if err != nil {
		return failed(err)
	}
	found := strings.Join(all, " | ")
	for _, text := range all {
		if dkim.SameRecord(text, want.Value) {
			if len(all) > 1 {
				return Result{State: Differs, Found: found, Do: "there are several records, so that it is chance which one is used: leave only this one"}
			}
			return Result{State: OK, Found: text}
		}
	}
	return Result{State: Differs, Found: found, Do: "it is another key, or was cut off: publish it in strings of at most 255 bytes"}
}

// dmarc looks at the record of the domain, or else of the organization's (RFC 7489 section 6.6.3).
func (c *Checker) dmarc(ctx context.Context, d Domain) Result {
	text, r, ok := c.only(ctx, "_dmarc."+d.Name, "v=DMARC1")
	policy := "p"
	if org, err := publicsuffix.EffectiveTLDPlusOne(d.Name); !ok && r.State == Missing && err == nil && org != d.Name {
		if text, r, ok = c.only(ctx, "_dmarc."+org, "v=DMARC1"); ok {
			r.Found = "_dmarc." + org + ": " + text
			if tagOf(text, "sp") != "" {
				policy = "sp"
			}
		}
	}
	if !ok {
		return r
	}
	switch p := strings.ToLower(tagOf(text, policy)); p {
	case "reject", "quarantine":
	case "none":
		r.Do = "p=none asks nobody to refuse false mail; change it once your own mail passes"
	default:
		r.State, r.Do = Differs, fmt.Sprintf("%s=%s is no policy: say %s=quarantine", policy, p, policy)
	}
	return r
}

// tagged looks at a record that must have a tag, or the same value of it.
func (c *Checker) tagged(ctx context.Context, want Record, begin, tag string, same bool) Result {
	text, r, ok := c.only(ctx, want.Name, begin)
	if !ok {
		return r
	}
	got := tagOf(text, tag)
	switch {
	case got == "":
		r.State, r.Do = Differs, "it has no "+tag+": publish "+want.Value
	case same && got != tagOf(want.Value, tag):
		r.Do = "its id is another one, which is good as long as it changes with the policy"
	}
	return r
}

func tagOf(text, name string) string {
	for part := range strings.SplitSeq(text, ";") {
		if k, v, ok := strings.Cut(part, "="); ok && strings.EqualFold(strings.TrimSpace(k), name) {
			return strings.TrimSpace(v)
		}
	}
	return ""
}

func (c *Checker) policy(ctx context.Context, d Domain) Result {
	if c.Policy == nil {
		return Result{State: Unknown}
	}
	text, err := c.Policy(ctx, d.Name)
	if err != nil {
		return Result{State: Missing, Found: err.Error(), Do: "serve it there, over HTTPS and without a redirect"}
	}
	p, err := mtasts.Parse(text)
	if err != nil {
		return Result{State: Differs, Found: err.Error(), Do: "serve the file as it is printed here"}
	}
	r := Result{State: OK, Found: p.Name()}
	if !p.Allows(d.Host) {
		r.State, r.Do = Differs, d.Host+" is none of its mx: nobody that heeds it can send you mail"
	} else if !p.Enforced() {
		r.Do = "it is not enforced"
	}
	return r
}

// ptr wants a name of the address that leads back to the address.
func (c *Checker) ptr(ctx context.Context, d Domain, want Record) Result {
	names, err := c.Resolver.LookupAddr(ctx, want.Name)
	r := Result{State: Missing}
	if err != nil {
		r = failed(err)
	}
	if len(names) == 0 {
		if r.State == Missing {
			r.Do = "have whoever gave you the address set it: Gmail and others take nothing from addresses without a name"
		}
		return r
	}
	ip, _ := netip.ParseAddr(want.Name)
	r = Result{State: Differs, Found: strings.Join(names, ", "), Do: "none of these names leads back to the address"}
	for _, name := range names {
		name = strings.ToLower(strings.TrimSuffix(name, "."))
		if ips, err := c.addresses(ctx, name); err == nil && slices.Contains(ips, ip) {
			r.State, r.Do = OK, ""
			if name == d.Hello {
				return r
			}
			r.Do = "it leads back, but is not what the server calls itself: set hello = \"" + name + "\""
		}
	}
	return r
}

// hello wants what the server calls itself to lead to the addresses that it sends from.
func (c *Checker) hello(ctx context.Context, d Domain) Result {
	ips, err := c.addresses(ctx, d.Hello)
	if err != nil {
		return failed(err)
	}
	var found []string
	for _, ip := range ips {
		found = append(found, ip.String())
	}
	r := Result{State: OK, Found: strings.Join(found, ", ")}
	for _, ip := range d.IPs {
		if !slices.Contains(ips, ip) {
			r.State, r.Do = Differs, "it does not lead to "+ip.String()
		}
	}
	return r
}
