package muc

import (
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/xdg-go/stringprep"
	"golang.org/x/text/unicode/norm"

	"gangway/core"
)

// nicks are shown as they are, or, with a mark, as what is nearest to them.
var nicks = []struct{ nick, near string }{
	{"me", "me"},
	{"[me]|`{}^_\\", "[me]|`{}^_\\"},
	{"a b/c@d", "a b/c@d"},
	{"héllo", "héllo"},
	{"אב", "אב"},
	{"אב גד", "אב גד"},
	{"א1ב", "א1ב"},
	{"❤", "❤"}, // as old as Unicode 3.2
	{"", "□≈"},
	{" ", "□≈"},
	{"\u200b\ufe0f", "□≈"},
	{"a\x00\x03b\x7f", "a□□b□≈"},
	{"\xffa", "□a≈"},
	{"a\ufffdb", "a□b≈"},
	{"a\x02b\ufffe", "a□b□≈"},
	{"wide\u3000space", "wide□space≈"},
	{"\ue000\uffff\U000e0041", "□□□≈"},
	{"héllo 👩‍🚀", "héllo □□≈"}, // not in Unicode 3.2
	{"x\u0350y", "x□y≈"},       // nor this
	{"\u0301\u0302e", "□\u0302e≈"},
	{"x²", "x2≈"},
	{"he\u0301llo", "héllo≈"},
	{"so\u00adft", "soft≈"},
	{"x≈2", "x≈2≈"}, // looks like a mark
	{"x\u061c", "x□≈"},
	{"\u202eexe", "□exe≈"},
	{"אבword_", "□□word_≈"}, // a character of each direction
	{"אב_", "□□_≈"},         // does not end as it begins
	{"1אב", "1□□≈"},
	{"א\ufb4f", "אאל≈"},
	{strings.Repeat("x", 2000), strings.Repeat("x", 1003) + "≈"},
	{strings.Repeat("é", 600), strings.Repeat("é", 501) + "≈"},
	{strings.Repeat("א", 600), strings.Repeat("א", 501) + "≈"},
	{strings.Repeat("\ufdfa", 300), "صلى الله عليه وسلم"},
}

// Behaviours 29 and 41: a server answers an address that it cannot prepare with an error, and shows nothing.
func TestNicksThatServersTake29(t *testing.T) {
	r := New(Config{Secret: []byte("secret")})
	for _, c := range nicks {
		got := r.resource(c.nick)
		if !strings.HasPrefix(got, c.near) || !strings.Contains(c.near, marker) && utf8.RuneCountInString(c.near) < 18 && got != c.near {
			t.Errorf("%q is %q, want %q", c.nick, got, c.near)
		}
		taken(t, got)
	}
}

// taken fails for a resource that a server would not take, or would show as another.
func taken(t *testing.T, resource string) {
	t.Helper()
	profile := stringprep.Profile{
		Mappings: []stringprep.Mapping{stringprep.TableB1}, Normalize: true, CheckBiDi: true,
		Prohibits: []stringprep.Set{
			stringprep.TableA1, stringprep.TableC1_2, stringprep.TableC2_1, stringprep.TableC2_2, stringprep.TableC3, stringprep.TableC4,
			stringprep.TableC5, stringprep.TableC6, stringprep.TableC7, stringprep.TableC8, stringprep.TableC9,
		},
	}
	got, err := profile.Prepare(resource)
	if err != nil || got != resource || resource == "" || len(resource) > maxResource {
		t.Fatalf("a server makes %q of %q: %v", got, resource, err)
	}
}

// FuzzResource holds that a server takes the resource of whatever nick, and that no two nicks have the same.
func FuzzResource(f *testing.F) {
	for _, c := range nicks {
		f.Add(c.nick, c.near)
	}
	f.Add("x\u0350", "x\u0351")
	f.Add("\ufdfa", "a\ufdfa")
	r := New(Config{Secret: []byte("secret")})
	f.Fuzz(func(t *testing.T, one, other string) {
		got := r.resource(one)
		taken(t, got)
		if one != other && got == r.resource(other) {
			t.Fatalf("%q and %q are both %q", one, other, got)
		}
		if p := prepared(got); p != got {
			t.Fatalf("%q is prepared as %q", got, p)
		}
	})
}

// alike are four members whom servers would take for one, and who are shown as themselves or with a mark.
var alike = []string{"x2", "x²", "x\u00ad2", "x≈2"}

