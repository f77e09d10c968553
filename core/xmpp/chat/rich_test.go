package chat

import (
	"context"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"gangway/core"
	"gangway/core/xmpp/edge/edgetest"
)

func TestFilesRead23(t *testing.T) {
	const at = "https://files.example/a%20b.jpg"
	sfs := func(sources string) string {
		return `<file-sharing xmlns='urn:xmpp:sfs:0'><file xmlns='urn:xmpp:file:metadata:0'><media-type>image/jpeg</media-type>
			<name>../c.jpg</name><size>12</size></file><sources>` + sources + `</sources></file-sharing>`
	}
	const web = `<url-data xmlns='http://jabber.org/protocol/url-data' target='` + at + `'/>`
	oob := `<x xmlns='jabber:x:oob'><url>` + at + `</url></x>`
	plain := []core.Attachment{{URL: at, Name: "a b.jpg"}}
	full := []core.Attachment{{URL: at, Name: "c.jpg", Type: "image/jpeg", Size: 12}}
	for name, c := range map[string]struct {
		inside, text string
		files        []core.Attachment
	}{
		"an address":                  {`<body>` + at + `</body>` + oob, "", plain},
		"without a body":              {oob, "", plain},
		"described":                   {`<body>` + at + `</body>` + oob + sfs(web), "", full},
		"described only":              {sfs(web), "", full},
		"with words":                  {`<body>look: ` + at + `</body>` + oob, "look: " + at, plain},
		"with words and a fallback":   {`<body>look` + at + `</body>` + sfs(web) + `<fallback xmlns='urn:xmpp:fallback:0' for='urn:xmpp:sfs:0'><body start='4' end='99'/></fallback>`, "look", full},
		"twice, and another":          {`<body>` + at + "\nhttps://files.example/2" + `</body>` + oob + oob + `<x xmlns='jabber:x:oob'><url>https://files.example/2</url></x>`, "", append(plain[:1:1], core.Attachment{URL: "https://files.example/2", Name: "2"})},
		"an address that is no file":  {`<x xmlns='jabber:x:oob'><url>geo:1,2</url></x>`, "geo:1,2", nil},
		"an address without a scheme": {`<body>x</body><x xmlns='jabber:x:oob'><url>//files.example/1</url></x>`, "x", nil},
		"a link in a message":         {`<body>` + at + `</body>`, at, nil},
	} {
		th := open(t, (*edgetest.Full)(nil))
		th.say("c1", c.inside)
		th.quiet()
		if m := one[*core.Message](t, th.hall); m.Text != c.text || !reflect.DeepEqual(m.Attachments, c.files) {
			t.Errorf("%s: %q with %+v", name, m.Text, m.Attachments)
		}
	}
	th := open(t, (*edgetest.Full)(nil))
	th.say("c1", sfs(`<jingle-info xmlns='urn:xmpp:jingle:apps:file-transfer:5'/>`))
	th.Expect(refusal("cancel", "feature-not-implemented", "upload"))
	th.say("c1", manyFiles(21))
	th.Expect(refusal("modify", "policy-violation", "at most 20 files"))
}

func manyFiles(n int) string {
	var b strings.Builder
	for i := range n {
		b.WriteString(`<x xmlns='jabber:x:oob'><url>https://files.example/` + itoa(i) + `</url></x>`)
	}
	return b.String()
}

// Whatever is said about one of the files of a message is about the message.
func TestPartsHaveNames24(t *testing.T) {
	for id, want := range map[string]core.MessageID{
		string(theirs): theirs, string(theirs) + "-f0": theirs, string(theirs) + "-f12": theirs,
		string(theirs) + "-f": "", string(theirs) + "-f-1": "", string(theirs) + "-f01": "", string(theirs) + "-f1000": "",
		string(theirs) + "-x": "", "": "", "short-f1": "",
	} {
		if got, _ := ourName(id); got != want {
			t.Errorf("%q is %q, want %q", id, got, want)
		}
	}
}

