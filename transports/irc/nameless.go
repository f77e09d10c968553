package irc

import (
	"strings"

	"github.com/xdg-go/stringprep"
	"golang.org/x/text/unicode/norm"
)

// addressable says whether a nick's address can be written as the local part of a JID and read back: Nodeprep (RFC 6122
// appendix A) leaves it as it is, and it has no character that Unicode 3.2 did not have, which ejabberd does not take.
// The address of any other would be refused, or be somebody else's.
func addressable(nick string) bool {
	nick = string(lower(nick))
	if !strings.ContainsFunc(nick, func(r rune) bool { return r > '~' }) {
		return nick != ""
	}
	if norm.NFKC.String(nick) != nick || strings.ContainsFunc(nick, changed) {
		return false
	}
	if !strings.ContainsFunc(nick, stringprep.TableD1.Contains) {
		return true
	}
	all := []rune(nick) // RFC 3454 section 6
	return stringprep.TableD1.Contains(all[0]) && stringprep.TableD1.Contains(all[len(all)-1]) &&
		!strings.ContainsFunc(nick, stringprep.TableD2.Contains)
}

// changed says whether Nodeprep maps or prohibits a character.
func changed(r rune) bool {
	if _, nothing := stringprep.TableB1.Map(r); nothing {
		return true
	}
	if to, other := stringprep.TableB2.Map(r); other && string(to) != string(r) {
		return true
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
