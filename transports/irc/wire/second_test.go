package wire

import (
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/ergochat/irc-go/ircmsg"
	"golang.org/x/text/encoding/charmap"
	"gopkg.in/irc.v4"
)

// difference is something that Parse does otherwise than irc-go's parser, on purpose.
type difference struct {
	why   string
	shown []string // by lines such as these
	in    func(line string) bool
}

// differences are all there are, but for what both are made to agree on first: text that is not UTF-8 is read in the
// network's charset, and control characters are left out, everywhere those that mean nothing, and in names, tags and
// modes those that format text too.
func differences() []difference {
	return []difference{
		{
			why:   "a line that is too long is refused, which the user is told; irc-go cuts it and goes on",
			shown: []string{"PRIVMSG x :" + strings.Repeat("y", 600)},
			in:    func(line string) bool { return len(behindTags(line)) > MaxBody-len("\r\n") },
		},
		{
			why:   "tags may be a byte longer: their bound is there to have one",
			shown: []string{"@" + strings.Repeat("x", MaxTags-1) + " PING y"},
			in:    func(line string) bool { return len(line)-len(behindTags(line)) > MaxTags },
		},
		{
			why:   "a command is letters or three digits (RFC 2812 section 2.3.1); irc-go takes all of ASCII",
			shown: []string{"P1NG x", "@a :b !", "0001 x"},
			in:    func(line string) bool { return !validCommand(behindSource(line)) },
		},
		{
			why:   "where a colon says that somebody speaks there is a name; irc-go takes none for the server's",
			shown: []string{": PING x"},
			in:    func(line string) bool { return strings.HasPrefix(strings.TrimLeft(behindTags(line), " "), ": ") },
		},
		{
			why:   "tags of any name are kept, since none may make a line invalid; irc-go drops those that no specification could have",
			shown: []string{"@a_b=1;c=3 PING x", "@=1 PING x", "@;a PING x", "@ PING x"},
			in:    oddTags,
		},
	}
}

// behindTags is a line without its tags.
func behindTags(line string) string {
	if strings.HasPrefix(line, "@") {
		_, line, _ = strings.Cut(line, " ")
	}
	return line
}

// behindSource is a line from its command on.
func behindSource(line string) string {
	line = strings.TrimLeft(behindTags(line), " ")
	if strings.HasPrefix(line, ":") {
		_, line, _ = strings.Cut(line, " ")
	}
	return strings.TrimLeft(line, " ")
}

// oddTags says whether a line has a tag of a name that irc-go drops.
func oddTags(line string) bool {
	tags, ok := strings.CutPrefix(line, "@")
	tags, _, _ = strings.Cut(tags, " ")
	return ok && slices.ContainsFunc(strings.Split(tags, ";"), func(tag string) bool {
		key, _, _ := strings.Cut(tag, "=")
		key = strings.TrimPrefix(key, "+")
		return key == "" || strings.ContainsFunc(key, func(r rune) bool {
			return (r < '-' || r > '9') && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z')
		})
	})
}

// both reads a line in both ways; nil for who refuses it.
func both(t *testing.T, line string) (ours, theirs *irc.Message) {
	t.Helper()
	ours, err := Parse([]byte(line), charmap.Windows1252, MaxBody)
	if err != nil {
		if !errors.Is(err, ErrBad) && !errors.Is(err, ErrTooLong) {
			t.Errorf("%q: %v", line, err)
		}
		ours = nil
	}
	other, err := ircmsg.ParseLineStrict(line, false, MaxBody)
	if err != nil && !errors.Is(err, ircmsg.ErrorBodyTooLong) { // then there is a message all the same
		return ours, nil
	}
	theirs = &irc.Message{Tags: other.AllTags(), Prefix: irc.ParsePrefix(""), Command: other.Command, Params: other.Params}
	if other.Source != "" {
		nuh, err := other.NUH()
		if err != nil {
			t.Errorf("%q: its source %q: %v", line, other.Source, err)
		}
		theirs.Prefix = &irc.Prefix{Name: nuh.Name, User: nuh.User, Host: nuh.Host}
	}
	clean(theirs)
	return ours, theirs
}

// same says whether two messages are the same one.
func same(a, b *irc.Message) bool {
	if a == nil || b == nil {
		return a == nil && b == nil
	}
	return *a.Prefix == *b.Prefix && a.Command == b.Command && slices.Equal(a.Params, b.Params) && maps.Equal(a.Tags, b.Tags)
}

// agree fails the test where the two parsers differ and nobody meant them to.
func agree(t *testing.T, raw []byte) {
	t.Helper()
	line, err := decode(raw, charmap.Windows1252)
	if err != nil || slices.ContainsFunc(differences(), func(d difference) bool { return d.in(line) }) {
		return
	}
	if ours, theirs := both(t, line); !same(ours, theirs) {
		t.Errorf("%q:\nours   %+v\ntheirs %+v", line, ours, theirs)
	}
}

// TestSecondOpinion has irc-go read what we read.
func TestSecondOpinion(t *testing.T) {
	type vector struct{ Input string }
	for _, v := range vectors[vector](t, "msg-split.json") {
		agree(t, []byte(v.Input))
	}
	for _, line := range []string{
		"PING", "PING ", "PING :", "PING  :x", "PING x :", "PING x:y", "PING x :y :z", ":a PING", ":a!b PING", ":a@b PING", ":a!b@c PING",
		":a@b!c PING", ":!@ PING", ":a!b@c@d PING", "@a PING", "@a= PING", "@a=b=c PING", `@a=\ PING`, `@a=\\\:\s\r\n\x PING`, "@a=1;a=2 PING",
		"@+a/b.c=d PING", "@a  PING", "@a  :b  ping  c  :d ", "@a", "@a ", "@a :b", "@a :b ", ":", ":a", ":a ", " ", " PING", "  :a PING",
		":n\x02!u@h PRIVMSG #\x1fx :\x02y", ":n PRIVMSG #x :\x01ACTION y\x01", "001 x :y", "PING \xe9", ":\xe9!u@h PRIVMSG x \x80",
	} {
		agree(t, []byte(line))
	}
	for _, d := range differences() {
		for _, line := range d.shown {
			if !d.in(line) {
				t.Errorf("%.40q is not found to be one in which %s", line, d.why)
			}
			if ours, theirs := both(t, line); same(ours, theirs) {
				t.Errorf("%.40q does not show that %s: both read %+v", line, d.why, ours)
			}
		}
	}
}

// FuzzSecondOpinion looks for lines that the two parsers read differently.
func FuzzSecondOpinion(f *testing.F) {
	for _, line := range []string{
		"@a=b ", "@a=b;+c/d :a!b@c PRIVMSG #x :hi", `@a=\:\s\\;b :x 001 y`, "\xff\xfe", ":\x02", "@;=;= A", "PING", ":x!@ JOIN", ":!@ NICK :",
		"A b  :c ", "A b:c :", ":a A :b :c",
	} {
		f.Add([]byte(line))
	}
	f.Fuzz(agree)
}
