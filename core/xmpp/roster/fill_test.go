package roster

import (
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"gangway/core/xmpp/disco"
	"gangway/core/xmpp/edge/edgetest"
	"gangway/mapping"
)

// Behaviours 13 and 18: by privilege, into our own group, and never again what the
// user has changed; the contacts are shown when the user is online.
func TestFillByPrivilege13(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := live(t, "bob@example.com", "carol@example.com")
		s.advertise(rosterPerms)
		s.greeted()
		s.rosterGet(`<item jid='` + bob + `' name='Bobby' subscription='both'><group>Work</group></item><item jid='dave@example.org' subscription='none'/>`)
		s.rosterSet(`<item jid='email.gw' name='E-mail' subscription='both'><group>E-mail</group></item>`, "")
		s.rosterSet(`<item jid='`+carol+`' name='carol@example.com' subscription='both'><group>E-mail</group></item>`, "")
		s.silent(t)

		s.srv.Send(`<presence from='alice@example.org/phone' to='email.gw'/>`)
		s.srv.Expect(`<presence type='!' from='` + bob + `/gateway' to='alice@example.org'/>`)
		s.srv.Expect(`<presence type='!' from='` + carol + `/gateway' to='alice@example.org'/>`)
		s.silent(t)

		// A new name of ours reaches the list; the user's own names stay.
		_ = s.book.PutContact(t.Context(), mapping.Contact{Account: "a1", Address: "bob@example.com", Alias: "Bob"})
		_ = s.book.PutContact(t.Context(), mapping.Contact{Account: "a1", Address: "carol@example.com", Alias: "Carol"})
		s.roster.Changed(edgetest.Alice, "mail")
		s.roster.Changed(edgetest.Alice, "other")
		s.rosterGet(`<item jid='email.gw' name='Mail' subscription='both'/><item jid='` + bob + `' name='Bobby' subscription='both'><group>Work</group></item>
			<item jid='` + carol + `' name='carol@example.com' subscription='both'><group>E-mail</group></item>`)
		s.rosterSet(`<item jid='`+carol+`' name='Carol' subscription='both'><group>E-mail</group></item>`, "")
		s.silent(t)

		// The same again asks nobody anything.
		s.roster.Changed(edgetest.Alice, "mail")
		s.silent(t)
	})
}

// Who unregisters finds what we have put on the list taken off it (behaviour 11).
func TestUnregisteredListIsCleaned11(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := live(t, "bob@example.com")
		s.advertise(rosterPerms)
		s.greeted()
		s.rosterGet("")
		s.rosterSet(`<item jid='email.gw'/>`, "")
		s.rosterSet(`<item jid='`+bob+`'/>`, "")
		_ = s.hall.Unenroll(t.Context(), edgetest.Alice, "mail")
		s.roster.Changed(edgetest.Alice, "mail")
		s.rosterGet(`<item jid='email.gw' subscription='both'><group>E-mail</group></item><item jid='` + bob + `' subscription='both'><group>E-mail</group></item>`)
		s.srv.Expect(`<presence type='unavailable' from='email.gw' to='alice@example.org'/>`) // while the server still passes it on
		removed := []string{}
		for range 2 {
			s.srv.Unset("id")
			st := s.srv.Expect(`<iq type='set' id='$id' to='alice@example.org'><query xmlns='jabber:iq:roster'><item subscription='remove'/></query></iq>`)
			removed = append(removed, st.Only().Only().Attr("jid"))
			s.srv.Send(`<iq type='result' id='$id' from='alice@example.org' to='email.gw'/>`)
		}
		slices.Sort(removed)
		if fmt.Sprint(removed) != "["+bob+" email.gw]" {
			t.Errorf("removed %v", removed)
		}
		s.silent(t)
		if len(s.book.notes) != 0 {
			t.Errorf("still kept: %s", s.book.notes)
		}
	})
}

// Where the server refuses to change the roster after all (ejabberd does), or
// grants nothing, the user is asked, about one contact at a time.
func TestFillBySubscription13(t *testing.T) {
	for _, granted := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			s := live(t, "bob@example.com", "carol@example.com")
			if granted {
				s.advertise(`<perm access='roster' type='both'/>`)
			}
			s.greeted()
			s.probed()
			if granted {
				s.rosterGet("")
				s.rosterSet(`<item jid='email.gw'/>`, "forbidden")
				s.rosterGet("")
			}
			s.srv.Expect(`<presence type='subscribe' from='email.gw' to='alice@example.org'><nick xmlns='http://jabber.org/protocol/nick'>E-mail</nick></presence>`)
			begun := time.Now()
			s.presence("subscribed", "alice@example.org", "email.gw")
			if granted {
				s.rosterGet("")
			}
			s.srv.Expect(`<presence type='subscribe' from='` + bob + `' to='alice@example.org'><nick xmlns='http://jabber.org/protocol/nick'>bob@example.com</nick></presence>`)
			if d := time.Since(begun); d >= askPause {
				t.Errorf("an answer was not taken up for %s", d)
			}
			if granted {
				s.rosterGet("")
			}
			s.srv.Expect(`<presence type='subscribe' from='` + carol + `' to='alice@example.org'/>`)
			if d := time.Since(begun); d < askPause {
				t.Errorf("asked about two contacts within %s", d)
			}
			s.presence("unsubscribed", "alice@example.org", carol)
			s.silent(t)
			s.roster.Changed(edgetest.Alice, "mail") // nobody is asked twice
			s.silent(t)

			// What is a contact no more goes.
			_ = s.book.RemoveContact(t.Context(), "a1", "bob@example.com")
			s.roster.Changed(edgetest.Alice, "mail")
			s.srv.Expect(`<presence type='unsubscribe' from='` + bob + `' to='alice@example.org'/>`)
			s.srv.Expect(`<presence type='unsubscribed' from='` + bob + `' to='alice@example.org'/>`)
			s.srv.Expect(`<presence type='unavailable' from='` + bob + `' to='alice@example.org'/>`)
			s.silent(t)
		})
	}
}

