package email

import (
	"net"
	"strings"
	"testing"

	"github.com/foxcpp/go-mockdns"

	"gangway/core"
)

// TestCheckDirect looks at what is found of hosts that are set up well, or not.
func TestCheckDirect(t *testing.T) {
	server := startRelay(t, nil)
	good := map[string]mockdns.Zone{
		"mx.gw.example.":             {A: []string{"127.0.0.1", "198.51.100.7"}},
		"7.100.51.198.in-addr.arpa.": {PTR: []string{"MX.gw.example."}},
		"gmail.com.":                 {MX: []net.MX{{Host: "smtp.gmail.com."}}},
		"smtp.gmail.com.":            {A: []string{"127.0.0.1"}},
	}
	for _, tt := range []struct {
		name   string
		change func(map[string]mockdns.Zone)
		want   map[string]string // by name: what is in the error; empty: none
	}{
		{"good", func(map[string]mockdns.Zone) {}, map[string]string{"hello": "", "ptr 198.51.100.7": ""}},
		{"no address", func(z map[string]mockdns.Zone) { delete(z, "mx.gw.example.") }, map[string]string{"hello": "no address"}},
		{
			"another's address", func(z map[string]mockdns.Zone) { z["mx.gw.example."] = mockdns.Zone{A: []string{"192.0.2.1"}} },
			map[string]string{"hello": "is an address of this host", "ptr 192.0.2.1": "no such host"},
		},
		{
			"another's name", func(z map[string]mockdns.Zone) {
				z["7.100.51.198.in-addr.arpa."] = mockdns.Zone{PTR: []string{"dsl-1.isp.example."}}
			}, map[string]string{"ptr 198.51.100.7": "leads to dsl-1.isp.example"},
		},
		{"no way out", func(z map[string]mockdns.Zone) { delete(z, "smtp.gmail.com.") }, map[string]string{"port": "no such host"}},
		{"no DNS", func(z map[string]mockdns.Zone) {
			z["gmail.com."] = mockdns.Zone{Err: &net.DNSError{Err: "fails", IsTemporary: true}}
		}, map[string]string{"port": "gmail.com"}},
	} {
		zones := map[string]mockdns.Zone{}
		for k, v := range good {
			zones[k] = v
		}
		tt.change(zones)
		g := directTo(t, server, map[string]any{"hello": "mx.gw.example", "dns": zoned(t, zones)})
		found := map[string]core.Finding{}
		for _, f := range g.Check(t.Context()) {
			if f.Err != nil && f.Text == "" {
				t.Errorf("%s: %s does not say what to do", tt.name, f.Name)
			}
			name, _, _ := strings.Cut(f.Name, " ")
			if name == "port" {
				f.Name = name
			}
			found[f.Name] = f
		}
		for name, want := range tt.want {
			f, ok := found[name]
			if !ok || (f.Err == nil) != (want == "") || f.Err != nil && !strings.Contains(f.Err.Error(), want) {
				t.Errorf("%s: %s: %+v", tt.name, name, f)
			}
		}
		if _, wanted := tt.want["port"]; !wanted && found["port"].Err != nil {
			t.Errorf("%s: %+v", tt.name, found["port"])
		}
	}
}
