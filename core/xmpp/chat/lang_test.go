package chat

import (
	"strings"
	"testing"

	"gangway/core"
	"gangway/core/xmpp/edge/edgetest"
)

// Of a message in several languages one text goes to the network: the one that the
// user has chosen, or that the stanza is in, or that comes first; with its
// language.
func TestOneLanguage(t *testing.T) {
	const several = `<subject xml:lang='en'>Hi</subject><subject xml:lang='de'>Gruss</subject>
		<body xml:lang='en-GB'>lift</body><body>main</body><body xml:lang='de'>Aufzug</body><body xml:lang='de-CH'>Lift</body>`
	for _, c := range []struct {
		wanted, stanza, inside, text, subject, lang string
	}{
		{"", "", several, "main", "Hi", ""},
		{"", "fr", several, "main", "Hi", "fr"},
		{"de", "", several, "Aufzug", "Gruss", "de"},
		{"DE-ch", "", several, "Lift", "Gruss", "de-CH"},
		{"de-AT", "", several, "Aufzug", "Gruss", "de"},
		{"en", "", several, "lift", "Hi", "en-GB"},
		{"en-US", "", several, "lift", "Hi", "en-GB"},
		{"d", "", several, "main", "Hi", ""},
		{"fr", "fr", several, "main", "Hi", "fr"},
		{"es", "", `<body xml:lang='en'>lift</body><body xml:lang='de'>Aufzug</body>`, "lift", "", "en"},
		{"", "", `<body xml:lang='no language'>x</body>`, "x", "", ""},
		{"", strings.Repeat("a", 36), `<body>x</body>`, "x", "", ""},
	} {
		th := open(t, (*edgetest.Full)(nil))
		th.chat.choices = choices{Language: c.wanted}
		lang := ""
		if c.stanza != "" {
			lang = ` xml:lang='` + c.stanza + `'`
		}
		th.Send(`<message type='chat' id='c1' from='alice@example.org/phone' to='` + bob + `'` + lang + `>` + c.inside + `</message>`)
		th.quiet()
		if m := one[*core.Message](t, th.hall); m.Text != c.text || m.Subject != c.subject || m.Lang != c.lang {
			t.Errorf("wanted %q in %q: %q, %q, %q", c.wanted, c.stanza, m.Text, m.Subject, m.Lang)
		}
	}
}

// What the gateway says itself is in English, and says so.
func TestOwnWordsAreEnglish(t *testing.T) {
	th := open(t, (*edgetest.Full)(nil))
	th.show(&core.Retraction{Ref: bobRef, IDs: mine})
	th.Expect(`<message xml:lang='en'><body>*taken back*</body></message>`)
	th.show(&core.Receipt{Ref: bobRef, IDs: mine, Origin: core.Origin{ID: "c1", From: "alice@example.org/phone"}, State: core.Failed})
	th.Expect(`<message type='error'><error><text xmlns='urn:ietf:params:xml:ns:xmpp-stanzas' xml:lang='en'/></error></message>`)
	th.Expect(`<message xml:lang='en'><body>*not delivered*</body></message>`)
}
