package xmpp_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"gangway/core"
	"gangway/core/xmpp"
	"gangway/core/xmpp/stream"
	"gangway/core/xmpp/xmpptest"
)

// TestRealTraffic is what real accounts send, by accident or not. Each is
// answered or dropped, and the stream goes on.
func TestRealTraffic(t *testing.T) {
	srv := xmpptest.New(t)
	xmpptest.Start(t, srv, domain, echoRouter())
	bad := func(id, condition string) string {
		return fmt.Sprintf(`<iq type='error' id='%s' from='irc.gw'><error><%s xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>`, id, condition)
	}
	const iq, ping = `<iq from='a@b/c' to='irc.gw'`, `<ping xmlns='urn:xmpp:ping'/>`
	for name, c := range map[string]struct{ send, expect string }{
		"text before the child":   {iq + ` type='get' id='1'>text` + ping + `</iq>`, `<iq type='result' id='1' to='a@b/c'/>`},
		"no child":                {iq + ` type='get' id='2'/>`, bad("2", "bad-request")},
		"text only":               {iq + ` type='set' id='3'>text</iq>`, bad("3", "bad-request")},
		"two children":            {iq + ` type='get' id='4'>` + ping + ping + `</iq>`, bad("4", "bad-request")},
		"unknown child":           {iq + ` type='get' id='5'><x xmlns='y'/></iq>`, bad("5", "service-unavailable")},
		"get sent as set":         {iq + ` type='set' id='6'>` + ping + `</iq>`, bad("6", "service-unavailable")},
		"no type":                 {iq + ` id='7'>` + ping + `</iq>`, bad("7", "bad-request")},
		"odd type":                {iq + ` type='GET' id='8'>` + ping + `</iq>`, bad("8", "bad-request")},
		"no id":                   {iq + ` type='get'>` + ping + `</iq>`, `<iq type='result' to='a@b/c'/>`},
		"result with text":        {iq + ` type='result' id='9'>text</iq>`, ""},
		"result nobody asked for": {iq + ` type='result' id='10'/>`, ""},
		"error":                   {iq + ` type='error' id='11'/>`, ""},
		"message of type error":   {`<message type='error' from='a@b/c' to='x@irc.gw'><body>x</body></message>`, ""},
		"presence":                {`<presence from='a@b/c' to='x@irc.gw'/>`, ""},
		"unknown stanza":          {`<stanza xmlns='urn:x' from='a@b/c' to='x@irc.gw'/>`, ""},
		"own element":             {`<route from='a@b/c' to='x@irc.gw'/>`, ""},
		"emoji localpart":         {`<message from='😀@b/x' to='x@irc.gw'><body>1</body></message>`, `<message to='😀@b/x'/>`},
		"heart localpart":         {`<message from='♥@b/x' to='♥@irc.gw'><body>1</body></message>`, `<message to='♥@b/x' from='♥@irc.gw'/>`},
		"soft hyphen":             {"<message from='a@b/so\u00adft' to='x@irc.gw'><body>1</body></message>", "<message to='a@b/so\u00adft'/>"},
		"zero width joiner":       {"<message from='a@b/\u200d' to='x@irc.gw'><body>1</body></message>", "<message to='a@b/\u200d'/>"},
		"ligature":                {"<message from='a@b/ﬁ' to='x@irc.gw'><body>1</body></message>", "<message to='a@b/ﬁ'/>"},
		"superscript":             {"<message from='a²@b/²' to='x@irc.gw'><body>1</body></message>", "<message to='a²@b/²'/>"},
		"no from":                 {`<message to='x@irc.gw'><body>1</body></message>`, ""},
		"bad from":                {`<message from='@/' to='x@irc.gw'><body>1</body></message>`, `<message to='@/'/>`},
		"foreign to":              {`<iq type='get' id='12' from='a@b/c' to='irc.gw/x'><x xmlns='y'/></iq>`, `<iq type='error' id='12' from='irc.gw/x'/>`},
		"domain in capitals":      {`<message from='a@b/c' to='x@IRC.gw'><body>1</body></message>`, `<message from='x@irc.gw'/>`},
		"duplicate attribute":     {`<iq type='get' id='13' from='a@b/c' to='irc.gw'><ping xmlns='urn:xmpp:ping' a='1' a='2'/></iq>`, bad("13", "bad-request")},
		"unbound prefix":          {`<iq type='get' id='14' from='a@b/c' to='irc.gw'><p:ping/></iq>`, bad("14", "bad-request")},
		"comment":                 {`<iq type='get' id='15' from='a@b/c' to='irc.gw'><!-- -->` + ping + `</iq>`, bad("15", "bad-request")},
		"illegal reference":       {`<message id='16' from='a@b/c' to='x@irc.gw'><body>&#2;</body></message>`, `<message type='error' id='16' from='x@irc.gw'><error type='modify'/></message>`},
		"bad error":               {`<message type='error' from='a@b/c' to='x@irc.gw'><body>&#2;</body></message>`, ""},
		"deep":                    {`<message id='17' from='a@b/c' to='x@irc.gw'>` + strings.Repeat("<a>", 99) + strings.Repeat("</a>", 99) + `</message>`, `<message type='error' id='17'><error><policy-violation xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/><text xmlns='urn:ietf:params:xml:ns:xmpp-stanzas' xml:lang='en'>*complex*</text></error></message>`},
	} {
		t.Run(name, func(t *testing.T) {
			srv.Raw(domain, c.send)
			if c.expect != "" {
				srv.Expect(c.expect)
			}
			srv.Quiet("a@b/c", "irc.gw")
		})
	}
}

