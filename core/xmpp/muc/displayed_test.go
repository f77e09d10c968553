package muc

import (
	"testing"

	"gangway/core"
)

// What the user has read in another app of the network is noted in their account (XEP-0490) where the server lets us,
// and nobody in the room hears of it.
func TestReadElsewhere(t *testing.T) {
	s := open(t)
	s.enter(phone)
	read := &core.Receipt{Ref: core.Ref{Account: "a1", Peer: "#c"}, IDs: core.IDs{ID: "read"}, State: core.Read, Mine: true}
	s.show(read)
	s.quiet()
	s.Send(`<message from='example.org' to='irc.gw'><privilege xmlns='urn:xmpp:privilege:2'>
		<perm access='iq'><namespace ns='http://jabber.org/protocol/pubsub' type='set'/></perm></privilege></message>`)
	s.Quiet("example.org", s.d.Name)                                   // the same sender's: the privilege has been taken
	s.show(&core.Receipt{Ref: read.Ref, State: core.Read, Mine: true}) // up to nothing that is known
	s.show(read)
	s.Expect(`<iq type='set' from='irc.gw' to='alice@example.org'><privileged_iq xmlns='urn:xmpp:privilege:2'>
		<iq xmlns='jabber:client' type='set' to='alice@example.org'><pubsub xmlns='http://jabber.org/protocol/pubsub'>
			<publish node='urn:xmpp:mds:displayed:0'><item id='` + channel + `'><displayed xmlns='urn:xmpp:mds:displayed:0'>
				<stanza-id xmlns='urn:xmpp:sid:0' by='` + channel + `' id='read'/></displayed></item></publish>
			<publish-options><x xmlns='jabber:x:data' type='submit'/></publish-options></pubsub></iq></privileged_iq></iq>`)
	s.quiet()
}
