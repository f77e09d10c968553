//go:build integration

package integration

import (
	"context"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"gangway/core"
	"gangway/core/xmpp"
	"gangway/core/xmpp/stream"
	"gangway/integration/client"
	"gangway/integration/servers"
	"gangway/integration/servers/serverstest"
	"gangway/integration/world"
)

// TestLink is the component link against the real servers: behaviours 49 and 50, and the real traffic that has ended
// other libraries' streams.
func TestLink(t *testing.T) {
	t.Parallel()
	for _, start := range []func(*testing.T, servers.HostConfig) servers.Host{prosodyHost, ejabberdHost} {
		host := start(t, servers.HostConfig{
			Dir: serverstest.Dir(t), Domain: world.Domain, Users: []servers.User{{Name: world.Alice, Password: world.Password}},
			Components: []servers.Component{{Domain: world.SMS, Secret: world.Password}, {Domain: world.IRC, Secret: world.Password}},
		})
		t.Run(host.Name(), func(t *testing.T) {
			t.Run("wrong secret", func(t *testing.T) { wrongSecret(t, host) })
			t.Run("hostile traffic", func(t *testing.T) { hostileTraffic(t, host) })
			if _, ok := host.(*servers.Prosody); ok { // ejabberd lets both in, and splits the traffic
				t.Run("conflict", func(t *testing.T) { conflict(t, host) })
			}
		})
	}
}

func linkContext(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	t.Cleanup(cancel)
	return ctx
}

func wrongSecret(t *testing.T, host servers.Host) {
	ctx := linkContext(t)
	link := newLink(ctx, t, host, world.IRC, func(c *xmpp.Config) { c.Secret = "wrong" })
	err := link.Check(ctx)
	if core.KindOf(err) != core.Denied || !strings.Contains(core.AsError(err).Sentence(), "does not accept the secret for "+world.IRC) {
		t.Errorf("a wrong secret: %v", err)
	}
	until(ctx, t, "the refusal", func() (bool, string) {
		s := link.Status()
		return s.State == xmpp.Refused, s.State.String()
	})
}

// conflict: the newer connection wins, and the older one knows why it ended.
func conflict(t *testing.T, host servers.Host) {
	ctx := linkContext(t)
	first := newLink(ctx, t, host, world.IRC)
	if err := first.Ready(ctx); err != nil {
		t.Fatal(err)
	}
	second := newLink(ctx, t, host, world.IRC)
	if err := second.Ready(ctx); err != nil {
		t.Fatal(err)
	}
	until(ctx, t, "the first one's end", func() (bool, string) {
		s := first.Status()
		return s.State == xmpp.Conflict || s.State == xmpp.Waiting, s.State.String()
	})
}

// hostileTraffic is sent by a user, as far as their server lets it through: the stream to us lives on.
func hostileTraffic(t *testing.T, host servers.Host) {
	ctx := linkContext(t)
	var ups atomic.Int32
	router := xmpp.NewRouter(xmpp.RouterConfig{})
	router.Message(xmpp.HandlerFunc(func(_ context.Context, w xmpp.Sender, st *stream.Stanza) error {
		if st.Body() != "still there?" {
			return nil
		}
		from, to := st.To, st.From
		return w.Write(func(e *stream.Encoder) {
			e.Start("message", "", "type", "chat", "from", from, "to", to)
			e.Leaf("body", "", "still here")
			e.End()
		})
	}))
	link := newLink(ctx, t, host, world.SMS, func(c *xmpp.Config) {
		c.Router = router
		c.Trace = &xmpp.Trace{State: func(_ string, s xmpp.Status) {
			if s.State == xmpp.Online {
				ups.Add(1)
			}
		}}
	})
	if err := link.Ready(ctx); err != nil {
		t.Fatal(err)
	}
	const to = " to='x@" + world.SMS + "'"
	for name, raw := range map[string]string{
		"text before a child":  "<iq type='get' id='h1'" + to + ">text<query xmlns='urn:x'/></iq>",
		"two children":         "<iq type='set' id='h2'" + to + "><a xmlns='urn:x'/><b xmlns='urn:x'/></iq>",
		"a result with text":   "<iq type='result' id='h3'" + to + ">text</iq>",
		"an unasked error":     "<iq type='error' id='h4'" + to + "/>",
		"an iq without child":  "<iq type='get' id='h5'" + to + "/>",
		"an emoji":             "<message to='\U0001F525@" + world.SMS + "'><body>x</body></message>",
		"a soft hyphen":        "<message to='x@" + world.SMS + "/a\u00adb'><body>x</body></message>",
		"a ligature and a ZWJ": "<message to='\uFB01\u200D@" + world.SMS + "'><body>x</body></message>",
		"bidi and astral":      "<message type='chat'" + to + "><body>\u202e\U0001F468\u200d\U0001F469 \uFFFD \u2028&#x9;</body></message>",
		"depth":                "<message" + to + ">" + strings.Repeat("<a xmlns='urn:x'>", 80) + strings.Repeat("</a>", 80) + "</message>",
		"attributes":           "<message" + to + "><x xmlns='urn:x' " + manyAttributes(300) + "/></message>",
		"a large body":         "<message type='chat'" + to + "><body>" + strings.Repeat("&lt;", 20_000) + "</body></message>",
		"own namespaces":       "<message" + to + "><q:x xmlns:q='urn:q' q:a='1'><body/></q:x></message>",
	} {
		alice := reader(ctx, t, host) // a server may end the stream of one who sends such things
		if err := alice.Send(raw); err != nil {
			t.Logf("%s: the host server ends the user's stream", name)
		}
		_ = alice.Ping(ctx) // it has been read, or the stream is over
		_ = alice.Close()
		asker := reader(ctx, t, host)
		if _, err := asker.Say("x@"+world.SMS, "still there?"); err != nil {
			t.Fatal(err)
		}
		wait(ctx, t, asker, "an answer after "+name, client.MessageFrom("x@"+world.SMS, "still here"))
		if err := asker.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if n := ups.Load(); n != 1 {
		t.Errorf("the link came up %d times", n)
	}
}

func manyAttributes(n int) string {
	var b strings.Builder
	for i := range n {
		b.WriteString("a" + string(rune('a'+i%26)) + strings.Repeat("b", i/26) + "='1' ")
	}
	return b.String()
}
