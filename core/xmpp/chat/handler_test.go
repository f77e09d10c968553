package chat

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"gangway/core"
	"gangway/core/xmpp"
	"gangway/core/xmpp/edge"
	"gangway/core/xmpp/edge/edgetest"
	"gangway/core/xmpp/xmpptest"
)

const bob = `bob\40example.com@email.gw`

// stage is a host server, a domain with chat on it, and the hall behind.
func stage(t *testing.T, s core.Session) (*xmpptest.Server, *edgetest.Hall) {
	t.Helper()
	ch, d, hall := pane(s)
	router := xmpp.NewRouter(xmpp.RouterConfig{})
	nobody := xmpp.HandlerFunc(nil)
	router.Message(&edge.Switch{Domain: d, Self: nobody, Contact: ch.Handler(d)})
	router.IQ("get", xmpp.NSPing, "ping", xmpp.Ping())
	srv := xmpptest.New(t)
	d.Link = xmpptest.Start(t, srv, d.Name, router)
	return srv, hall
}

// quiet fails if there is more to come from the gateway for Alice.
func quiet(srv *xmpptest.Server) { srv.Quiet("alice@example.org/phone", "email.gw") }

// one returns the only event that was submitted.
func one[E core.Event](t *testing.T, hall *edgetest.Hall) E {
	t.Helper()
	var none E
	all := hall.Submitted()
	if len(all) != 1 {
		t.Fatalf("%d events were submitted, want 1", len(all))
	}
	e, ok := all[0].(E)
	if !ok {
		t.Fatalf("a %T was submitted, want a %T", all[0], none)
	}
	return e
}

func TestMessageSubmitted(t *testing.T) {
	srv, hall := stage(t, (*edgetest.Full)(nil))
	hall.Names = map[core.Address]core.Address{"bob@example.com": "Bob@example.com"}
	srv.Send(`<message type='chat' id='c1' from='Alice@Example.org/Phone' to='` + bob + `/gateway'>
		<subject>Greetings</subject><body>Hello</body><thread>t1</thread>
		<request xmlns='urn:xmpp:receipts'/><active xmlns='http://jabber.org/protocol/chatstates'/></message>`)
	quiet(srv) // above all no receipt: the far side does not have it
	m := one[*core.Message](t, hall)
	if len(m.ID) != 26 {
		t.Errorf("id %q", m.ID)
	}
	m.ID = ""
	want := &core.Message{
		Ref:    core.Ref{Account: "a1", Peer: "Bob@example.com"},
		Origin: core.Origin{ID: "c1", From: "Alice@Example.org/Phone"},
		At:     noon, Subject: "Greetings", Text: "Hello", Thread: "t1", Receipt: true,
	}
	if !reflect.DeepEqual(m, want) {
		t.Errorf("submitted\n%+v, want\n%+v", m, want)
	}
}

