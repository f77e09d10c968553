package stream

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Errors of an Encoder. They are mistakes of the code that calls it, except for
// ErrTooLarge and ErrAddress, which hostile or unlucky data can cause.
var (
	ErrUnbalanced = errors.New("unbalanced elements")
	ErrName       = errors.New("bad XML name")
	ErrAddress    = errors.New("from or to of a stanza missing or foreign")
)

// DefaultMaxStanza is below what Prosody (512 KiB) and ejabberd accept from a
// component: a larger stanza would end the stream for everybody.
const DefaultMaxStanza = 500_000

// Encoder appends stanzas to a buffer.
//
// Names come from the code and are checked; values come from anywhere and are
// escaped, with U+FFFD in place of what XML 1.0 cannot carry. The first error
// sticks: later calls do nothing, and the stanza at hand is taken back, so that
// the buffer only ever holds whole stanzas. The zero Encoder is ready to use.
type Encoder struct {
	// Domain, if set, is the component's: every top-level stanza must be from
	// it or an address at it, and to somebody. Prosody ends the stream of a
	// component that sends from elsewhere; ejabberd wants both attributes.
	Domain string
	// Max bounds the bytes of one stanza; 0 stands for DefaultMaxStanza.
	Max int

	buf   []byte
	open  []openElement
	attrs []string // names written on the start tag at hand
	ends  []int    // where each finished stanza ends
	inTag bool     // the start tag at hand has no > yet
	from  bool     // the top-level element has a good from
	to    bool     // the top-level element has a to
	toAt  [2]int   // where its value begins and ends in buf
	err   error

	refused []func() // see OnRefuse
}

type openElement struct{ space, local string }

// Reset empties the encoder and forgets its error. Domain and Max stay.
func (e *Encoder) Reset() {
	clear(e.open)
	clear(e.attrs)
	*e = Encoder{
		Domain: e.Domain, Max: e.Max,
		buf: e.buf[:0], open: e.open[:0], attrs: e.attrs[:0], ends: e.ends[:0],
	}
}

// Bytes returns the finished stanzas. They stay valid until the next Reset.
func (e *Encoder) Bytes() []byte { return e.buf[:e.done()] }

// Count returns how many stanzas are finished.
func (e *Encoder) Count() int { return len(e.ends) }

// Ends returns the position after each finished stanza in Bytes. It stays valid
// until the next Reset and must not be changed.
func (e *Encoder) Ends() []int { return e.ends }

func (e *Encoder) done() int {
	if len(e.ends) == 0 {
		return 0
	}
	return e.ends[len(e.ends)-1]
}

// Err returns the first error, or ErrUnbalanced if a stanza is unfinished.
func (e *Encoder) Err() error {
	if e.err == nil && len(e.open) > 0 {
		return ErrUnbalanced
	}
	return e.err
}

// Fail makes err the encoder's error, if it has none yet: the stanza at hand is
// not to be sent.
func (e *Encoder) Fail(err error) {
	if e.err == nil {
		e.err = err
	}
	e.buf = e.buf[:e.done()]
	e.open, e.inTag = e.open[:0], false
}

// Start opens an element. A space of "" puts it in the namespace around it, at
// the top in that of the stream. attrs are names and values in turns; a pair
// with an empty value is left out (use Attr to write one). Names are plain or
// begin with "xml:".
func (e *Encoder) Start(local, space string, attrs ...string) {
	if space == "" {
		space = e.around()
	}
	e.start(local, space)
	for i := 0; i+1 < len(attrs); i += 2 {
		if attrs[i+1] != "" {
			e.Attr(attrs[i], attrs[i+1])
		}
	}
	if len(attrs)%2 != 0 {
		e.Fail(fmt.Errorf("%w: attribute %q without value", ErrName, attrs[len(attrs)-1]))
	}
}

// Empty writes an element without content.
func (e *Encoder) Empty(local, space string, attrs ...string) {
	e.Start(local, space, attrs...)
	e.End()
}

// Leaf writes an element whose content is text.
func (e *Encoder) Leaf(local, space, text string, attrs ...string) {
	e.Start(local, space, attrs...)
	e.Text(text)
	e.End()
}

// around returns the namespace at this place. At the top that of the stream is
// given the name that it has everywhere else, jabber:client: stanzas are
// written without xmlns there (Prosody bounces others) and with it elsewhere.
func (e *Encoder) around() string {
	if len(e.open) == 0 {
		return NSClient
	}
	return e.open[len(e.open)-1].space
}

