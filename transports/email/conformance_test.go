package email

import (
	"context"
	"net"
	"strings"
	"testing"

	"github.com/emersion/go-smtp"

	"gangway/core"
	"gangway/core/transporttest"
	"gangway/transports/email/mime"
)

func TestConformance(t *testing.T) {
	transporttest.Run(t, func(t *testing.T) transporttest.Fixture {
		relay := startRelay(t, nil)
		f := &far{relay: relay, ready: make(chan *transport, 1)}
		driver := Driver()
		driver.New = func(h core.Host, d core.Decoder) (core.Transport, error) {
			tr, err := newTransport(h, d)
			if err == nil {
				f.ready <- tr.(*transport)
			}
			return tr, err
		}
		return transporttest.Fixture{
			Driver: driver, Account: alice, Peer: "Bob@example.com", Far: f,
			Settings: decoder(map[string]any{"domain": domain, "lmtp": "127.0.0.1:0", "relay": "smtp://" + relay.addr}),
			Forms: []transporttest.Form{
				{Text: "bob@example.com", Want: core.Target{Address: "bob@example.com"}},
				{Text: " Bob@EXAMPLE.com. ", Want: core.Target{Address: "Bob@example.com"}},
				{Text: "mailto:Bob%2Bx@example.com?subject=hi", Want: core.Target{Address: "Bob+x@example.com"}},
				{Text: "<bob@xn--bcher-kva.example>", Want: core.Target{Address: "bob@bücher.example"}},
				{Text: `"a b"@example.com`, Want: core.Target{Address: `"a b"@example.com`}},
				{Text: `"bob"@example.com`, Want: core.Target{Address: "bob@example.com"}},
				{Text: "jürgen@example.com", Want: core.Target{Address: "jürgen@example.com"}},
			},
			Bad: []string{
				"bob", "@example.com", "bob@", "bob@[127.0.0.1]", "bob@127.0.0.1", "a b@example.com", "bob@exa mple.com", "bob@-x.example",
				`"a@example.com`, "a\x00@b.example", strings.Repeat("x", 65) + "@example.com", "bob@" + strings.Repeat("x", 64) + ".example",
			},
		}
	})
}

// far is bob, behind the relay, and the site's mail server, which delivers by LMTP.
type far struct {
	relay *relayDouble
	ready chan *transport
}

func (f *far) Next(ctx context.Context) (transporttest.Got, error) {
	select {
	case got := <-f.relay.mails:
		m := mime.Parse([]byte(got.mail))
		return transporttest.Got{Name: m.Root.Header.Get("Message-ID"), Text: m.Body(1 << 20).Text}, nil
	case <-ctx.Done():
		return transporttest.Got{}, ctx.Err()
	}
}

func (f *far) Say(ctx context.Context, id, text string) error {
	tr := <-f.ready
	f.ready <- tr
	<-tr.ready
	var d net.Dialer
	conn, err := d.DialContext(ctx, "tcp", tr.bound["lmtp"].String())
	if err != nil {
		return err
	}
	c := smtp.NewClientLMTP(conn)
	defer c.Close()
	if err := c.Mail("Bob@example.com", nil); err != nil {
		return err
	}
	if err := c.Rcpt(string(alice.Own), nil); err != nil {
		return err
	}
	w, err := c.Data()
	if err != nil {
		return err
	}
	mail := "From: Bob <Bob@EXAMPLE.com>\r\nMessage-ID: <" + id + "@example.com>\r\n\r\n" + text + "\r\n"
	if _, err := w.Write([]byte(mail)); err != nil {
		return err
	}
	return w.Close()
}
