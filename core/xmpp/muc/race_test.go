package muc

import (
	"strconv"
	"sync"
	"testing"

	"gangway/core"
)

// The session speaks while clients come and go: nothing is torn, and everybody who is in at the end gets the last
// word.
func TestTogether(t *testing.T) {
	s := open(t)
	s.enter(phone)
	s.Ignore(`<presence/>`)
	s.Ignore(`<message><subject/></message>`)
	s.Ignore(`<message><body>chatter</body></message>`)
	const rounds = 50
	var speakers sync.WaitGroup
	speakers.Go(func() {
		for i := range rounds {
			s.show(&core.Message{Ref: ref, IDs: core.IDs{ID: core.MessageID(strconv.Itoa(i))}, Room: true, Author: "Op", Text: "chatter"})
			s.show(&core.MemberChanged{Ref: ref, Change: core.Renamed, Mine: true, Old: "me", Member: core.Member{Nick: "me"}})
			s.show(&core.RoomJoined{Ref: ref, Self: core.Member{Nick: "me"}})
		}
	})
	for i := range rounds {
		o := core.Origin{ID: strconv.Itoa(i), From: desk}
		s.Send(presence(desk, "me", "id='"+o.ID+"'", muc))
		s.asked(`join #c as me with "" for {` + o.ID + " " + desk + "}")
		s.show(&core.RoomJoined{Ref: ref, Origin: o, Self: core.Member{Nick: "me"}})
		if i < rounds-1 {
			s.Send(presence(desk, "me", "type='unavailable'", ""))
		}
	}
	speakers.Wait()
	s.quiet()
	s.show(&core.Message{Ref: ref, IDs: core.IDs{ID: "last"}, Room: true, Author: "Op", Text: "last"})
	s.Expect(`<message id='last' to='` + phone + `'/>`)
	s.Expect(`<message id='last' to='` + desk + `'/>`)
	s.quiet()
}

// Servers may write one resource's address in two ways; its own bytes are what it is answered at.
func TestAddressInAnotherCase(t *testing.T) {
	s := open(t)
	s.enter("Alice@Example.org/phone")
	s.Send(ping(phone, channel+"/me"))
	s.Expect(`<iq type='result' id='p1' to='` + phone + `'/>`)
	s.show(&core.Message{Ref: ref, IDs: core.IDs{ID: "m"}, Room: true, Author: "Op", Text: "x"})
	s.Expect(`<message to='Alice@Example.org/phone'/>`)
	s.Send(presence(phone, "me", "type='unavailable'", ""))
	s.Expect(`<presence type='unavailable' to='` + phone + `'/>`)
	s.asked("leave #c: ")
	s.quiet()
}