// choices are everybody's preferences.
type choices core.Preferences

func (c choices) Preferences(context.Context, core.UserID, string) (core.Preferences, error) {
	return core.Preferences(c), nil
}

func (choices) Blocked(context.Context, core.AccountID, core.Address) (bool, error) {
	return false, nil
}

// Where a network has no corrections they are refused, or sent anew by choice; of
// a message of another conversation, there are none.
func TestCorrections24(t *testing.T) {
	const correction = `<body>Hallo</body><replace xmlns='urn:xmpp:message-correct:0' id='client-1'/>`
	th := open(t, (*edgetest.Plain)(nil))
	th.say("c1", correction)
	th.Expect(refusal("cancel", "feature-not-implemented", "changed*E-mail"))
	th.chat.choices = choices{ResendEdits: true}
	th.say("c1", correction)
	th.quiet()
	if m := one[*core.Message](t, th.hall); m.Text != "* Hallo" || m.Replaces.Known() {
		t.Errorf("submitted %+v", m)
	}
	th = open(t, (*edgetest.Full)(nil))
	th.Send(`<message type='chat' id='c1' from='alice@example.org/phone' to='carol\40example.com@email.gw'>` + correction + `</message>`)
	th.Expect(`<message type='error' id='c1'><error type='cancel'><item-not-found xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></message>`)
}

func TestReactions25(t *testing.T) {
	react := func(emoji ...string) string {
		return `<reactions xmlns='urn:xmpp:reactions:0' id='client-1'><reaction>` + strings.Join(emoji, `</reaction><reaction>`) + `</reaction></reactions>`
	}
	th := open(t, (*edgetest.Full)(nil))
	th.say("c1", react("❤️", "❤", "👍"))
	th.quiet()
	if r := one[*core.Reaction](t, th.hall); !reflect.DeepEqual(r.Emoji, []string{"❤️", "👍"}) {
		t.Errorf("the set is %q", r.Emoji)
	}
	th.domain.Network.Driver.Reactions = core.ReactionRules{Most: 1, Allowed: []string{"❤️", "👍"}}
	th.say("c1", react("❤"))
	th.quiet()
	if r := one[*core.Reaction](t, th.hall); !reflect.DeepEqual(r.Emoji, []string{"❤️"}) {
		t.Errorf("the set is %q, want it as the network spells it", r.Emoji)
	}
	th.say("c1", react("❤", "👍"))
	th.Expect(refusal("modify", "bad-request", "at most 1"))
	th.say("c1", react("🎉"))
	th.Expect(refusal("modify", "bad-request", "only these reactions: ❤️ 👍"))
}

// The quotation goes where the network names what is answered, and stays where
// it does not.
func TestQuotations26(t *testing.T) {
	const answer = `<body>&gt; 👍 At noon?
Yes</body><reply xmlns='urn:xmpp:reply:0' id='client-1'/><fallback xmlns='urn:xmpp:fallback:0' for='urn:xmpp:reply:0'><body start='0' end='13'/></fallback>`
	for threads, want := range map[bool]string{true: "Yes", false: "> 👍 At noon?\nYes"} {
		th := open(t, (*edgetest.Full)(nil))
		th.domain.Network.Driver.Threads = threads
		th.say("c1", answer)
		th.quiet()
		if m := one[*core.Message](t, th.hall); m.Text != want || m.ReplyTo.ID != ours {
			t.Errorf("threads %v: submitted %+v", threads, m)
		}
	}
}

