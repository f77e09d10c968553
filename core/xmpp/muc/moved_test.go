package muc

import (
	"testing"

	"gangway/core"
	"gangway/core/xmpp/stream"
)

// Whose account was moved is in its rooms no more; the account is, where it stays without clients, for the new name.
func TestMoved(t *testing.T) {
	s := open(t)
	s.enter(phone, desk)
	s.Send(owner(phone, "set", submit("persistentroom", "1")))
	s.Expect(`<iq type='result' id='o1'/>`)
	s.Send(`<message from='example.org' to='irc.gw'><privilege xmlns='urn:xmpp:privilege:2'>
		<perm access='iq'><namespace ns='http://jabber.org/protocol/pubsub' type='set'/></perm></privilege></message>`)
	s.Quiet("example.org", s.d.Name) // the same sender's: the privilege has been taken
	a, err := s.hall.Account(t.Context(), "alice@example.org", "", "net")
	if err != nil {
		t.Fatal(err)
	}
	a.User = "alice@example.org"
	neu := a
	neu.User = "neu@example.org"
	done := make(chan error, 1)
	go func() { done <- s.rooms.Moved(t.Context(), s.d, a.User, []core.Account{neu}) }()
	for _, to := range []string{phone, desk} {
		s.Expect(`<presence type='unavailable' from='` + channel + `/me' to='` + to + `'><status>*</status>
			<x ` + user + `><item role='none'/><status code='110'/></x></presence>`)
	}
	s.asked(`join #c as me with "" for { }`)
	for _, c := range []struct{ user, want string }{
		{"alice@example.org", `<retract node='urn:xmpp:bookmarks:1'><item id='` + channel + `'/></retract>`},
		{"neu@example.org", `<publish node='urn:xmpp:bookmarks:1'><item id='` + channel + `'><conference xmlns='urn:xmpp:bookmarks:1' autojoin='true'>
			<nick>me</nick></conference></item></publish>`},
	} {
		st := s.Expect(`<iq type='set' from='irc.gw' to='` + c.user + `'><privileged_iq xmlns='urn:xmpp:privilege:2'>
			<iq xmlns='jabber:client'><pubsub xmlns='http://jabber.org/protocol/pubsub'>` + c.want + `</pubsub></iq></privileged_iq></iq>`)
		s.Send(`<iq type='result' from='` + c.user + `' to='irc.gw' id='` + st.ID + `'><privilege xmlns='urn:xmpp:privilege:2'><forwarded xmlns='urn:xmpp:forward:0'>
			<iq xmlns='jabber:client' type='result' id='x' from='` + c.user + `' to='` + c.user + `'/></forwarded></privilege></iq>`)
	}
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	// What is said there concerns the old clients no more.
	err = s.d.Link.Write(func(enc *stream.Encoder) {
		_ = s.rooms.Render(t.Context(), enc, s.d, neu, &core.Message{Ref: ref, IDs: core.IDs{ID: "m"}, Room: true, Author: "Op", Text: "hello"})
	})
	if err != nil {
		t.Fatal(err)
	}
	s.quiet()
}
