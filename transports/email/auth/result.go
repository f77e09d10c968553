package auth

import "strings"

// Value is the outcome of one method, in the words of RFC 8601 section 2.7. Empty: the method was not looked at.
type Value string

// The values.
const (
	None      Value = "none"      // there is nothing to check
	Pass      Value = "pass"      //
	Fail      Value = "fail"      //
	SoftFail  Value = "softfail"  // SPF: probably not
	Neutral   Value = "neutral"   // the domain does not say
	Policy    Value = "policy"    // signed, but not in a way that we accept
	TempError Value = "temperror" // not to be found out now
	PermError Value = "permerror" // not to be found out at all
)

// known returns a value as written by others; None if it is no value.
func known(word string) Value {
	switch v := Value(strings.ToLower(word)); v {
	case None, Pass, Fail, SoftFail, Neutral, Policy, TempError, PermError:
		return v
	}
	if strings.EqualFold(word, "hardfail") { // RFC 8601 section 2.7.2: an old word
		return Fail
	}
	return None
}

// Check is what one method found.
type Check struct {
	Value  Value  `json:"value,omitempty"`
	Domain string `json:"domain,omitempty"` // that it is about, in A-labels
	Reason string `json:"reason,omitempty"` // for who looks into it: one line of printable ASCII
}

// Verdict is what to make of it all.
type Verdict string

// The verdicts.
const (
	Unknown    Verdict = ""           // nobody has looked
	Verified   Verdict = "verified"   // the mail is from the domain of its From
	Unverified Verdict = "unverified" // it may be from anybody
	Rejected   Verdict = "rejected"   // the domain asks for such a mail to be refused
	Deferred   Verdict = "deferred"   // the domain does, and DNS does not say now whether this is such a mail
)

// Result is what is known about where a mail comes from.
type Result struct {
	Server  string  `json:"server,omitempty"` // that looked; empty: this gateway
	SPF     Check   `json:"spf,omitzero"`
	DKIM    Check   `json:"dkim,omitzero"` // the signature of the From's own domain, if there is one, else the best
	DMARC   Check   `json:"dmarc,omitzero"`
	ARC     Check   `json:"arc,omitzero"`     // Domain is the last sealer's
	Policy  string  `json:"policy,omitempty"` // what DMARC asks for if it fails: none, quarantine, reject
	Verdict Verdict `json:"verdict,omitempty"`
}

const maxReason = 200

// reason makes one line of printable ASCII of an error's text, which may quote anything.
func reason(text string) string {
	text = strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' {
			return '?'
		}
		return r
	}, text)
	return text[:min(len(text), maxReason)]
}
