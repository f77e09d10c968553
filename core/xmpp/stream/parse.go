package stream

import "bytes"

// Namespace indices that every stanza's table begins with.
const (
	nsNone uint32 = iota // no namespace
	nsXML
	nsDefault // the default namespace of the stream
)

// frame is an open element.
type frame struct {
	name     span // as written, in src, for the end tag
	elem     int32
	last     int32  // last child so far, 0 if none
	defaults uint32 // namespace of names without prefix
	declared bool   // it has its own xmlns
	bound    int    // len(parser.bound) outside it
}

// binding is a namespace prefix in scope.
type binding struct {
	prefix []byte
	ns     uint32
}

// parser turns the bytes of one framed element into a tree. Its slices are kept
// for the next one.
//
// Characters are collected decoded in data and become one string at the end, so
// a stanza costs one allocation however many names and values it has.
type parser struct {
	limits Limits
	base   []string  // namespaces bound by the stream header, after the three fixed ones
	outer  []binding // prefixes bound by the stream header

	src    []byte
	pos    int
	data   []byte
	st     *Stanza
	spaces []span // namespaces declared in this stanza, numbered after base
	frames []frame
	bound  []binding
	raw    []rawAttr
}

// rawAttr is an attribute whose prefix waits for the whole start tag.
type rawAttr struct {
	written qname
	name    span
	value   span
}

// parse fills st from src. On error st holds whatever of the stanza's own start
// tag was understood.
func (p *parser) parse(src []byte, st *Stanza) error {
	p.begin(src, st)
	err := p.document()
	p.finish()
	return err
}

func (p *parser) begin(src []byte, st *Stanza) {
	p.src, p.pos, p.st = src, 0, st
	p.data, p.spaces = p.data[:0], p.spaces[:0]
	p.frames, p.bound = p.frames[:0], append(p.bound[:0], p.outer...)
	st.Size = len(src)
}

// startOnly reads a lone start tag, for what it tells about its stanza.
func (p *parser) startOnly(tag []byte, st *Stanza) error {
	p.begin(tag, st)
	err := p.markup()
	p.finish()
	return err
}

// header reads the opening tag of the stream and keeps its namespaces for every
// stanza to come.
func (p *parser) header(tag []byte, st *Stanza) error {
	if err := p.startOnly(tag, st); err != nil {
		return err
	}
	if len(p.frames) == 0 {
		return malformed("an empty stream element")
	}
	base := []string{"", NSXML, st.spaces[p.frames[0].defaults]}
	for _, b := range p.bound {
		p.outer = append(p.outer, binding{bytes.Clone(b.prefix), uint32(len(base))})
		base = append(base, st.spaces[b.ns])
	}
	p.base = base
	return nil
}

// finish makes the collected characters immutable and names the namespaces.
func (p *parser) finish() {
	st := p.st
	st.data = string(p.data)
	if len(st.spaces) != len(p.base) { // a released tree has kept them
		st.spaces = append(st.spaces[:0], p.base...)
	}
	for _, s := range p.spaces {
		st.spaces = append(st.spaces, st.str(s))
	}
	if len(st.elems) > 0 {
		st.Element = &st.elems[0]
		st.head()
	}
	p.src, p.st = nil, nil
}

// head fills the fields that every handler asks for.
func (st *Stanza) head() {
	for i := st.attrStart; i < st.attrEnd; i++ {
		a := &st.attrs[i]
		if a.ns != nsNone {
			continue
		}
		switch st.str(a.name) {
		case "id":
			st.ID = st.str(a.value)
		case "from":
			st.From = st.str(a.value)
		case "to":
			st.To = st.str(a.value)
		case "type":
			st.Type = st.str(a.value)
		}
	}
	if space := st.Space(); space != st.spaces[nsDefault] && space != NSClient {
		return
	}
	switch st.Local() {
	case "message":
		st.Kind = Message
	case "presence":
		st.Kind = Presence
	case "iq":
		st.Kind = IQ
	}
}

// document reads the one element that src holds.
func (p *parser) document() error {
	for {
		if err := p.markup(); err != nil {
			return err
		}
		if len(p.frames) == 0 {
			break
		}
		if err := p.text(); err != nil {
			return err
		}
		if p.pos == len(p.src) {
			return malformed("an element is not closed")
		}
	}
	if p.pos != len(p.src) {
		return malformed("something after the end tag")
	}
	return nil
}

// markup reads what begins with the < at pos.
func (p *parser) markup() error {
	rest := p.src[p.pos:]
	switch {
	case len(rest) < 2:
		return malformed("a tag is cut off")
	case rest[1] == '/':
		return p.endTag()
	case rest[1] == '?':
		return restricted("a processing instruction")
	case bytes.HasPrefix(rest, []byte("<![CDATA[")) && len(p.frames) > 0:
		return p.cdata()
	case rest[1] == '!':
		return restricted("a comment or a declaration")
	default:
		return p.startTag()
	}
}

func (p *parser) endTag() error {
	end := bytes.IndexByte(p.src[p.pos:], '>')
	if end < 0 {
		return malformed("an end tag is cut off")
	}
	name := p.src[p.pos+2 : p.pos+end]
	for len(name) > 0 && isSpace(name[len(name)-1]) {
		name = name[:len(name)-1]
	}
	if len(p.frames) == 0 || !bytes.Equal(name, p.written(p.frames[len(p.frames)-1].name)) {
		return malformed("an end tag does not match its start tag")
	}
	p.pos += end + 1
	p.pop()
	return nil
}

