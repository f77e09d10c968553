package stream

import (
	"bytes"
	"errors"
	"io"
)

const (
	firstBuffer = 16 << 10 // bytes; enough for a burst of ordinary stanzas in one read
	keptBuffer  = 64 << 10 // a larger one is given up when its large stanza is read
	headerLimit = 16 << 10 // bytes of the stream header
	headLimit   = 8 << 10  // bytes kept of an oversized stanza, to tell whose it was
)

// Header is the opening tag of a stream as the other side sent it.
type Header struct {
	ID, From, To, Version string
}

// Reader reads one component stream. It is for one goroutine.
type Reader struct {
	src    io.Reader
	limits Limits
	pool   *stanzas
	parser parser
	scan   scanner

	buf   []byte
	start int // first byte of the stanza at hand
	pos   int // how far scan got
	root  []byte
	err   error // sticky: the stream has ended

	head    []byte // beginning of a stanza that is being skipped; nil if none is
	skipped int    // bytes of it so far
}

// NewReader returns a Reader that expects a stream header first.
func NewReader(r io.Reader, l Limits) *Reader {
	l = l.withDefaults()
	rd := &Reader{src: r, limits: l, pool: &stanzas{}, buf: make([]byte, 0, firstBuffer)}
	rd.parser.limits = l
	rd.parser.base = []string{"", NSXML, NSComponent}
	return rd
}

// ReadHeader reads the XML declaration, if there is one, and the opening tag.
// It must be called once, before Next. Its errors end the stream.
func (r *Reader) ReadHeader() (Header, error) {
	h, err := r.readHeader()
	if err != nil {
		r.err = err
	}
	return h, err
}

func (r *Reader) readHeader() (Header, error) {
	tag, err := r.headerTag()
	if err != nil {
		return Header{}, err
	}
	st := r.pool.get() // not released: it knows other namespaces than the stanzas to come
	if err := r.parser.header(tag, st); err != nil {
		return Header{}, &StreamError{"not-well-formed", "stream header: " + err.Error()}
	}
	if !st.Is(NSStream, "stream") {
		return Header{}, &StreamError{"invalid-namespace", "the first element is not a stream"}
	}
	r.pool.fixed = len(r.parser.base)
	r.root = bytes.Clone(tag[1 : 1+bytes.IndexAny(tag[1:], " \t\r\n>")])
	return Header{ID: st.ID, From: st.From, To: st.To, Version: st.Attr("version")}, nil
}

// headerTag returns the bytes of the opening tag, after the XML declaration.
func (r *Reader) headerTag() ([]byte, error) {
	const declaration = "<?xml "
	for {
		r.skipSpace()
		rest := r.buf[r.start:]
		end := tagEnd(rest)
		switch {
		case end > 0 && bytes.HasPrefix(rest, []byte(declaration)):
			r.start += end
			continue
		case end > 0:
			r.start += end
			r.pos = r.start
			return rest[:end], nil
		case len(rest) > headerLimit:
			return nil, &StreamError{"policy-violation", "stream header too long"}
		case len(rest) > 0 && rest[0] != '<':
			return nil, &StreamError{"not-well-formed", "text before the stream header"}
		}
		if err := r.fill(); err != nil {
			return nil, err
		}
	}
}

// tagEnd returns the position after the > that ends the tag at the beginning of
// b, or 0 if it is not there.
func tagEnd(b []byte) int {
	var quote byte
	for i, c := range b {
		switch {
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case c == '"' || c == '\'':
			quote = c
		case c == '>':
			return i + 1
		}
	}
	return 0
}

// Next returns the next stanza, which then belongs to the caller.
//
// A *StanzaError says that a stanza was refused; Next may be called again. Any
// other error is final: io.EOF after the other side's closing tag,
// io.ErrUnexpectedEOF if the bytes end without one, a *StreamError, or what the
// underlying reader returned.
func (r *Reader) Next() (*Stanza, error) {
	if r.err != nil {
		return nil, r.err
	}
	st, err := r.next()
	if err != nil {
		var refused *StanzaError
		if !errors.As(err, &refused) {
			r.err = err
		}
		return nil, err
	}
	return st, nil
}

// Buffered returns how many bytes were read and not yet returned as stanzas.
func (r *Reader) Buffered() int { return len(r.buf) - r.start }

