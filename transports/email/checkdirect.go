package email

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"gangway/core"
	"gangway/transports/email/mx"
)

// wellKnown is a domain whose mail servers are always there: what lets port 25 out lets it out to them.
const wellKnown = "gmail.com"

const portTime = 8 * time.Second

// checkDirect looks at what other servers look at when mail comes straight to them: our name, the address that it
// stands for, and the name that this leads back to. And whether they can be reached at all, which many networks prevent.
func (t *transport) checkDirect(ctx context.Context) []core.Finding {
	name, ours := t.checkHello(ctx)
	all := []core.Finding{name}
	for _, a := range ours {
		all = append(all, t.checkPTR(ctx, a))
	}
	return append(all, t.checkPort(ctx))
}

// checkHello finds the addresses of the name that we call ourselves.
func (t *transport) checkHello(ctx context.Context) (core.Finding, []netip.Addr) {
	hello := t.settings.Hello
	f := core.Finding{Name: "hello"}
	ours, err := mx.Addresses(ctx, t.resolver, hello)
	if err != nil {
		f.Err = err
		f.Text = "publish an A or AAAA record for " + hello + ` with this host's address, or set hello to a name that has one`
		return f, nil
	}
	f.Text = fmt.Sprintf("%s is %s", hello, list(ours))
	if here, ok := isHere(ours); !ok {
		f.Warn, f.Err = true, fmt.Errorf("none of %s is an address of this host, which has %s", list(ours), list(here))
		f.Text = "see that mail leaves from there all the same, as behind NAT"
	}
	return f, ours
}

func list(all []netip.Addr) string {
	texts := make([]string, len(all))
	for i, a := range all {
		texts[i] = a.String()
	}
	return strings.Join(texts, ", ")
}

// isHere says whether one of the addresses is this host's, and which addresses that has on the Internet.
func isHere(any []netip.Addr) (here []netip.Addr, ok bool) {
	all, err := net.InterfaceAddrs()
	if err != nil {
		return nil, true // it cannot be known
	}
	for _, on := range all {
		p, err := netip.ParsePrefix(on.String())
		if err != nil {
			continue
		}
		a := p.Addr()
		ok = ok || slices.Contains(any, a)
		if a.IsGlobalUnicast() {
			here = append(here, a)
		}
	}
	return here, ok
}

// checkPTR looks at the name that an address leads back to: many servers take no mail from an address without one.
func (t *transport) checkPTR(ctx context.Context, a netip.Addr) core.Finding {
	f := core.Finding{Name: "ptr " + a.String()}
	names, err := t.resolver.LookupAddr(ctx, a.String())
	for i, n := range names {
		names[i] = strings.ToLower(strings.TrimSuffix(n, "."))
	}
	switch {
	case slices.Contains(names, t.settings.Hello):
		f.Text = "leads back to " + t.settings.Hello
		return f
	case len(names) > 0:
		f.Err = fmt.Errorf("it leads to %s, and not to %s", strings.Join(names, ", "), t.settings.Hello)
	case err != nil:
		f.Err = err
	default:
		f.Err = errors.New("it leads to no name")
	}
	f.Warn = true
	f.Text = "have whoever gave you the address make its PTR record " + t.settings.Hello + "; without it much mail is refused"
	return f
}

// checkPort connects to servers of a domain that everybody can reach, and says nothing to them.
func (t *transport) checkPort(ctx context.Context) core.Finding {
	f := core.Finding{Name: "port " + strconv.Itoa(t.settings.Port)}
	names, err := mx.Routes(ctx, t.resolver, wellKnown, t.ours)
	if err != nil {
		f.Err, f.Text = err, "see that this host can ask the DNS (dns names another server to ask)"
		return f
	}
	ctx, cancel := context.WithTimeout(ctx, portTime)
	defer cancel()
	d := net.Dialer{Timeout: portTime / 2, Resolver: t.resolver}
	for _, name := range names[:min(len(names), 2)] {
		var c net.Conn
		if c, err = d.DialContext(ctx, "tcp", net.JoinHostPort(name, strconv.Itoa(t.settings.Port))); err == nil {
			c.Close()
			f.Text = name + " can be reached"
			return f
		}
	}
	f.Err = err
	f.Text = "your network lets no mail out: ask whoever runs it to open port 25, or set relay to a server that takes mail from you"
	return f
}
