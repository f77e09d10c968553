package irc

import (
	"testing"
	"time"

	"gangway/core"
)

// The settings say what holds for who has chosen nothing, on each network, and take what makes sense.
func TestSettingsOfIRC(t *testing.T) {
	tr := transportOf(t, openConfig+"\n[network.\"irc.ru.test\"]\ncharset = \"koi8-r\"\n")
	n := &core.Network{Transport: tr, TransportCaps: core.TransportCapsOf(tr)}
	room := core.Target{Realm: "irc.ru.test", Address: "#c", Room: true}
	var p core.Preferences
	for name, want := range map[string]string{
		editsChoice: editsMark, pastesChoice: pastesNever, formatsChoice: "true", stylesChoice: stylesShown, filesChoice: filesLink,
		readsChoice: "koi8-r", writesChoice: "utf-8", versionChoice: "",
	} {
		if got := n.Holds(p, name, room); got != want {
			t.Errorf("%s is %q in a room, want %q", name, got, want)
		}
	}
	if got := n.Holds(p, versionChoice, core.Target{}); got != versionClient {
		t.Errorf("%s is %q", versionChoice, got)
	}
	for _, c := range []struct{ name, answer, want string }{
		{pastesChoice, "0", "never"}, {pastesChoice, "never", "never"}, {pastesChoice, "7", "7"}, {pastesChoice, "501", ""}, {pastesChoice, "some", ""},
		{readsChoice, "KOI8-R", "KOI8-R"}, {readsChoice, "iso-2022-jp", "iso-2022-jp"}, {readsChoice, "klingon", ""}, {writesChoice, "utf-16le", ""},
		{writesChoice, "iso-2022-jp", ""}, {editsChoice, "HOLD", "hold"}, {editsChoice, "no", ""},
	} {
		p = core.Preferences{}
		err := n.Choose(&p, room, map[string]string{c.name: c.answer})
		if got := n.Chosen(p, c.name, room); got != c.want || (err == nil) != (c.want != "") {
			t.Errorf("%s = %q is kept as %q: %v", c.name, c.answer, got, err)
		}
	}
}

// Each conversation has its own choices, or the network's, or those for everything.
func TestChoicesByConversation(t *testing.T) {
	inRoom(t, roomCaps, func(p *play) {
		p.host.Choose(core.Preferences{Own: map[string]string{
			"formats": "false", "formats #chan%irc.test": "true", "styles irc.test": stylesPlain, "styles bob%irc.test": stylesShown,
		}})
		time.Sleep(choicesFor)
		p.say("#chan", "*now*")
		p.expect("PRIVMSG #chan \x02now\x02")
		p.barrier(1)
		next[*core.Message](p)
		p.say("carol", "*now*")
		p.expect("PRIVMSG carol *now*")
		p.barrier(2)
		next[*core.Receipt](p)
		p.send(":bob!b@h PRIVMSG #chan :\x02bold\x02 \x0304red", ":bob!b@h PRIVMSG alice :\x02bold\x02", ":bob!b@h PRIVMSG #chan :\x01ACTION is \x1dslanted\x0f\x01")
		for _, want := range []string{"bold red", "*bold*", "/me is slanted"} {
			if m := next[*core.Message](p); m.Text != want {
				t.Errorf("read %q, want %q", m.Text, want)
			}
		}
	})
}
