package irc

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"math/rand/v2"
	"net"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"gopkg.in/irc.v4"

	"gangway/core"
)

const (
	checkWithin   = 30 * time.Second // one network, from its name to the end of its MOTD
	checksAtOnce  = 32
	soonOver      = 14 * 24 * time.Hour // a certificate that ends within is worth a warning
	lookAtAddress = "Look at the network's address in the configuration."
)

// The steps of a check, as they are named to the administrator.
const (
	stepResolve  = "resolve"
	stepConnect  = "connect"
	stepTLS      = "tls"
	stepRegister = "register"
)

// Check goes to every network that the configuration names as a user would, under a nick of its own, says what it found
// on the way and what the network can do, and quits.
func (t *transport) Check(ctx context.Context) []core.Finding {
	networks := t.named()
	if len(networks) == 0 {
		return []core.Finding{{Name: "networks", Text: "every public one is allowed; none is named, so there is none to look at"}}
	}
	found := make([][]core.Finding, len(networks))
	room := make(chan struct{}, checksAtOnce)
	var wg sync.WaitGroup
	for i, n := range networks {
		wg.Go(func() {
			room <- struct{}{}
			defer func() { <-room }()
			late := time.NewTimer(checkWithin)
			defer late.Stop()
			found[i] = t.checkNetwork(ctx, n, late.C)
		})
	}
	wg.Wait()
	return slices.Concat(found...)
}

// named are the networks that the configuration names, in order.
func (t *transport) named() []*network {
	all := maps.Clone(t.networks)
	for host := range t.allowed {
		if host != "*" && all[host] == nil {
			all[host] = t.cfg.public(host)
		}
	}
	var list []*network
	for _, name := range slices.Sorted(maps.Keys(all)) {
		list = append(list, all[name])
	}
	return list
}

// checkNetwork looks at one network, until late at most.
func (t *transport) checkNetwork(ctx context.Context, n *network, late <-chan time.Time) []core.Finding {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	p := &probe{net: n, stop: cancel, step: stepResolve}
	quiet := *t
	quiet.host, quiet.log, quiet.dial = p, slog.New(slog.DiscardHandler), p.dial
	quiet.identity = &identity{words: t.identity.words, prefix: t.identity.prefix} // with a key of its own, which is not kept
	p.session = newSession(&quiet, n, core.Account{Options: map[string]string{"nick": "gangway" + strconv.Itoa(rand.IntN(10_000))}}, credentials{})
	var wg sync.WaitGroup
	defer wg.Wait()
	over := make(chan struct{})
	defer close(over)
	wg.Go(func() {
		select {
		case <-late:
			p.giveUp()
		case <-over:
		}
	})
	err := p.session.Run(ctx)
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case p.arrived:
	case p.late:
		p.fail(errors.New(n.name+" lets nobody in within "+checkWithin.String()), "It may be busy, or no IRC server at all. "+lookAtAddress)
	case err != nil:
		p.fail(errors.New(core.AsError(err).Sentence()), n.advice(p.step, err))
	default:
		p.fail(errors.New("the check was interrupted"), "Try again.")
	}
	return p.findings
}

// advice is the next step after a failure.
func (n *network) advice(step string, err error) string {
	var dns *net.DNSError
	var refusal *core.Error
	switch {
	case errors.As(err, &dns):
		return lookAtAddress + " (" + dns.Error() + ")"
	case errors.As(err, new(*tls.CertificateVerificationError)):
		return n.adviceOnCertificate(err)
	case errors.As(err, new(tls.RecordHeaderError)):
		return "Name the port of the network that has TLS, " + securePort + " as a rule. Where it has none, irc:// goes without: everything can be read on the way then."
	case errors.Is(err, syscall.ECONNREFUSED):
		return "Nothing listens at " + n.address + ". " + lookAtAddress
	case step == stepTLS:
		return "Whatever listens at " + n.address + " does not get as far as TLS. Name the network's port that has it, " + securePort + " as a rule." + cause(err)
	case errors.As(err, &refusal) && refusal.Code == irc.ERR_PASSWDMISMATCH:
		return "Look at the network's password in the configuration."
	case core.KindOf(err) == core.Denied && step == stepRegister:
		return "Ask those who run the network to let this machine's address in."
	case errors.As(err, &refusal) && refusal.After > 0:
		return "Wait a minute and try again. A gateway with many users needs an exemption from the network's limits: ask for it."
	case step == stepConnect:
		return "Look at the network's address in the configuration, and at the firewall." + cause(err)
	}
	return lookAtAddress + cause(err)
}

// cause is what the machine says of an error, if that is more than what the user is told.
func cause(err error) string {
	if c := errors.Unwrap(core.AsError(err)); c != nil {
		return " (" + c.Error() + ")"
	}
	return ""
}

// adviceOnCertificate says what is wrong with a certificate, and who can change it.
func (n *network) adviceOnCertificate(err error) string {
	var failed *tls.CertificateVerificationError
	var name x509.HostnameError
	var invalid x509.CertificateInvalidError
	errors.As(err, &failed)
	switch {
	case errors.As(err, &name):
		return "It is the certificate of " + namesOf(name.Certificate) + ". Name one of these in the network's address."
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired && time.Now().After(invalid.Cert.NotAfter):
		return "It ended on " + day(invalid.Cert.NotAfter) + ". Those who run the network must renew it."
	}
	text := "If the network has an authority of its own, name its file as \"ca\". ("
	if len(failed.UnverifiedCertificates) > 0 {
		c := failed.UnverifiedCertificates[0]
		text += "The certificate is of " + namesOf(c) + ", from " + firstOf(c.Issuer.String(), "nobody") + ", good until " + day(c.NotAfter) + "; "
	}
	return text + failed.Err.Error() + ")"
}

func day(t time.Time) string { return t.UTC().Format("2 Jan 2006") }

// namesOf are the names that a certificate is good for, the first few of them.
func namesOf(c *x509.Certificate) string {
	names := slices.Clone(c.DNSNames)
	for _, ip := range c.IPAddresses {
		names = append(names, ip.String())
	}
	const most = 4
	switch more := len(names) - most; {
	case len(names) == 0:
		return "nobody by name"
	case more > 0:
		return strings.Join(names[:most], ", ") + fmt.Sprintf(" and %d more", more)
	}
	return strings.Join(names, ", ")
}
