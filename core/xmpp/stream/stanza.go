package stream

import (
	"slices"
	"sync"
)

// Kind is what a top-level element is to an XMPP router.
type Kind uint8

// The kinds of stanza. Other is everything else, such as <stream:error/>.
const (
	Other Kind = iota
	Message
	Presence
	IQ
)

func (k Kind) String() string {
	switch k {
	case Message:
		return "message"
	case Presence:
		return "presence"
	case IQ:
		return "iq"
	default:
		return "other"
	}
}

// Stanza is one top-level element of the stream, with its tree. The embedded
// Element is the stanza's own element: st.Child, st.Attr, st.Text work on it.
//
// A Stanza belongs to whoever received it until [Stanza.Release]; after that
// neither it nor its Elements may be touched. Strings taken from it stay valid
// for ever, but each keeps the characters of the whole stanza in memory:
// strings.Clone what goes into a long-lived table. A Stanza may be read by
// several goroutines at once.
type Stanza struct {
	*Element
	Kind               Kind
	ID, From, To, Type string // "" where the attribute is missing
	Size               int    // bytes on the wire

	pool   *stanzas // where Release returns it; nil for a clone
	data   string   // every decoded character: names, values, text
	spaces []string
	elems  []Element
	attrs  []attr
}

// node returns element i, or nil for 0: the root is nobody's child.
func (st *Stanza) node(i int32) *Element {
	if i == 0 {
		return nil
	}
	return &st.elems[i]
}

func (st *Stanza) str(s span) string { return st.data[s.start:s.end] }

// Release gives the tree back for reuse. It must be called at most once, by the
// owner; a Stanza that is never released is simply collected.
func (st *Stanza) Release() {
	if st.pool == nil || cap(st.elems) > pooledElements || cap(st.attrs) > 2*pooledElements {
		return
	}
	st.reset()
	st.pool.pool.Put(st)
}

// Request reports whether the stanza must be answered: an IQ of type get or set.
func (st *Stanza) Request() bool {
	return st.Kind == IQ && (st.Type == "get" || st.Type == "set")
}

// Body returns the text of the message's <body/>. With several (one per
// xml:lang) it is the first.
func (st *Stanza) Body() string { return st.ChildText("", "body") }

// Clone returns a copy that its holder may keep as long as it likes. Release is
// allowed on it, but not needed.
func (st *Stanza) Clone() *Stanza {
	c := *st
	c.pool = nil
	c.spaces = slices.Clone(st.spaces)
	c.elems = slices.Clone(st.elems)
	c.attrs = slices.Clone(st.attrs)
	for i := range c.elems {
		c.elems[i].st = &c
	}
	c.Element = &c.elems[0]
	return &c
}

// stanzas holds released trees. Large ones are left to the garbage collector,
// so that one hostile stanza does not stay in memory for good.
type stanzas struct {
	pool  sync.Pool
	fixed int // namespaces bound by the stream header, the same in every tree
}

const pooledElements = 256

func (p *stanzas) get() *Stanza {
	if st, ok := p.pool.Get().(*Stanza); ok {
		return st
	}
	return &Stanza{pool: p, elems: make([]Element, 0, 16), attrs: make([]attr, 0, 16), spaces: make([]string, 0, 16)}
}

// grow adds an element. One that a released tree has left behind belongs to st
// already, and without a pointer to write the collector has no part in it.
func (st *Stanza) grow(text bool) int32 {
	n := len(st.elems)
	if n == cap(st.elems) {
		st.elems = append(st.elems, Element{st: st, text: text})
		return int32(n)
	}
	st.elems = st.elems[:n+1]
	el := &st.elems[n]
	if el.st == nil {
		el.st = st
	}
	el.name, el.ns, el.text = span{}, 0, text
	el.attrStart, el.attrEnd, el.first, el.next = 0, 0, 0, 0
	return int32(n)
}

func (st *Stanza) reset() {
	st.Element, st.Kind, st.Size = nil, Other, 0
	st.ID, st.From, st.To, st.Type, st.data = "", "", "", "", ""
	st.elems, st.attrs = st.elems[:0], st.attrs[:0]
	if st.pool != nil && len(st.spaces) > st.pool.fixed {
		clear(st.spaces[st.pool.fixed:])
		st.spaces = st.spaces[:st.pool.fixed]
	}
}
