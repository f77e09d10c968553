package muc

import (
	"flag"
	"regexp"
	"testing"
	"time"

	"gangway/core"
	"gangway/core/xmpp/edge/edgetest"
	"gangway/core/xmpp/stream"
	"gangway/core/xmpp/xmpptest"
)

var update = flag.Bool("update", false, "write what is rendered to testdata")

var newID = regexp.MustCompile(`id='[a-z2-7]{26}'`)

// Golden: each event that a network can tell of a room, to somebody who is in it.
func TestRenderGolden(t *testing.T) {
	at := time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
	said := core.IDs{ID: "said"}
	op := core.Member{Nick: "Op", Address: "op", Real: "o@host.example", Rank: core.Operator, Account: "oper"}
	refused := &core.Error{Kind: core.Denied, Text: "You are no operator.", Code: "482"}
	for _, c := range []struct {
		name  string
		event core.Event
	}{
		{"joined", &core.RoomJoined{Ref: ref, Self: core.Member{Nick: "me", Rank: core.Voice}, Members: []core.Member{op},
			Topic: core.Topic{Text: "Welcome", By: "Op"}, Settings: &core.Settings{Moderated: true}}},
		{"left", &core.RoomLeft{Ref: ref, Self: core.Member{Nick: "me"}, Why: core.Left, Reason: "Bye"}},
		{"left-kicked", &core.RoomLeft{Ref: ref, Self: core.Member{Nick: "me"}, Why: core.Kicked, By: "Op", Reason: "Out"}},
		{"left-banned", &core.RoomLeft{Ref: ref, Self: core.Member{Nick: "me"}, Why: core.Banned, By: "Op", Reason: "Out"}},
		{"member-came", &core.MemberChanged{Ref: ref, Change: core.Came, Member: op}},
		{"member-updated", &core.MemberChanged{Ref: ref, Change: core.Updated, Member: core.Member{Nick: "Op", Address: "op", Away: true, Staff: true}}},
		{"member-renamed", &core.MemberChanged{Ref: ref, Change: core.Renamed, Member: op, Old: "Oper"}},
		{"member-left", &core.MemberChanged{Ref: ref, Change: core.Went, Member: op, Why: core.Left, Reason: "Bye"}},
		{"member-kicked", &core.MemberChanged{Ref: ref, Change: core.Went, Member: op, Why: core.Kicked, By: "me", Reason: "Out"}},
		{"member-banned", &core.MemberChanged{Ref: ref, Change: core.Went, Member: op, Why: core.Banned, By: "me", Reason: "Out"}},
		{"member-mine-renamed", &core.MemberChanged{Ref: ref, Change: core.Renamed, Mine: true, Member: core.Member{Nick: "me2"}, Old: "me"}},
		{"topic", &core.TopicChanged{Ref: ref, Topic: core.Topic{Text: "News", By: "Op"}}},
		{"settings", &core.SettingsChanged{Ref: ref, Settings: &core.Settings{Moderated: true}}},
		{"invited", &core.Invited{Ref: core.Ref{Account: "a1", Peer: "#other"}, By: "op", Nick: "Op", Reason: "Come"}},
		{"message", &core.Message{Ref: ref, IDs: said, Room: true, Author: "Op", Text: "Hello <you> & \x02all\x00"}},
		{"message-action", &core.Message{Ref: ref, IDs: said, Room: true, Author: "Op", Text: "/me waves"}},
		{"message-notice", &core.Message{Ref: ref, IDs: said, Room: true, Author: "Op", Text: "Beep", Notice: true}},
		{"message-reply", &core.Message{Ref: ref, IDs: said, Room: true, Author: "Op", Text: "Yes", ReplyTo: core.IDs{ID: "asked"}}},
		{"message-correction", &core.Message{Ref: ref, IDs: said, Room: true, Author: "Op", Text: "Yes", Replaces: core.IDs{ID: "asked"}}},
		{"reaction", &core.Reaction{Ref: ref, IDs: said, Room: true, Author: "Op", Emoji: []string{"👍"}, At: at}},
		{"retraction", &core.Retraction{Ref: ref, IDs: said, Room: true, Author: "Op", At: at}},
		{"retraction-moderated", &core.Retraction{Ref: ref, IDs: said, Room: true, Author: "Op", At: at, Moderated: true, Reason: "Spam"}},
		{"typing", &core.Typing{Ref: ref, Author: "Op", On: true}},
		{"failed", &core.Receipt{Ref: ref, Origin: core.Origin{ID: "t", From: phone}, State: core.Failed, Err: refused}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := openRich(t)
			s.enter(phone)
			s.show(&core.Message{Ref: ref, IDs: core.IDs{ID: "asked"}, Room: true, Author: "Op", Text: "At noon?"})
			s.Next()
			enc := stream.Encoder{Domain: s.d.Name}
			a := edgetest.Account()
			a.Realm = "net"
			if err := s.rooms.Render(t.Context(), &enc, s.d, a, c.event); err != nil {
				t.Fatal(err)
			}
			if err := enc.Err(); err != nil {
				t.Fatal(err)
			}
			got := xmpptest.Lines(&enc)
			if c.name == "invited" { // which nobody speaks of again: its id is another each time
				got = newID.ReplaceAllString(got, "id='*'")
			}
			xmpptest.Golden(t, *update, c.name, got)
		})
	}
}