// Behaviour 41: members whose nicks are the same once prepared are told apart, and each is reached where it is shown.
func TestAlike41(t *testing.T) {
	s := open(t)
	s.enter(phone)
	s.net.mu.Lock()
	s.net.state = &core.RoomJoined{Ref: ref, Self: core.Member{Nick: "me", Address: "me"}}
	for _, nick := range alike {
		s.net.state.Members = append(s.net.state.Members, core.Member{Nick: nick, Address: core.Address(nick)})
	}
	s.net.mu.Unlock()
	shown := map[string]string{}
	for _, nick := range alike {
		s.show(&core.MemberChanged{Ref: ref, Change: core.Came, Member: core.Member{Nick: nick}})
		want := `<no><nick xmlns='http://jabber.org/protocol/nick'/></no>`
		if nick != "x2" {
			want = `<nick xmlns='http://jabber.org/protocol/nick'>` + nick + `</nick>`
		}
		from := s.Expect(`<presence type='!'>` + want + `</presence>`).From
		if other, is := shown[norm.NFKC.String(from)]; is {
			t.Fatalf("%q is %q is %q", nick, other, from)
		}
		shown[norm.NFKC.String(from)] = nick
		s.show(&core.Message{Ref: ref, IDs: core.IDs{ID: "m"}, Room: true, Author: core.Address(nick), Text: "x"})
		s.Expect(`<message from='` + from + `' type='groupchat'/>`)
		s.Send(`<message from='` + phone + `' to='` + from + `' type='chat' id='w1'><body>psst</body></message>`)
		s.quiet()
		if m := s.hall.Submitted(); m[len(m)-1].Where().Peer != core.Address("private-"+nick) {
			t.Errorf("%q whispered to is %q", nick, m[len(m)-1].Where().Peer)
		}
		s.Send(admin(phone, "<item nick='"+strings.TrimPrefix(from, channel+"/")+"' role='none'/>"))
		s.asked("kick " + nick + " from #c: ")
		s.Expect(`<iq type='result'/>`)
		s.show(&core.MemberChanged{Ref: ref, Change: core.Went, Member: core.Member{Nick: nick}})
		s.Expect(`<presence type='unavailable' from='` + from + `'/>`)
	}
	if len(shown) != len(alike) {
		t.Errorf("%d are %d", len(alike), len(shown))
	}
	s.quiet()
}

// Behaviour 41: whom the room shows otherwise than they asked for is told so, and asks again by what they were shown.
func TestOwnNickMarked41(t *testing.T) {
	s := open(t)
	s.Send(presence(phone, "👩", "id='j1'", muc))
	o := core.Origin{ID: "j1", From: phone}
	s.asked(fmt.Sprintf(`join #c as 👩 with "" for %v`, o))
	s.show(&core.RoomJoined{Ref: ref, Origin: o, Self: core.Member{Nick: "👩"}, Asked: "👩"})
	from := s.Expect(`<presence type='!'><x ` + user + `><status code='110'/><status code='210'/></x></presence>`).From
	if !strings.HasPrefix(from, channel+"/□≈") {
		t.Errorf("shown as %q", from)
	}
	s.Expect(`<message><subject/></message>`)
	s.Send(ping(phone, from))
	s.Expect(`<iq type='result' id='p1'/>`)
	nick := strings.TrimPrefix(from, channel+"/")
	s.Send(presence(phone, nick, "", "")) // its own: only a status
	s.Send(presence(phone, nick, "id='j2'", muc))
	s.asked(fmt.Sprintf(`join #c as 👩 with "" for %v`, core.Origin{ID: "j2", From: phone}))
	s.quiet()
}

// A join that is refused is refused at the address that was asked for, also where that could be nobody's in the room.
func TestRefusedWhereAsked41(t *testing.T) {
	s := open(t)
	s.Send(presence(phone, "👩", "id='j1'", muc))
	o := core.Origin{ID: "j1", From: phone}
	s.asked(fmt.Sprintf(`join #c as 👩 with "" for %v`, o))
	s.show(&core.RoomLeft{Ref: ref, Origin: o, Why: core.NotJoined, Err: &core.Error{Kind: core.Invalid, Code: "432", Text: "No."}})
	s.Expect(`<presence type='error' from='` + channel + `/👩' id='j1'/>`)
	s.enter(phone)
	s.Send(presence(phone, "👩", "id='r1'", ""))
	s.asked("rename in #c to 👩 for {r1 " + phone + "}")
	s.show(&core.Receipt{Ref: ref, Origin: core.Origin{ID: "r1", From: phone}, State: core.Failed, Err: &core.Error{Kind: core.Invalid, Code: "432"}})
	s.Expect(`<presence type='error' from='` + channel + `/👩' id='r1'/>`)
	s.Send(presence(desk, "x²", "id='j3'", muc)) // as a server that does not prepare passes it on
	s.asked(fmt.Sprintf(`join #c as x2 with "" for %v`, core.Origin{ID: "j3", From: desk}))
	s.Send(presence(phone, "x≈123456789", "id='r2'", ""))
	s.asked("rename in #c to x for {r2 " + phone + "}") // from before a restart
	s.quiet()
}
