package muc

import (
	"fmt"
	"strings"
	"testing"

	"gangway/core"
	"gangway/core/xmpp/edge/edgetest"
)

// Behaviour 48: who is no operator of a room chooses what concerns themselves, and reads what the room is like.
func TestOwnSettings48(t *testing.T) {
	s := open(t)
	s.enter(phone)
	s.Send(owner(phone, "get", ""))
	s.asked("settings of #c")
	st := s.Expect(`<iq type='result' id='o1'><query xmlns='http://jabber.org/protocol/muc#owner'><x xmlns='jabber:x:data' type='form'>
		<field var='muc#roomconfig_persistentroom' type='boolean'><value>0</value></field>
		<field var='x-record' type='list-single' label='Keep the history of rooms'><value>inherit</value>
			<option label='as usual: yes'><value>inherit</value></option><option label='yes'><value>true</value></option><option label='no'><value>false</value></option></field>
		<field var='x-history' type='text-single' label='Messages of the history that are shown when I join (empty: as usual, 20)'/>
		<field type='fixed'><value>Only who has a voice may speak: no</value></field></x></query></iq>`)
	if text := fmt.Sprint(st); strings.Contains(text, "roomsecret") || strings.Contains(text, "muc#roomconfig_moderatedroom") {
		t.Errorf("it can be changed: %s", text)
	}
	s.chosen.own("history %net", "3", "persistent", "true")
	s.Send(owner(phone, "get", ""))
	s.asked("settings of #c")
	s.Expect(`<iq type='result'><query xmlns='http://jabber.org/protocol/muc#owner'><x xmlns='jabber:x:data'><field var='muc#roomconfig_persistentroom'><value>1</value></field>
		<field var='x-history' label='Messages of the history that are shown when I join (empty: as on %net, 3)'/></x></query></iq>`)
	// A form that comes back as it was sent chooses nothing, and what is chosen is kept.
	s.Send(owner(phone, "set", `<x xmlns='jabber:x:data' type='submit'><field var='muc#roomconfig_persistentroom'><value>1</value></field>
		<field var='x-record'><value>inherit</value></field><field var='x-history'/></x>`))
	s.Expect(`<iq type='result' id='o1'/>`)
	s.choices("map[history %net:3 persistent:true]")
	s.Send(owner(phone, "set", `<x xmlns='jabber:x:data' type='submit'><field var='muc#roomconfig_persistentroom'><value>0</value></field>
		<field var='x-record'><value>false</value></field><field var='x-history'><value>0</value></field></x>`))
	s.Expect(`<iq type='result' id='o1'/>`)
	s.choices("map[history #c%net:0 history %net:3 persistent:true persistent #c%net:false record #c%net:false]")
	s.Send(owner(phone, "set", `<x xmlns='jabber:x:data' type='submit'><field var='x-history'><value>many</value></field></x>`))
	s.Expect(`<iq type='error' id='o1'><error type='modify'><bad-request ` + stanzas + `/><text ` + stanzas + `>*0 to 200.</text></error></iq>`)
	s.quiet()
}

func (s *stage) choices(want string) {
	s.t.Helper()
	p, _ := s.chosen.Preferences(s.t.Context(), "", "")
	if got := fmt.Sprint(p.Own); got != want {
		s.t.Errorf("chosen is %s, want %s", got, want)
	}
}

// Behaviour 34: a join that does not say is shown as much of the history as the user chose; what they do not want kept is
// not kept.
func TestChosenHistory34(t *testing.T) {
	s := open(t)
	s.chosen.own("history #c%net", "1")
	s.enter(phone)
	for _, id := range []string{"one", "two"} {
		s.show(&core.Message{Ref: ref, IDs: core.IDs{ID: core.MessageID(id)}, Room: true, Author: "Op", Text: id})
		s.Expect(`<message id='` + id + `'/>`)
	}
	s.chosen.own("history #c%net", "1", "record %net", "false")
	s.show(&core.Message{Ref: ref, IDs: core.IDs{ID: "three"}, Room: true, Author: "Op", Text: "three"})
	s.Expect(`<message id='three'/>`)
	o := s.ask(desk, "j")
	s.show(&core.RoomJoined{Ref: ref, Origin: o, Self: core.Member{Nick: "me"}})
	s.Expect(`<presence from='` + channel + `/me' to='` + desk + `'/>`)
	s.Expect(`<message id='two' to='` + desk + `'><delay xmlns='urn:xmpp:delay'/></message>`)
	s.Expect(`<message to='` + desk + `'><subject/></message>`)
	s.quiet()
}

// Behaviour 46: who chose to stay in all rooms stays in each; who does not any more leaves those that nobody is in.
func TestStayEverywhere46(t *testing.T) {
	s := open(t)
	a := edgetest.Account()
	a.Realm = "net"
	s.chosen.own("persistent", "true")
	s.enter(phone)
	s.Send(presence(phone, "me", "type='unavailable'", ""))
	s.Expect(`<presence type='unavailable' to='` + phone + `'/>`)
	s.quiet()
	s.rooms.Restore(t.Context(), s.d, []core.Account{a})
	s.asked(`join #c as me with "" for { }`)
	s.chosen.own("persistent", "true", "persistent #c%net", "false")
	if err := s.rooms.Reconsider(t.Context(), s.d, a); err != nil {
		t.Fatal(err)
	}
	s.asked("leave #c: ")
	s.rooms.Restore(t.Context(), s.d, []core.Account{a})
	s.quiet()

	// What is chosen while a client is in counts from then on.
	s.enter(phone)
	s.chosen.own("persistent %net", "true")
	if err := s.rooms.Reconsider(t.Context(), s.d, a); err != nil {
		t.Fatal(err)
	}
	s.rooms.Restore(t.Context(), s.d, []core.Account{a})
	s.asked(`join #c as me with "" for { }`)
	s.chosen.own()
	if err := s.rooms.Reconsider(t.Context(), s.d, a); err != nil {
		t.Fatal(err)
	}
	s.rooms.Restore(t.Context(), s.d, []core.Account{a})
	s.quiet()
}

// A user of another gateway chose to stay in a room there, and does here, until they choose otherwise.
func TestKeep46(t *testing.T) {
	for name, note := range map[string]string{"of an earlier version": `{"#c":"old"}`, "imported": ""} {
		t.Run(name, func(t *testing.T) {
			s := open(t)
			a := edgetest.Account()
			a.Realm = "net"
			if note != "" {
				_ = s.notes.Put(t.Context(), "rooms a1", []byte(note), 0)
			} else if added, err := Keep(t.Context(), &s.notes, a.ID, "#c", "old"); !added || err != nil {
				t.Fatal(added, err)
			}
			if added, err := Keep(t.Context(), &s.notes, a.ID, "#c", "new"); added || err != nil {
				t.Error("it is added twice", err)
			}
			s.rooms.Restore(t.Context(), s.d, []core.Account{a})
			s.asked(`join #c as old with "" for { }`)
			s.choices("map[persistent #c%net:true]")
			s.chosen.own("persistent", "true", "persistent #c%net", "false")
			s.rooms.Restore(t.Context(), s.d, []core.Account{a})
			s.quiet()
			if added, err := Keep(t.Context(), &s.notes, a.ID, "#c", "new"); !added || err != nil {
				t.Error(added, err)
			}
			s.rooms.Restore(t.Context(), s.d, []core.Account{a}) // they have chosen here
			s.quiet()
		})
	}
}