// A client that says that it takes offers (XEP-0144) gets one, to add only.
func TestFillByExchange13(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := live(t, "bob@example.com")
		info := disco.Info{
			Identities: []disco.Identity{{Category: "client", Type: "pc", Name: "Gajim"}}, Features: []string{nsExchange, disco.NSInfo},
		}
		s.srv.Send(`<presence from='alice@example.org/gajim' to='email.gw'><c xmlns='http://jabber.org/protocol/caps' hash='sha-1' node='https://gajim.org' ver='` + info.Ver() + `'/></presence>`)
		s.greeted()
		ask := `<iq type='get' id='$id' to='alice@example.org/gajim'><query xmlns='` + disco.NSInfo + `' node='https://gajim.org#` + info.Ver() + `'/></iq>`
		s.srv.Ignore(`<presence from='` + bob + `/gateway' to='alice@example.org'/>`)
		s.srv.Expect(ask)
		s.srv.Send(`<iq type='result' id='$id' from='alice@example.org/gajim' to='email.gw'><query xmlns='` + disco.NSInfo + `'>
			<identity category='client' type='pc' name='Gajim'/><feature var='` + nsExchange + `'/><feature var='` + disco.NSInfo + `'/></query></iq>`)
		s.srv.Expect(`<message from='email.gw' to='alice@example.org/gajim'><body/><x xmlns='` + nsExchange + `'>
			<item action='add' jid='email.gw' name='E-mail'><group>E-mail</group></item>
			<item action='add' jid='` + bob + `' name='bob@example.com'><group>E-mail</group></item></x></message>`)
		s.silent(t)
		// The next contact goes to the same kind of client without another question.
		_ = s.book.PutContact(t.Context(), mapping.Contact{Account: "a1", Address: "carol@example.com"})
		s.roster.Changed(edgetest.Alice, "mail")
		s.srv.Expect(`<message to='alice@example.org/gajim'><x xmlns='` + nsExchange + `'><item action='add' jid='` + carol + `'/></x></message>`)
		s.silent(t)
	})
}

// A client that lies about its hash speaks for itself only.
func TestForgedCaps(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := live(t)
		s.srv.Send(`<presence from='alice@example.org/x' to='email.gw'><c xmlns='http://jabber.org/protocol/caps' hash='sha-1' node='n' ver='forged'/></presence>`)
		s.greeted()
		s.srv.Expect(`<iq type='get' id='$id' to='alice@example.org/x'/>`)
		s.srv.Send(`<iq type='result' id='$id' from='alice@example.org/x' to='email.gw'><query xmlns='` + disco.NSInfo + `'><feature var='` + nsExchange + `'/></query></iq>`)
		s.srv.Expect(`<message to='alice@example.org/x'><x xmlns='` + nsExchange + `'/></message>`)
		if n := len(s.roster.domains[s.domain].caps.known); n != 0 {
			t.Errorf("%d kinds are held to be known", n)
		}
	})
}

// Behaviours 12 and 14: to subscribe to a contact lists it, to unsubscribe forgets it.
func TestSubscriptionsChangeContacts12(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := live(t)
		s.greeted()
		s.probed()
		s.srv.Expect(`<presence type='subscribe' from='email.gw'/>`)
		s.presence("subscribed", "alice@example.org", "email.gw")
		s.presence("subscribe", "alice@example.org", bob)
		s.srv.Expect(`<presence type='subscribed' from='` + bob + `' to='alice@example.org'/>`)
		s.srv.Expect(`<presence type='!' from='` + bob + `/gateway' to='alice@example.org'/>`)
		s.srv.Expect(`<presence type='subscribe' from='` + bob + `' to='alice@example.org'/>`)
		s.presence("subscribed", "alice@example.org", bob)
		s.silent(t)
		if s.book.names() != "bob@example.com" {
			t.Errorf("contacts after subscribe: %q", s.book.names())
		}
		s.presence("unsubscribe", "alice@example.org", bob)
		s.presence("unsubscribed", "alice@example.org", bob)
		s.srv.Expect(`<presence type='unsubscribed' from='` + bob + `' to='alice@example.org'/>`)
		s.srv.Expect(`<presence type='unavailable' from='` + bob + `' to='alice@example.org'/>`)
		s.silent(t)
		if s.book.names() != "" {
			t.Errorf("contacts after unsubscribe: %q", s.book.names())
		}
	})
}
