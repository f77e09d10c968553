package muc

import (
	"testing"

	"gangway/core"
	"gangway/core/xmpp/edge/edgetest"
	"gangway/core/xmpp/stream"
)

// A client of the user's is asked in the name of who wants to know; without one nobody is.
func TestSoftware(t *testing.T) {
	s := open(t)
	a := edgetest.Account()
	a.Realm = "net"
	if _, err := s.rooms.Software(t.Context(), s.d, a, "bob"); core.KindOf(err) != core.NotFound {
		t.Errorf("without a client: %v", err)
	}
	s.enter(phone, desk)
	type told struct {
		core.Software
		err error
	}
	for _, c := range []struct{ answer, payload string }{
		{"result", "<query xmlns='jabber:iq:version'><name>Dino</name><version>0.4</version><os>Linux</os></query>"},
		{"error", "<error type='cancel'><service-unavailable " + stanzas + "/></error>"}, {"result", ""},
	} {
		answers := make(chan told, 1)
		go func() {
			software, err := s.rooms.Software(t.Context(), s.d, a, "bob")
			answers <- told{software, err}
		}()
		st := s.Expect(`<iq type='get' from='bob%net@irc.gw/gateway' to='` + phone + `'><query xmlns='jabber:iq:version'/></iq>`)
		s.Send(`<iq type='` + c.answer + `' id='` + st.ID + `' from='` + phone + `' to='bob%net@irc.gw/gateway'>` + c.payload + `</iq>`)
		got := <-answers
		if want := (core.Software{Name: "Dino", Version: "0.4", OS: "Linux"}); (got.Software == want) != (got.err == nil) || got.err == nil && c.payload == "" {
			t.Errorf("%s: %+v", c.answer, got)
		}
	}
}

// Who is asked about in a room must be in it, and so must who asks.
func TestOccupantAsked(t *testing.T) {
	s := open(t)
	h := s.rooms.On(s.d)
	occupant := func(nick string) (peer core.Address, own bool, err error) {
		t.Helper()
		st, err := stream.Parse("<iq type='get' id='v' from='" + phone + "' to='" + channel + "/" + nick + "'><query xmlns='jabber:iq:version'/></iq>")
		if err != nil {
			t.Fatal(err)
		}
		_, peer, own, err = h.Occupant(t.Context(), st, core.Target{Realm: "net", Address: "#c", Room: true})
		return peer, own, err
	}
	if _, _, err := occupant("Op"); err == nil {
		t.Error("who is not in asks")
	}
	s.enter(phone)
	s.populate()
	if peer, own, err := occupant("Op"); err != nil || own || peer != "private-Op" {
		t.Errorf("Op: %s, %v, %v", peer, own, err)
	}
	if _, own, err := occupant("me"); err != nil || !own {
		t.Errorf("me: %v, %v", own, err)
	}
	if _, _, err := occupant("nobody"); core.KindOf(err) != core.NotFound {
		t.Errorf("nobody: %v", err)
	}
}
