// Package xmpptest is a scripted host server for tests of the XMPP edge, and the
// language in which whole exchanges are written:
//
//	srv := xmpptest.New(t)
//	xmpptest.Start(t, srv, "irc.gw", router)
//	srv.Send(`<presence from='alice@example.org/x' to='#c%n@irc.gw/me'><x xmlns='http://jabber.org/protocol/muc'/></presence>`)
//	srv.Expect(`<presence to='alice@example.org/x' from='#c%n@irc.gw/$nick'><x xmlns='http://jabber.org/protocol/muc#user'/></presence>`)
//	srv.Expect(`<message type='groupchat' id='*'><subject/></message>`)
//
// A pattern names what must be there; what it does not name may be there too:
//
//   - attributes: a value with * in it is a pattern (* alone: any value), $name
//     captures what stands there, or must be equal to what it captured before,
//     and a value of ! says that the attribute must not be there;
//   - children: each child of the pattern must match one of its own, in any
//     order; children of <no> must match none;
//   - text, if the pattern has any that is not white space: as an attribute value.
//
// Send replaces $name by what was captured. Nothing in the package sleeps: an
// expectation returns when the stanza is there, and fails, with both sides and
// their differences printed, when another comes first or none does in time.
package xmpptest
