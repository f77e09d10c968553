package chat

import (
	"context"
	"strings"
	"testing"

	"gangway/core"
	"gangway/core/xmpp"
	"gangway/core/xmpp/edge"
	"gangway/core/xmpp/edge/edgetest"
	"gangway/core/xmpp/privilege"
	"gangway/core/xmpp/stream"
	"gangway/core/xmpp/xmpptest"
)

// theatre is a stage that also shows what the network says.
type theatre struct {
	*xmpptest.Server
	t      *testing.T
	chat   *Chat
	domain *edge.Domain
	hall   *edgetest.Hall
}

func open(t *testing.T, s core.Session) *theatre {
	t.Helper()
	ch, d, hall := pane(s)
	d.Privileges = privilege.New(privilege.Config{Domain: d.Name, Host: "example.org"})
	router := xmpp.NewRouter(xmpp.RouterConfig{})
	nobody := xmpp.HandlerFunc(func(context.Context, xmpp.Sender, *stream.Stanza) error {
		return core.E(core.NotFound, "test: gateway", "")
	})
	d.Privileges.Register(router, &edge.Switch{Domain: d, Self: ch.Multicast(d, nobody), Contact: ch.Handler(d)})
	router.IQ("get", xmpp.NSPing, "ping", xmpp.Ping())
	srv := xmpptest.New(t)
	d.Link = xmpptest.Start(t, srv, d.Name, router)
	d.Privileges.Attach(d.Link)
	return &theatre{srv, t, ch, d, hall}
}

// grant lets the gateway speak for the users of example.org.
func (th *theatre) grant(ns string) {
	th.t.Helper()
	th.Send(`<message from='example.org' to='email.gw'><privilege xmlns='` + ns + `'><perm access='message' type='outgoing'/></privilege></message>`)
	th.Quiet("example.org", "email.gw")
}

func (th *theatre) show(e core.Event) { th.showTo(edgetest.Account(), e) }

func (th *theatre) showTo(a core.Account, e core.Event) {
	th.t.Helper()
	var failed error
	err := th.domain.Link.Write(func(enc *stream.Encoder) {
		failed = th.chat.Render(th.t.Context(), enc, th.domain, a, e)
	})
	if err != nil || failed != nil {
		th.t.Fatal(err, failed)
	}
}

// say sends Bob a message of Alice's.
func (th *theatre) say(id, inside string) {
	th.t.Helper()
	th.Send(`<message type='chat' id='` + id + `' from='alice@example.org/phone' to='` + bob + `'>` + inside + `</message>`)
}

func (th *theatre) quiet() { th.t.Helper(); quiet(th.Server) }

var (
	bobRef = core.Ref{Account: "a1", Peer: "bob@example.com"}
	mine   = core.IDs{ID: theirs}
)

const refusedAs = `<message type='error' id='c1' from='` + bob + `' to='alice@example.org/phone'><error type='%t'><%c xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/>
	<text xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'>*%s*</text></error></message>`

func refusal(typ, condition, text string) string {
	return strings.NewReplacer("%t", typ, "%c", condition, "%s", text).Replace(refusedAs)
}
