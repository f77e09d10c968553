package roster

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"gangway/core"
	"gangway/core/xmpp/disco"
	"gangway/core/xmpp/edge/edgetest"
	"gangway/core/xmpp/vcard"
)

// inStep is Alice's when it is as the gateway wants it.
const inStep = `<item jid='email.gw' name='E-mail' subscription='both'/><item jid='` + bob + `' name='bob@example.com' subscription='both'/>`

// pictured is a roster with cards of contacts.
func pictured(t *testing.T, contacts ...core.Address) *alive {
	t.Helper()
	s := liveWith(t, func(c *Config) {
		cards := vcard.New(vcard.Config{})
		c.Cards = cards
	}, contacts...)
	s.roster.cfg.Cards.(*vcard.Cards).Watch(s.roster.Carded)
	s.advertise(rosterPerms)
	s.greeted()
	s.rosterGet(inStep)
	s.silent(t)
	return s
}

// comes has a device of a kind come online, and see the contacts.
func (s *alive) comes(device string, kind disco.Info) {
	s.srv.Send(`<presence from='alice@example.org/` + device + `' to='email.gw'><c xmlns='http://jabber.org/protocol/caps' hash='sha-1' node='n' ver='` + kind.Ver() + `'/></presence>`)
}

// says answers what a device is asked about itself.
func (s *alive) says(device string, kind disco.Info) {
	s.srv.Unset("id")
	s.srv.Expect(`<iq type='get' id='$id' to='alice@example.org/` + device + `'><query xmlns='` + disco.NSInfo + `' node='n#` + kind.Ver() + `'/></iq>`)
	var b strings.Builder
	for _, f := range kind.Features {
		b.WriteString(`<feature var='` + f + `'/>`)
	}
	s.srv.Send(`<iq type='result' id='$id' from='alice@example.org/` + device + `' to='email.gw'><query xmlns='` + disco.NSInfo + `'>` + b.String() + `</query></iq>`)
}

func (s *alive) profile(t *testing.T, p core.Profile) {
	t.Helper()
	p.Ref = core.Ref{Account: "a1", Peer: "bob@example.com"}
	if err := s.edge.Show(t.Context(), edgetest.Account(), &p); err != nil {
		t.Fatal(err)
	}
}

func png(data string) core.Picture { return core.Picture{Type: "image/png", Data: []byte(data)} }

const sumOfA, sumOfB = "86f7e437faa5a7fce15d1ddcb9eaeaea377667b8", "e9d71f5ee7c92d6dc9e92ffdad17b8bd49418f98"

func metadata(from, device, info string) string {
	return `<message type='headline' from='` + from + `' to='alice@example.org/` + device + `'><event xmlns='http://jabber.org/protocol/pubsub#event'>
		<items node='urn:xmpp:avatar:metadata'><item><metadata xmlns='urn:xmpp:avatar:metadata'>` + info + `</metadata></item></items></event></message>`
}

// A new picture is in the presence that everybody sees (XEP-0153), and is told to
// the devices that want to be told (XEP-0084), when it changes and when they come;
// to the others nothing is sent.
func TestPictures(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := pictured(t, "bob@example.com")
		wants := disco.Info{Features: []string{"urn:xmpp:avatar:metadata+notify", "http://jabber.org/protocol/nick+notify"}}
		deaf := disco.Info{Features: []string{"urn:xmpp:ping"}}
		s.comes("monal", wants)
		s.srv.Expect(`<presence type='!' from='` + bob + `/gateway' to='alice@example.org'><no><x xmlns='vcard-temp:x:update'/></no></presence>`)
		s.says("monal", wants)
		s.srv.Expect(metadata("email.gw", "monal", `<info type='image/png'/>`)) // the gateway's own
		s.comes("deaf", deaf)
		s.says("deaf", deaf)
		s.silent(t)

		s.profile(t, core.Profile{Name: "Bob", Avatar: png("a")})
		s.srv.Expect(`<presence type='!' from='` + bob + `/gateway' to='alice@example.org'><x xmlns='vcard-temp:x:update'><photo>` + sumOfA + `</photo></x></presence>`)
		s.srv.Expect(`<message type='headline' from='` + bob + `' to='alice@example.org/monal'><event xmlns='http://jabber.org/protocol/pubsub#event'>
			<items node='http://jabber.org/protocol/nick'><item><nick xmlns='http://jabber.org/protocol/nick'>Bob</nick></item></items></event></message>`)
		s.srv.Expect(metadata(bob, "monal", `<info id='`+sumOfA+`' type='image/png' bytes='1'/>`))
		s.roster.Changed(edgetest.Alice, "mail") // as the table of contacts tells
		s.rosterGet(inStep)
		s.rosterSet(`<item jid='`+bob+`' name='Bob'/>`, "")
		s.silent(t)
		s.profile(t, core.Profile{Name: "Bob", Avatar: png("a")}) // said before
		s.profile(t, core.Profile{Name: "Bob"})                   // nothing is said of the picture
		s.silent(t)

		s.comes("other", wants) // of a kind that is known
		s.srv.Expect(metadata(bob, "other", `<info id='`+sumOfA+`'/>`))
		s.srv.Expect(metadata("email.gw", "other", `<info/>`))
		s.comes("other", wants)
		s.comes("monal", deaf) // has switched it off
		s.silent(t)
		s.profile(t, core.Profile{Avatar: png("b")})
		s.srv.Expect(`<presence from='` + bob + `/gateway'><x xmlns='vcard-temp:x:update'><photo>` + sumOfB + `</photo></x></presence>`)
		s.srv.Expect(metadata(bob, "other", `<info id='`+sumOfB+`'/>`))
		s.silent(t)
	})
}

// Who was there before a link was lost is not told again what was told.
func TestPicturesAfterALostLink(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := pictured(t, "bob@example.com")
		wants := disco.Info{Features: []string{"urn:xmpp:avatar:metadata+notify"}}
		s.comes("monal", wants)
		s.srv.Expect(`<presence from='` + bob + `/gateway'/>`)
		s.says("monal", wants)
		s.srv.Expect(metadata("email.gw", "monal", `<info/>`))
		s.srv.Cut("email.gw")
		s.srv.Await("email.gw", 2)
		s.probed()
		s.comes("monal", wants)
		s.silent(t)
	})
}

// A name that the network tells goes to the table of contacts, and so to the list.
func TestNamesOfTheNetwork13(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := pictured(t, "bob@example.com")
		s.profile(t, core.Profile{Name: "Bob"})
		s.roster.Changed(edgetest.Alice, "mail") // as the table tells
		s.rosterGet(inStep)
		s.rosterSet(`<item jid='`+bob+`' name='Bob' subscription='both'/>`, "")
		s.silent(t)
		s.profile(t, core.Profile{Name: "Robert"})
		s.roster.Changed(edgetest.Alice, "mail")
		s.rosterGet(`<item jid='email.gw' name='E-mail' subscription='both'/><item jid='` + bob + `' name='Bobby' subscription='both'/>`) // renamed by the user
		s.silent(t)
		time.Sleep(time.Hour)
	})
}
