//go:build integration

package serverstest_test

import (
	"context"
	"crypto/sha1" //nolint:gosec // XEP-0114 wants it
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"gangway/integration/client"
	"gangway/integration/servers"
	"gangway/integration/servers/serverstest"
)

var (
	people = []servers.User{{Name: "alice", Password: "pw-a"}, {Name: "bob", Password: "pw-b"}}
	gw     = servers.Component{Domain: "gw.example.test", Secret: "s3cret", Privileged: true}
)

func prosody(t *testing.T) *servers.Prosody {
	return serverstest.Start(t, servers.NewProsody, servers.HostConfig{
		Dir: serverstest.Dir(t), Users: people, Components: []servers.Component{gw}, Archive: true, TLS: true,
	})
}

func ejabberd(t *testing.T) *servers.Ejabberd {
	return serverstest.Start(t, servers.NewEjabberd, servers.HostConfig{
		Dir: serverstest.Dir(t), Users: people, Components: []servers.Component{gw}, Archive: true, TLS: true,
	})
}

func TestProsody(t *testing.T)  { testHost(t, prosody(t)) }
func TestEjabberd(t *testing.T) { testHost(t, ejabberd(t)) }

// TestPlain: without an archive and without privileges, as in the smallest installations.
func TestPlain(t *testing.T) {
	conf := servers.HostConfig{Users: people, Components: []servers.Component{{Domain: gw.Domain, Secret: gw.Secret}}}
	conf.Dir = serverstest.Dir(t)
	testPlain(t, serverstest.Start(t, servers.NewProsody, conf))
	conf.Dir = serverstest.Dir(t)
	testPlain(t, serverstest.Start(t, servers.NewEjabberd, conf))
}

func testPlain(t *testing.T, s servers.Host) {
	t.Run(s.Name(), func(t *testing.T) {
		talk(t, s)
		component(t, s, false)
		if s.ClientTLS() != nil || s.CertFile() != "" {
			t.Error("there is TLS")
		}
	})
}

func testHost(t *testing.T, s servers.Host) {
	t.Run("talk", func(t *testing.T) { talk(t, s) })
	t.Run("room", func(t *testing.T) { room(t, s) })
	t.Run("component", func(t *testing.T) { component(t, s, true) })
	t.Run("archive", func(t *testing.T) { archive(t, s) })
	t.Run("wrong password", func(t *testing.T) {
		if _, err := client.Dial(t.Context(), s.Addr(), "alice@"+s.Domain(), "wrong"); !errors.Is(err, client.ErrNotAuthorized) {
			t.Fatalf("err = %v", err)
		}
	})
	t.Run("killed", func(t *testing.T) { killed(t, s) })
}

func deadline(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	t.Cleanup(cancel)
	return ctx
}

func online(t *testing.T, s servers.Host, u servers.User, opts ...client.Option) *client.Client {
	t.Helper()
	c, err := client.Dial(deadline(t), s.Addr(), u.Name+"@"+s.Domain()+"/test", u.Password, opts...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() }) // the server may have been killed
	if err := c.Online(deadline(t)); err != nil {
		t.Fatal(err)
	}
	return c
}

func talk(t *testing.T, s servers.Host) {
	alice, bob := online(t, s, people[0], client.WithCarbons()), online(t, s, people[1], client.WithReceipts())
	id, err := alice.Say(bob.Bare(), "Grüße & <so>")
	if err != nil {
		t.Fatal(err)
	}
	got, err := bob.Wait(deadline(t), client.MessageFrom(alice.Bare(), "Grüße & <so>"))
	if err != nil {
		t.Fatal(err)
	}
	if got.ID() != id {
		t.Errorf("id %q arrives as %q", id, got.ID())
	}
	if _, err := alice.Wait(deadline(t), client.ReceiptOf(id)); err != nil {
		t.Error(err)
	}
	if _, err := alice.IQ(deadline(t), s.Domain(), "get", "<query xmlns='urn:nobody:knows'/>"); err == nil {
		t.Error("the unknown is answered with a result")
	}
}