// TestControlCharacters puts every C0 byte, and worse, into every field that a
// legacy network can fill.
func TestControlCharacters(t *testing.T) {
	srv := xmpptest.New(t)
	link := xmpptest.Start(t, srv, domain, echoRouter())
	hostile := []string{"\xff", "\xed\xa0\x80", "\ufffe", "\uffff", "\xf0\x9f", "]]>", "<!--", "<?x?>", "&#2;", "&", "'\"><stream:error/>", "\r\n"}
	for c := range byte(0x20) {
		hostile = append(hostile, string(rune(c)))
	}
	for _, h := range hostile {
		err := link.Write(func(e *stream.Encoder) {
			e.Start("message", "", "from", "nick"+h+"x@irc.gw/r"+h, "to", "a@b/"+h+"x", "id", h+"i", "type", h+"t")
			e.Leaf("body", "", h, "xml:lang", h)
			e.Empty("x", "urn:x"+h)
			e.End()
		})
		if strings.Contains(h, "/") {
			if !errors.Is(err, stream.ErrAddress) {
				t.Errorf("%q moves the domain: %v", h, err)
			}
			continue
		}
		if err != nil {
			t.Fatalf("%q: %v", h, err)
		}
		st := srv.Next()
		want := h
		if len(h) == 1 && h[0] < 0x20 && h != "\t" && h != "\r" && h != "\n" {
			want = "\ufffd"
		}
		if st.Child("", "body") == nil || len(h) == 1 && h[0] < 0x20 && st.Body() != want {
			t.Errorf("%q arrived as %q", h, st.Body())
		}
	}
}

func TestTenMegabytes(t *testing.T) {
	srv := xmpptest.New(t)
	xmpptest.Start(t, srv, domain, echoRouter())
	srv.Raw(domain, "<message id='big' from='a@b/c' to='x@irc.gw'><body>")
	chunk := strings.Repeat("0123456789abcdef", 4096)
	for range 160 {
		srv.Raw(domain, chunk)
	}
	srv.Raw(domain, "</body></message>")
	srv.Expect(`<message type='error' id='big' from='x@irc.gw' to='a@b/c'><error type='modify'>` +
		`<policy-violation xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></message>`)
	srv.Quiet("a@b/c", "irc.gw")
}

func TestIQ(t *testing.T) {
	srv := xmpptest.New(t)
	link := xmpptest.Start(t, srv, domain, echoRouter())
	type outcome struct {
		text string
		err  error
	}
	ask := func(ctx context.Context) <-chan outcome {
		done := make(chan outcome, 1)
		go func() {
			st, err := link.IQ(ctx, "Alice@example.org/x", "get", func(e *stream.Encoder) { e.Empty("query", "urn:q") })
			if err != nil {
				done <- outcome{err: err}
				return
			}
			defer st.Release()
			done <- outcome{text: st.ChildText("urn:q", "query")}
		}()
		srv.Unset("id")
		srv.Expect(`<iq type='get' from='irc.gw' to='Alice@example.org/x' id='$id'><query xmlns='urn:q'/></iq>`)
		return done
	}

	done := ask(t.Context())
	srv.Send(`<iq type='result' from='mallory@example.org/x' to='irc.gw' id='$id'><query xmlns='urn:q'>forged</query></iq>`)
	srv.Send(`<iq type='result' from='alice@example.org/y' to='irc.gw' id='$id'><query xmlns='urn:q'>forged</query></iq>`)
	srv.Send(`<iq type='result' from='alice@example.org/x' to='irc.gw' id='$id'><query xmlns='urn:q'>true</query></iq>`)
	srv.Send(`<iq type='result' from='alice@example.org/x' to='irc.gw' id='$id'><query xmlns='urn:q'>again</query></iq>`)
	if o := <-done; o.err != nil || o.text != "true" {
		t.Errorf("%+v", o)
	}

	done = ask(t.Context())
	srv.Send(`<iq type='error' from='alice@example.org/x' to='irc.gw' id='$id'><error type='cancel'>` +
		`<item-not-found xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>`)
	var se *xmpp.Error
	if o := <-done; !errors.As(o.err, &se) || se.Condition != "item-not-found" {
		t.Errorf("%+v", o)
	}

	ctx, cancel := context.WithCancel(t.Context())
	done = ask(ctx)
	cancel()
	if o := <-done; !errors.Is(o.err, context.Canceled) {
		t.Errorf("%+v", o)
	}

	done = ask(t.Context())
	srv.Cut(domain)
	if o := <-done; !errors.Is(o.err, xmpp.ErrLost) {
		t.Errorf("%+v", o)
	}
}

func TestIQTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := xmpptest.New(t)
		link := xmpptest.Start(t, srv, domain, echoRouter(), func(c *xmpp.Config) { c.Dial = srv.Dial })
		began := time.Now()
		_, err := link.IQ(t.Context(), "a@b", "get", nil)
		if core.KindOf(err) != core.Unavailable || time.Since(began) != time.Minute {
			t.Errorf("after %v: %v", time.Since(began), err)
		}
	})
}
