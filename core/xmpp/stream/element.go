package stream

import (
	"iter"
	"strings"
)

// Name is a namespace-qualified XML name.
type Name struct{ Space, Local string }

// span is a range of the stanza's decoded characters.
type span struct{ start, end uint32 }

// Element is one element of a Stanza and lives exactly as long as it does.
// Strings obtained from it are ordinary Go strings and may be kept.
//
// A nil *Element answers every question with nothing, so look-ups chain:
// st.Child(ns, "x").Child("", "item").Attr("nick").
type Element struct {
	st        *Stanza
	name      span // of text: the characters
	ns        uint32
	attrStart uint32
	attrEnd   uint32
	first     int32 // first child, 0 if none (element 0 is never a child)
	next      int32 // next sibling, 0 if none
	text      bool
}

type attr struct {
	name  span
	value span
	ns    uint32 // 0 for an attribute without prefix
}

// Space returns the namespace of the element.
func (el *Element) Space() string {
	if el == nil {
		return ""
	}
	return el.st.spaces[el.ns]
}

// Local returns the element's name without its prefix.
func (el *Element) Local() string {
	if el == nil {
		return ""
	}
	return el.st.str(el.name)
}

// Name returns the namespace and the local name.
func (el *Element) Name() Name { return Name{el.Space(), el.Local()} }

// Is reports whether the element has this namespace and local name.
func (el *Element) Is(space, local string) bool {
	return el != nil && el.Local() == local && el.Space() == space
}

// Attr returns the value of an attribute without prefix, or "".
func (el *Element) Attr(local string) string {
	v, _ := el.LookupAttr("", local)
	return v
}

// Lang returns the element's own xml:lang, or "".
func (el *Element) Lang() string {
	v, _ := el.LookupAttr(NSXML, "lang")
	return v
}

// LookupAttr returns the value of an attribute and whether it is there. space
// is "" for an attribute without prefix.
func (el *Element) LookupAttr(space, local string) (string, bool) {
	if el == nil {
		return "", false
	}
	for i := el.attrStart; i < el.attrEnd; i++ {
		a := &el.st.attrs[i]
		if el.st.str(a.name) == local && el.st.spaces[a.ns] == space {
			return el.st.str(a.value), true
		}
	}
	return "", false
}

// Attrs returns the attributes in their order, namespace declarations left out.
func (el *Element) Attrs() iter.Seq2[Name, string] {
	return func(yield func(Name, string) bool) {
		if el == nil {
			return
		}
		for i := el.attrStart; i < el.attrEnd; i++ {
			a := &el.st.attrs[i]
			if !yield(Name{el.st.spaces[a.ns], el.st.str(a.name)}, el.st.str(a.value)) {
				return
			}
		}
	}
}

// Child returns the first child element with this name, or nil. A space of ""
// stands for the namespace of el itself, so that Child("", "body") finds the
// body of a message on a component stream and of one inside <forwarded/> alike.
func (el *Element) Child(space, local string) *Element {
	if el == nil {
		return nil
	}
	if space == "" {
		space = el.Space()
	}
	for c := el.firstNode(); c != nil; c = c.nextNode() {
		if !c.text && c.Is(space, local) {
			return c
		}
	}
	return nil
}

// Children returns the child elements in their order, text left out.
func (el *Element) Children() iter.Seq[*Element] {
	return func(yield func(*Element) bool) {
		if el == nil {
			return
		}
		for c := el.firstNode(); c != nil; c = c.nextNode() {
			if !c.text && !yield(c) {
				return
			}
		}
	}
}

// Only returns the one child element, or nil if there are none or several. It
// is the payload of an IQ request (RFC 6120 section 8.2.3).
func (el *Element) Only() *Element {
	var only *Element
	for c := range el.Children() {
		if only != nil {
			return nil
		}
		only = c
	}
	return only
}

// Text returns the character data directly inside the element. It copies only
// if child elements stand between.
func (el *Element) Text() string {
	if el == nil {
		return ""
	}
	var first *Element
	for c := el.firstNode(); c != nil; c = c.nextNode() {
		if !c.text {
			continue
		}
		if first != nil {
			return el.joinText()
		}
		first = c
	}
	if first == nil {
		return ""
	}
	return el.st.str(first.name)
}

func (el *Element) joinText() string {
	var b strings.Builder
	for c := el.firstNode(); c != nil; c = c.nextNode() {
		if c.text {
			b.WriteString(el.st.str(c.name))
		}
	}
	return b.String()
}

// ChildText returns the text of the first child with this name, or "".
func (el *Element) ChildText(space, local string) string {
	return el.Child(space, local).Text()
}

func (el *Element) firstNode() *Element { return el.st.node(el.first) }
func (el *Element) nextNode() *Element  { return el.st.node(el.next) }
