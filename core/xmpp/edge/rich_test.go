package edge_test

import (
	"testing"

	"gangway/core/xmpp/xmpptest"
)

// enrolled is a house where Alice and Bob are registered.
func enrolled(t *testing.T) *xmpptest.Server {
	t.Helper()
	srv := house(t)
	for _, name := range []string{"alice", "bob"} {
		say(srv, name, "loop.gw", "r1", "register")
		say(srv, name, "loop.gw", "r2", ".")
		for range 4 { // two receipts, the question, the welcome
			srv.Expect(`<message to='` + name + `@example.org*'/>`)
		}
	}
	return srv
}

// A message is answered, changed, reacted to, read and taken back, each by the
// name that the client at hand has for it, through the whole house.
func TestRichMessages(t *testing.T) {
	srv := enrolled(t)
	const alice, bob = "from='alice@example.org/phone' to='bob@loop.gw'", "from='bob@example.org/desk' to='alice@loop.gw'"
	srv.Send(`<message type='chat' id='m1' ` + alice + `><body>Lunch at noon?</body></message>`)
	srv.Expect(`<message id='$first' from='alice@loop.gw/gateway' to='bob@example.org'><body>Lunch at noon?</body>
		<markable xmlns='urn:xmpp:chat-markers:0'/></message>`)

	srv.Send(`<message type='chat' id='b1' ` + bob + `><composing xmlns='http://jabber.org/protocol/chatstates'/></message>`)
	srv.Expect(`<message id='!' from='bob@loop.gw/gateway' to='alice@example.org'><composing xmlns='http://jabber.org/protocol/chatstates'/></message>`)
	srv.Send(`<message type='chat' id='b2' ` + bob + `><displayed xmlns='urn:xmpp:chat-markers:0' id='$first'/></message>`)
	srv.Expect(`<message from='bob@loop.gw/gateway' to='alice@example.org/phone'><displayed xmlns='urn:xmpp:chat-markers:0' id='m1'/></message>`)
	srv.Send(`<message type='chat' id='b3' ` + bob + `><reactions xmlns='urn:xmpp:reactions:0' id='$first'><reaction>👍</reaction></reactions></message>`)
	srv.Expect(`<message from='bob@loop.gw/gateway' to='alice@example.org'><reactions xmlns='urn:xmpp:reactions:0' id='m1'><reaction>👍</reaction></reactions></message>`)

	// The second correction, too, is of the first message, even where a client
	// names the one before.
	for i, replaces := range []string{"m1", "m1", "c1"} {
		text := string(rune('1' + i))
		srv.Send(`<message type='chat' id='c` + text + `' ` + alice + `><body>Lunch at ` + text + `?</body><replace xmlns='urn:xmpp:message-correct:0' id='` + replaces + `'/></message>`)
		srv.Expect(`<message from='alice@loop.gw/gateway' to='bob@example.org'><body>Lunch at ` + text + `?</body><replace xmlns='urn:xmpp:message-correct:0' id='$first'/></message>`)
	}
	srv.Send(`<message type='chat' id='d1' ` + alice + `><retract xmlns='urn:xmpp:message-retract:1' id='m1'/><body>/me took it back</body></message>`)
	srv.Expect(`<message from='alice@loop.gw/gateway' to='bob@example.org'><retract xmlns='urn:xmpp:message-retract:1' id='$first'/></message>`)

	srv.Send(`<message type='chat' id='f1' ` + alice + `><body>https://files.example/1.jpg</body><x xmlns='jabber:x:oob'><url>https://files.example/1.jpg</url></x></message>`)
	srv.Expect(`<message to='bob@example.org'><body>https://files.example/1.jpg</body><x xmlns='jabber:x:oob'><url>https://files.example/1.jpg</url></x></message>`)

	// What cannot be done later is told, too, on the id that asked for it.
	srv.Send(`<message type='chat' id='x1' from='alice@example.org/phone' to='echo@loop.gw'><reactions xmlns='urn:xmpp:reactions:0' id='zzzzzzzzzzzzzzzzzzzzzzzz22'><reaction>👍</reaction></reactions></message>`)
	srv.Expect(`<message type='error' id='x1' from='echo@loop.gw' to='alice@example.org/phone'><error type='cancel'><item-not-found xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></message>`)
	srv.Quiet("alice@example.org/phone", "loop.gw")
}