// What is answered is quoted for clients that know no replies, in a range that
// takes exactly the quotation away again, and nothing that it quotes itself.
func TestQuotationShown26(t *testing.T) {
	th := open(t, (*edgetest.Full)(nil))
	for text, quote := range map[string]string{
		"👍 At noon?":            "> 👍 At noon?\n",
		"> quoted\n\nAt\nnoon?": "> At\n> noon?\n",
		"1\n2\n3\n4\n5\n6":      "> 1\n> 2\n> 3\n> 4\n> ...\n",
		"> all quoted":          "",
	} {
		asked := core.NewID()
		th.show(&core.Message{Ref: bobRef, IDs: core.IDs{ID: asked}, Text: text})
		th.Next()
		th.show(&core.Message{Ref: bobRef, IDs: core.IDs{ID: core.NewID()}, Text: "Yes", ReplyTo: core.IDs{ID: asked}})
		st := th.Next()
		if got := st.Body(); got != quote+"Yes" {
			t.Errorf("%q is quoted as %q", text, got)
		}
		if got := stripFallback(st, st.Body(), nsReply); got != "Yes" {
			t.Errorf("%q: %q is left", text, got)
		}
	}
	long := quotation(strings.Repeat("ä", 10_000))
	if len(long) > quoteBytes+50 || !strings.HasSuffix(long, "...\n") {
		t.Errorf("a long line is quoted with %d bytes", len(long))
	}
}

// Both kinds of retraction are understood; the fallback is nobody's message and
// names no id.
func TestRetractions27(t *testing.T) {
	for _, inside := range []string{
		`<retract xmlns='urn:xmpp:message-retract:1' id='client-1'/>`,
		`<apply-to xmlns='urn:xmpp:fasten:0' id='client-1'><retract xmlns='urn:xmpp:message-retract:0'/></apply-to>`,
	} {
		th := open(t, (*edgetest.Full)(nil))
		th.say("c1", inside+`<body>/me retracted a message</body><fallback xmlns='urn:xmpp:fallback:0'/>`)
		th.quiet()
		if r := one[*core.Retraction](t, th.hall); r.ID != ours {
			t.Errorf("%s: submitted %+v", inside, r)
		}
	}
	th := open(t, (*edgetest.Full)(nil))
	th.show(&core.Message{Ref: bobRef, IDs: core.IDs{ID: "yyyyyyyyyyyyyyyyyyyyyyyy22"}, Text: "Two:", Attachments: []core.Attachment{{URL: "https://x.example/1"}, {URL: "https://x.example/2"}}})
	for range 3 {
		th.Next()
	}
	th.show(&core.Retraction{Ref: bobRef, IDs: core.IDs{ID: "yyyyyyyyyyyyyyyyyyyyyyyy22"}})
	for _, id := range []string{"yyyyyyyyyyyyyyyyyyyyyyyy22", "yyyyyyyyyyyyyyyyyyyyyyyy22-f0", "yyyyyyyyyyyyyyyyyyyyyyyy22-f1"} {
		st := th.Expect(`<message><retract xmlns='urn:xmpp:message-retract:1' id='` + id + `'/><fallback xmlns='urn:xmpp:fallback:0' for='urn:xmpp:message-retract:1'/></message>`)
		if strings.Contains(st.Body(), "yyyy") {
			t.Errorf("the fallback is %q", st.Body())
		}
	}
}

// Each of several gets an event that says who the others are, and which of them are for their information only.
// Nobody is told of a blind copy.
func TestSeveral(t *testing.T) {
	srv, hall := stage(t, (*edgetest.Full)(nil))
	srv.Send(`<message type='chat' id='c1' from='alice@example.org/phone' to='` + bob + `'><body>Hello</body>
		<addresses xmlns='http://jabber.org/protocol/address'><address type='cc' jid='carol\40example.com@email.gw'/>
		<address type='bcc' jid='dave\40example.com@email.gw'/></addresses></message>`)
	quiet(srv)
	var got []string
	for _, e := range hall.Submitted() {
		m := e.(*core.Message)
		got = append(got, fmt.Sprint(m.Peer, m.Also, m.Copied, m.Hidden))
	}
	want := []string{
		"bob@example.com[carol@example.com] [carol@example.com] false",
		"carol@example.com[bob@example.com] [carol@example.com] false",
		"dave@example.com[bob@example.com carol@example.com] [carol@example.com] true",
	}
	if !slices.Equal(got, want) {
		t.Errorf("submitted\n%s, want\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}
