package disco

import (
	"slices"
	"strconv"

	"gangway/core"
	"gangway/core/xmpp/edge"
)

// row is one line of the table: a feature and whether a network has it.
type row struct {
	feature string
	has     bool
}

// contactTable is what a correspondent on a network can do. This table, and the
// one below, are the only places where an ability becomes a feature. While what
// is said to them may be held, it can be changed and taken back (XEP-0308,
// XEP-0424) whatever the network is, and who is writing is waited for; what comes
// after that is refused, where the network has no such thing, in words.
func contactTable(n *core.Network) []row {
	c, held := n.Caps, n.MayHold()
	return []row{
		{NSInfo, true},
		{NSCaps, true},
		{NSVCard, true},
		{"urn:xmpp:ping", true},
		{"urn:xmpp:receipts", true},
		{"urn:xmpp:reply:0", true},
		{"urn:xmpp:fallback:0", true},
		{"jabber:x:oob", true},
		{"urn:xmpp:sfs:0", true},
		{"http://jabber.org/protocol/chatstates", c.TypingSender != nil || held},
		{"urn:xmpp:chat-markers:0", c.ReadMarker != nil},
		{"urn:xmpp:message-correct:0", c.Editor != nil || held},
		{"urn:xmpp:message-retract:1", c.Retractor != nil || held},
		{"urn:xmpp:reactions:0", c.Reactor != nil},
		{"jabber:iq:version", c.Querier != nil},
		{"urn:xmpp:time", c.Querier != nil},
	}
}

// gatewayTable is what the gateway itself offers for a network, besides the
// doors (commands, forms) that Config.Features names.
func gatewayTable(c core.Caps) []row {
	return []row{
		{NSInfo, true},
		{NSItems, true},
		{NSCaps, true},
		{NSVCard, true},
		{"urn:xmpp:ping", true},
		{"urn:xmpp:receipts", true},
		{"jabber:iq:version", true},
		{"urn:xmpp:time", true},
		{"http://jabber.org/protocol/address", true},
		{"http://jabber.org/protocol/muc", c.Rooms != nil},
		{NSPages, c.Rooms != nil},
	}
}

// cards are the features of who has a vCard4 (XEP-0292) and items of personal
// eventing, the picture among them, to be asked for.
func cards() []string { return []string{nsVCard4, nsPubsub + "#retrieve-items"} }

// withEvents adds what makes an account one with personal eventing (XEP-0163
// section 6.1): who is subscribed to its presence is told what is new, by what
// their client wants to know.
func (i Info) withEvents() Info {
	i.Identities = append(slices.Clone(i.Identities), Identity{Category: "pubsub", Type: "pep"})
	i.Features = append(slices.Clone(i.Features), cards()...)
	for _, what := range []string{"access-presence", "auto-subscribe", "filtered-notifications", "last-published"} {
		i.Features = append(i.Features, nsPubsub+"#"+what)
	}
	slices.Sort(i.Features)
	i.Features = slices.Compact(i.Features)
	return i
}

func features(table []row, more ...string) []string {
	all := slices.Clone(more)
	for _, r := range table {
		if r.has {
			all = append(all, r.feature)
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// gatewayInfo describes the domain of a network.
func gatewayInfo(n *core.Network, more, admins []string) Info {
	ids := []Identity{{Category: "gateway", Type: n.Driver.Type, Name: n.Driver.Title}}
	if n.Caps.Rooms != nil {
		// Beside the gateway's, so that no client takes it for the place to make
		// its group chats in.
		ids = append(ids, Identity{Category: "conference", Type: "text", Name: n.Driver.Title})
	}
	return Info{Identities: ids, Features: features(gatewayTable(n.Caps), more...), Forms: contactForms(admins)}
}

// contactForms says whom to turn to about the gateway (XEP-0157), by bare JID.
func contactForms(admins []string) []Form {
	if len(admins) == 0 {
		return nil
	}
	uris := make([]string, len(admins))
	for i, jid := range admins {
		uris[i] = edge.URI(jid, "")
	}
	return []Form{{Type: "http://jabber.org/network/serverinfo", Fields: []FormField{
		{Var: "abuse-addresses", Type: "list-multi", Values: uris}, // where servers send reports (XEP-0377)
		{Var: "admin-addresses", Type: "list-multi", Values: uris},
	}}}
}

// clientInfo describes the full JID of every correspondent on a network. It
// names nobody, so that one capabilities hash stands for them all.
func clientInfo(n *core.Network, more []string) Info {
	kind := "pc"
	if n.Driver.Type == "sms" {
		kind = "sms"
	}
	return Info{
		Identities: []Identity{{Category: "client", Type: kind, Name: n.Driver.Title}},
		Features:   features(contactTable(n), more...),
		Forms:      reactionForms(n),
	}
}

// accountInfo describes the bare JID of one correspondent, by name.
func accountInfo(n *core.Network, name string, more []string) Info {
	return Info{
		Identities: []Identity{{Category: "account", Type: "registered", Name: name}},
		Features:   features(contactTable(n), more...),
		Forms:      reactionForms(n),
	}
}

// reactionForms says which reactions a network takes (XEP-0444 section 4.1), if
// not any.
func reactionForms(n *core.Network) []Form {
	rules := n.Driver.Reactions
	if n.Caps.Reactor == nil || rules.Most == 0 && rules.Allowed == nil {
		return nil
	}
	f := Form{Type: "urn:xmpp:reactions:0:restrictions"}
	if rules.Most > 0 {
		f.Fields = append(f.Fields, FormField{Var: "max_reactions_per_user", Values: []string{strconv.Itoa(rules.Most)}})
	}
	if rules.Allowed != nil {
		f.Fields = append(f.Fields, FormField{Var: "allowlist", Type: "list-multi", Values: rules.Allowed})
	}
	return []Form{f}
}
