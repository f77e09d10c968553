package auth

import (
	"context"
	"fmt"
	"net/netip"
	"strings"
	"sync"

	"blitiri.com.ar/go/spf"
)

// Envelope is how a mail came to us. Domains are in A-labels.
type Envelope struct {
	IP   netip.Addr
	Helo string
	From string // of MAIL; empty: a bounce
}

// Verifier checks mails that we are the first to receive. It is safe for concurrent use.
type Verifier struct{ Resolver Resolver }

// Verify finds out whether a mail is from the domains that its From fields name, in A-labels, one for each mailbox. It
// takes as long as DNS does, and at most 20 seconds.
func (v *Verifier) Verify(ctx context.Context, e Envelope, from []string, mail []byte) Result {
	ctx, cancel := context.WithTimeout(ctx, verifyTime)
	defer cancel()
	dns := &bounded{Resolver: v.Resolver, left: maxLookups}
	m := split(mail)
	domain, why := single(m, from)
	if why != "" {
		return Result{DMARC: Check{Value: PermError, Reason: why}, Policy: askReject, Verdict: Rejected}
	}
	r := Result{DMARC: Check{Value: None, Domain: domain}}
	var (
		signatures []Check
		policy     *record
		err        error
		all        sync.WaitGroup
	)
	all.Go(func() { r.SPF = verifySPF(ctx, dns, e) })
	all.Go(func() { policy, err = lookupPolicy(ctx, dns, domain) })
	signatures = verifyDKIM(ctx, dns, m, domain)
	all.Wait()
	if policy == nil {
		policy = &record{domain: domain}
	}
	r.decide(policy, domain, signatures, mail)
	if err != nil { // the domain may ask for anything: only that it is the right one could be told
		r.DMARC = Check{TempError, domain, reason(err.Error())}
	}
	return r
}

// single returns the one domain that a mail says it is from (RFC 7489 section 6.6.1), or why there is none.
func single(m *message, from []string) (domain, why string) {
	if n := m.count("from"); n != 1 {
		return "", fmt.Sprintf("%d From fields", n)
	}
	if len(from) == 0 {
		return "", "no sender in From"
	}
	for _, other := range from[1:] {
		if !strings.EqualFold(other, from[0]) {
			return "", "senders of several domains in From"
		}
	}
	return lower(from[0]), ""
}

// decide applies a policy, which may be one that asks for nothing.
func (r *Result) decide(policy *record, from string, signatures []Check, mail []byte) {
	r.DKIM = best(signatures, from, policy.strictDKIM)
	bySPF := aligned(r.SPF.Domain, from, policy.strictSPF)
	pass, unsure := bySPF && r.SPF.Value == Pass, bySPF && r.SPF.Value == TempError
	for _, s := range signatures {
		if aligned(s.Domain, from, policy.strictDKIM) {
			pass, unsure = pass || s.Value == Pass, unsure || s.Value == TempError
		}
	}
	if policy.policy != "" {
		r.Policy = policy.asks(from, mail)
		r.DMARC.Value = Fail
	}
	switch {
	case pass:
		r.Verdict = Verified
		if policy.policy != "" {
			r.DMARC.Value = Pass
		}
	case unsure && policy.policy != "":
		r.Verdict, r.DMARC.Value = Unverified, TempError
		if r.Policy == askReject {
			r.Verdict = Deferred
		}
	case r.Policy == askReject:
		r.Verdict = Rejected
	default:
		r.Verdict = Unverified
	}
}

// best is the signature to speak of: one that passes before one that does not, and of those one of the From's domain.
func best(signatures []Check, from string, strict bool) Check {
	found, rank := Check{Value: None}, -1
	for _, s := range signatures {
		n := 0
		if aligned(s.Domain, from, strict) {
			n += 2
		}
		if s.Value == Pass {
			n++
		}
		if n > rank {
			found, rank = s, n
		}
	}
	return found
}

// verifySPF checks the envelope: MAIL FROM, or, for a bounce, HELO (RFC 7208 section 2.4).
func verifySPF(ctx context.Context, dns *bounded, e Envelope) (c Check) {
	domain := e.Helo
	if i := strings.LastIndexByte(e.From, '@'); i >= 0 {
		domain = e.From[i+1:]
	}
	if !isHostname(domain) || !strings.Contains(domain, ".") || !e.IP.IsValid() {
		return Check{Value: None, Reason: "no domain to ask"}
	}
	c = Check{Value: PermError, Domain: lower(domain)}
	defer func() {
		if p := recover(); p != nil {
			c.Value, c.Reason = PermError, reason(fmt.Sprint("panic: ", p))
		}
	}()
	sender := "postmaster@" + domain
	if local, _, ok := strings.Cut(e.From, "@"); ok && local+"@"+domain == e.From && isHostname(local) {
		sender = e.From // for macros; one that is quoted would be taken apart wrongly
	}
	value, err := spf.CheckHostWithSender(e.IP.Unmap().AsSlice(), e.Helo, sender, spf.WithContext(ctx), spf.WithResolver(dns))
	c.Value = known(string(value))
	if err != nil {
		c.Reason = reason(err.Error())
	}
	return c
}
