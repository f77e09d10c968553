package xmpp_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/big"
	"net"
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

// TestDrain stops a link in the midst of traffic: what the server hands over
// until it closes is still handled, and what was written before goes out.
func TestDrain(t *testing.T) {
	srv := xmpptest.New(t)
	handled := make(chan string, 1000)
	writes := make(chan error, 1000)
	r := xmpp.NewRouter(xmpp.RouterConfig{})
	r.Message(xmpp.HandlerFunc(func(ctx context.Context, w xmpp.Sender, st *stream.Stanza) error {
		handled <- st.ID
		writes <- echo(ctx, w, st)
		return ctx.Err()
	}))
	link, stop := xmpptest.Run(t, srv, domain, r)
	srv.Await(domain, 1)
	if err := link.Ready(t.Context()); err != nil {
		t.Fatal(err)
	}
	srv.HoldPings()
	batch, err := link.Send(func(e *stream.Encoder) { e.Empty("message", "", "from", domain, "to", "a@b", "id", "batch") })
	if err != nil {
		t.Fatal(err)
	}
	srv.Expect(`<message id='batch'/>`)
	srv.Pause() // the server does not see our closing tag yet
	stopped := make(chan error, 1)
	go func() { stopped <- stop() }()
	for link.Status().State != xmpp.Stopping {
		if err := link.Ready(t.Context()); err == nil {
			continue
		}
	}
	for i := range 100 {
		srv.Send(fmt.Sprintf(`<message from='a@b' to='x@irc.gw' id='%d'/>`, i))
	}
	for i := range 100 {
		if id := <-handled; id != fmt.Sprint(i) {
			t.Fatalf("handled %s, want %d", id, i)
		}
		if err := <-writes; !errors.Is(err, xmpp.ErrStopping) {
			t.Fatalf("write while stopping: %v", err)
		}
	}
	confirmed := make(chan error, 1)
	go func() { confirmed <- link.Confirm(t.Context(), batch) }()
	srv.ReleasePings()
	srv.Resume()
	if err := <-stopped; err != nil {
		t.Error(err)
	}
	if err := <-confirmed; err != nil && !errors.Is(err, xmpp.ErrLost) {
		t.Error(err)
	}
	if s := link.Status(); s.State != xmpp.Stopped {
		t.Errorf("state %v", s.State)
	}
}

// TestDrainBounded is a server that does not close, and a handler that does not
// return before its context ends.
func TestDrainBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := xmpptest.New(t)
		r := xmpp.NewRouter(xmpp.RouterConfig{})
		r.Message(xmpp.HandlerFunc(func(ctx context.Context, _ xmpp.Sender, _ *stream.Stanza) error {
			<-ctx.Done()
			return ctx.Err()
		}))
		_, stop := xmpptest.Run(t, srv, domain, r, func(c *xmpp.Config) { c.Dial = srv.Dial })
		srv.Await(domain, 1)
		srv.Send(`<message from='a@b' to='x@irc.gw'/>`)
		synctest.Wait()
		srv.Pause()
		began := time.Now()
		if err := stop(); err != nil {
			t.Error(err)
		}
		if d := time.Since(began); d > 45*time.Second {
			t.Errorf("stopped after %v", d)
		}
	})
}

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

// TestTLS reaches a server by direct TLS only if its certificate is right.
func TestTLS(t *testing.T) {
	srv := xmpptest.New(t)
	cert, pool := certificate(t)
	front := tlsFront(t, srv.Addr(), cert)
	link, err := xmpp.New(xmpp.Config{
		Server: front, Domain: domain, Secret: xmpptest.Secret, Router: echoRouter(), TLS: &tls.Config{MinVersion: tls.VersionTLS12},
	})
	if err != nil {
		t.Fatal(err)
	}
	var unknown x509.UnknownAuthorityError
	if err := link.Check(t.Context()); !errors.As(err, &unknown) {
		t.Errorf("an unknown certificate: %v", err)
	}
	xmpptest.Start(t, srv, domain, echoRouter(), func(c *xmpp.Config) {
		c.Server, c.TLS = front, &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}
	})
	srv.Send(`<message from='a@b' to='x@irc.gw' id='1'><body>x</body></message>`)
	srv.Expect(`<message to='a@b' id='1'/>`)
}

func certificate(t *testing.T) (tls.Certificate, *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	tmpl := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, tmpl, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(leaf)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, pool
}

// tlsFront takes TLS connections and hands them on to addr in plain text.
func tlsFront(t *testing.T, addr string, cert tls.Certificate) string {
	t.Helper()
	l, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS12})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				back, err := net.Dial("tcp", addr)
				if err != nil {
					return
				}
				defer back.Close()
				go func() { _, _ = io.Copy(back, c); back.Close() }()
				_, _ = io.Copy(c, back)
			}()
		}
	}()
	return l.Addr().String()
}
