package roster

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"gangway/core"
	"gangway/core/xmpp/edge/edgetest"
	"gangway/core/xmpp/stream"
)

const neu = "neu@example.org"

// rows are the users of whom something is kept.
func (b *book) rows() string {
	keys, _ := b.Keys(context.Background(), "", 1000)
	return fmt.Sprint(keys)
}

func (b *book) write(user, row string) {
	_ = b.Put(context.Background(), user, []byte(row), 0)
}

func (s *alive) quietFor(t *testing.T, users ...string) {
	t.Helper()
	time.Sleep(time.Hour)
	synctest.Wait()
	for _, u := range users {
		s.srv.Quiet(u, "email.gw")
	}
}

// Behaviour 13, of somebody who has moved: what we put on the old list is taken off it, and onto the new one.
func TestMovedByPrivilege13(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := live(t, "bob@example.com")
		s.advertise(rosterPerms)
		s.greeted()
		s.rosterGet("")
		s.rosterSet(`<item jid='email.gw'/>`, "")
		s.rosterSet(`<item jid='`+bob+`'/>`, "")
		s.quietFor(t, "alice@example.org/x")
		moved := s.mood.moveTo(neu)
		if err := s.roster.Moved(t.Context(), s.domain, edgetest.Alice, []core.Account{moved}); err != nil {
			t.Fatal(err)
		}
		s.srv.Expect(`<presence type='!' from='email.gw' to='neu@example.org'/>`)
		got := map[string]int{}
		for range 7 {
			st := s.srv.Next()
			if st.Kind == stream.Presence {
				got[st.Type+" "+st.To+" from "+st.From]++
				continue
			}
			query := st.Only()
			got[st.Type+" "+st.To+" "+query.Only().Attr("jid")+" "+query.Only().Attr("subscription")]++
			items := ""
			if st.Type == "get" && st.To == "alice@example.org" {
				items = `<item jid='email.gw' subscription='both'><group>E-mail</group></item>
					<item jid='` + bob + `' name='Bobby' subscription='both'><group>E-mail</group></item>`
			}
			s.srv.Send(`<iq type='result' id='` + st.ID + `' from='` + st.To + `' to='email.gw'><query xmlns='jabber:iq:roster'>` + items + `</query></iq>`)
		}
		for _, want := range []string{
			"unavailable alice@example.org from email.gw", "get alice@example.org  ", "set alice@example.org email.gw remove", "set alice@example.org " + bob + " remove",
			"get neu@example.org  ", "set neu@example.org email.gw both", "set neu@example.org " + bob + " both",
		} {
			if got[want] != 1 {
				t.Errorf("%q %d times, of %v", want, got[want], got)
			}
		}
		s.quietFor(t, "alice@example.org/x", neu+"/x")
		if got := s.book.rows(); got != "["+neu+"]" {
			t.Errorf("kept: %s", got)
		}
	})
}

// The same where nothing is granted: subscriptions are ended there, and asked for here; whom the user has declined is
// not asked about again.
func TestMovedBySubscription13(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := live(t, "bob@example.com", "carol@example.com")
		s.book.write("alice@example.org", `{"entries":{"email.gw":{"state":"subscribed"},"`+
			`bob\\40example.com@email.gw":{"state":"subscribed"},"carol\\40example.com@email.gw":{"state":"declined"}}}`)
		s.greeted()
		s.probed()
		s.quietFor(t, "alice@example.org/x")
		s.presence("subscribe", "alice@example.org", bob)
		for _, typ := range []string{"subscribed", "!", "subscribe"} {
			s.srv.Expect(`<presence type='` + typ + `' to='alice@example.org'/>`)
		}
		moved := s.mood.moveTo(neu)
		if err := s.roster.Moved(t.Context(), s.domain, edgetest.Alice, []core.Account{moved}); err != nil {
			t.Fatal(err)
		}
		got := map[string]int{}
		for range 9 {
			st := s.srv.Next()
			got[st.Type+" "+st.From+" "+st.To]++
		}
		for _, jid := range []string{"email.gw", bob} {
			for _, typ := range []string{"unsubscribe", "unsubscribed", "unavailable"} {
				if want := fmt.Sprintf("%s %s alice@example.org", typ, jid); got[want] != 1 {
					t.Errorf("%q %d times, of %v", want, got[want], got)
				}
			}
		}
		for _, want := range []string{" email.gw " + neu, "probe email.gw " + neu, "subscribe email.gw " + neu} {
			if got[want] != 1 {
				t.Errorf("%q %d times, of %v", want, got[want], got)
			}
		}
		s.presence("subscribed", neu, "email.gw")
		s.srv.Expect(`<presence type='subscribe' from='` + bob + `' to='` + neu + `'/>`)
		s.presence("subscribed", neu, bob)
		s.quietFor(t, "alice@example.org/x", neu+"/x")
		if got := s.book.rows(); got != "["+neu+"]" {
			t.Errorf("kept: %s", got)
		}
	})
}

// Who went while the gateway was down is taken leave of when it is back.
func TestLeftovers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := live(t)
		s.book.write("carol@example.org", `{"entries":{"email.gw":{"state":"subscribed"}}}`)
		s.book.write("dave@example.org", `{"entries":{"email.gw":{"state":"declined"}}}`)
		got := map[string]int{}
		for range 6 { // alice is greeted and asked meanwhile
			st := s.srv.Next()
			got[st.Type+" "+st.To]++
		}
		for _, typ := range []string{"unsubscribe", "unsubscribed", "unavailable"} {
			if got[typ+" carol@example.org"] != 1 {
				t.Errorf("%s: %v", typ, got)
			}
		}
		time.Sleep(time.Hour)
		if got := s.book.rows(); got != "[alice@example.org]" {
			t.Errorf("kept: %s", got)
		}
	})
}

// Of who is erased nothing is kept, also while the list cannot be taken back yet.
func TestErasedList(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := live(t, "bob@example.com")
		s.book.write("alice@example.org", `{"entries":{"email.gw":{"state":"subscribed"},"bob\\40example.com@email.gw":{"state":"subscribed"}}}`)
		s.greeted()
		s.probed()
		s.quietFor(t, "alice@example.org/x")
		_ = s.hall.Unenroll(t.Context(), edgetest.Alice, "mail")
		s.srv.Cut("email.gw")
		if err := s.roster.Erase(t.Context(), edgetest.Alice); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if got := s.book.rows(); got != "[]" {
			t.Errorf("kept: %s", got)
		}
		for _, jid := range []string{bob, "email.gw"} {
			for _, typ := range []string{"unavailable", "unsubscribe", "unsubscribed"} {
				s.srv.Expect(`<presence type='` + typ + `' from='` + jid + `' to='alice@example.org'/>`)
			}
		}
		s.quietFor(t, "alice@example.org/x")
		if got := s.book.rows(); got != "[]" {
			t.Errorf("kept: %s", got)
		}
	})
}
