package main

import (
	"io"
	"log"
	"net"
	"strings"

	"github.com/foxcpp/go-mockdns"
	"github.com/miekg/dns"
	"github.com/rogpeppe/go-internal/testscript"
)

// nameserver is "nameserver FILE...": a DNS server that has what stands in these zone files, at $DNS. The one before it
// in the script goes.
func nameserver(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) == 0 {
		ts.Fatalf("usage: nameserver file...")
	}
	zones := map[string]mockdns.Zone{}
	for _, file := range args {
		p := dns.NewZoneParser(strings.NewReader(ts.ReadFile(file)), ".", file)
		for rr, ok := p.Next(); ok; rr, ok = p.Next() {
			publish(zones, rr)
		}
		ts.Check(p.Err())
	}
	srv, err := mockdns.NewServerWithLogger(zones, log.New(io.Discard, "", 0), false)
	ts.Check(err)
	ts.Defer(func() { _ = srv.Close() })
	ts.Setenv("DNS", srv.LocalAddr().String())
}

// publish puts a record into its zone.
func publish(zones map[string]mockdns.Zone, rr dns.RR) {
	name := strings.ToLower(rr.Header().Name)
	z := zones[name]
	switch rr := rr.(type) {
	case *dns.MX:
		z.MX = append(z.MX, net.MX{Host: rr.Mx, Pref: rr.Preference})
	case *dns.A:
		z.A = append(z.A, rr.A.String())
	case *dns.AAAA:
		z.AAAA = append(z.AAAA, rr.AAAA.String())
	case *dns.TXT:
		z.TXT = append(z.TXT, strings.Join(rr.Txt, ""))
	case *dns.CNAME:
		z.CNAME = rr.Target
	case *dns.PTR:
		z.PTR = append(z.PTR, rr.Ptr)
	}
	zones[name] = z
}
