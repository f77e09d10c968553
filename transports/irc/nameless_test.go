package irc

import (
	"strings"
	"testing"

	"gangway/core"
)

func TestAddressable(t *testing.T) {
	for nick, want := range map[string]bool{
		"Bob": true, "[m]|x": true, "Élan": true, "дом": true, "אב": true, "名": true,
		"x²": false, "e\u0301": false, "👩": false, "a\u0350b": false, "אבword": false, "a\u00adb": false, "\u202eb": false, "ﬁ": false, "": false, "*status": true,
	} {
		if got := addressable(nick); got != want {
			t.Errorf("addressable(%q) = %v", nick, got)
		}
	}
}

// What somebody says in private whose address no server would take, or would take for another's, is told by the network:
// it is neither lost nor put into somebody else's mouth.
func TestPrivateWithoutAddress(t *testing.T) {
	script(t, quickConfig, core.Account{}, func(p *play) {
		p.enter("#chan")
		for _, nick := range []string{"x²", "👩", "אבword"} {
			p.send(":" + nick + "!u@h PRIVMSG alice :psst")
			m := next[*core.Message](p)
			if m.Peer != "" || !m.Notice || !strings.Contains(m.Text, nick) || !strings.HasSuffix(m.Text, ": psst") {
				t.Errorf("%q is told as %+v", nick, m)
			}
		}
		p.send(":x2!u@h PRIVMSG alice :psst")
		if m := next[*core.Message](p); m.Peer != "x2" || m.Text != "psst" {
			t.Errorf("said as %+v", m)
		}
	})
}