func (r *Reader) next() (*Stanza, error) {
	for {
		if r.scan.depth == 0 && r.scan.state == inText {
			ready, err := r.between()
			if err != nil {
				return nil, err
			}
			if !ready {
				if err := r.fill(); err != nil {
					return nil, err
				}
				continue
			}
		}
		pos, done, err := r.scan.scan(r.buf, r.pos)
		r.pos = pos
		if err != nil {
			return nil, err
		}
		if done {
			return r.take()
		}
		if err := r.bound(); err != nil {
			return nil, err
		}
		if err := r.fill(); err != nil {
			return nil, err
		}
	}
}

// between looks at what follows a stanza and reports whether another begins.
func (r *Reader) between() (bool, error) {
	r.skipSpace()
	rest := r.buf[r.start:]
	switch {
	case len(rest) > 0 && rest[0] != '<':
		return false, &StreamError{"not-well-formed", "text between stanzas"}
	case len(rest) < 2:
		return false, nil
	case rest[1] == '!' || rest[1] == '?':
		return false, &StreamError{"restricted-xml", "a comment, declaration or instruction between stanzas"}
	case rest[1] != '/':
		return true, nil
	}
	end := bytes.IndexByte(rest, '>')
	switch {
	case end >= 0 && bytes.Equal(bytes.TrimRight(rest[2:end], " \t\r\n"), r.root):
		return false, io.EOF
	case end >= 0 || len(rest) > headerLimit:
		return false, &StreamError{"not-well-formed", "an end tag between stanzas"}
	}
	return false, nil
}

func (r *Reader) skipSpace() {
	for r.start < len(r.buf) && isSpace(r.buf[r.start]) {
		r.start++
	}
	r.pos = max(r.pos, r.start)
}

// take parses the complete stanza between start and pos.
func (r *Reader) take() (*Stanza, error) {
	src := r.buf[r.start:r.pos]
	r.start = r.pos
	if r.head != nil || len(src) > r.limits.Stanza {
		return nil, r.tooLarge(src)
	}
	st := r.pool.get()
	if err := r.parser.parse(src, st); err != nil {
		return nil, refuse(st, err)
	}
	return st, nil
}

// refuse describes a stanza that could not be parsed and gives back its tree.
func refuse(st *Stanza, err error) error {
	e := &StanzaError{Kind: st.Kind, ID: st.ID, From: st.From, To: st.To, Type: st.Type, Err: err}
	st.Release()
	return e
}

// bound goes over to skipping when the stanza at hand is too large to keep.
func (r *Reader) bound() error {
	if r.head == nil {
		if len(r.buf)-r.start <= r.limits.Stanza {
			return nil
		}
		r.head = bytes.Clone(r.buf[r.start:min(r.pos, r.start+headLimit)])
	}
	r.skipped += r.pos - r.start
	r.start = r.pos
	if r.skipped > r.limits.Skip {
		return &StreamError{"policy-violation", "a stanza without end"}
	}
	return nil
}

func (r *Reader) tooLarge(src []byte) error {
	head := r.head
	if head == nil {
		head = src
	}
	r.head, r.skipped = nil, 0
	st := r.pool.get()
	if end := tagEnd(head); end > 0 {
		_ = r.parser.startOnly(head[:end], st) // as much of it as can be understood
	}
	return refuse(st, ErrTooLarge)
}

// fill reads once. It keeps what is between start and the end of buf.
func (r *Reader) fill() error {
	r.makeRoom()
	for range 100 {
		n, err := r.src.Read(r.buf[len(r.buf):cap(r.buf)])
		r.buf = r.buf[:len(r.buf)+n]
		switch {
		case n > 0:
			return nil // an error comes again with the next read
		case errors.Is(err, io.EOF):
			return io.ErrUnexpectedEOF
		case err != nil:
			return err
		}
	}
	return io.ErrNoProgress
}

func (r *Reader) makeRoom() {
	if r.start == len(r.buf) {
		to := r.buf[:0]
		if cap(to) > keptBuffer {
			to = make([]byte, 0, firstBuffer)
		}
		r.move(to)
		return
	}
	if cap(r.buf)-len(r.buf) >= firstBuffer/4 {
		return
	}
	if kept := len(r.buf) - r.start; kept > cap(r.buf)/2 {
		r.move(make([]byte, 0, 2*cap(r.buf)))
		return
	}
	r.move(r.buf[:0])
}

// move puts the bytes from start on at the beginning of to.
func (r *Reader) move(to []byte) {
	to = append(to, r.buf[r.start:]...)
	r.buf, r.pos, r.start = to, r.pos-r.start, 0
}
