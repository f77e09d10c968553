package muc

import (
	"context"
	"encoding/binary"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/xdg-go/stringprep"
	"golang.org/x/text/unicode/norm"
)

const (
	maxResource = 1023 // bytes of a resource (RFC 7622 section 3.4)
	box         = "□"  // stands for what cannot be shown
	marker      = "≈"  // stands between what looks much like a nick and the number that tells it from others like it
	maxMark     = 20   // bytes of a marker, its number, and a character after it
)

// resource is a nick as the resource of an occupant's address, which is one that every server takes: Resourceprep (RFC
// 6122 appendix B) leaves it as it is, and it has no character that Unicode 3.2 did not have, as ejabberd still
// demands; Prosody is content with less.
//
// Two nicks are never one resource. A nick that is no resource as it stands is shown as the nearest to it that is, with
// a mark that no other nick has, in every room and for as long as the Secret is the same.
func (r *Rooms) resource(nick string) string {
	if usual(nick) {
		return nick
	}
	near := nearest(nick, maxResource)
	if near == nick && !strings.Contains(nick, marker) {
		return nick
	}
	near = nearest(nick, maxResource-maxMark)
	mark := marker + r.number(nick)
	if last, n := utf8.DecodeLastRuneInString(near); stringprep.TableD1.Contains(last) {
		mark += near[len(near)-n:] // what begins from right to left ends so, too
	}
	return near + mark
}

// number tells a nick from others that look like it. Nobody without the Secret can look for two that have the same.
func (r *Rooms) number(nick string) string {
	sum := r.mac("nick", nick)
	return fmt.Sprintf("%09d", binary.BigEndian.Uint64(sum[:8])%1e9)
}

// numbered says whether a text begins as the number of a mark does.
func numbered(s string) bool {
	for i := range 9 {
		if i >= len(s) || s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return true
}

// nickOf is the nick of whom a resource, as a client wrote it, is shown for. Who is not there is known by nothing else.
func (h *Handler) nickOf(ctx context.Context, c *call, resource string) string {
	nick := prepared(resource)
	if !strings.Contains(nick, marker) {
		return nick
	}
	state, err := h.snapshot(ctx, c)
	if err != nil {
		return nick
	}
	for _, m := range append(state.Members, state.Self) {
		if h.rooms.resource(m.Nick) == nick {
			return m.Nick
		}
	}
	return nick
}

// prepared is a resource that a client wrote in the one form that servers compare (RFC 3454 section 3 and 4): some of
// them pass on what they were sent.
func prepared(resource string) string {
	if usual(resource) {
		return resource
	}
	return norm.NFKC.String(strings.Map(func(r rune) rune {
		if _, nothing := stringprep.TableB1.Map(r); nothing {
			return -1
		}
		return r
	}, resource))
}

// nearest is the resource that is most like a nick, of at most so many bytes. It is prepared, and never empty.
func nearest(nick string, most int) string {
	nick = prepared(boxed(strings.ToValidUTF8(nick, box), prohibited))
	if first, n := utf8.DecodeRuneInString(nick); unicode.Is(unicode.M, first) {
		nick = box + nick[n:] // a mark needs something to stand on
	}
	if nick = shorten(nick, most); astray(nick) {
		nick = shorten(boxed(nick, stringprep.TableD1.Contains), most)
	}
	if !strings.ContainsFunc(nick, visible) {
		return box
	}
	return nick
}

// boxed has a box for every character that is not wanted.
func boxed(s string, unwanted func(rune) bool) string {
	return strings.Map(func(r rune) rune {
		if r == utf8.RuneError || unwanted(r) {
			return '□'
		}
		return r
	}, s)
}

// shorten cuts a prepared text. It stays prepared: nothing is put together anew by taking away from the end.
func shorten(s string, most int) string {
	if len(s) <= most {
		return s
	}
	for !utf8.RuneStart(s[most]) {
		most--
	}
	return s[:most]
}

// astray says whether a text breaks the rule of RFC 3454 section 6: what has a character that runs from right to left
// begins and ends with one, and has none that runs the other way.
func astray(s string) bool {
	if !strings.ContainsFunc(s, stringprep.TableD1.Contains) {
		return false
	}
	first, _ := utf8.DecodeRuneInString(s)
	last, _ := utf8.DecodeLastRuneInString(s)
	return !stringprep.TableD1.Contains(first) || !stringprep.TableD1.Contains(last) ||
		strings.ContainsFunc(s, stringprep.TableD2.Contains)
}

// usual says whether a nick is short and of printable ASCII.
func usual(nick string) bool {
	if nick == "" || len(nick) > maxResource {
		return false
	}
	seen := false
	for i := range len(nick) {
		if nick[i] < ' ' || nick[i] > '~' {
			return false
		}
		seen = seen || nick[i] != ' '
	}
	return seen
}

// prohibited are the characters of RFC 3454, tables A.1 (not in Unicode 3.2), C.1.2 and C.2 to C.9, as far as no
// mapping takes them away before.
func prohibited(r rune) bool {
	if _, nothing := stringprep.TableB1.Map(r); nothing || r >= ' ' && r <= '~' {
		return false
	}
	for _, t := range []stringprep.Set{
		stringprep.TableA1, stringprep.TableC1_2, stringprep.TableC2_1, stringprep.TableC2_2, stringprep.TableC3,
		stringprep.TableC4, stringprep.TableC5, stringprep.TableC6, stringprep.TableC7, stringprep.TableC8, stringprep.TableC9,
	} {
		if t.Contains(r) {
			return true
		}
	}
	return false
}

// visible says whether there is something to see of a character by itself.
func visible(r rune) bool {
	return r != ' ' && unicode.IsGraphic(r) && !unicode.Is(unicode.Mn, r)
}