func TestMessageForms(t *testing.T) {
	for _, c := range []struct {
		name, stanza string // what is inside the message
		check        func(m *core.Message) bool
	}{
		{"origin-id where there is no id", `<body>x</body><origin-id xmlns='urn:xmpp:sid:0' id='o1'/>`,
			func(m *core.Message) bool { return m.Origin.ID == "o1" }},
		{"a client's delay", `<body>x</body><delay xmlns='urn:xmpp:delay' stamp='2026-11-24T10:00:00Z'/>`,
			func(m *core.Message) bool { return m.At.Equal(noon.Add(-2 * time.Hour)) }},
		{"a delay from the future", `<body>x</body><delay xmlns='urn:xmpp:delay' stamp='2027-11-24T10:00:00Z'/>`,
			func(m *core.Message) bool { return m.At.Equal(noon) }},
		{"a thread too long", `<body>x</body><thread>` + strings.Repeat("t", 300) + `</thread>`,
			func(m *core.Message) bool { return m.Thread == "" }},
		{"a file", `<x xmlns='jabber:x:oob'><url>https://files.example/1</url></x>`,
			func(m *core.Message) bool {
				return m.Text == "" && reflect.DeepEqual(m.Attachments, []core.Attachment{{URL: "https://files.example/1", Name: "1"}})
			}},
		{"a reply to the user's own", `<body>&gt; a
b</body><reply xmlns='urn:xmpp:reply:0' id='client-1'/><fallback xmlns='urn:xmpp:fallback:0' for='urn:xmpp:reply:0'><body start='0' end='4'/></fallback>`,
			func(m *core.Message) bool { return m.ReplyTo.ID == ours && m.Text == "b" }},
		{"a reply to theirs", `<body>x</body><reply xmlns='urn:xmpp:reply:0' id='` + string(theirs) + `'/>`,
			func(m *core.Message) bool { return m.ReplyTo.ID == theirs }},
		{"a reply to what nobody knows keeps its quotation", `<body>&gt; a
b</body><reply xmlns='urn:xmpp:reply:0' id='lost'/><fallback xmlns='urn:xmpp:fallback:0' for='urn:xmpp:reply:0'><body start='0' end='4'/></fallback>`,
			func(m *core.Message) bool { return !m.ReplyTo.Known() && m.Text == "> a\nb" }},
		{"another account's id is no name for anything", `<body>x</body><reply xmlns='urn:xmpp:reply:0' id='secret'/>`,
			func(m *core.Message) bool { return !m.ReplyTo.Known() }},
		{"a correction", `<body>x</body><replace xmlns='urn:xmpp:message-correct:0' id='client-1'/>`,
			func(m *core.Message) bool { return m.Replaces.ID == ours }},
		{"two bodies", `<body>x</body><body xml:lang='de'>y</body>`,
			func(m *core.Message) bool { return m.Text == "x" }},
	} {
		t.Run(c.name, func(t *testing.T) {
			srv, hall := stage(t, (*edgetest.Full)(nil))
			srv.Send(`<message type='normal' from='alice@example.org/phone' to='` + bob + `'>` + c.stanza + `</message>`)
			quiet(srv)
			if m := one[*core.Message](t, hall); !c.check(m) {
				t.Errorf("submitted %+v", m)
			}
		})
	}
}

