package muc

import (
	"strconv"
	"testing"
	"time"

	"gangway/core"
	"gangway/core/xmpp/stream"
)

// Behaviour 34: the history between oneself and the subject, as much of it as was asked for.
func TestHistory34(t *testing.T) {
	s := open(t)
	for i := range 30 {
		s.show(&core.Message{
			Ref: ref, IDs: core.IDs{ID: core.MessageID("m" + strconv.Itoa(i))}, Room: true, Author: "Op", Text: "text",
			At: time.Now().Add(time.Duration(i-30) * time.Hour),
		})
	}
	s.quiet()
	since := time.Now().Add(-150 * time.Minute).UTC().Format(time.RFC3339)
	for _, c := range []struct {
		history string
		want    int
	}{
		{"", usualHistory},
		{"<history maxstanzas='0'/>", 0},
		{"<history maxchars='0'/>", 0},
		{"<history maxstanzas='3'/>", 3},
		{"<history seconds='9000'/>", 2},
		{"<history since='" + since + "'/>", 2},
		{"<history since='" + since + "' maxstanzas='1'/>", 1},
		{"<history since='2020-01-01T00:00:00Z'/>", 30},
		{"<history maxchars='900'/>", 2},
		{"<history maxstanzas='-1' seconds='x'/>", usualHistory},
	} {
		t.Log(c.history)
		s.Send(presence(phone, "me", "id='j'", "<x xmlns='http://jabber.org/protocol/muc'>"+c.history+"</x>"))
		s.asked(`join #c as me with "" for {j ` + phone + `}`)
		s.show(&core.RoomJoined{Ref: ref, Origin: core.Origin{ID: "j", From: phone}, Self: core.Member{Nick: "me"}, Asked: "me"})
		s.Expect(`<presence from='` + channel + `/me'/>`)
		for i := 30 - c.want; i < 30; i++ {
			id := "m" + strconv.Itoa(i)
			s.Expect(`<message type='groupchat' from='` + channel + `/Op' to='` + phone + `' id='` + id + `'><body>text</body>
				<stanza-id xmlns='urn:xmpp:sid:0' by='` + channel + `' id='` + id + `'/><occupant-id xmlns='urn:xmpp:occupant-id:0'/>
				<delay xmlns='urn:xmpp:delay' from='` + channel + `' stamp='*'/></message>`)
		}
		s.Expect(`<message><subject/><no><body/></no></message>`)
	}
	s.quiet()
}

// Behaviour 45: the archive has what was shown, under the stanza-ids that it was shown with.
func TestArchived45(t *testing.T) {
	s := open(t)
	s.enter(phone)
	s.Send(say(phone, "m1", "<body>mine</body>"))
	m := s.submitted()
	m.Mine, m.Author = true, "me"
	s.show(m)
	s.Expect(`<message id='m1'><stanza-id xmlns='urn:xmpp:sid:0' id='` + string(m.ID) + `'/></message>`)
	s.show(&core.Message{Ref: ref, IDs: core.IDs{ID: "f"}, Room: true, Author: "Op", Text: "look", Attachments: []core.Attachment{{URL: "https://a.example/1.png"}}})
	s.Expect(`<message id='f'><body>look</body><no><x xmlns='jabber:x:oob'/></no></message>`)
	s.Expect(`<message id='$file'><body>https://a.example/1.png</body><x xmlns='jabber:x:oob'><url>https://a.example/1.png</url></x>
		<stanza-id xmlns='urn:xmpp:sid:0' id='$file'/></message>`)
	s.archive.mu.Lock()
	defer s.archive.mu.Unlock()
	if len(s.archive.all) != 3 || s.archive.all[0].ID != m.ID || s.archive.all[1].ID != "f" {
		t.Fatalf("kept %+v", s.archive.all)
	}
	a, _ := s.hall.Account(t.Context(), "alice@example.org", "", "net")
	var enc stream.Encoder
	enc.Start("message", "", "from", "irc.gw", "to", phone)
	if err := s.rooms.WriteArchived(&enc, s.d, a, s.archive.all[0]); err != nil {
		t.Fatal(err)
	}
	gone := s.archive.all[1]
	gone.Retracted, gone.RetractedAt = "r1", time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	if err := s.rooms.WriteArchived(&enc, s.d, a, gone); err != nil {
		t.Fatal(err)
	}
	enc.End()
	got := string(enc.Bytes())
	st, err := stream.Parse(got)
	if err != nil {
		t.Fatal(err)
	}
	first := st.Child("", "message")
	if first.Attr("id") != "m1" || first.Attr("from") != channel+"/me" || first.ChildText("", "body") != "mine" || first.Child(NSDelay, "delay") != nil {
		t.Errorf("archived as %s", got)
	}
	n := 0
	for el := range st.Children() {
		if n++; n == 2 && (el.Child(nsRetract, "retracted").Attr("stamp") != "2026-01-02T03:04:05Z" || el.Child("", "body") != nil) {
			t.Errorf("tombstone in %s", got)
		}
	}
}

// What a session has filled a gap with is shown to who is in, marked with its time however young it is (XEP-0203), and
// not kept a second time. Behaviour 30 is about what is delivered late by itself.
func TestPastShown(t *testing.T) {
	s := open(t)
	s.enter(phone)
	now := time.Now()
	from := `from='` + channel + `/old'`
	marked := `<delay xmlns='urn:xmpp:delay' from='` + channel + `' stamp='*'/>`
	s.show(&core.Message{Ref: ref, IDs: core.IDs{ID: "p1", Remote: "r1"}, Room: true, Author: "old", Mine: true, Text: "missed", At: now, Past: true})
	s.Expect(`<message type='groupchat' ` + from + ` to='` + phone + `' id='p1'><body>missed</body>
		<stanza-id xmlns='urn:xmpp:sid:0' by='` + channel + `' id='p1'/><occupant-id xmlns='urn:xmpp:occupant-id:0'/>` + marked + `</message>`)
	s.show(&core.Reaction{Ref: ref, IDs: core.IDs{ID: "p1"}, Room: true, Author: "old", Mine: true, Emoji: []string{"+"}, At: now, Past: true})
	s.Expect(`<message ` + from + `><reactions xmlns='urn:xmpp:reactions:0' id='p1'/>` + marked + `</message>`)
	s.show(&core.Retraction{Ref: ref, IDs: core.IDs{ID: "p1"}, Room: true, Author: "old", Mine: true, At: now, Past: true})
	s.Expect(`<message ` + from + `><retract xmlns='urn:xmpp:message-retract:1' id='p1'/>` + marked + `</message>`)
	s.quiet()
	s.archive.mu.Lock()
	defer s.archive.mu.Unlock()
	if len(s.archive.all) != 0 {
		t.Errorf("kept once more: %+v", s.archive.all)
	}
}