func (p *parser) pop() {
	f := &p.frames[len(p.frames)-1]
	p.bound = p.bound[:f.bound]
	p.frames = p.frames[:len(p.frames)-1]
}

// startTag reads a start tag or an empty element.
func (p *parser) startTag() error {
	if len(p.frames) >= p.limits.Depth {
		return limit("elements nested too deep")
	}
	p.pos++
	name, err := p.qname()
	if err != nil {
		return err
	}
	el, err := p.add(false)
	if err != nil {
		return err
	}
	f := frame{name: name.span, elem: el, bound: len(p.bound), defaults: nsDefault}
	if len(p.frames) > 0 {
		f.defaults = p.frames[len(p.frames)-1].defaults
	}
	p.frames = append(p.frames, f)

	empty, err := p.attributes()
	if rerr := p.resolve(name); err == nil {
		err = rerr // what was read of a bad tag is still worth knowing
	}
	if err == nil && empty {
		p.pop()
	}
	return err
}

// add appends a node to the innermost open element.
func (p *parser) add(text bool) (int32, error) {
	if len(p.st.elems) >= p.limits.Elements {
		return 0, limit("too many elements")
	}
	i := p.st.grow(text)
	if len(p.frames) == 0 {
		return i, nil
	}
	f := &p.frames[len(p.frames)-1]
	if f.last == 0 {
		p.st.elems[f.elem].first = i
	} else {
		p.st.elems[f.last].next = i
	}
	f.last = i
	return i, nil
}

// qname is a name as written in src. It holds no pointer: there is one for every
// attribute.
type qname struct {
	span
	local uint32 // where the local part begins: at start if there is no prefix
}

func (n qname) prefixed() bool { return n.local > n.start }

func (p *parser) written(s span) []byte { return p.src[s.start:s.end] }

func (p *parser) prefix(n qname) []byte {
	if !n.prefixed() {
		return nil
	}
	return p.src[n.start : n.local-1]
}

func (p *parser) local(n qname) []byte { return p.src[n.local:n.end] }

// qname reads a qualified name and checks it (Namespaces in XML 1.0, section
// 4). Whatever ends it is for the caller to judge.
func (p *parser) qname() (qname, error) {
	start, i := p.pos, p.pos
	for i < len(p.src) && nameClass[p.src[i]] >= asciiInName {
		i++
	}
	if i == len(p.src) || nameClass[p.src[i]] == notInName { // the usual one
		p.pos = i
		if i == start || nameClass[p.src[start]] != startOfName {
			return qname{}, malformed("a bad name")
		}
		return qname{span{uint32(start), uint32(i)}, uint32(start)}, nil
	}
	return p.unusualName(start)
}

// unusualName reads a name that has a prefix or goes beyond ASCII.
func (p *parser) unusualName(start int) (qname, error) {
	local, i := start, start
	for ; i < len(p.src) && nameClass[p.src[i]] != notInName; i++ {
		if p.src[i] != ':' {
			continue
		}
		if local > start {
			return qname{}, malformed("a bad name")
		}
		local = i + 1
	}
	p.pos = i
	name := qname{span{uint32(start), uint32(i)}, uint32(local)}
	if name.prefixed() && !isNCName(p.prefix(name)) || !isNCName(p.local(name)) {
		return qname{}, malformed("a bad name")
	}
	return name, nil
}

// skipSpace reports whether there was any.
func (p *parser) skipSpace() bool {
	start := p.pos
	for p.pos < len(p.src) && isSpace(p.src[p.pos]) {
		p.pos++
	}
	return p.pos > start
}

func (p *parser) peek() byte {
	if p.pos < len(p.src) {
		return p.src[p.pos]
	}
	return 0
}

// attributes reads up to and including the > of a start tag into raw, and
// reports whether the element is empty.
func (p *parser) attributes() (bool, error) {
	p.raw = p.raw[:0]
	for n := 0; ; n++ {
		spaced := p.skipSpace()
		switch p.peek() {
		case '>':
			p.pos++
			return false, nil
		case '/':
			p.pos++
			if p.peek() != '>' {
				return false, malformed("/ inside a start tag")
			}
			p.pos++
			return true, nil
		}
		if !spaced {
			return false, malformed("no space before an attribute")
		}
		if n == p.limits.Attrs {
			return false, limit("too many attributes")
		}
		if err := p.attribute(); err != nil {
			return false, err
		}
	}
}

func (p *parser) attribute() error {
	name, err := p.qname()
	if err != nil {
		return err
	}
	p.skipSpace()
	if p.peek() != '=' {
		return malformed("an attribute without a value")
	}
	p.pos++
	p.skipSpace()
	q := p.peek()
	if q != '"' && q != '\'' {
		return malformed("an attribute value without quotes")
	}
	p.pos++
	value, err := p.value(q)
	if err != nil {
		return err
	}
	if !name.prefixed() && string(p.local(name)) == "xmlns" {
		return p.declareDefault(value)
	}
	if name.prefixed() && string(p.prefix(name)) == "xmlns" {
		return p.declare(p.local(name), value)
	}
	p.raw = append(p.raw, rawAttr{name, p.keep(p.local(name)), value})
	return nil
}

// keep copies a name to the stanza's characters.
func (p *parser) keep(b []byte) span {
	start := len(p.data)
	p.data = append(p.data, b...)
	return span{uint32(start), uint32(len(p.data))}
}
