package email

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/emersion/go-smtp"

	"gangway/transports/email/auth"
	"gangway/transports/email/mime"
)

// trustSettings say what is made of mail that may not be from whom it names.
type trustSettings struct {
	AuthServID string `toml:"authserv_id"` // of the mail server behind lmtp: whose Authentication-Results are believed
	Verify     string `toml:"verify"`      // what smtp does with mail that fails: "reject", "mark" or "off"
	DNS        string `toml:"dns"`         // host:port of the DNS server to ask; empty: the system's
	Show       bool   `toml:"show_unverified"`
}

// What is done with mail whose domain asks for it to be refused.
const (
	verifyReject = "reject"
	verifyMark   = "mark" // it is shown, as not verified
	verifyOff    = "off"  // nobody looks
)

func defaultTrust() trustSettings { return trustSettings{Verify: verifyReject, Show: true} }

// configureTrust checks the settings.
func (t *transport) configureTrust() error {
	s := &t.settings.trustSettings
	switch s.Verify {
	case verifyReject, verifyMark, verifyOff:
	default:
		return fmt.Errorf("verify must be %q, %q or %q, not %q", verifyReject, verifyMark, verifyOff, s.Verify)
	}
	resolver, err := newResolver(s.DNS)
	if err != nil {
		return err
	}
	t.resolver, t.verifier = resolver, &auth.Verifier{Resolver: resolver}
	return nil
}

// arrival is how a mail came here.
type arrival struct {
	from string     // of the envelope
	ip   netip.Addr // of who sent it, where that is the world; else not valid
	helo string
}

// envelope is the arrival as SPF has it.
func (a arrival) envelope() auth.Envelope {
	e := auth.Envelope{IP: a.ip, Helo: a.helo}
	if from, err := parseAddress(a.from); err == nil {
		e.From = from.local + "@" + from.wire
	}
	return e
}

// authenticate finds out whether a letter is from whom it names, and refuses what its sender's domain asks to refuse.
// Mail that a mail server in front of us has taken is never refused: that server would send a bounce to whoever is
// named as the sender.
func (t *transport) authenticate(ctx context.Context, l *letter, raw []byte, a arrival) error {
	s := t.settings.trustSettings
	switch {
	case !a.ip.IsValid():
		if s.AuthServID != "" {
			l.auth = auth.Trusted(fieldsOf(l.mail.Root.Header), s.AuthServID, l.from.wire)
			if l.auth.Verdict == auth.Unknown {
				l.auth.Verdict = auth.Unverified
			}
		}
	case s.Verify == verifyOff:
		return nil
	default:
		l.auth = t.verifier.Verify(ctx, a.envelope(), l.fromDomains(), raw)
	}
	if l.auth.Verdict == auth.Unknown {
		return nil
	}
	ours := strings.EqualFold(l.from.wire, t.wire)
	if ours && l.auth.Verdict != auth.Verified && t.traced(ctx, raw) {
		l.auth.Verdict, l.auth.Server = auth.Verified, t.wire // a mail of ours that came back
	}
	if !a.ip.IsValid() || s.Verify != verifyReject {
		return nil
	}
	return refusalOf(l.auth, ours)
}

// refusalOf is the answer to a mail that is not to be taken; nil if it is.
func refusalOf(r auth.Result, ours bool) error {
	switch {
	case r.Verdict == auth.Deferred:
		return refusal(451, smtp.EnhancedCode{4, 7, 0}, "The sender cannot be verified at the moment: DNS does not answer")
	case r.Verdict == auth.Rejected && r.DMARC.Domain == "":
		return refusal(550, smtp.EnhancedCode{5, 7, 1}, "A message must have one From field, with one sender")
	case r.Verdict == auth.Rejected:
		return refusal(550, smtp.EnhancedCode{5, 7, 1}, "The sender's domain asks for messages like this to be refused (DMARC): it is neither "+
			"from one of its servers nor signed by it")
	case ours && r.Verdict != auth.Verified:
		return refusal(550, smtp.EnhancedCode{5, 7, 1}, "The message claims to be from this domain, and is not")
	}
	return nil
}

// fromDomains are the domains of all senders in From, in A-labels; what is no address has none that anybody can vouch for.
func (l *letter) fromDomains() []string {
	var all []string
	for _, mb := range l.mail.Root.Mailboxes("From") {
		domain := "invalid"
		if a, err := parseAddress(mb.Addr); err == nil {
			domain = a.wire
		}
		if !slices.Contains(all, domain) {
			all = append(all, domain)
		}
	}
	return all
}

func fieldsOf(h mime.Header) []auth.Field {
	var all []auth.Field
	for _, f := range h {
		switch strings.ToLower(f.Name) {
		case "received", "authentication-results":
			all = append(all, auth.Field{Name: f.Name, Value: f.Value()})
		}
	}
	return all
}
