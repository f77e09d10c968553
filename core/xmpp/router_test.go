package xmpp_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"gangway/core"
	"gangway/core/xmpp"
	"gangway/core/xmpp/stream"
	"gangway/core/xmpp/xmpptest"
)

func TestHandlerErrorsAndPanics(t *testing.T) {
	srv := xmpptest.New(t)
	r := xmpp.NewRouter(xmpp.RouterConfig{Logger: slog.New(slog.DiscardHandler)})
	r.Message(xmpp.HandlerFunc(func(_ context.Context, _ xmpp.Sender, st *stream.Stanza) error {
		switch st.Body() {
		case "panic":
			var none *stream.Stanza
			return errors.New(none.ID)
		case "denied":
			return core.E(core.Denied, "test", "Not you.")
		case "gone":
			return &xmpp.Error{Type: "cancel", Condition: "gone", Gone: "xmpp:new@irc.gw"}
		case "internal":
			return errors.New("dial tcp 10.0.0.7: refused")
		}
		return nil
	}))
	r.IQ("get", xmpp.NSPing, "ping", xmpp.Ping())
	xmpptest.Start(t, srv, domain, r)
	const ns = `xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'`
	for body, want := range map[string]string{
		"panic":    `<error type='wait'><internal-server-error ` + ns + `/></error>`,
		"denied":   `<error type='auth'><not-authorized ` + ns + `/><text ` + ns + ` xml:lang='en'>Not you.</text></error>`,
		"gone":     `<error type='cancel'><gone ` + ns + `>xmpp:new@irc.gw</gone></error>`,
		"internal": `<error type='wait'><internal-server-error ` + ns + `/><text ` + ns + `>*logged*</text></error>`,
	} {
		srv.Send(`<message id='1' from='a@b/c' to='x@irc.gw' type='chat'><body>` + body + `</body></message>`)
		st := srv.Expect(`<message type='error' id='1' from='x@irc.gw' to='a@b/c'>` + want + `</message>`)
		if strings.Contains(st.String(), "10.0.0.7") {
			t.Errorf("told the user: %s", st)
		}
		srv.Send(`<message type='error' from='a@b/c' to='x@irc.gw'><body>` + body + `</body></message>`)
		srv.Quiet("a@b/c", "irc.gw")
	}
}

// TestQueuePerSender blocks one sender's handler: others go on, what is too much
// is refused, and nothing changes its order.
func TestQueuePerSender(t *testing.T) {
	srv := xmpptest.New(t)
	release := make(chan struct{})
	r := xmpp.NewRouter(xmpp.RouterConfig{PerSender: 10, Total: 15})
	r.Message(xmpp.HandlerFunc(func(ctx context.Context, w xmpp.Sender, st *stream.Stanza) error {
		if strings.HasPrefix(strings.ToLower(st.From), "slow@") {
			<-release
		}
		return echo(ctx, w, st)
	}))
	overflow := make(chan string, 100)
	xmpptest.Start(t, srv, domain, r, func(c *xmpp.Config) {
		c.Trace = &xmpp.Trace{Overflow: func(_ string, st *stream.Stanza) { overflow <- st.ID }}
	})
	for i := range 12 {
		srv.Send(fmt.Sprintf(`<message from='%s@b/%d' to='x@irc.gw' id='%d'><body>x</body></message>`, []string{"slow", "Slow"}[i%2], i, i))
	}
	for i := 10; i < 12; i++ {
		srv.Expect(fmt.Sprintf(`<message type='error' id='%d'><error type='wait'>`+
			`<resource-constraint xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></message>`, i))
		if id := <-overflow; id != fmt.Sprint(i) {
			t.Errorf("overflow of %s", id)
		}
	}
	srv.Send(`<message from='quick@b/c' to='x@irc.gw' id='q'><body>x</body></message>`)
	srv.Expect(`<message id='q' type='!'/>`)
	close(release)
	for i := range 10 {
		srv.Expect(fmt.Sprintf(`<message id='%d' type='!'/>`, i))
	}
}

func TestQueueTotal(t *testing.T) {
	srv := xmpptest.New(t)
	release := make(chan struct{})
	r := xmpp.NewRouter(xmpp.RouterConfig{PerSender: 10, Total: 5})
	r.Message(xmpp.HandlerFunc(func(ctx context.Context, w xmpp.Sender, st *stream.Stanza) error {
		<-release
		return echo(ctx, w, st)
	}))
	xmpptest.Start(t, srv, domain, r)
	for i := range 6 {
		srv.Send(fmt.Sprintf(`<message from='u%d@b' to='x@irc.gw' id='%d'><body>x</body></message>`, i, i))
	}
	srv.Expect(`<message type='error' id='5'/>`)
	close(release)
	for range 5 {
		srv.Expect(`<message type='!'/>`)
	}
}

func TestRoutes(t *testing.T) {
	srv := xmpptest.New(t)
	r := xmpp.NewRouter(xmpp.RouterConfig{})
	name := func(s string) xmpp.Handler {
		return xmpp.HandlerFunc(func(_ context.Context, w xmpp.Sender, st *stream.Stanza) error {
			return w.Write(func(e *stream.Encoder) { e.Empty("message", "", "id", s, "from", domain, "to", st.From) })
		})
	}
	r.Message(name("any message"))
	r.MessageWith("urn:a", "a", name("message a"))
	r.Presence(name("any presence"))
	r.PresenceWith("urn:b", "b", name("presence b"))
	r.IQ("get", "urn:c", "c", name("get c"))
	r.IQ("set", "urn:c", "c", name("set c"))
	xmpptest.Start(t, srv, domain, r)
	for in, want := range map[string]string{
		"<message from='a@b' to='irc.gw'/>":                                          "any message",
		"<message from='a@b' to='irc.gw'><x xmlns='y'/><a xmlns='urn:a'/></message>": "message a",
		"<message from='a@b' to='irc.gw'><b xmlns='urn:b'/></message>":               "any message",
		"<presence from='a@b' to='irc.gw'/>":                                         "any presence",
		"<presence from='a@b' to='irc.gw'><b xmlns='urn:b'/></presence>":             "presence b",
		"<iq type='get' id='1' from='a@b' to='irc.gw'><c xmlns='urn:c'/></iq>":       "get c",
		"<iq type='set' id='1' from='a@b' to='irc.gw'><c xmlns='urn:c'/></iq>":       "set c",
	} {
		srv.Send(in)
		srv.Expect("<message id='" + want + "'/>")
	}
	defer func() {
		if recover() == nil {
			t.Error("two handlers for one route")
		}
	}()
	r.Message(name("again"))
}
