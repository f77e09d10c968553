package roster

import (
	"testing"
	"testing/synctest"
	"time"

	"gangway/core"
	"gangway/core/xmpp"
	"gangway/core/xmpp/edge/edgetest"
	"gangway/core/xmpp/stream"
)

// crammed is a link that takes nothing for a while.
type crammed struct {
	xmpp.Sender
	until time.Time
}

func (n crammed) Write(fn func(*stream.Encoder)) error {
	if !time.Now().Before(n.until) {
		return n.Sender.Write(fn)
	}
	e := stream.Encoder{Domain: n.Domain()}
	fn(&e)
	e.Refuse()
	return xmpp.ErrFull
}

// WriteWait has waited for long enough.
func (n crammed) WriteWait(fn func(*stream.Encoder)) error { return n.Write(fn) }

// A presence that a full link has refused is shown when it takes it; what has
// become different meanwhile is shown as it is then, and once.
func TestRefusedPresenceIsShownLater(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := live(t, "bob@example.com")
		s.advertise(rosterPerms)
		s.greeted()
		s.rosterGet(inStep)
		s.silent(t)
		s.srv.Send(`<presence from='alice@example.org/phone' to='email.gw'/>`)
		s.srv.Expect(`<presence type='!' from='` + bob + `/gateway' to='alice@example.org'/>`)
		s.silent(t)
		wide := s.domain.Link
		s.domain.Link = crammed{wide, time.Now().Add(3 * time.Second)}
		says := func(show core.Show) {
			e := &core.Presence{Ref: core.Ref{Account: "a1", Peer: "bob@example.com"}, Show: show}
			if err := s.edge.Show(t.Context(), edgetest.Account(), e); err == nil {
				t.Error("taken by a full link")
			}
		}
		says(core.Away)
		says(core.Busy)
		s.srv.Expect(`<presence from='` + bob + `/gateway' to='alice@example.org'><show>dnd</show></presence>`)
		s.silent(t)
	})
}
