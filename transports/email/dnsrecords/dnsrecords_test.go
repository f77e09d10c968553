package dnsrecords_test

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"strings"
	"testing"

	"github.com/foxcpp/go-mockdns"

	"gangway/transports/email/dnsrecords"
)

const (
	key1 = "v=DKIM1; k=rsa; p=AAAA"
	key2 = "v=DKIM1; k=ed25519; p=BBBB"
)

func example() dnsrecords.Domain {
	return dnsrecords.Domain{
		Name: "gw.example.org", Host: "mx.example.org", Hello: "mx.example.org", Reports: "postmaster",
		IPs: []netip.Addr{netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("2001:db8::1")},
		Keys: []dnsrecords.Key{
			{Name: "g1r._domainkey.gw.example.org", Value: key1}, {Name: "g1e._domainkey.gw.example.org", Value: key2},
			{Name: "g2r._domainkey.gw.example.org", Value: "v=DKIM1; k=rsa; p=" + strings.Repeat("C", 392), Waiting: true},
		},
	}
}

// published is a zone where all is well.
func published() map[string]mockdns.Zone {
	zones := map[string]mockdns.Zone{}
	for _, r := range example().Records() {
		name := r.Name + "."
		z := zones[name]
		switch r.Type {
		case "MX":
			z.MX = append(z.MX, net.MX{Host: "mx.example.org.", Pref: 10})
		case "A":
			z.A = append(z.A, r.Value)
		case "AAAA":
			z.AAAA = append(z.AAAA, r.Value)
		case "TXT":
			z.TXT = append(z.TXT, r.Value)
		}
		if r.Type != "PTR" && r.Type != "HTTPS" {
			zones[name] = z
		}
	}
	zones["1.2.0.192.in-addr.arpa."] = mockdns.Zone{PTR: []string{"mx.example.org."}}
	zones["1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa."] = mockdns.Zone{PTR: []string{"mx.example.org."}}
	return zones
}

func check(t *testing.T, d dnsrecords.Domain, zones map[string]mockdns.Zone, policy string) []dnsrecords.Result {
	t.Helper()
	c := &dnsrecords.Checker{Resolver: &mockdns.Resolver{Zones: zones}, Policy: func(context.Context, string) (string, error) {
		if policy == "" {
			return "", errors.New("404 Not Found")
		}
		return policy, nil
	}}
	return c.Check(t.Context(), d)
}

func TestAllPublished(t *testing.T) {
	all := check(t, example(), published(), example().Policy())
	for _, r := range all {
		if r.State != dnsrecords.OK {
			t.Errorf("%s %s: %s, %s, %s", r.Name, r.Type, r.State, r.Found, r.Do)
		}
	}
	if len(all) != 13 || !dnsrecords.Good(all) {
		t.Errorf("%d records", len(all))
	}
}

func TestNothingPublished(t *testing.T) {
	all := check(t, example(), map[string]mockdns.Zone{}, "")
	for _, r := range all {
		if r.State != dnsrecords.Missing || r.Do == "" {
			t.Errorf("%s %s: %s, %s, %s", r.Name, r.Type, r.State, r.Found, r.Do)
		}
	}
	if dnsrecords.Good(all) {
		t.Error("that is good")
	}
}

