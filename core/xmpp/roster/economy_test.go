package roster

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"gangway/core"
	"gangway/core/xmpp/addr"
	"gangway/core/xmpp/edge/edgetest"
	"gangway/core/xmpp/stream"
)

type stanza = stream.Stanza

// tally counts presence and how much of it told nothing new: the same from the
// same to the same, with nothing between. The answer to a probe is asked for, and
// counted only where nobody asked.
type tally struct {
	sent, redundant int
	last            map[string]string
}

func (c *tally) note(st *stream.Stanza) {
	if st.Kind != stream.Presence || st.Type != "" && st.Type != "unavailable" {
		return
	}
	c.sent++
	to, _ := addr.Parse(st.To)
	from, _ := addr.Parse(st.From)
	key := from.Key() + " " + to.FullKey()
	what := st.String()
	if c.last[key] == what {
		c.redundant++
	}
	c.last[key] = what
}

// drain notes all that was sent until now.
func (s *alive) drain(t *testing.T, c *tally) int {
	t.Helper()
	synctest.Wait()
	s.srv.Send(`<iq type='get' id='drained' from='alice@example.org/drain' to='email.gw'><ping xmlns='urn:xmpp:ping'/></iq>`)
	before := c.sent
	for {
		st := s.srv.Next()
		if st.ID == "drained" {
			return c.sent - before
		}
		c.note(st)
	}
}

// The redundant share is 0, whatever happens: starts, trouble that comes and goes,
// networks that repeat themselves, devices that come and go, a lost link, a stop.
func TestNoRedundantPresence(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := live(t, "bob@example.com", "carol@example.com")
		c := &tally{last: map[string]string{}}
		step := func(what string, want int) {
			t.Helper()
			time.Sleep(time.Minute)
			if n := s.drain(t, c); n != want {
				t.Errorf("%s: %d presences, want %d", what, n, want)
			}
		}
		status := func(st core.Status) {
			st.Account = "a1"
			s.mood.set(st)
			_ = s.edge.Show(t.Context(), edgetest.Account(), &st)
		}
		says := func(show core.Show) {
			ref := core.Ref{Account: "a1", Peer: "bob@example.com"}
			_ = s.edge.Show(t.Context(), edgetest.Account(), &core.Presence{Ref: ref, Show: show})
		}
		away := core.E(core.Unavailable, "", "The mail server is away.")
		step("start", 1) // the gateway's own: nobody is known to be online
		status(core.Status{Link: core.Connected})
		step("connected, as everybody thinks", 0)
		s.srv.Send(`<presence from='alice@example.org/phone' to='email.gw'/>`)
		step("found online", 2)
		s.srv.Send(`<presence from='alice@example.org/phone' to='email.gw'><show>away</show></presence>`)
		s.srv.Send(`<presence from='alice@example.org/phone' to='` + bob + `'><show>away</show></presence>`)
		s.srv.Send(`<presence from='alice@example.org/desk' to='email.gw'/>`)
		step("what a user does is no news of ours", 0)

		for range 5 { // a connection that flaps
			status(core.Status{Link: core.Waiting, Err: away})
			status(core.Status{Link: core.Connecting})
			time.Sleep(settle / 4)
			status(core.Status{Link: core.Connected})
		}
		step("flaps", 10) // the gateway's line only
		status(core.Status{Link: core.Waiting, Err: away})
		status(core.Status{Link: core.Waiting, Err: away})
		step("trouble", 3)
		says(core.Away)
		step("a contact of a broken connection", 0)
		status(core.Status{Link: core.Connected})
		step("well again", 3) // and bob is away
		says(core.Away)
		says(core.Away)
		step("said before", 0)
		says(core.Online)
		says(core.Offline)
		says(core.Offline)
		step("bob goes", 2)
		time.Sleep(time.Hour)
		step("an idle hour", 0)

		s.srv.Cut("email.gw")
		s.srv.Await("email.gw", 2)
		time.Sleep(time.Second)
		s.srv.Send(`<presence from='alice@example.org/phone' to='email.gw'/>`)
		s.srv.Send(`<presence from='alice@example.org/desk' to='email.gw'/>`)
		s.srv.Send(`<presence from='alice@example.org/new' to='email.gw'/>`)
		step("link lost, the same devices and another", 2) // the gateway and carol, to that one alone
		s.srv.Send(`<presence from='alice@example.org/later' to='email.gw'/>`)
		step("one that comes later, whose server asks", 0)

		for _, device := range []string{"phone", "desk", "new", "later"} {
			s.srv.Send(`<presence type='unavailable' from='alice@example.org/` + device + `' to='email.gw'/>`)
		}
		s.drain(t, c)
		says(core.Online)
		status(core.Status{Link: core.Waiting, Err: away})
		step("nobody is there", 0)
		status(core.Status{Link: core.Connected})
		s.srv.Send(`<presence from='alice@example.org/phone' to='email.gw'/>`)
		s.srv.Send(`<presence type='probe' from='alice@example.org/phone' to='email.gw'/>`)
		s.srv.Send(`<presence type='probe' from='alice@example.org/phone' to='` + bob + `'/>`)
		step("back, and its server asks", 2)

		if err := s.roster.Withdraw(t.Context(), s.domain); err != nil {
			t.Fatal(err)
		}
		step("stop", 2) // behaviour 15: the gateway and bob; carol was not shown
		if c.redundant > 0 {
			t.Errorf("%d of %d presences told nothing new", c.redundant, c.sent)
		}
	})
}

// A storm is paced: no more than the host server is to bear.
func TestStormIsPaced(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const users = 1000
		s := stage(t)
		s.roster.cfg.Accounts = &crowd{n: users}
		begun := time.Now()
		if err := s.roster.Announce(t.Context(), s.domain); err != nil {
			t.Fatal(err)
		}
		if d := time.Since(begun); d < (users/perWrite-1)*between || d > 30*time.Second {
			t.Errorf("%d users were told within %s", users, d)
		}
	})
}

// Who is not a user changes nothing, whatever they send.
func TestStrangersChangeNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := live(t, "bob@example.com")
		s.greeted()
		s.probed()
		s.srv.Expect(`<presence type='subscribe' from='email.gw'/>`)
		for _, from := range []string{"mallory@example.net/x", "mallory@example.net", "example.net", "alice@email.gw/x"} {
			for _, typ := range []string{"subscribed", "unsubscribed", "unavailable", "unsubscribe"} {
				s.presence(typ, from, "email.gw")
				s.presence(typ, from, bob)
			}
			s.srv.Send(fmt.Sprintf(`<presence from='%s' to='email.gw'/>`, from))
			s.srv.Send(fmt.Sprintf(`<iq type='set' id='push' from='%s' to='email.gw'><query xmlns='jabber:iq:roster'><item jid='%s' subscription='remove'/></query></iq>`, from, bob))
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		if s.book.names() != "bob@example.com" {
			t.Errorf("contacts: %q", s.book.names())
		}
		h := s.roster.domains[s.domain]
		h.mu.Lock()
		defer h.mu.Unlock()
		for user, p := range h.people {
			if user != edgetest.Alice && (len(p.clients) > 0 || len(p.shown) > 0) {
				t.Errorf("%s is held to be online", user)
			}
		}
	})
}