func TestMessageRefused(t *testing.T) {
	const body = `<body>x</body>`
	for _, c := range []struct {
		name, attrs, inside, want string
		refuse                    error
	}{
		{name: "OMEMO (behaviour 31)", inside: `<body>I sent you an OMEMO message</body><encrypted xmlns='eu.siacs.conversations.axolotl'/>`,
			want: `<error type='modify'><not-acceptable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/><text xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'>*encrypt*</text></error>`},
		{name: "OMEMO 2", inside: `<encrypted xmlns='urn:xmpp:omemo:2'/>`, want: `<error type='modify'><not-acceptable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error>`},
		{name: "OpenPGP", inside: body + `<openpgp xmlns='urn:xmpp:openpgp:0'/>`, want: `<error><not-acceptable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error>`},
		{name: "old OpenPGP", inside: body + `<x xmlns='jabber:x:encrypted'/>`, want: `<error><not-acceptable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error>`},
		{name: "EME", inside: body + `<encryption xmlns='urn:xmpp:eme:0'/>`, want: `<error><not-acceptable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error>`},
		{name: "OTR", inside: `<body>?OTR:AAM</body>`, want: `<error><not-acceptable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error>`},
		{name: "groupchat to a person", attrs: `type='groupchat'`, inside: body,
			want: `<error type='cancel'><service-unavailable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error>`},
		{name: "nothing in it", want: `<error type='modify'><bad-request xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error>`},
		{name: "white space", inside: `<body> </body>`, want: `<error type='modify'><bad-request xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error>`},
		{name: "all fallback", inside: body + `<reply xmlns='urn:xmpp:reply:0' id='client-1'/><fallback xmlns='urn:xmpp:fallback:0' for='urn:xmpp:reply:0'/>`,
			want: `<error type='modify'><bad-request xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error>`},
		{name: "an address that is none", attrs: `to='nonsense@email.gw'`, inside: body,
			want: `<error type='modify'><jid-malformed xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/><text xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'>*alice@example.com*</text></error>`},
		{name: "another spelling (behaviour 9)", attrs: `to='mailto\3abob\40example.com@email.gw'`, inside: body,
			want: `<error type='cancel'><gone xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'>xmpp:bob%5C40example.com@email.gw</gone></error>`},
		{name: "a room where there are none", attrs: `to='#room%irc@email.gw'`, inside: body,
			want: `<error type='cancel'><feature-not-implemented xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error>`},
		{name: "a stranger", attrs: `from='bob@example.org/x'`, inside: body,
			want: `<error type='auth'><registration-required xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/><text xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'>*"register" to email.gw*</text></error>`},
		{name: "a server", attrs: `from='example.org'`, inside: body,
			want: `<error type='auth'><not-authorized xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error>`},
		{name: "a correction of what nobody knows", inside: body + `<replace xmlns='urn:xmpp:message-correct:0' id='lost'/>`,
			want: `<error type='cancel'><item-not-found xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error>`},
		{name: "a reaction to what nobody knows", inside: `<reactions xmlns='urn:xmpp:reactions:0' id='lost'/>`,
			want: `<error type='cancel'><item-not-found xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error>`},
		{name: "a novel as a reaction", inside: `<reactions xmlns='urn:xmpp:reactions:0' id='client-1'><reaction>` + strings.Repeat("x", 65) + `</reaction></reactions>`,
			want: `<error type='modify'><bad-request xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error>`},
		{name: "what the network refuses", inside: body, refuse: &core.Error{Kind: core.OverLimit, Text: "Ten a day."},
			want: `<error type='wait'><resource-constraint xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/><text xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'>Ten a day.</text></error>`},
	} {
		t.Run(c.name, func(t *testing.T) {
			srv, hall := stage(t, (*edgetest.Full)(nil))
			hall.Refuse = c.refuse
			attrs := c.attrs
			for _, def := range []string{"from='alice@example.org/phone'", "to='" + bob + "'", "type='chat'"} {
				if name, _, _ := strings.Cut(def, "="); !strings.Contains(attrs, name+"=") {
					attrs += " " + def
				}
			}
			srv.Send(fmt.Sprintf(`<message id='c1' %s>%s</message>`, attrs, c.inside))
			srv.Expect(`<message type='error' id='c1'>` + c.want + `</message>`)
			if n := len(hall.Submitted()); n != 0 {
				t.Errorf("%d events were submitted", n)
			}
		})
	}
}

// Behaviour 32: an error is never answered, nor is what our own domain sent
// (behaviour 19), nor a notification that the network cannot carry.
func TestSilence(t *testing.T) {
	for name, stanza := range map[string]string{
		"an error": `<message type='error' id='` + string(theirs) + `' from='alice@example.org' to='` + bob + `'><body>x</body>
			<error type='cancel'><service-unavailable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></message>`,
		"our own echo":   `<message type='chat' id='c1' from='carol@email.gw' to='` + bob + `'><body>x</body></message>`,
		"typing":         `<message type='chat' from='alice@example.org/x' to='` + bob + `'><composing xmlns='http://jabber.org/protocol/chatstates'/></message>`,
		"displayed":      `<message type='chat' from='alice@example.org/x' to='` + bob + `'><displayed xmlns='urn:xmpp:chat-markers:0' id='` + string(theirs) + `'/></message>`,
		"received":       `<message type='chat' from='alice@example.org/x' to='` + bob + `'><received xmlns='urn:xmpp:receipts' id='` + string(theirs) + `'/></message>`,
		"another marker": `<message type='chat' from='alice@example.org/x' to='` + bob + `'><acknowledged xmlns='urn:xmpp:chat-markers:0' id='1'/></message>`,
	} {
		t.Run(name, func(t *testing.T) {
			srv, hall := stage(t, (*edgetest.Plain)(nil))
			srv.Send(stanza)
			quiet(srv)
			if n := len(hall.Submitted()); n != 0 {
				t.Errorf("%d events were submitted", n)
			}
		})
	}
}