// TestCheck changes one thing of a zone where all is well, and expects one line to say so.
func TestCheck(t *testing.T) {
	const (
		name, mx = "gw.example.org.", "mx.example.org."
		ptr4     = "1.2.0.192.in-addr.arpa."
	)
	txt := func(all ...string) func(mockdns.Zone) mockdns.Zone {
		return func(z mockdns.Zone) mockdns.Zone {
			z.TXT = all
			return z
		}
	}
	for what, tt := range map[string]struct {
		zone   string
		change func(mockdns.Zone) mockdns.Zone
		line   string // the beginning of the record's line in the zone file
		state  dnsrecords.State
		do     string
	}{
		"another MX": {name, func(z mockdns.Zone) mockdns.Zone {
			z.MX = []net.MX{{Host: "other.example.", Pref: 5}}
			return z
		}, "gw.example.org. 3600 IN MX", dnsrecords.Differs, "none of these is mx.example.org"},
		"a second MX that is nowhere": {name, func(z mockdns.Zone) mockdns.Zone {
			z.MX = append(z.MX, net.MX{Host: "nowhere.example.", Pref: 20})
			return z
		}, "gw.example.org. 3600 IN MX", dnsrecords.Differs, "nowhere.example. has no address"},
		"null MX": {name, func(z mockdns.Zone) mockdns.Zone {
			z.MX = []net.MX{{Host: "."}}
			return z
		}, "gw.example.org. 3600 IN MX", dnsrecords.Differs, "takes no mail"},
		"a server that is down": {name, func(mockdns.Zone) mockdns.Zone { return mockdns.Zone{Err: errors.New("timeout")} }, "gw.example.org. 3600 IN MX", dnsrecords.Unknown, "try again"},
		"another address": {mx, func(z mockdns.Zone) mockdns.Zone {
			z.A = []string{"192.0.2.99"}
			return z
		}, "mx.example.org. 3600 IN A 192", dnsrecords.Differs, "--ip"},

		"two SPF":     {name, txt("v=spf1 ~all", "v=spf1 -all"), "gw.example.org. 3600 IN TXT", dnsrecords.Differs, "2 records"},
		"no SPF":      {name, txt("something else", "v=spf10"), "gw.example.org. 3600 IN TXT", dnsrecords.Missing, "publish"},
		"another SPF": {name, txt("v=spf1 ip4:192.0.2.1 -all"), "gw.example.org. 3600 IN TXT", dnsrecords.Differs, "2001:db8::1 is not allowed by it (fail)"},
		"invalid SPF": {name, txt("v=spf1 ip4:x -all"), "gw.example.org. 3600 IN TXT", dnsrecords.Differs, "not valid"},
		"an include":  {name, txt("v=spf1 include:mx.example.org -all"), "gw.example.org. 3600 IN TXT", dnsrecords.Differs, "not valid"},
		"SPF by mx":   {name, txt("V=SPF1 mx -all"), "gw.example.org. 3600 IN TXT", dnsrecords.OK, "it allows your server"},

		"another key":     {"g1r._domainkey.gw.example.org.", txt("v=DKIM1; k=rsa; p=AAAB"), "g1r", dnsrecords.Differs, "another key"},
		"a key cut off":   {"g2r._domainkey.gw.example.org.", txt("v=DKIM1; k=rsa; p=" + strings.Repeat("C", 237)), "g2r", dnsrecords.Differs, "255"},
		"a key in words":  {"g1r._domainkey.gw.example.org.", txt("k=rsa; p=AA AA"), "g1r", dnsrecords.OK, ""},
		"two keys":        {"g1r._domainkey.gw.example.org.", txt(key1, key2), "g1r", dnsrecords.Differs, "several"},
		"a key by CNAME":  {"g1r._domainkey.gw.example.org.", func(mockdns.Zone) mockdns.Zone { return mockdns.Zone{CNAME: "k.example.org."} }, "g1r", dnsrecords.OK, ""},
		"another kind":    {"g1e._domainkey.gw.example.org.", txt("p=BBBB"), "g1e", dnsrecords.Differs, "another key"},
		"DMARC none":      {"_dmarc.gw.example.org.", txt("v=DMARC1; p=none"), "_dmarc", dnsrecords.OK, "p=none"},
		"DMARC wrong":     {"_dmarc.gw.example.org.", txt("v=DMARC1; p=maybe"), "_dmarc", dnsrecords.Differs, "no policy"},
		"DMARC twice":     {"_dmarc.gw.example.org.", txt("v=DMARC1; p=none", "v=DMARC1; p=reject"), "_dmarc", dnsrecords.Differs, "2 records"},
		"STS without id":  {"_mta-sts.gw.example.org.", txt("v=STSv1;"), "_mta-sts", dnsrecords.Differs, "no id"},
		"STS, another id": {"_mta-sts.gw.example.org.", txt("v=STSv1; id=2"), "_mta-sts", dnsrecords.OK, "another one"},
		"no reports":      {"_smtp._tls.gw.example.org.", txt(), "_smtp._tls", dnsrecords.Missing, "publish"},

		"another name":   {ptr4, func(mockdns.Zone) mockdns.Zone { return mockdns.Zone{PTR: []string{"host-1.isp.example."}} }, "; 192.0.2.1 PTR", dnsrecords.Differs, "none of these names leads back"},
		"a name by host": {ptr4, func(mockdns.Zone) mockdns.Zone { return mockdns.Zone{PTR: []string{"also.example.org."}} }, "; 192.0.2.1 PTR", dnsrecords.OK, `hello = "also.example.org"`},
		"no name":        {ptr4, func(mockdns.Zone) mockdns.Zone { return mockdns.Zone{} }, "; 192.0.2.1 PTR", dnsrecords.Missing, "Gmail"},
	} {
		zones := published()
		zones["k.example.org."] = mockdns.Zone{TXT: []string{key1}}
		zones["also.example.org."] = mockdns.Zone{A: []string{"192.0.2.1"}}
		zones[tt.zone] = tt.change(zones[tt.zone])
		found := false
		for _, r := range check(t, example(), zones, example().Policy()) {
			if !strings.HasPrefix(r.Zone(), tt.line) {
				continue
			}
			found = true
			if r.State != tt.state || !strings.Contains(r.Do, tt.do) {
				t.Errorf("%s: %s, %q, %q", what, r.State, r.Found, r.Do)
			}
			break
		}
		if !found {
			t.Errorf("%s: no line begins with %q", what, tt.line)
		}
	}
}

