package wire

import (
	"bytes"
	"errors"
	"io"
)

// Bounds of lines, in bytes.
const (
	smallBuffer = 1024  // what an idle session keeps
	MaxTags     = 8191  // IRCv3 message-tags: the tags with their "@" and space
	MaxBody     = 512   // RFC 1459 section 2.3, with CRLF; LINELEN may raise it
	MaxLine     = 16384 // what LINELEN may raise a body to
)

// ErrTooLong is returned once for a line that was thrown away for its length; reading goes on behind it.
var ErrTooLong = errors.New("line too long")

// Reader cuts a stream into lines. Its buffer grows for long lines, within bounds, and shrinks again.
type Reader struct {
	src      io.Reader
	buf      []byte
	r, w     int // buf[r:w] is read and not yet returned
	scanned  int // of which so much has no line end
	max      int // the longest line
	skipping bool
}

// NewReader returns a Reader of lines without LINELEN.
func NewReader(src io.Reader) *Reader {
	return &Reader{src: src, max: MaxTags + MaxBody}
}

// Limit changes the longest body of a line.
func (l *Reader) Limit(body int) { l.max = MaxTags + min(max(body, MaxBody), MaxLine) }

// Buffered says whether Next can return without reading.
func (l *Reader) Buffered() bool { return bytes.IndexByte(l.buf[l.r+l.scanned:l.w], '\n') >= 0 }

// Next returns the next line that is not empty, without its end; it is valid until Next is called again. Any error
// but ErrTooLong is the stream's; after a timeout reading can go on.
func (l *Reader) Next() ([]byte, error) {
	for {
		if i := bytes.IndexByte(l.buf[l.r+l.scanned:l.w], '\n'); i >= 0 {
			line := l.buf[l.r : l.r+l.scanned+i]
			l.r += l.scanned + i + 1
			l.scanned = 0
			if l.skipping {
				l.skipping = false
				return nil, ErrTooLong
			}
			if line = bytes.TrimRight(line, "\r"); len(line) > 0 {
				return line, nil
			}
			continue
		}
		l.scanned = l.w - l.r
		if l.scanned >= l.max {
			l.r, l.w, l.scanned, l.skipping = 0, 0, 0, true
		}
		if err := l.fill(); err != nil {
			return nil, err
		}
	}
}

// fill reads once, making room first.
func (l *Reader) fill() error {
	switch {
	case l.r == l.w && len(l.buf) != smallBuffer:
		l.buf, l.r, l.w = make([]byte, smallBuffer), 0, 0
	case l.r == l.w:
		l.r, l.w = 0, 0
	case l.r > 0:
		l.w = copy(l.buf, l.buf[l.r:l.w])
		l.r = 0
	case l.w == len(l.buf):
		grown := make([]byte, min(2*len(l.buf), l.max+1))
		copy(grown, l.buf)
		l.buf = grown
	}
	n, err := l.src.Read(l.buf[l.w:])
	l.w += n
	if n > 0 {
		return nil
	}
	if err == nil {
		err = io.ErrNoProgress
	}
	return err
}