func (e *Encoder) start(local, space string) {
	if e.err != nil {
		return
	}
	if !isNCName(local) {
		e.Fail(fmt.Errorf("%w: element %q", ErrName, local))
		return
	}
	if space == NSComponent {
		space = NSClient
	}
	outer := e.around()
	if len(e.open) == 0 {
		e.from, e.to = false, false
	}
	e.closeTag()
	e.buf = append(e.buf, '<')
	e.buf = append(e.buf, local...)
	e.attrs = e.attrs[:0]
	e.open = append(e.open, openElement{space, local})
	e.inTag = true
	if space != outer {
		e.buf = append(e.buf, " xmlns='"...)
		e.buf = appendEscaped(e.buf, space, true)
		e.buf = append(e.buf, '\'')
	}
}

// closeTag writes the > of the start tag at hand.
func (e *Encoder) closeTag() {
	if !e.inTag {
		return
	}
	e.inTag = false
	if len(e.open) == 1 && e.Domain != "" && (!e.from || !e.to) {
		e.Fail(ErrAddress)
		return
	}
	e.buf = append(e.buf, '>')
}

// OnRefuse has fn called if what is being written is not taken by whoever it is
// written for.
func (e *Encoder) OnRefuse(fn func()) { e.refused = append(e.refused, fn) }

// Refuse says that what was written is not taken. It is called at most once.
func (e *Encoder) Refuse() {
	for _, fn := range e.refused {
		fn()
	}
}

// Attr writes an attribute of the element that was just started, also an empty one.
func (e *Encoder) Attr(name, value string) {
	switch {
	case e.err != nil:
	case !e.inTag:
		e.Fail(fmt.Errorf("%w: attribute %q after content", ErrUnbalanced, name))
	case !isNCName(strings.TrimPrefix(name, "xml:")) || name == "xmlns":
		e.Fail(fmt.Errorf("%w: attribute %q", ErrName, name))
	case slices.Contains(e.attrs, name):
		e.Fail(fmt.Errorf("%w: attribute %q twice", ErrName, name))
	default:
		e.attrs = append(e.attrs, name)
		e.attr(name, value)
	}
}

func (e *Encoder) attr(name, value string) {
	e.buf = append(e.buf, ' ')
	e.buf = append(e.buf, name...)
	e.buf = append(e.buf, "='"...)
	switch {
	case len(e.open) == 1 && name == "from" && e.Domain != "":
		e.sender(value)
	case len(e.open) == 1 && name == "to":
		e.to, e.toAt[0] = value != "", len(e.buf)
		e.buf = appendEscaped(e.buf, value, true)
		e.toAt[1] = len(e.buf)
	default:
		e.buf = appendEscaped(e.buf, value, true)
	}
	e.buf = append(e.buf, '\'')
}

// sender writes the address a stanza is from, with the domain as it was
// configured: a server may hand us an address in another case than it accepts
// from us.
func (e *Encoder) sender(from string) {
	bare, slash := from, len(from)
	if i := strings.IndexByte(from, '/'); i >= 0 {
		bare, slash = from[:i], i
	}
	at := strings.IndexByte(bare, '@')
	e.from = at != 0 && strings.EqualFold(bare[at+1:], e.Domain)
	e.buf = appendEscaped(e.buf, from[:at+1], true)
	e.buf = appendEscaped(e.buf, e.Domain, true)
	e.buf = appendEscaped(e.buf, from[slash:], true)
}

// Text writes character data.
func (e *Encoder) Text(s string) {
	if e.err != nil || s == "" {
		return
	}
	if len(e.open) == 0 {
		e.Fail(fmt.Errorf("%w: text outside a stanza", ErrUnbalanced))
		return
	}
	if e.closeTag(); e.err != nil {
		return
	}
	e.buf = appendEscaped(e.buf, s, false)
	e.bound()
}

// End closes the innermost element.
func (e *Encoder) End() {
	if e.err != nil {
		return
	}
	if len(e.open) == 0 {
		e.Fail(fmt.Errorf("%w: end without start", ErrUnbalanced))
		return
	}
	if e.inTag {
		if e.closeTag(); e.err != nil {
			return
		}
		e.buf[len(e.buf)-1] = '/'
	} else {
		e.buf = append(e.buf, "</"...)
		e.buf = append(e.buf, e.open[len(e.open)-1].local...)
	}
	e.buf = append(e.buf, '>')
	e.open = e.open[:len(e.open)-1]
	if e.bound(); e.err == nil && len(e.open) == 0 {
		e.ends = append(e.ends, len(e.buf))
	}
}

// bound refuses a stanza that has grown too large.
func (e *Encoder) bound() {
	most := e.Max
	if most == 0 {
		most = DefaultMaxStanza
	}
	if len(e.buf)-e.done() > most {
		e.Fail(ErrTooLarge)
	}
}

// Append adds the finished stanzas of another encoder, as they are.
func (e *Encoder) Append(other *Encoder) {
	if e.err != nil || len(e.open) > 0 {
		e.Fail(ErrUnbalanced)
		return
	}
	base := len(e.buf)
	e.buf = append(e.buf, other.Bytes()...)
	for _, end := range other.ends {
		e.ends = append(e.ends, base+end)
	}
}