// The organization's record holds for its subdomains, unless it says something else for them.
func TestOrganization(t *testing.T) {
	for org, want := range map[string]dnsrecords.State{
		"v=DMARC1; p=reject": dnsrecords.OK, "v=DMARC1; p=bad; sp=reject": dnsrecords.OK, "v=DMARC1; p=reject; sp=bad": dnsrecords.Differs, "x": dnsrecords.Missing,
	} {
		zones := published()
		delete(zones, "_dmarc.gw.example.org.")
		zones["_dmarc.example.org."] = mockdns.Zone{TXT: []string{org}}
		for _, r := range check(t, example(), zones, "") {
			if r.Name == "_dmarc.gw.example.org" && r.State != want {
				t.Errorf("%q: %s, %s", org, r.State, r.Do)
			}
		}
	}
}

func TestPolicy(t *testing.T) {
	for policy, want := range map[string]dnsrecords.State{
		"": dnsrecords.Missing, example().Policy(): dnsrecords.OK, "version: STSv1\nmode: testing\nmx: *.example.org\nmax_age: 86400": dnsrecords.OK,
		"version: STSv1\nmode: enforce\nmx: other.example\nmax_age: 86400": dnsrecords.Differs, "<html>": dnsrecords.Differs,
	} {
		for _, r := range check(t, example(), published(), policy) {
			if r.Type == "HTTPS" && r.State != want {
				t.Errorf("%q: %s, %s", policy, r.State, r.Do)
			}
		}
	}
}

// Behind a relay its addresses are what has to be allowed, and their names its own business.
func TestRelay(t *testing.T) {
	d := example()
	d.Relay = "relay.example.net"
	zones := published()
	zones["relay.example.net."] = mockdns.Zone{A: []string{"198.51.100.7"}}
	results := func() map[string]dnsrecords.Result {
		all := map[string]dnsrecords.Result{}
		for _, r := range check(t, d, zones, d.Policy()) {
			all[r.Name+" "+r.Type] = r
		}
		return all
	}
	all := results()
	if r := all["gw.example.org TXT"]; r.State != dnsrecords.Differs || !strings.Contains(r.Do, `198.51.100.7 is not allowed by it (softfail): add it, as in "v=spf1 a:relay.example.net ~all"`) {
		t.Errorf("%+v", r)
	}
	if _, ok := all["192.0.2.1 PTR"]; ok {
		t.Error("the relay's names are looked at")
	}
	zones["gw.example.org."] = mockdns.Zone{MX: zones["gw.example.org."].MX, TXT: []string{"v=spf1 redirect=_spf.example.net"}}
	zones["_spf.example.net."] = mockdns.Zone{TXT: []string{"v=spf1 include:_all.example.net -all"}}
	zones["_all.example.net."] = mockdns.Zone{TXT: []string{"v=spf1 ip4:198.51.100.0/24 -all"}}
	if r := results()["gw.example.org TXT"]; r.State != dnsrecords.OK || !strings.Contains(r.Do, "ask its operator") {
		t.Errorf("%+v", r)
	}
}

func TestZone(t *testing.T) {
	d := example()
	d.Hello = "out.example.org"
	var lines []string
	for _, r := range d.Records() {
		lines = append(lines, r.Zone())
	}
	text := strings.Join(lines, "\n")
	for _, want := range []string{
		"gw.example.org. 3600 IN MX 10 mx.example.org.",
		"mx.example.org. 3600 IN AAAA 2001:db8::1",
		`gw.example.org. 3600 IN TXT "v=spf1 ip4:192.0.2.1 ip6:2001:db8::1 ~all"`,
		`g1e._domainkey.gw.example.org. 3600 IN TXT "v=DKIM1; k=ed25519; p=BBBB"`,
		`g2r._domainkey.gw.example.org. 3600 IN TXT ( "v=DKIM1; k=rsa; p=` + strings.Repeat("C", 237) + `" "` + strings.Repeat("C", 155) + `" )`,
		`_dmarc.gw.example.org. 3600 IN TXT "v=DMARC1; p=quarantine; rua=mailto:postmaster@gw.example.org"`,
		`_smtp._tls.gw.example.org. 3600 IN TXT "v=TLSRPTv1; rua=mailto:postmaster@gw.example.org"`,
		"; https://mta-sts.gw.example.org/.well-known/mta-sts.txt\n;   version: STSv1\n;   mode: enforce\n;   mx: mx.example.org\n;   max_age: 604800",
		"; 192.0.2.1 PTR out.example.org.",
		"; out.example.org A or AAAA: the address that mail comes from",
	} {
		if !strings.Contains(text+"\n", want+"\n") {
			t.Errorf("%s\nis not in\n%s", want, text)
		}
	}
	other := example()
	other.Host = "other.example.org"
	id := func(d dnsrecords.Domain) string {
		for _, r := range d.Records() {
			if strings.HasPrefix(r.Value, "v=STSv1") {
				return r.Value
			}
		}
		return ""
	}
	if id(other) == id(example()) {
		t.Error("the id does not change with the policy")
	}
}
