package roster

import (
	"testing"
	"testing/synctest"
	"time"

	"gangway/core"
	"gangway/core/xmpp/edge/edgetest"
)

// Who has a network itself on their list sees whether there is a connection to it; nobody else does.
func TestNetworkAsContact(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := live(t)
		s.srv.Ignore("<presence from='email.gw'/>")
		becomes := func(link core.Link) {
			t.Helper()
			a := edgetest.Account()
			a.Realm = "net"
			s.mood.mu.Lock()
			s.mood.state = core.Status{Ref: core.Ref{Account: a.ID}, Link: link}
			s.mood.mu.Unlock()
			if err := s.edge.Show(t.Context(), a, &core.Status{Ref: core.Ref{Account: a.ID}, Link: link}); err != nil {
				t.Error(err)
			}
		}
		becomes(core.Connected)
		becomes(core.Closed)
		s.silent(t)

		s.srv.Send(`<presence type='subscribe' id='s1' from='alice@example.org' to='%net@email.gw'/>`)
		s.srv.Expect(`<presence type='subscribed' id='s1' from='%net@email.gw' to='alice@example.org'/>`)
		s.srv.Expect(`<presence type='unavailable' from='%net@email.gw/gateway' to='alice@example.org'/>`)
		s.srv.Expect(`<presence type='subscribe' from='%net@email.gw' to='alice@example.org'/>`)
		becomes(core.Connecting)
		becomes(core.Connected)
		s.srv.Expect(`<presence type='!' from='%net@email.gw/gateway' to='alice@example.org'/>`)
		becomes(core.Connected)
		s.srv.Send(`<presence type='probe' from='alice@example.org/phone' to='%net@email.gw'/>`)
		s.srv.Expect(`<presence type='!' from='%net@email.gw/gateway' to='alice@example.org/phone'/>`)
		s.roster.Changed(edgetest.Alice, "mail") // brings the list up to date, on which it stays
		time.Sleep(time.Minute)
		becomes(core.Closed)
		s.srv.Expect(`<presence type='unavailable' from='%net@email.gw/gateway' to='alice@example.org'/>`)
		s.silent(t)
	})
}

// Who may have an account as soon as they use it keeps what they have subscribed to until then.
func TestSubscribedBeforeTheAccount(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := live(t)
		s.domain.Network.Driver.Implicit = true
		s.mood.mu.Lock()
		s.mood.owner = "somebody@example.org"
		s.mood.mu.Unlock()
		s.srv.Ignore("<presence type='probe'/>")
		s.srv.Ignore("<presence to='somebody@example.org'/>")
		for _, jid := range []string{"%net@email.gw", "email.gw"} {
			s.srv.Send(`<presence type='subscribe' id='s1' from='alice@example.org' to='` + jid + `'/>`)
			s.srv.Expect(`<presence type='subscribed' id='s1' from='` + jid + `' to='alice@example.org'/>`)
			s.srv.Expect(`<presence from='` + jid + `*' to='alice@example.org'/>`)
			s.srv.Expect(`<presence type='subscribe' from='` + jid + `' to='alice@example.org'/>`)
		}
		s.srv.Send(`<presence from='alice@example.org/phone' to='%net@email.gw'/>`)
		time.Sleep(time.Minute)
		s.silent(t)
	})
}
