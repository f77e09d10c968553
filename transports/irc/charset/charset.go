// Package charset knows in which encodings lines of IRC can be read and written where they are not UTF-8, and whose
// choice counts for a line.
package charset

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/htmlindex"
	"golang.org/x/text/encoding/unicode"
)

// ErrUnknown is the reason for a name that stands for no encoding a line of IRC can be in.
var ErrUnknown = errors.New("this is no encoding that a line of IRC can be in")

// Named returns an encoding by any of the names that browsers know (WHATWG Encoding), in any case. Those in which an
// ASCII line end or space would be something else are left out.
func Named(name string) (encoding.Encoding, error) {
	e, err := htmlindex.Get(name)
	if err != nil {
		return nil, fmt.Errorf("%w: %q", ErrUnknown, name)
	}
	canonical, err := htmlindex.Name(e)
	if err != nil || strings.HasPrefix(canonical, "utf-16") || canonical == "replacement" || canonical == "x-user-defined" {
		return nil, fmt.Errorf("%w: %q", ErrUnknown, name)
	}
	return e, nil
}

// Pair is how lines are read and written. Nil stands for what is usual: to read what is not UTF-8 as the network has it,
// and to write UTF-8.
type Pair struct{ In, Out encoding.Encoding }

// NamedPair makes a pair of two names, each of which may be empty.
func NamedPair(in, out string) (p Pair, err error) {
	if in != "" {
		if p.In, err = Named(in); err != nil {
			return Pair{}, err
		}
	}
	if out != "" {
		if p.Out, err = Named(out); err != nil {
			return Pair{}, err
		}
		if name, err := htmlindex.Name(p.Out); err != nil || name == "iso-2022-jp" { // it has states that a cut line leaves open
			return Pair{}, fmt.Errorf("%w to write: %q", ErrUnknown, out)
		}
	}
	if p.Out == unicode.UTF8 {
		p.Out = nil
	}
	return p, nil
}

// Target finds in a line the channel that it is about; empty if there is none. The line need not be well-formed.
func Target(line []byte) string {
	_, rest := prefix(line)
	for n := 0; n < 5 && rest != ""; n++ {
		var word string
		word, rest, _ = strings.Cut(strings.TrimLeft(rest, " "), " ")
		switch {
		case n > 0 && strings.HasPrefix(word, ":"):
			return ""
		case n > 0 && word != "" && strings.ContainsAny(word[:1], "#&!+"):
			return word
		}
	}
	return ""
}

// Nick finds in a line who it is from; empty if it does not say. The line need not be well-formed.
func Nick(line []byte) string {
	from, _ := prefix(line)
	nick, _, _ := strings.Cut(from, "!")
	return nick
}

// prefix parts a line into its prefix and what follows.
func prefix(line []byte) (from, rest string) {
	rest = string(line)
	if strings.HasPrefix(rest, "@") {
		_, rest, _ = strings.Cut(rest, " ")
	}
	rest = strings.TrimLeft(rest, " ")
	if strings.HasPrefix(rest, ":") {
		from, rest, _ = strings.Cut(rest[1:], " ")
	}
	return from, rest
}

// Encode writes text in an encoding, in at most room bytes and never a part of a letter. What the encoding lacks
// becomes a question mark.
func Encode(text string, to encoding.Encoding, room int) string {
	if to == nil || ascii(text) {
		return text[:min(len(text), max(room, 0))]
	}
	var out strings.Builder
	encoder := to.NewEncoder()
	for _, r := range text {
		one := string(r)
		if r >= utf8.RuneSelf {
			encoder.Reset()
			encoded, err := encoder.String(one)
			if err != nil || strings.ContainsAny(encoded, "\r\n\x00") {
				encoded = "?"
			}
			one = encoded
		}
		if out.Len()+len(one) > room {
			break
		}
		out.WriteString(one)
	}
	return out.String()
}

func ascii(text string) bool {
	for i := range len(text) {
		if text[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}
