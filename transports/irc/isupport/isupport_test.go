package isupport

import (
	"strings"
	"testing"

	"gangway/core"
)

func TestFold(t *testing.T) {
	for _, c := range []struct{ mapping, in, want string }{
		{"", "Nick[]\\^A", "nick{}|~a"},
		{"rfc1459", "#Chan", "#chan"},
		{"strict-rfc1459", "N[]\\^", "n{}|^"},
		{"ascii", "N[]\\^É", "n[]\\^É"},
		{"rfc8265", "NÉ[", "né["},
	} {
		if got := CasemapNamed(c.mapping).Fold(c.in); got != c.want {
			t.Errorf("%s: fold(%q) = %q, want %q", c.mapping, c.in, got, c.want)
		}
		if m := CasemapNamed(c.mapping); CasemapNamed(m.String()) != m {
			t.Errorf("%s is called %v", c.mapping, m)
		}
	}
}

func FuzzFold(f *testing.F) {
	f.Add("Nick[]\\^", uint8(0))
	f.Add("É", uint8(3))
	f.Fuzz(func(t *testing.T, s string, mapping uint8) {
		c := Casemap(mapping % 4)
		once := c.Fold(s)
		if c.Fold(once) != once {
			t.Errorf("fold(%q) = %q, fold of that = %q", s, once, c.Fold(once))
		}
		if c != PRECIS && len(once) != len(s) {
			t.Errorf("fold(%q) = %q", s, once)
		}
	})
}

func TestSupport(t *testing.T) {
	s := Default()
	s.Add(strings.Fields("PREFIX=(Yqaohv)!~&@%+ CHANMODES=b,k,l,imn,extra CHANTYPES=# STATUSMSG=@+ NICKLEN=16 LINELEN=2048 MODES=20 CASEMAPPING=ascii UTF8ONLY UNKNOWN=x"))
	if s.Modes != "Yqaohv" || s.ChanModes[3] != "imn" || s.NickLen != 16 || s.LineLen != 2048 || s.PerMode != 20 || !s.UTF8Only || s.Casemap != ASCII {
		t.Errorf("%+v", s)
	}
	before := s
	s.Add(strings.Fields("PREFIX=(ov)@ PREFIX=x PREFIX=(abcdefghi)123456789 CHANMODES=a,b LINELEN=-5 LINELEN=x NICKLEN=0 MODES="))
	if s != before {
		t.Errorf("nonsense changed it to %+v", s)
	}
	for value, want := range map[string]bool{"timestamp": true, "msgid,timestamp": false, "timestamp,msgid": false, "": true} {
		if one := Default(); one.NoMsgID {
			t.Error("a network that does not say knows msgid")
		} else if one.Add([]string{"MSGREFTYPES=" + value}); one.NoMsgID != want {
			t.Errorf("MSGREFTYPES=%s: %v", value, one.NoMsgID)
		}
	}
	for ranks, want := range map[Ranks]core.Rank{
		0: core.Plain, s.Bit('v'): core.Voice, s.Bit('v') | s.Bit('o'): core.Operator, s.Bit('h'): core.Half, s.Bit('a'): core.Owner,
		s.Bit('q'): core.Owner, s.Bit('Y'): core.Owner, 1 << 7: core.Plain,
	} {
		if got := s.Rank(ranks); got != want {
			t.Errorf("Rank(%b) = %v, want %v", ranks, got, want)
		}
	}
	if r, nick := s.Signs("@+bob"); r != s.Bit('o')|s.Bit('v') || nick != "bob" {
		t.Errorf("signs = %b, %q", r, nick)
	}
}