func room(t *testing.T, s servers.Host) {
	name := "chat@rooms." + s.Domain()
	alice, bob := online(t, s, people[0]), online(t, s, people[1])
	for nick, c := range map[string]*client.Client{"al": alice, "bo": bob} {
		self, err := c.Join(deadline(t), name, nick)
		if err != nil {
			t.Fatal(err)
		}
		if self.From() != name+"/"+nick {
			t.Errorf("self-presence from %s", self.From())
		}
		// ejabberd locks a new room until its owner has seen its configuration.
		_, _ = c.IQ(deadline(t), name, "set", "<query xmlns='http://jabber.org/protocol/muc#owner'><x xmlns='jabber:x:data' type='submit'/></query>")
	}
	if _, err := alice.SendMessage(client.Message{To: name, Type: "groupchat", Body: "all here?"}); err != nil {
		t.Fatal(err)
	}
	if _, err := bob.Wait(deadline(t), client.MessageFrom(name+"/al", "all here?")); err != nil {
		t.Fatal(err)
	}
	if err := bob.Leave(deadline(t), name, "bo"); err != nil {
		t.Fatal(err)
	}
}

// link is a component's connection: just enough to see a stanza pass.
type link struct {
	net.Conn
	dec *xml.Decoder
}

func connect(t *testing.T, s servers.Host, secret string) (*link, error) {
	t.Helper()
	conn, err := net.Dial("tcp", s.ComponentAddr())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	_ = conn.SetDeadline(time.Now().Add(30 * time.Second))
	l := &link{conn, xml.NewDecoder(conn)}
	fmt.Fprintf(conn, "<stream:stream xmlns='jabber:component:accept' xmlns:stream='http://etherx.jabber.org/streams' to='%s'>", gw.Domain)
	header, err := l.next()
	if err != nil {
		t.Fatal(err)
	}
	id := ""
	for _, a := range header.Attr {
		if a.Name.Local == "id" {
			id = a.Value
		}
	}
	fmt.Fprintf(conn, "<handshake>%x</handshake>", sha1.Sum([]byte(id+secret))) //nolint:gosec // XEP-0114
	answer, err := l.next()
	if err == nil && answer.Name.Local != "handshake" {
		err = errors.New("instead of the handshake: " + answer.Name.Local)
	}
	return l, err
}

// next is the next start tag.
func (l *link) next() (xml.StartElement, error) {
	for {
		tok, err := l.dec.Token()
		if err != nil {
			return xml.StartElement{}, err
		}
		if start, ok := tok.(xml.StartElement); ok {
			return start, nil
		}
	}
}

// want reads up to a start tag of one of those names and says of which.
func (l *link) want(t *testing.T, names ...string) string {
	t.Helper()
	for {
		start, err := l.next()
		if err != nil {
			t.Fatalf("waiting for %q: %v", names, err)
		}
		if slices.Contains(names, start.Name.Local) {
			return start.Name.Local
		}
	}
}

// component connects as one and sees stanzas pass, and after the handshake the privileges that it is told.
func component(t *testing.T, s servers.Host, privileged bool) {
	if _, err := connect(t, s, "wrong"); err == nil {
		t.Error("a wrong secret is accepted")
	}
	first, err := connect(t, s, gw.Secret)
	if err != nil {
		t.Fatal(err)
	}
	if privileged {
		first.want(t, "perm")
	}
	alice := online(t, s, people[0])
	if _, err := alice.Say("someone@"+gw.Domain, "over there?"); err != nil {
		t.Fatal(err)
	}
	if name := first.want(t, "perm", "body"); name != "body" {
		// Each privilege is one <perm/>; what follows them is the message.
		if !privileged {
			t.Error("a component without privileges is told some")
		}
		for first.want(t, "perm", "body") == "perm" {
		}
	}
	fmt.Fprintf(first, "<message from='someone@%s' to='%s' type='chat'><body>here</body></message>", gw.Domain, alice.JID())
	if _, err := alice.Wait(deadline(t), client.MessageFrom("someone@"+gw.Domain, "here")); err != nil {
		t.Fatal(err)
	}
	if _, ok := s.(*servers.Prosody); !ok {
		return
	}
	second, err := connect(t, s, gw.Secret)
	if err != nil {
		t.Fatalf("a second connection is not let in: %v", err)
	}
	if _, err := alice.Say("someone@"+gw.Domain, "still there?"); err != nil {
		t.Fatal(err)
	}
	second.want(t, "message")
}

