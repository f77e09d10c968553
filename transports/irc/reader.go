package irc

import (
	"bytes"
	"errors"
	"io"
)

const (
	smallBuffer = 1024 // what an idle session keeps
	maxTagBytes = 8191 // IRCv3 message-tags: the tags with their "@" and space
	maxBody     = 512  // RFC 1459 section 2.3, with CRLF; LINELEN may raise it
	maxLineLen  = 16384
)

// errTooLong is returned once for a line that was thrown away for its length; reading goes on behind it.
var errTooLong = errors.New("line too long")

// lineReader cuts a stream into lines. Its buffer grows for long lines, within bounds, and shrinks again.
type lineReader struct {
	src      io.Reader
	buf      []byte
	r, w     int // buf[r:w] is read and not yet returned
	scanned  int // of which so much has no line end
	max      int // the longest line
	skipping bool
}

func newLineReader(src io.Reader) *lineReader {
	return &lineReader{src: src, max: maxTagBytes + maxBody}
}

// limit changes the longest body of a line.
func (l *lineReader) limit(body int) { l.max = maxTagBytes + min(max(body, maxBody), maxLineLen) }

// buffered says whether next can return without reading.
func (l *lineReader) buffered() bool { return bytes.IndexByte(l.buf[l.r+l.scanned:l.w], '\n') >= 0 }

// next returns the next line that is not empty, without its end; it is valid until next is called again. Any error
// but errTooLong is the stream's; after a timeout reading can go on.
func (l *lineReader) next() ([]byte, error) {
	for {
		if i := bytes.IndexByte(l.buf[l.r+l.scanned:l.w], '\n'); i >= 0 {
			line := l.buf[l.r : l.r+l.scanned+i]
			l.r += l.scanned + i + 1
			l.scanned = 0
			if l.skipping {
				l.skipping = false
				return nil, errTooLong
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
func (l *lineReader) fill() error {
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
