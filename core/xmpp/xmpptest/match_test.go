package xmpptest

import (
	"fmt"
	"maps"
	"runtime"
	"strings"
	"testing"
	"time"

	"gangway/core/xmpp/stream"
)

func parse(t *testing.T, xml string) *stream.Element {
	t.Helper()
	st, err := stream.Parse(xml)
	if err != nil {
		t.Fatalf("%s: %v", xml, err)
	}
	return st.Element
}

func TestMatch(t *testing.T) {
	const got = `<message from='a@b/c' id='x17' type='chat'><body>Hello there</body>` +
		`<x xmlns='urn:x' n='1'/><x xmlns='urn:x' n='2'><y>z</y></x></message>`
	for pattern, want := range map[string]string{ // the last difference; "" if it matches
		`<message/>`:                                                             "",
		`<message id='*' type='chat' to='!'/>`:                                   "",
		`<message id='x*'><body>*there</body></message>`:                         "",
		`<message><body/><x xmlns='urn:x' n='2'/></message>`:                     "",
		`<message><x xmlns='urn:x' n='2'/><x xmlns='urn:x'/></message>`:          "",
		`<message><no><x xmlns='urn:x' n='3'/><subject/></no></message>`:         "",
		`<message from='$who' id='x$n'><x xmlns='urn:x'><y>$z</y></x></message>`: "",
		`<message from='$a@$b/$c'/>`:                                             "",
		`<presence/>`:                                                            ": want <presence xmlns='jabber:component:accept'>, got <message xmlns='jabber:component:accept'>",
		`<message to='*'/>`:                                                      `/message@to: want "*", got none`,
		`<message id='!'/>`:                                                      `/message@id: want none, got "x17"`,
		`<message id='y*'/>`:                                                     `/message@id: want "y*", got "x17"`,
		`<message id='17'/>`:                                                     `/message@id: want "17", got "x17"`,
		`<message><body>Hello</body></message>`:                                  `/message/body: want text "Hello", got "Hello there"`,
		`<message><subject/></message>`:                                          `/message: no <subject xmlns='jabber:component:accept'> in it`,
		`<message><body xmlns='urn:x'/></message>`:                               `/message: no <body xmlns='urn:x'> in it`,
		`<message><x xmlns='urn:x' n='2'/><x xmlns='urn:x' n='2'/></message>`:    `/message/x@n: want "2", got "1"`,
		`<message><no><body>Hello*</body></no></message>`:                        `/message: there is an unwanted <body>`,
		`<message id='$same' type='$same'/>`:                                     `/message@type: want "x17", got "chat"`,
	} {
		m := matcher{vars: map[string]string{}}
		d := append([]string{""}, m.try(parse(t, pattern), parse(t, got), "")...)
		if last := d[len(d)-1]; last != want {
			t.Errorf("%s\ngot  %s\nwant %s", pattern, last, want)
		}
	}
}

func TestCapture(t *testing.T) {
	m := matcher{vars: map[string]string{}}
	if d := m.try(parse(t, `<iq id='$id' from='$user@*'><no><x/></no></iq>`), parse(t, `<iq id='7' from='a@b'/>`), ""); len(d) > 0 {
		t.Error(d)
	}
	if want := map[string]string{"id": "7", "user": "a"}; !maps.Equal(m.vars, want) {
		t.Errorf("captured %v", m.vars)
	}
	if d := m.try(parse(t, `<iq id='$id' to='$to' type='x'/>`), parse(t, `<iq id='7' to='c'/>`), ""); len(d) != 1 || m.vars["to"] != "" {
		t.Errorf("a failure captures nothing: %v, %v", d, m.vars)
	}
	if s := m.known("<iq id='$id' to='$user@$other'/>"); s != "<iq id='7' to='a@$other'/>" {
		t.Error(s)
	}
}

// failure runs fn with a testing.TB that fails into a string.
func failure(t *testing.T, fn func(testing.TB)) string {
	t.Helper()
	f := &fakeTB{TB: t}
	done := make(chan struct{})
	go func() {
		defer close(done)
		fn(f)
	}()
	<-done
	return f.text
}

type fakeTB struct {
	testing.TB
	text string
}

func (f *fakeTB) Fatal(args ...any) {
	f.text += fmt.Sprint(args...)
	runtime.Goexit()
}

func (f *fakeTB) Fatalf(format string, args ...any) { f.Fatal(fmt.Sprintf(format, args...)) }
func (f *fakeTB) Helper()                           {}

func TestExpectFailureIsReadable(t *testing.T) {
	srv := New(t)
	st, err := stream.Parse(`<message to='a@b' type='error'><error type='wait'><x xmlns='urn:x'/></error></message>`)
	if err != nil {
		t.Fatal(err)
	}
	expect := func(fn func(*Server)) string {
		return failure(t, func(tb testing.TB) {
			srv.t = tb
			srv.received = []*stream.Stanza{st}
			fn(srv)
		})
	}
	srv.Patience = time.Millisecond // nothing is on its way
	defer func() { srv.t = t }()
	got := expect(func(s *Server) { s.Expect(`<message type='chat'><body>x</body></message>`) })
	want := `xmpptest: expected
    <message type='chat'>
      <body>x</body>
    </message>
received
    <message to='a@b' type='error'>
      <error type='wait'>
        <x xmlns='urn:x'/>
      </error>
    </message>
differences
    /message@type: want "chat", got "error"
    /message: no <body xmlns='jabber:component:accept'> in it`
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if got := expect(func(s *Server) { s.Expect(`<message to='a@b'/>`) }); got != "" {
		t.Error(got)
	}
	if got := expect(func(s *Server) { s.ExpectAll(`<message/>`, `<iq/>`) }); !strings.HasSuffix(got, "expected one of\n    <iq/>\nreceived nothing") {
		t.Error(got)
	}
	if got := expect(func(s *Server) { s.Send(`<message to='a@nowhere'/>`) }); got != "xmpptest: nowhere is not connected" {
		t.Error(got)
	}
	if got := expect(func(s *Server) { s.Send(`<message`) }); !strings.HasPrefix(got, "xmpptest: Send: ") {
		t.Error(got)
	}
}

func TestShare(t *testing.T) {
	srv := New(t)
	deliver := func(to string) {
		t.Helper()
		st, err := stream.Parse("<message to='" + to + "'/>")
		if err != nil {
			t.Fatal(err)
		}
		srv.accept(&conn{domain: "gw"}, withFrom(st, "gw"))
	}
	t.Run("a test of its own", func(t *testing.T) {
		v := srv.Share(t, "bob@x", "carl@x")
		v.Set("who", "bob@x")
		deliver("bob@x/phone")
		deliver("alice@x/phone")
		deliver("carl@x")
		v.Expect("<message to='$who/phone'/>")
		v.Expect("<message to='carl@x'/>")
		if v.Known("$who, $whom") != "bob@x, $whom" {
			t.Error(v.Known("$who, $whom"))
		}
	})
	deliver("bob@x/late")
	deliver("alice@x")
	srv.Expect("<message to='alice@x/phone'/>")
	srv.Expect("<message to='alice@x'/>")
}

func withFrom(st *stream.Stanza, from string) *stream.Stanza {
	st.From = from
	return st
}
