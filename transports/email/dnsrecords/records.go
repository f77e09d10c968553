// Package dnsrecords knows what a mail domain must have in the DNS so that its mail is taken elsewhere, writes it as a
// zone file has it, and looks whether it is there.
//
// It is pure but for Check, which asks through interfaces that it is given.
package dnsrecords

import (
	"crypto/sha256"
	"encoding/hex"
	"net/netip"
	"strconv"
	"strings"
)

// Domain is a mail domain, as it is to be. All names are in A-labels.
type Domain struct {
	Name     string
	Host     string       // the name of the server that mail comes in to and, without a Relay, goes out from
	IPs      []netip.Addr // of that server; empty: not known
	Relay    string       // the name of the relay that outgoing mail goes through; empty: none, or one on Host
	Hello    string       // what we call ourselves when we send; of interest without a Relay
	Keys     []Key        // DKIM
	Reports  string       // local part of the address that others report to
	Unsigned bool         // nothing is signed here, because the relay does that
}

// Key is a DKIM key.
type Key struct {
	Name    string // of the record
	Value   string
	Waiting bool // it does not sign yet
}

// Record is a record of the DNS, or something that is to be had like one.
type Record struct {
	Name  string `json:"name"`
	Type  string `json:"type"` // MX, A, AAAA, TXT, CNAME; PTR: at whoever gave the address; HTTPS: a file
	Value string `json:"value"`
	Why   string `json:"why"`
	// Optional records make mail safer; without the others it is refused.
	Optional bool `json:"optional,omitempty"`

	kind kind
}

// kind says which check is a record's.
type kind uint8

const (
	kindMX kind = iota
	kindAddress
	kindSPF
	kindDKIM
	kindDMARC
	kindSTS
	kindPolicy
	kindReports
	kindPTR
	kindHello
)

// ttl is that of the lines of a zone file, in seconds.
const ttl = 3600

// PolicyURL is where the policy of a domain must be (RFC 8461 section 3.3).
func PolicyURL(domain string) string { return "https://mta-sts." + domain + "/.well-known/mta-sts.txt" }

// Policy is the text of that file.
func (d Domain) Policy() string {
	return "version: STSv1\nmode: enforce\nmx: " + d.Host + "\nmax_age: 604800\n"
}

// policyID changes when the policy does.
func (d Domain) policyID() string {
	sum := sha256.Sum256([]byte(d.Policy()))
	return hex.EncodeToString(sum[:8])
}

// Records are all that the domain is to have.
func (d Domain) Records() []Record {
	all := []Record{{Name: d.Name, Type: "MX", Value: "10 " + d.Host + ".", Why: "where mail for the domain goes", kind: kindMX}}
	for _, ip := range d.IPs {
		typ := "A"
		if ip.Is6() {
			typ = "AAAA"
		}
		all = append(all, Record{Name: d.Host, Type: typ, Value: ip.String(), Why: "where that server is", kind: kindAddress})
	}
	all = append(all, Record{Name: d.Name, Type: "TXT", Value: d.spf(), Why: "who may send mail of the domain (SPF)", kind: kindSPF})
	for _, k := range d.Keys {
		why := "the key that mail is signed with (DKIM)"
		if k.Waiting {
			why = "the key that mail will be signed with (DKIM)"
		}
		all = append(all, Record{Name: k.Name, Type: "TXT", Value: k.Value, Why: why, kind: kindDKIM})
	}
	all = append(all,
		Record{
			Name: "_dmarc." + d.Name, Type: "TXT", Value: "v=DMARC1; p=quarantine; rua=mailto:" + d.Reports + "@" + d.Name, kind: kindDMARC,
			Why: "what becomes of mail that only says it is the domain's (DMARC)",
		},
		Record{
			Name: "_mta-sts." + d.Name, Type: "TXT", Value: "v=STSv1; id=" + d.policyID(), kind: kindSTS, Optional: true,
			Why: "mail to the domain only goes over TLS (MTA-STS); the id changes with the policy",
		},
		Record{
			Name: PolicyURL(d.Name), Type: "HTTPS", Value: d.Policy(), kind: kindPolicy, Optional: true,
			Why: "the policy that goes with it, as a file on a web server with a good certificate",
		},
		Record{
			Name: "_smtp._tls." + d.Name, Type: "TXT", Value: "v=TLSRPTv1; rua=mailto:" + d.Reports + "@" + d.Name, kind: kindReports, Optional: true,
			Why: "where others report that TLS failed (TLSRPT)",
		},
	)
	return append(all, d.sender()...)
}

// sender are the names of the server that mail goes out from. Behind a relay they are the relay's business.
func (d Domain) sender() (all []Record) {
	if d.Relay != "" {
		return nil
	}
	for _, ip := range d.IPs {
		all = append(all, Record{
			Name: ip.String(), Type: "PTR", Value: d.Hello + ".", kind: kindPTR,
			Why: "the name of the address that mail comes from; whoever gave you the address sets it",
		})
	}
	if d.Hello != d.Host {
		all = append(all, Record{
			Name: d.Hello, Type: "A", Value: "the address that mail comes from", kind: kindHello,
			Why: "what the server calls itself must lead back to it",
		})
	}
	return all
}

// spf is the domain's policy. It ends softly, because DMARC decides: some servers refuse what fails at once, although it
// is signed.
func (d Domain) spf() string {
	var words []string
	switch {
	case d.Relay != "":
		words = append(words, "a:"+d.Relay)
	case len(d.IPs) == 0:
		words = append(words, "mx")
	}
	for _, ip := range d.IPs {
		if d.Relay != "" {
			break
		}
		if ip.Is4() {
			words = append(words, "ip4:"+ip.String())
		} else {
			words = append(words, "ip6:"+ip.String())
		}
	}
	return "v=spf1 " + strings.Join(words, " ") + " ~all"
}

// Zone is the record as a line of a zone file, or as a comment where it is none. A text of more than 255 bytes is in
// several strings, which those who read it put together (RFC 1035 section 3.3.14).
func (r Record) Zone() string {
	switch r.Type {
	case "PTR":
		return "; " + r.Name + " PTR " + r.Value
	case "HTTPS":
		return "; " + r.Name + "\n;   " + strings.ReplaceAll(strings.TrimSuffix(r.Value, "\n"), "\n", "\n;   ")
	case "TXT":
		return r.line("TXT", quoted(r.Value))
	}
	if r.kind == kindHello {
		return "; " + r.Name + " A or AAAA: " + r.Value
	}
	return r.line(r.Type, r.Value)
}

func (r Record) line(typ, value string) string {
	return r.Name + ". " + strconv.Itoa(ttl) + " IN " + typ + " " + value
}

const maxString = 255

// quoted writes a text as the strings of a TXT record.
func quoted(text string) string {
	escape := strings.NewReplacer(`\`, `\\`, `"`, `\"`)
	if len(text) <= maxString {
		return `"` + escape.Replace(text) + `"`
	}
	var words []string
	for len(text) > 0 {
		n := min(maxString, len(text))
		words = append(words, `"`+escape.Replace(text[:n])+`"`)
		text = text[n:]
	}
	return "( " + strings.Join(words, " ") + " )"
}
