// Package sms is the transport for text messages, through Twilio's Messages API.
//
// A sent message costs money, so it is sent at most once: what is not known to have been refused is looked up, by
// its status callback or in the provider's list, before anything else happens to it (session.go). Receipts come from
// the carrier's status callbacks alone. Received messages are on disk before the provider is answered, and a sweep
// of the provider's list finds what it failed to deliver.
//
// Goroutines: Transport.Run owns the sweep. Webhooks are served in the goroutines of whoever mounted the handler.
package sms

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/nyaruka/phonenumbers"

	"gangway/core"
)

// settings are the [transport.sms] table.
type settings struct {
	Provider  string   `toml:"provider"`   // "twilio"
	Account   string   `toml:"account"`    // the account's SID, AC...
	Token     string   `toml:"token"`      // the primary auth token: it signs webhooks
	NextToken string   `toml:"next_token"` // the secondary one, while it is being promoted
	Key       string   `toml:"api_key"`    // an API key's SID, SK...; the account's own credentials if empty
	KeySecret string   `toml:"api_secret"` // its secret
	APIURL    string   `toml:"api_url"`    // another base URL
	Numbers   []string `toml:"numbers"`    // the account's numbers, E.164
	Country   string   `toml:"country"`    // ISO 3166 code that local numbers are read with; that of the first number if empty
}

const defaultAPI = "https://api.twilio.com"

// Driver describes SMS.
func Driver() core.Driver {
	return core.Driver{
		Name: "sms", Title: "SMS", Type: "sms", Prompt: "Phone number",
		Lane: core.Stored, Order: core.PerPeer,
		Lifetime: 4 * time.Hour,
		Retry: []time.Duration{
			2 * time.Second, 10 * time.Second, 30 * time.Second, time.Minute, 2 * time.Minute, 5 * time.Minute, 10 * time.Minute,
		},
		Session: (*session)(nil),
		New: func(h core.Host, decode core.Decoder) (core.Transport, error) {
			var set settings
			if err := decode(&set); err != nil {
				return nil, err
			}
			return newTransport(h, set)
		},
	}
}

// transport is one account at the provider.
type transport struct {
	host    core.Host
	set     settings
	country string
	api     *api
	numbers []string
	most    int // messages of one number that a sweep holds at once
}

var accountSID = regexp.MustCompile(`^AC[0-9a-f]{32}$`)

func newTransport(h core.Host, set settings) (*transport, error) {
	if set.Provider != "" && set.Provider != "twilio" {
		return nil, fmt.Errorf("provider %q is not known; \"twilio\" is", set.Provider)
	}
	if !accountSID.MatchString(set.Account) {
		return nil, fmt.Errorf("account must be the account's SID: AC and 32 hex digits")
	}
	if set.Token == "" {
		return nil, fmt.Errorf("token is missing: the account's auth token, which also signs webhooks")
	}
	if (set.Key == "") != (set.KeySecret == "") {
		return nil, fmt.Errorf("api_key and api_secret go together")
	}
	base := set.APIURL
	if base == "" {
		base = defaultAPI
	}
	u, err := url.Parse(base)
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
		return nil, fmt.Errorf("api_url %q is no http URL", base)
	}
	if len(set.Numbers) == 0 {
		return nil, fmt.Errorf("numbers is empty: name at least one number of the account")
	}
	for _, n := range set.Numbers {
		if !e164.MatchString(n) {
			return nil, fmt.Errorf("number %q is not E.164, such as +15551234567", n)
		}
	}
	t := &transport{host: h, set: set, most: sweepMost, numbers: slices.Compact(slices.Sorted(slices.Values(set.Numbers)))}
	t.country = strings.ToUpper(set.Country)
	if t.country == "" {
		t.country = countryOf(set.Numbers[0])
	}
	if t.country != "" && phonenumbers.GetCountryCodeForRegion(t.country) == 0 {
		return nil, fmt.Errorf("country %q is no ISO 3166 code, such as \"US\"", set.Country)
	}
	t.api = newAPI(set, u)
	return t, nil
}

// Run sweeps the provider's list for what it could not deliver, until ctx ends.
func (t *transport) Run(ctx context.Context) error {
	t.sweepLoop(ctx)
	t.api.close()
	return nil
}

// Open makes the session of an account, whose own address is one of our numbers.
func (t *transport) Open(a core.Account) (core.Session, error) {
	if !slices.Contains(t.numbers, string(a.Own)) {
		return nil, core.E(core.Denied, "sms: open", "Your number is not among this gateway's numbers any more. Register again.")
	}
	return &session{t: t, account: a}, nil
}

var _ http.Handler = (*transport)(nil)
