package sms

import (
	"regexp"
	"strconv"
	"strings"

	"github.com/nyaruka/phonenumbers"

	"gangway/core"
)

// An Address here is one of:
//
//	+15551234567             a number, E.164
//	12345;phone-context=+1   a short code, which means something in one country only (RFC 3966)
//	acme;phone-context=alpha an alphanumeric sender, in lower case; it cannot be answered
var (
	e164      = regexp.MustCompile(`^\+[1-9][0-9]{6,14}$`)
	shortCode = regexp.MustCompile(`^[0-9]{3,8}$`)
	inContext = regexp.MustCompile(`^([0-9]{3,8});phone-context=(\+[0-9]{1,3})$`)
	alpha     = regexp.MustCompile(`^[a-z0-9 ._&-]{1,11}$`)
)

const alphaContext = ";phone-context=alpha"

// Parse accepts a number as people write it, with or without the country, a tel: or sms: URI, or a short code.
func (t *transport) Parse(s string) (core.Target, error) {
	if len(s) > 200 {
		return core.Target{}, badNumber()
	}
	text := strings.TrimSpace(s)
	for _, scheme := range []string{"tel:", "sms:", "smsto:"} {
		if len(text) > len(scheme) && strings.EqualFold(text[:len(scheme)], scheme) {
			text = text[len(scheme):]
		}
	}
	switch {
	case e164.MatchString(text), inContext.MatchString(text):
		return core.Target{Address: core.Address(text)}, nil
	case shortCode.MatchString(text) && len(text) <= 6:
		return core.Target{Address: t.short(text)}, nil
	case strings.HasSuffix(text, alphaContext) && alpha.MatchString(strings.ToLower(strings.TrimSuffix(text, alphaContext))):
		return core.Target{Address: core.Address(strings.ToLower(text))}, nil
	case !plausible(text):
		return core.Target{}, badNumber()
	}
	n, err := phonenumbers.Parse(text, t.country)
	if err != nil || !phonenumbers.IsPossibleNumber(n) || n.GetExtension() != "" {
		return core.Target{}, badNumber()
	}
	number := phonenumbers.Format(n, phonenumbers.E164)
	if !e164.MatchString(number) {
		return core.Target{}, badNumber()
	}
	return core.Target{Address: core.Address(number)}, nil
}

// plausible keeps letters and the like, which the number library would read as a keypad, from becoming numbers.
func plausible(s string) bool {
	digits := 0
	for _, r := range s {
		switch {
		case r >= '0' && r <= '9':
			digits++
		case !strings.ContainsRune("+ ()-./\u00a0\u2011", r):
			return false
		}
	}
	return digits >= 4
}

func badNumber() error {
	return core.E(core.Invalid, "sms: parse", "That is no phone number. Write it with its country, such as +15551234567.")
}

// Format is the address itself.
func (t *transport) Format(target core.Target) string { return string(target.Address) }

// short is the address of a short code in our country.
func (t *transport) short(code string) core.Address {
	context := "+1"
	if n, err := phonenumbers.Parse(t.numbers[0], ""); err == nil {
		context = "+" + strconv.Itoa(int(n.GetCountryCode()))
	}
	return core.Address(code + ";phone-context=" + context)
}

// sender is the address of whoever the provider says a message is from; empty for what makes no sense.
func (t *transport) sender(from string) core.Address {
	switch lower := strings.ToLower(from); {
	case e164.MatchString(from):
		return core.Address(from)
	case shortCode.MatchString(from):
		return t.short(from)
	case alpha.MatchString(lower):
		return core.Address(lower + alphaContext)
	}
	return ""
}

// recipient is what the provider calls an address; empty if it cannot be written to.
func recipient(a core.Address) string {
	if m := inContext.FindStringSubmatch(string(a)); m != nil {
		return m[1]
	}
	if e164.MatchString(string(a)) {
		return string(a)
	}
	return ""
}

// countryOf is the country of a number, or "" where it has none.
func countryOf(number string) string {
	n, err := phonenumbers.Parse(number, "")
	if err != nil {
		return ""
	}
	if c := phonenumbers.GetRegionCodeForNumber(n); c != "" && c != "001" && c != "ZZ" {
		return c
	}
	return phonenumbers.GetRegionCodeForCountryCode(int(n.GetCountryCode()))
}
