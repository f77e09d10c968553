package irc

import (
	"context"
	"strconv"
	"time"

	"gangway/core"
	"gangway/transports/irc/charset"
)

// What users may choose for IRC, for everything, for a network and for a channel or person there; and the values.
const (
	editsChoice   = "edits"
	pastesChoice  = "pastes"
	formatsChoice = "formats"
	stylesChoice  = "styles"
	filesChoice   = "files"
	readsChoice   = "encoding_in"
	writesChoice  = "encoding_out"
	versionChoice = "version"

	editsMark   = "mark"   // "* the new text"
	editsSed    = "sed"    // "s/old/new/" where one word is different, else as mark
	editsHold   = "hold"   // what is said waits a moment for its correction, which is later made as mark
	editsRefuse = "refuse" // an error

	pastesNever = "never"

	stylesShown = "shown" // the formatting characters of IRC become XEP-0393
	stylesPlain = "plain" // they are left out

	filesLink   = "link"   // what is said stays what it is
	filesUpload = "upload" // files and pastes that are linked to come as files, too

	versionClient  = "client"  // CTCP VERSION is answered with the user's client
	versionGateway = "gateway" // with the gateway only
	versionNothing = "nothing" // not at all
)

var _ core.Tuner = (*transport)(nil)

// Settings implements core.Tuner.
func (t *transport) Settings(realm string) []core.Setting {
	setting := func(places core.Places, name, usual, label string, options ...core.Option) core.Setting {
		f := core.Field{Name: name, Type: core.ChoiceField, Value: usual, Label: label, Options: options}
		if options == nil {
			f.Type = core.TextField
		}
		return core.Setting{Places: places, Field: f}
	}
	all := []core.Setting{
		setting(core.Anywhere, editsChoice, editsMark, "Corrections, which IRC does not know",
			core.Option{Value: editsMark, Label: "are said as \"* the new text\""},
			core.Option{Value: editsSed, Label: "are said as \"s/old/new/\" where one word is different"},
			core.Option{Value: editsHold, Label: "are waited for: everything is said three seconds later"},
			core.Option{Value: editsRefuse, Label: "are refused"}),
		setting(core.Anywhere, pastesChoice, pastesNever, "Messages of more lines than this become a file with a link (a number, or never)"),
		{Places: core.Anywhere, Field: core.Field{
			Name: formatsChoice, Type: core.BoolField, Value: "true", Label: "Show *bold*, _italic_ and `code` in the styles of IRC",
		}},
		setting(core.Anywhere, stylesChoice, stylesShown, "What others write in bold or italics",
			core.Option{Value: stylesShown, Label: "is shown as *bold* and _italic_"},
			core.Option{Value: stylesPlain, Label: "is shown as plain text"}),
		setting(core.Anywhere, filesChoice, filesLink, "Pictures and pastes that others link to",
			core.Option{Value: filesLink, Label: "stay links"},
			core.Option{Value: filesUpload, Label: "come as files, too, so that they are shown at once"}),
		setting(core.Anywhere, readsChoice, t.usualCharset(realm), "Encoding of what is not UTF-8, such as latin1"),
		setting(core.Anywhere, writesChoice, "utf-8", "Encoding to write in"),
		setting(core.Everywhere|core.OnRealm|core.WithPerson, versionChoice, versionClient, "Who asks which program I use (CTCP VERSION) is told",
			core.Option{Value: versionClient, Label: "my client, if it says so, and the gateway"},
			core.Option{Value: versionGateway, Label: "the gateway"}, core.Option{Value: versionNothing, Label: "nothing"}),
	}
	for i := range all {
		switch all[i].Name {
		case pastesChoice:
			all[i].Check = checkPastes
		case readsChoice:
			all[i].Check = func(answer string) (string, error) { return checkCharset(answer, "") }
		case writesChoice:
			all[i].Check = func(answer string) (string, error) { return checkCharset("", answer) }
		}
	}
	return all
}

// usualCharset is how lines of a network that are not UTF-8 are read for who has chosen nothing.
func (t *transport) usualCharset(realm string) string {
	for key, n := range t.cfg.Network {
		if lower(key) == core.Address(realm) && n.Charset != "" {
			return n.Charset
		}
	}
	return t.cfg.Charset
}

func checkPastes(answer string) (string, error) {
	if answer == pastesNever || answer == "0" {
		return pastesNever, nil
	}
	return core.CheckNumber(1, 500)(answer)
}

func checkCharset(in, out string) (string, error) {
	if _, err := charset.NamedPair(in, out); err != nil {
		return "", core.E(core.Invalid, "irc: encoding", "An encoding is written like latin1, windows-1251 or koi8-r.")
	}
	return in + out, nil // one of them is empty
}

// choices are what the user chose.
type choices struct {
	t     *transport
	realm string
	p     core.Preferences
}

// choicesFor is how long what the user chose is taken for true while the network speaks.
const choicesFor = 5 * time.Second

// choices asks what the user chose.
func (s *session) choices(ctx context.Context) choices {
	p, err := s.t.host.Preferences(ctx, s.account.ID)
	s.mu.Lock()
	defer s.mu.Unlock()
	if err != nil {
		s.t.log.Debug("preferences not found out", "account", s.account.ID, "err", err)
		return s.chosen
	}
	s.chosen.p, s.chosenAt = p, time.Now()
	return s.chosen
}

// refresh asks what the user chose, if that was long ago.
func (s *session) refresh(ctx context.Context) {
	s.mu.Lock()
	stale := time.Since(s.chosenAt) >= choicesFor
	s.mu.Unlock()
	if stale {
		s.choices(ctx)
	}
}

// any says whether the user chose anything at all: most did not, and their lines need not be looked at.
func (c choices) any() bool { return len(c.p.Own) > 0 }

// of returns a choice for one conversation, or (no peer) for the network; empty: none was made.
func (c choices) of(name string, peer core.Address) string {
	value, _, _ := c.p.Choice(c.t, name, core.Target{Realm: c.realm, Address: peer, Room: isChannel(string(peer))})
	return value
}

// formats says whether the user wants their styles shown on IRC. Who has not chosen does.
func (c choices) formats(peer core.Address) bool { return c.of(formatsChoice, peer) != "false" }

// styles says whether the user wants the styles of others to be shown.
func (c choices) styles(peer core.Address) bool { return c.of(stylesChoice, peer) != stylesPlain }

func (c choices) edits(peer core.Address) string { return firstOf(c.of(editsChoice, peer), editsMark) }

// pastes returns how many lines a message may have before it becomes a file; 0: any number.
func (c choices) pastes(peer core.Address) int {
	n, err := strconv.Atoi(c.of(pastesChoice, peer))
	if err != nil || n < 1 {
		return 0
	}
	return n
}

// charsets is how lines of a conversation are read and written. What was kept and means nothing any more counts as not
// chosen.
func (c choices) charsets(peer core.Address) (p charset.Pair) {
	if c.any() {
		p, _ = charset.NamedPair(c.of(readsChoice, peer), c.of(writesChoice, peer))
	}
	return p
}
