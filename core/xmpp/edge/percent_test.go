package edge_test

import (
	"context"
	"strings"
	"testing"

	"gangway/core"
	"gangway/core/xmpp"
	"gangway/core/xmpp/addr"
	"gangway/core/xmpp/edge"
)

// mailOnly is a network whose addresses have an @ and nothing else.
type mailOnly struct{ core.Transport }

func (mailOnly) Parse(s string) (core.Target, error) {
	if strings.Count(s, "@") != 1 {
		return core.Target{}, core.E(core.Invalid, "test: parse", "An address has an @.")
	}
	return core.Target{Address: core.Address(strings.ToLower(s))}, nil
}

func (mailOnly) Format(t core.Target) string { return string(t.Address) }

func (mailOnly) Open(core.Account) (core.Session, error) { return nil, context.Canceled }

// Behaviours 8 and 9: the addressing of old gateways is understood, and answered
// with the right address.
func TestPercent8(t *testing.T) {
	d := &edge.Domain{Name: "email.gw", Network: &core.Network{Transport: mailOnly{}}}
	for written, gone := range map[string]string{
		`bob%example.com`:     "xmpp:bob%5C40example.com@email.gw",
		`a%b%example.com`:     "xmpp:a%25b%5C40example.com@email.gw",
		`bob\40example.com`:   "",
		`100%\40example.com`:  "",
		`a%b\40example.com`:   "",
		`bob\5c40example.com`: "-",
		`%example.com`:        "-",
		`nonsense`:            "-",
	} {
		target, err := d.Target(written)
		if (err != nil) != (gone == "-") {
			t.Errorf("%s: %v, %v", written, target, err)
		}
		if err != nil {
			continue
		}
		to, err := addr.Make(written, d.Name, "")
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		if err := d.Canonical(to, target); err != nil {
			got = xmpp.ErrorOf(err).Gone
		}
		if got != gone {
			t.Errorf("%s: gone to %q, want %q", written, got, gone)
		}
	}
	if target, err := d.Understand("bob%example.com"); err != nil || target.Address != "bob@example.com" {
		t.Errorf("typed: %v, %v", target, err)
	}
}
