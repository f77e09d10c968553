package auth

import (
	"context"
	"hash/fnv"
	"strconv"
	"strings"
)

// record is the policy that a domain publishes (RFC 7489 section 6.3).
type record struct {
	domain     string // that publishes it: the From's, or its organisation's
	policy     string // none, quarantine, reject
	subdomain  string // the same, for subdomains of domain
	strictDKIM bool
	strictSPF  bool
	percent    int
}

const (
	askNone       = "none"
	askQuarantine = "quarantine"
	askReject     = "reject"
)

// lookupPolicy finds the policy for a From's domain (RFC 7489 section 6.6.3). None is there: nil and nil.
func lookupPolicy(ctx context.Context, dns *bounded, from string) (*record, error) {
	for _, domain := range []string{from, Organisation(from)} {
		texts, err := dns.LookupTXT(ctx, "_dmarc."+domain)
		if err != nil && isTemporary(err) {
			return nil, err
		}
		var found []*record
		for _, text := range texts {
			if r := parseRecord(text); r != nil {
				r.domain = domain
				found = append(found, r)
			}
		}
		if len(found) == 1 { // several are as good as none
			return found[0], nil
		}
		if domain == Organisation(from) {
			break
		}
	}
	return nil, nil
}

// parseRecord reads a TXT record; nil if it is no policy. What is wrong in it counts as not written, as RFC 7489 section
// 6.6.3 has it: without a policy that can be read it asks for none, if it asks for reports, and else is no record.
func parseRecord(text string) *record {
	version, rest, _ := strings.Cut(text, ";")
	name, value, ok := tag(version)
	if !ok || name != "v" || value != "DMARC1" {
		return nil
	}
	r := &record{percent: 100}
	reports := false
	for field := range strings.SplitSeq(rest, ";") {
		name, value, ok := tag(field)
		if !ok {
			continue
		}
		word := strings.ToLower(value)
		switch name {
		case "p":
			r.policy = policyWord(word)
		case "sp":
			r.subdomain = policyWord(word)
		case "adkim":
			r.strictDKIM = word == "s"
		case "aspf":
			r.strictSPF = word == "s"
		case "pct":
			if n, err := strconv.Atoi(word); err == nil && n >= 0 && n <= 100 {
				r.percent = n
			}
		case "rua":
			reports = value != ""
		}
	}
	if r.policy == "" {
		if !reports {
			return nil
		}
		r.policy, r.subdomain = askNone, ""
	}
	return r
}

func tag(field string) (name, value string, ok bool) {
	name, value, ok = strings.Cut(field, "=")
	return strings.ToLower(strings.TrimSpace(name)), strings.TrimSpace(value), ok
}

func policyWord(word string) string {
	switch word {
	case askNone, askQuarantine, askReject:
		return word
	}
	return ""
}

// asks returns what the policy wants done to a mail that fails. Of those that it is not to be used on, by its pct, the
// next milder one is (RFC 7489 section 6.6.4): which mails these are depends on the mail, so that one that is tried
// again meets with the same.
func (r *record) asks(from string, mail []byte) string {
	policy := r.policy
	if r.subdomain != "" && !strings.EqualFold(lower(from), r.domain) {
		policy = r.subdomain
	}
	if r.percent == 100 {
		return policy
	}
	h := fnv.New32a()
	h.Write(mail)
	if int(h.Sum32()%100) < r.percent {
		return policy
	}
	if policy == askReject {
		return askQuarantine
	}
	return askNone
}
