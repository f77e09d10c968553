// Package charset knows in which encodings lines of IRC are read and written where they are not UTF-8: what a network
// is used to, and what a user chose for it and for its channels.
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

// over is a pair with the blanks filled in from another.
func (p Pair) over(other Pair) Pair {
	if p.In == nil {
		p.In = other.In
	}
	if p.Out == nil {
		p.Out = other.Out
	}
	return p
}

// maxRooms is for how many channels of a network a user may choose.
const maxRooms = 100

// ParseRooms reads what a user chose for channels, one a line: the channel, the encoding to read, and, if it is another
// than UTF-8, the one to write. The channels are as they are written there.
func ParseRooms(text string) (map[string]Pair, error) {
	var rooms map[string]Pair
	for line := range strings.Lines(text) {
		fields := strings.Fields(line)
		if len(fields) == 0 {
			continue
		}
		if len(fields) < 2 || len(fields) > 3 || !strings.ContainsAny(fields[0][:1], "#&!+") {
			return nil, fmt.Errorf("%q is no channel with one or two encodings", strings.TrimSpace(line))
		}
		p, err := NamedPair(dash(fields[1]), strings.Join(fields[2:], ""))
		if err != nil {
			return nil, err
		}
		if rooms == nil {
			rooms = map[string]Pair{}
		}
		if rooms[fields[0]] = p; len(rooms) > maxRooms {
			return nil, fmt.Errorf("these are more than %d channels", maxRooms)
		}
	}
	return rooms, nil
}

// dash stands for "as usual", where something has to stand.
func dash(name string) string {
	if name == "-" {
		return ""
	}
	return name
}

// Choice is what a user chose for a network.
type Choice struct {
	Network Pair
	Rooms   map[string]Pair // by the channel, in any spelling
}

// For returns how lines of a channel, or of a person, are read and written. fold is the network's casemapping.
func (c *Choice) For(target string, fold func(string) string) Pair {
	if len(c.Rooms) == 0 || target == "" {
		return c.Network
	}
	folded := fold(target)
	for room, p := range c.Rooms {
		if fold(room) == folded {
			return p.over(c.Network)
		}
	}
	return c.Network
}

// Target finds in a line the channel that it is about; empty if there is none. The line need not be well-formed.
func Target(line []byte) string {
	rest := string(line)
	if strings.HasPrefix(rest, "@") {
		_, rest, _ = strings.Cut(rest, " ")
	}
	rest = strings.TrimLeft(rest, " ")
	if strings.HasPrefix(rest, ":") {
		_, rest, _ = strings.Cut(rest, " ")
	}
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
