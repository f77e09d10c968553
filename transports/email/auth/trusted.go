package auth

import "strings"

// Field is a header field, unfolded; see Trusted.
type Field struct{ Name, Value string }

// Trusted returns what the mail server in front of us found out about a mail from a domain (in A-labels), from its
// Authentication-Results. server is that server's authserv-id. header are all fields of the mail, from the top.
//
// That server must take out what comes from outside under its own name (RFC 8601 section 5). Should it not do so, what
// it adds itself is still above what came in: so the topmost result of each method counts, and nothing below the
// Received fields that are next to the first field of that server.
func Trusted(header []Field, server, from string) Result {
	r := Result{Server: lower(server)}
	var outcomes []outcome
	fields, hops := 0, 0
	for _, f := range header {
		switch {
		case strings.EqualFold(f.Name, "Received"):
			hops++
			if hops > 1 && fields > 0 {
				return r.judge(outcomes, lower(from))
			}
		case !strings.EqualFold(f.Name, "Authentication-Results") || fields == maxAuthFields:
		default:
			one, ok := parseReport(f.Value)
			if !ok || one.server != r.Server {
				continue
			}
			fields++
			outcomes = append(outcomes, without(one.outcomes, outcomes)...)
		}
	}
	return r.judge(outcomes, lower(from))
}

// without leaves the methods out that were reported above.
func without(outcomes, above []outcome) []outcome {
	var all []outcome
	for _, o := range outcomes {
		seen := false
		for _, a := range above {
			seen = seen || a.method == o.method
		}
		if !seen {
			all = append(all, o)
		}
	}
	return all
}

// judge comes to the verdict. A policy has been applied by who reported it.
func (r Result) judge(outcomes []outcome, from string) Result {
	if len(outcomes) == 0 {
		return r
	}
	var signatures []Check
	for _, o := range outcomes {
		c := Check{Value: o.value, Reason: o.reason}
		switch o.method {
		case "spf":
			if c.Domain = domainOf(o.props["smtp.mailfrom"]); c.Domain == "" {
				c.Domain = domainOf(o.props["smtp.helo"])
			}
			if r.SPF.Value == "" {
				r.SPF = c
			}
		case "dkim":
			if c.Domain = domainOf(o.props["header.d"]); c.Domain == "" {
				c.Domain = domainOf(o.props["header.i"])
			}
			signatures = append(signatures, c)
		case "dmarc":
			if c.Domain = domainOf(o.props["header.from"]); r.DMARC.Value == "" {
				r.DMARC = c
			}
		case "arc":
			if r.ARC.Value == "" {
				r.ARC = c
			}
		}
	}
	if r.DKIM = best(signatures, from, false); len(signatures) == 0 {
		r.DKIM = Check{}
	}
	r.Verdict = r.trusted(signatures, from)
	return r
}

func (r Result) trusted(signatures []Check, from string) Verdict {
	of := r.DMARC.Domain
	switch {
	case from == "":
		return Unverified
	case r.DMARC.Value == Pass && (of == "" || aligned(of, from, false)):
		return Verified
	case r.DMARC.Value != "" && r.DMARC.Value != None:
		return Unverified
	case r.SPF.Value == Pass && aligned(r.SPF.Domain, from, false):
		return Verified
	}
	for _, s := range signatures {
		if s.Value == Pass && aligned(s.Domain, from, false) {
			return Verified
		}
	}
	return Unverified
}
