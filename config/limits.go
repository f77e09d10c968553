package config

import "strconv"

// Limits are how much is taken from one user; 0: no limit.
type Limits struct {
	Messages            int `toml:"messages"`             // messages, corrections, reactions and retractions, a minute
	Registrations       int `toml:"registrations"`        // attempts of a user to register, an hour
	DomainRegistrations int `toml:"domain_registrations"` // the same, of all users of a domain together
}

func defaultLimits() Limits {
	return Limits{Messages: 120, Registrations: 20, DomainRegistrations: 500}
}

// maxLimit is beyond what anybody means.
const maxLimit = 1_000_000

func (v *validation) limits(l Limits) {
	for key, n := range map[string]int{
		"messages": l.Messages, "registrations": l.Registrations, "domain_registrations": l.DomainRegistrations,
	} {
		if n < 0 || n > maxLimit {
			v.add(strconv.Itoa(n)+" is no limit", "write a number from 1 to "+strconv.Itoa(maxLimit)+", or 0 for no limit", "limits", key)
		}
	}
}
