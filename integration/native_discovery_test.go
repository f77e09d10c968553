//go:build integration

package integration

import (
	"crypto/sha1" //nolint:gosec // XEP-0115 names it
	"encoding/base64"
	"slices"
	"strings"

	"gangway/integration/client"
	"gangway/integration/world"
)

const (
	nsInfo     = "http://jabber.org/protocol/disco#info"
	nsItems    = "http://jabber.org/protocol/disco#items"
	nsCaps     = "http://jabber.org/protocol/caps"
	nsCommands = "http://jabber.org/protocol/commands"
	nsForm     = "jabber:x:data"
)

func discoveryScenarios() []scenario {
	return []scenario{
		{"the host lists the gateways", hostListsGateways},
		{"identities and features", identities},
		{"capabilities match", capabilitiesMatch},
		{"whatever is asked is answered", everythingIsAnswered},
	}
}

// info is an answer to disco#info.
type info struct{ *client.Element }

func (p *person) info(jid, node string) info {
	p.s.Helper()
	payload := "<query xmlns='" + nsInfo + "'/>"
	if node != "" {
		payload = "<query xmlns='" + nsInfo + "' node='" + client.Escape(node) + "'/>"
	}
	return info{p.ask(jid, "get", payload).Child(nsInfo, "query")}
}

func (i info) identity(category, kind string) bool {
	return slices.ContainsFunc(i.All(nsInfo, "identity"), func(e *client.Element) bool {
		return e.Attr("category") == category && e.Attr("type") == kind
	})
}

func (i info) has(feature string) bool {
	return slices.ContainsFunc(i.All(nsInfo, "feature"), func(e *client.Element) bool { return e.Attr("var") == feature })
}

// ver is the verification string of XEP-0115, section 5.1, written down here once more on purpose.
func (i info) ver() string {
	var parts, identities, features []string
	for _, e := range i.All(nsInfo, "identity") {
		identities = append(identities, e.Attr("category")+"/"+e.Attr("type")+"/"+e.Attr("lang")+"/"+e.Attr("name"))
	}
	for _, e := range i.All(nsInfo, "feature") {
		features = append(features, e.Attr("var"))
	}
	slices.Sort(identities)
	slices.Sort(features)
	parts = append(append(parts, identities...), features...)
	var forms []string
	for _, x := range i.All(nsForm, "x") {
		forms = append(forms, formVer(x))
	}
	slices.Sort(forms)
	text := ""
	for _, part := range parts {
		text += part + "<"
	}
	sum := sha1.Sum([]byte(text + strings.Join(forms, ""))) //nolint:gosec // XEP-0115
	return base64.StdEncoding.EncodeToString(sum[:])
}

func formVer(x *client.Element) string {
	kind := ""
	var fields []string
	for _, f := range x.All(nsForm, "field") {
		var values []string
		for _, v := range f.All(nsForm, "value") {
			values = append(values, v.Text)
		}
		if f.Attr("var") == "FORM_TYPE" {
			kind = strings.Join(values, "")
			continue
		}
		slices.Sort(values)
		fields = append(fields, strings.Join(append([]string{f.Attr("var")}, values...), "<")+"<")
	}
	slices.Sort(fields)
	return kind + "<" + strings.Join(fields, "")
}

// Behaviour 2: clients look for gateways among the items of their own server.
func hostListsGateways(s *stage) {
	p := s.newPerson()
	items := p.ask(world.Domain, "get", "<query xmlns='"+nsItems+"'/>").Child(nsItems, "query").All(nsItems, "item")
	for _, gateway := range []string{world.Mail, world.SMS, world.IRC} {
		if !slices.ContainsFunc(items, func(e *client.Element) bool { return e.Attr("jid") == gateway }) {
			s.Errorf("the host server does not list %s", gateway)
		}
	}
}

// Behaviour 1.
func identities(s *stage) {
	p := s.newPerson()
	for gateway, kind := range map[string]string{world.Mail: "smtp", world.SMS: "sms", world.IRC: "irc"} {
		i := p.info(gateway, "")
		if !i.identity("gateway", kind) {
			s.Errorf("%s is no gateway/%s", gateway, kind)
		}
		if i.identity("conference", "text") != (gateway == world.IRC) {
			s.Errorf("%s: rooms: %v", gateway, i.identity("conference", "text"))
		}
		for _, feature := range []string{nsInfo, nsItems, "urn:xmpp:ping", "jabber:iq:version"} {
			if !i.has(feature) {
				s.Errorf("%s lacks %s", gateway, feature)
			}
		}
		if i.has("urn:xmpp:http:upload:0") {
			s.Errorf("%s passes for the server's upload service", gateway)
		}
	}
}

// Behaviour 4: the hash in presence is that of the answer to disco#info, for the gateway and for a contact.
func capabilitiesMatch(s *stage) {
	p := s.newPerson()
	p.registerByChat(world.SMS)
	for _, jid := range []string{world.SMS, smsPeer + "@" + world.SMS} {
		if err := p.SendPresence(jid, "subscribe", ""); err != nil {
			s.Fatal(err)
		}
		st := p.wait("presence of "+jid+" with capabilities", func(st *client.Stanza) bool {
			return client.PresenceFrom(jid, "")(st) && st.Child(nsCaps, "c") != nil
		})
		c := st.Child(nsCaps, "c")
		for _, node := range []string{"", c.Attr("node") + "#" + c.Attr("ver")} {
			if got := p.info(st.From(), node).ver(); got != c.Attr("ver") {
				s.Errorf("%s (node %q): announced %s, is %s", st.From(), node, c.Attr("ver"), got)
			}
		}
	}
}

// Behaviour 3: no question stays without an answer.
func everythingIsAnswered(s *stage) {
	p := s.newPerson()
	p.registerByChat(world.SMS)
	for _, to := range []string{world.Mail, world.SMS, world.IRC, smsPeer + "@" + world.SMS} {
		p.ask(to, "get", "<query xmlns='"+nsInfo+"'/>")
		p.ask(to, "get", "<ping xmlns='urn:xmpp:ping'/>")
		p.refused(to, "get", "<query xmlns='"+nsInfo+"' node='no-such-node'/>", "item-not-found")
		p.refused(to, "get", "<query xmlns='urn:nobody:knows'/>", "service-unavailable")
		p.refused(to, "set", "<query xmlns='urn:nobody:knows'/>", "service-unavailable")
	}
}