// Behaviour 24: what the network cannot do is refused with a sentence, and its
// fallback is not sent as a message.
func TestAbilitiesMissing(t *testing.T) {
	for what, inside := range map[string]string{
		"changed":    `<body>x</body><replace xmlns='urn:xmpp:message-correct:0' id='client-1'/>`,
		"reacted to": `<body>&gt; a</body><reactions xmlns='urn:xmpp:reactions:0' id='client-1'><reaction>👍</reaction></reactions>`,
		"taken back": `<body>/me took it back</body><retract xmlns='urn:xmpp:message-retract:1' id='client-1'/>`,
	} {
		srv, hall := stage(t, (*edgetest.Plain)(nil))
		srv.Send(`<message type='chat' id='c1' from='alice@example.org/x' to='` + bob + `'>` + inside + `</message>`)
		srv.Expect(`<message type='error' id='c1'><error type='cancel'>
			<feature-not-implemented xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/>
			<text xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'>*` + what + `*E-mail*</text></error></message>`)
		if n := len(hall.Submitted()); n != 0 {
			t.Errorf("%s: %d events were submitted", what, n)
		}
	}
}

func TestNotifications(t *testing.T) {
	ref := core.Ref{Account: "a1", Peer: "bob@example.com"}
	origin := core.Origin{ID: "c1", From: ":alice@example.org/x"} // no receipt is asked for
	for _, c := range []struct {
		inside string
		want   core.Event
	}{
		{`<composing xmlns='http://jabber.org/protocol/chatstates'/>`, &core.Typing{Ref: ref, On: true}},
		{`<paused xmlns='http://jabber.org/protocol/chatstates'/>`, &core.Typing{Ref: ref}},
		{`<gone xmlns='http://jabber.org/protocol/chatstates'/>`, &core.Typing{Ref: ref}},
		{`<displayed xmlns='urn:xmpp:chat-markers:0' id='` + string(theirs) + `'/>`,
			&core.Receipt{Ref: ref, IDs: core.IDs{ID: theirs}, State: core.Read}},
		{`<reactions xmlns='urn:xmpp:reactions:0' id='` + string(theirs) + `'><reaction>👍</reaction></reactions>`,
			&core.Reaction{Ref: ref, IDs: core.IDs{ID: theirs}, Origin: origin, Emoji: []string{"👍"}, At: noon}},
		{`<reactions xmlns='urn:xmpp:reactions:0' id='client-1'/>`, &core.Reaction{Ref: ref, IDs: core.IDs{ID: ours}, Origin: origin, At: noon}},
		{`<retract xmlns='urn:xmpp:message-retract:1' id='client-1'/><body>gone</body>`,
			&core.Retraction{Ref: ref, IDs: core.IDs{ID: ours}, Origin: origin, At: noon}},
	} {
		srv, hall := stage(t, (*edgetest.Full)(nil))
		srv.Send(`<message type='chat' id='c1' from='alice@example.org/x' to='` + bob + `'>` + c.inside + `</message>`)
		quiet(srv)
		if got := hall.Submitted(); len(got) != 1 || !reflect.DeepEqual(got[0], c.want) {
			t.Errorf("%s: submitted %+v, want %+v", c.inside, got, c.want)
		}
	}
}

func TestNotificationsFailSilently(t *testing.T) {
	srv, hall := stage(t, (*edgetest.Full)(nil))
	hall.Refuse = core.E(core.Unavailable, "test", "")
	srv.Send(`<message type='chat' id='c1' from='alice@example.org/x' to='` + bob + `'><composing xmlns='http://jabber.org/protocol/chatstates'/></message>`)
	srv.Send(`<message type='chat' id='c1' from='bob@example.org/x' to='` + bob + `'><composing xmlns='http://jabber.org/protocol/chatstates'/></message>`)
	quiet(srv)
	srv.Quiet("bob@example.org/x", "email.gw")
}
