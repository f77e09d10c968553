package disco

import (
	"reflect"
	"slices"
	"strings"
	"testing"

	"gangway/core"
	"gangway/core/xmpp/edge/edgetest"
	"gangway/core/xmpp/stream"
)

// The examples of XEP-0115 sections 5.2 and 5.3.
func TestVer(t *testing.T) {
	features := []string{
		"http://jabber.org/protocol/disco#items", "http://jabber.org/protocol/caps",
		"http://jabber.org/protocol/muc", "http://jabber.org/protocol/disco#info",
	}
	simple := Info{Identities: []Identity{{Category: "client", Type: "pc", Name: "Exodus 0.9.1"}}, Features: features}
	if got := simple.Ver(); got != "QgayPKawpkPSDYmwT/WM94uAlu0=" {
		t.Errorf("simple: %s", got)
	}
	complicated := Info{
		Identities: []Identity{
			{Category: "client", Type: "pc", Lang: "el", Name: "Ψ 0.11"},
			{Category: "client", Type: "pc", Lang: "en", Name: "Psi 0.11"},
		},
		Features: features,
		Forms: []Form{{Type: "urn:xmpp:dataforms:softwareinfo", Fields: []FormField{
			{Var: "software_version", Values: []string{"0.11"}}, {Var: "ip_version", Values: []string{"ipv6", "ipv4"}},
			{Var: "os", Values: []string{"Mac"}}, {Var: "os_version", Values: []string{"10.5.1"}}, {Var: "software", Values: []string{"Psi"}},
		}}},
	}
	if got := complicated.Ver(); got != "q07IKJEyjvHSyhy//CH0CxmKi8w=" {
		t.Errorf("complicated: %s", got)
	}
	if complicated.Features[0] != features[0] || complicated.Forms[0].Fields[0].Var != "software_version" {
		t.Error("what was hashed was changed")
	}
}

// A value cannot pretend to be two (XEP-0115 section 3.3.5 of version 1.6).
func TestVerSeparates(t *testing.T) {
	a := Info{Features: []string{"a<b"}}
	b := Info{Features: []string{"a", "b"}}
	if a.Ver() == b.Ver() {
		t.Error("two infos have one hash")
	}
}

// The query that is written holds what the hash was made of.
func TestInfoWritten(t *testing.T) {
	want := Info{
		Identities: []Identity{{Category: "client", Type: "pc", Lang: "en", Name: "A & B"}},
		Features:   []string{"urn:a", "urn:b"},
		Forms:      []Form{{Type: "urn:f", Fields: []FormField{{Var: "x", Values: []string{"1", "2"}}}}},
	}
	var enc stream.Encoder
	want.write(&enc, "n")
	st, err := stream.Parse(string(enc.Bytes()))
	if err != nil {
		t.Fatal(err)
	}
	if st.Attr("node") != "n" || !reflect.DeepEqual(readInfo(st.Element), want) {
		t.Errorf("read back %+v", readInfo(st.Element))
	}
}

// readInfo takes the answer to a disco#info query apart.
func readInfo(query *stream.Element) Info {
	var i Info
	for c := range query.Children() {
		switch c.Local() {
		case "identity":
			i.Identities = append(i.Identities, Identity{c.Attr("category"), c.Attr("type"), c.Attr("name"), c.Lang()})
		case "feature":
			i.Features = append(i.Features, c.Attr("var"))
		case "x":
			i.Forms = append(i.Forms, readForm(c))
		}
	}
	return i
}

func readForm(x *stream.Element) Form {
	var f Form
	for field := range x.Children() {
		var values []string
		for v := range field.Children() {
			values = append(values, v.Text())
		}
		if field.Attr("var") == "FORM_TYPE" {
			f.Type = values[0]
			continue
		}
		f.Fields = append(f.Fields, FormField{Var: field.Attr("var"), Values: values})
	}
	return f
}

// Every ability either becomes a feature or is listed here with the reason why
// clients need not know of it.
func TestEveryAbilityIsConsidered(t *testing.T) {
	unseen := map[string]string{
		"Moderation":     "rooms say so themselves",
		"Banner":         "rooms say so themselves",
		"Inviter":        "rooms say so themselves",
		"Configurer":     "rooms say so themselves",
		"RoomLister":     "who looks for rooms asks for items",
		"PresenceSetter": "clients send presence to whoever is subscribed",
		"ContactLister":  "the roster is filled without being asked",
		"Profiler":       "vcard-temp is there in any case",
		"Reporter":       "the status command says so",
		"Reconciler":     "nothing that XMPP could see",
	}
	all := reflect.TypeFor[core.Caps]()
	full := core.CapsOf((*edgetest.Full)(nil))
	for i := range all.NumField() {
		name := all.Field(i).Name
		without := full
		reflect.ValueOf(&without).Elem().Field(i).SetZero()
		seen := !slices.Equal(features(contactTable(&core.Network{Caps: full})), features(contactTable(&core.Network{Caps: without}))) ||
			!slices.Equal(features(gatewayTable(full)), features(gatewayTable(without)))
		if _, listed := unseen[name]; seen == listed {
			t.Errorf("%s: a feature: %v, listed as none: %v", name, seen, listed)
		}
	}
	if got := features(contactTable(&core.Network{})); len(got) >= len(features(contactTable(&core.Network{Caps: full}))) {
		t.Errorf("a session that can do nothing has %q", got)
	}
}

func TestIdentities(t *testing.T) {
	n := edgetest.Network((*edgetest.Full)(nil))
	got := gatewayInfo(n, []string{"jabber:iq:register"}, nil)
	want := []Identity{{Category: "gateway", Type: "smtp", Name: "E-mail"}, {Category: "conference", Type: "text", Name: "E-mail"}}
	if !reflect.DeepEqual(got.Identities, want) || !slices.Contains(got.Features, "jabber:iq:register") {
		t.Errorf("with rooms: %+v", got)
	}
	if got := gatewayInfo(edgetest.Network((*edgetest.Plain)(nil)), nil, nil); len(got.Identities) != 1 || slices.Contains(got.Features, "http://jabber.org/protocol/muc") {
		t.Errorf("without rooms: %+v", got)
	}
	if f := features(contactTable(n), "urn:xmpp:ping"); !slices.IsSorted(f) || strings.Count(strings.Join(f, " "), "urn:xmpp:ping") != 1 {
		t.Errorf("features %q", f)
	}
}
