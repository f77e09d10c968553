package disco

import (
	"testing"

	"gangway/core"
	"gangway/core/xmpp"
	"gangway/core/xmpp/edge"
	"gangway/core/xmpp/edge/edgetest"
	"gangway/core/xmpp/xmpptest"
)

// sole serves one network.
type sole struct{}

func (sole) Single() string { return "irc" }

// Behaviour 3: where there is one network the gateway's items are its rooms, to who could enter them.
func TestTheGatewayListsItsNetwork3(t *testing.T) {
	network := edgetest.Network((*edgetest.Full)(nil))
	network.TransportCaps.Single = sole{}
	srv := xmpptest.New(t)
	router := xmpp.NewRouter(xmpp.RouterConfig{})
	New(Config{Domain: &edge.Domain{Name: "email.gw", Network: network}, Gateway: &edgetest.Hall{}, Rooms: rooms{}}).Register(router)
	xmpptest.Start(t, srv, "email.gw", router)
	for from, realm := range map[string]string{string(edgetest.Alice) + "/x": "irc", "example.org": ""} {
		srv.Send("<iq type='get' id='i' from='" + from + "' to='email.gw'><query xmlns='http://jabber.org/protocol/disco#items'/></iq>")
		srv.Expect("<iq type='result' id='i' to='" + from + "'><query xmlns='http://jabber.org/protocol/disco#items'><item jid='#go%irc@email.gw' name='realm:" + realm + "'/></query></iq>")
	}
	var _ core.Single = sole{}
}
