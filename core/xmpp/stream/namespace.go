package stream

import "bytes"

const nsXMLNS = "http://www.w3.org/2000/xmlns/"

// newSpace numbers a namespace declared in this stanza.
func (p *parser) newSpace(value span) uint32 {
	p.spaces = append(p.spaces, value)
	return uint32(len(p.base) + len(p.spaces) - 1)
}

func (p *parser) declareDefault(value span) error {
	f := &p.frames[len(p.frames)-1]
	if f.declared {
		return malformed("a duplicate attribute")
	}
	f.declared = true
	if value.start == value.end {
		f.defaults = nsNone
		return nil
	}
	if p.is(value, NSXML) || p.is(value, nsXMLNS) {
		return malformed("a reserved namespace")
	}
	f.defaults = p.newSpace(value)
	return nil
}

func (p *parser) declare(prefix []byte, value span) error {
	switch {
	case string(prefix) == "xmlns", value.start == value.end, p.is(value, nsXMLNS):
		return malformed("a bad namespace declaration")
	case (string(prefix) == "xml") != p.is(value, NSXML):
		return malformed("a reserved namespace")
	}
	f := &p.frames[len(p.frames)-1]
	for _, b := range p.bound[f.bound:] {
		if bytes.Equal(b.prefix, prefix) {
			return malformed("a duplicate attribute")
		}
	}
	if len(p.bound) >= p.limits.Prefixes+len(p.outer) {
		return limit("too many namespace prefixes")
	}
	p.bound = append(p.bound, binding{prefix, p.newSpace(value)})
	return nil
}

// resolve gives the innermost element its name and attributes, now that all its
// declarations are known.
func (p *parser) resolve(name qname) error {
	f := &p.frames[len(p.frames)-1]
	ns := f.defaults
	if name.prefixed() {
		var ok bool
		if ns, ok = p.lookup(p.prefix(name)); !ok {
			return malformed("an unbound prefix")
		}
	}
	el := &p.st.elems[f.elem]
	el.name, el.ns = p.keep(p.local(name)), ns
	el.attrStart = uint32(len(p.st.attrs))
	el.attrEnd = el.attrStart
	for i := range p.raw {
		if err := p.resolveAttr(el, &p.raw[i]); err != nil {
			return err
		}
	}
	return nil
}

func (p *parser) resolveAttr(el *Element, raw *rawAttr) error {
	ns := nsNone
	if raw.written.prefixed() {
		var ok bool
		if ns, ok = p.lookup(p.prefix(raw.written)); !ok {
			return malformed("an unbound prefix")
		}
	}
	for _, a := range p.st.attrs[el.attrStart:] {
		if p.equal(a.name, raw.name) && p.sameSpace(a.ns, ns) {
			return malformed("a duplicate attribute")
		}
	}
	p.st.attrs = append(p.st.attrs, attr{raw.name, raw.value, ns})
	el.attrEnd++
	return nil
}

func (p *parser) lookup(prefix []byte) (uint32, bool) {
	for i := len(p.bound) - 1; i >= 0; i-- {
		if bytes.Equal(p.bound[i].prefix, prefix) {
			return p.bound[i].ns, true
		}
	}
	return nsXML, string(prefix) == "xml"
}

func (p *parser) equal(a, b span) bool {
	return bytes.Equal(p.data[a.start:a.end], p.data[b.start:b.end])
}

// sameSpace compares the namespaces of two attributes; two prefixes may stand
// for the same one.
func (p *parser) sameSpace(a, b uint32) bool {
	if a == b || a == nsNone || b == nsNone {
		return a == b
	}
	fixed := uint32(len(p.base))
	switch {
	case a < fixed && b < fixed:
		return p.base[a] == p.base[b]
	case a < fixed:
		return p.is(p.spaces[b-fixed], p.base[a])
	case b < fixed:
		return p.is(p.spaces[a-fixed], p.base[b])
	default:
		return p.equal(p.spaces[a-fixed], p.spaces[b-fixed])
	}
}

// is reports whether the characters of s are want, without copying them.
func (p *parser) is(s span, want string) bool {
	return string(p.data[s.start:s.end]) == want
}