// killed: an offline message, and the accounts, survive kill -9.
func killed(t *testing.T, s servers.Host) {
	alice := online(t, s, people[0])
	if _, err := alice.Say("bob@"+s.Domain(), "for later"); err != nil {
		t.Fatal(err)
	}
	if err := alice.Ping(deadline(t)); err != nil {
		t.Fatal(err)
	}
	addr := s.Addr()
	if err := s.Kill(); err != nil {
		t.Fatal(err)
	}
	<-s.Done()
	if _, err := net.Dial("tcp", addr); err == nil {
		t.Fatal("somebody still listens")
	}
	if _, err := alice.Wait(deadline(t), client.MessageFrom("nobody@nowhere", "")); err == nil || errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("the client does not notice: %v", err)
	}
	if err := s.Start(deadline(t)); err != nil {
		t.Fatal(err)
	}
	if s.Addr() != addr {
		t.Fatal("the address changed")
	}
	bob := online(t, s, people[1])
	if _, err := bob.Wait(deadline(t), client.MessageFrom("alice@"+s.Domain(), "for later")); err != nil {
		t.Fatal(err)
	}
}

// archive: an account that was made while the server ran, and what its owner wrote, found again by XEP-0313.
func archive(t *testing.T, s servers.Host) {
	carol := servers.User{Name: "carol.o", Password: "pw-c"}
	if err := s.AddUser(deadline(t), carol); err != nil {
		t.Fatal(err)
	}
	c := online(t, s, carol)
	if _, err := c.Say("alice@"+s.Domain(), "keep this"); err != nil {
		t.Fatal(err)
	}
	if err := c.Ping(deadline(t)); err != nil {
		t.Fatal(err)
	}
	if _, err := c.IQ(deadline(t), "", "set", "<query xmlns='urn:xmpp:mam:2'/>"); err != nil {
		t.Fatal(err)
	}
	if _, ok := c.Take(func(st *client.Stanza) bool {
		return st.Child("urn:xmpp:mam:2", "result") != nil && strings.Contains(st.Raw, "keep this")
	}); !ok {
		t.Fatal("the archive does not have it")
	}
	if s.ClientTLS() == nil || s.CertFile() == "" {
		t.Fatal("no TLS for clients")
	}
}

func TestEjabberdAPI(t *testing.T) {
	s := ejabberd(t)
	text, err := s.API(t.Context(), "registered_users", map[string]any{"host": s.Domain()})
	if err != nil || !strings.Contains(string(text), "alice") {
		t.Fatalf("%s, %v", text, err)
	}
	if _, err := s.API(t.Context(), "no_such_command", nil); err == nil {
		t.Fatal("an unknown command succeeds")
	}
}

func TestUpload(t *testing.T) {
	for _, s := range []servers.Host{prosody(t), ejabberd(t)} {
		t.Run(s.Name(), func(t *testing.T) {
			c := online(t, s, people[0])
			slot, err := c.IQ(deadline(t), "upload."+s.Domain(), "get",
				"<request xmlns='urn:xmpp:http:upload:0' filename='a.txt' size='5' content-type='text/plain'/>")
			if err != nil {
				t.Fatal(err)
			}
			const ns = "urn:xmpp:http:upload:0"
			put := slot.Child(ns, "slot").Child(ns, "put")
			req, err := http.NewRequestWithContext(t.Context(), http.MethodPut, put.Attr("url"), strings.NewReader("hello"))
			if err != nil {
				t.Fatal(err)
			}
			for _, h := range put.All(ns, "header") {
				req.Header.Set(h.Attr("name"), h.Text)
			}
			req.Header.Set("Content-Type", "text/plain")
			resp, err := http.DefaultClient.Do(req)
			if err != nil {
				t.Fatal(err)
			}
			_ = resp.Body.Close()
			if resp.StatusCode != http.StatusCreated {
				t.Fatalf("PUT: %s", resp.Status)
			}
			resp, err = http.Get(slot.Child(ns, "slot").Child(ns, "get").Attr("url"))
			if err != nil {
				t.Fatal(err)
			}
			defer resp.Body.Close()
			if text, err := io.ReadAll(resp.Body); err != nil || string(text) != "hello" {
				t.Fatalf("GET: %q, %v", text, err)
			}
		})
	}
}
