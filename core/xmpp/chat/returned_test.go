package chat

import (
	"context"
	"testing"

	"gangway/core"
	"gangway/core/xmpp"
	"gangway/core/xmpp/edge"
	"gangway/core/xmpp/edge/edgetest"
	"gangway/core/xmpp/xmpptest"
)

// What the user's server returns is told to the hall; what a client does, or what is not ours, is not.
func TestReturnedIsTold(t *testing.T) {
	ch, d, _ := pane((*edgetest.Full)(nil))
	told := make(chan string, 10)
	ch.returned = func(_ context.Context, user core.UserID, network string, id core.MessageID, because core.Kind, reason core.Reason) error {
		told <- string(user) + " " + network + " " + string(id) + " " + because.String() + map[core.Reason]string{core.NoHost: ", no host"}[reason]
		return nil
	}
	router := xmpp.NewRouter(xmpp.RouterConfig{})
	router.Message(&edge.Switch{Domain: d, Self: xmpp.HandlerFunc(nil), Contact: ch.Handler(d)})
	router.IQ("get", xmpp.NSPing, "ping", xmpp.Ping())
	srv := xmpptest.New(t)
	d.Link = xmpptest.Start(t, srv, d.Name, router)
	send := func(id, from, condition string) {
		srv.Send(`<message type='error' id='` + id + `' from='` + from + `' to='` + bob + `'><error type='cancel'><` + condition + ` xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></message>`)
	}
	send(string(theirs), "alice@example.org/phone", "item-not-found")
	send("not-ours", "alice@example.org", "item-not-found")
	send(string(theirs), "example.org", "item-not-found")
	for condition, want := range map[string]string{
		"item-not-found": "not-found", "remote-server-not-found": "not-found, no host", "forbidden": "denied", "not-allowed": "denied",
		"service-unavailable": "unavailable", "resource-constraint": "unavailable", "remote-server-timeout": "unavailable",
	} {
		send(string(theirs), "alice@example.org", condition)
		if got := <-told; got != "alice@example.org "+d.Network.Driver.Name+" "+string(theirs)+" "+want {
			t.Errorf("%s: %q", condition, got)
		}
	}
	quiet(srv)
}
