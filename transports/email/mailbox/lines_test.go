package mailbox

import (
	"bytes"
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"testing/iotest"
	"time"
)

func TestLiteral(t *testing.T) {
	for in, want := range map[string]int64{
		"{0}\r\n": 0, "{12}\r\n": 12, "{12+}\r\n": 12, "FETCH (BODY[] {3}\n": 3, "~{7}\r\n": 7,
		"{9223372036854775807}\r\n": 9223372036854775807, "{9223372036854775808}\r\n": -1, "12345678901234567890123}\r\n": -1,
	} {
		if got, ok := literal([]byte(in)); !ok || got != want {
			t.Errorf("%q: %d, %v", in, got, ok)
		}
	}
	for _, in := range []string{"\r\n", "\n", "}\r\n", "{}\r\n", "{x}\r\n", "{1} \r\n", "(1}\r\n", "{-1}\r\n", ""} {
		if got, ok := literal([]byte(in)); ok {
			t.Errorf("%q: %d", in, got)
		}
	}
}

// readAll reads what a server says through a wire, as go-imap would, in pieces of any size.
func readAll(said string, b bounds, i *idle, pieces func(io.Reader) io.Reader) (string, error) {
	w := newWire(&fixed{r: pieces(strings.NewReader(said))})
	w.allow(b)
	if i != nil {
		w.expect(i)
	}
	out, err := io.ReadAll(w)
	if errors.Is(err, errGone) {
		err = nil
	}
	return string(out), err
}

// fixed is a connection from which something fixed is read.
type fixed struct {
	net.Conn
	r io.Reader
}

func (f *fixed) Read(b []byte) (int, error)        { return f.r.Read(b) }
func (f *fixed) SetReadDeadline(t time.Time) error { return nil }
func (f *fixed) Close() error                      { return nil }

func newIdle() *idle {
	return &idle{tag: "I1", going: make(chan struct{}), over: make(chan struct{})}
}

func ways() []func(io.Reader) io.Reader {
	return []func(io.Reader) io.Reader{func(r io.Reader) io.Reader { return r }, iotest.OneByteReader, iotest.HalfReader}
}

// In IDLE the answers to it are taken out, and nothing else is: not in literals, and not after its end.
func TestIdleIsTakenOut(t *testing.T) {
	for _, test := range []struct{ said, want string }{
		{"+ idling\r\n* 1 EXISTS\r\nI1 OK done\r\nT3 OK x\r\n", "* 1 EXISTS\r\nT3 OK x\r\n"},
		{"* 1 FETCH (BODY[] {14}\r\n+ no\r\nI1 OK\r\n)\r\n+ \r\nI1 OK\r\n* 2 EXISTS\r\n", "* 1 FETCH (BODY[] {14}\r\n+ no\r\nI1 OK\r\n)\r\n* 2 EXISTS\r\n"},
		{"* OK see {3}\r\n+ go\r\n* 2 EXISTS\r\n", "* OK see {3}\r\n* 2 EXISTS\r\n"},
		{"* LIST () {1}\r\nx {1}\r\ny\r\n+\r\n", "* LIST () {1}\r\nx {1}\r\ny\r\n"},
	} {
		for _, pieces := range ways() {
			got, err := readAll(test.said, bounds{bytes: 1000, literal: 100}, newIdle(), pieces)
			if err != nil || got != test.want {
				t.Errorf("%q: %q, %v", test.said, got, err)
			}
		}
	}
	for _, said := range []string{"+ idling\r\n+ idling\r\n", "I2 OK\r\n", "\r\n", "I1 OK\r\n+ late"} {
		if _, err := readAll(said, bounds{bytes: 1000, literal: 100}, newIdle(), ways()[0]); err == nil != strings.HasPrefix(said, "I1") {
			t.Errorf("%q: %v", said, err)
		}
	}
}

func TestBounds(t *testing.T) {
	for _, test := range []struct {
		said string
		may  bounds
		want error
	}{
		{strings.Repeat("* OK x\r\n", 100), bounds{bytes: 800}, errTooMuch}, // nothing may follow: that is asked for, too
		{strings.Repeat("* OK x\r\n", 99), bounds{bytes: 800}, nil},
		{strings.Repeat("x", maxLine+1), bounds{bytes: 1 << 20}, errLine},
		{strings.Repeat("x", maxLine-2) + "\r\n", bounds{bytes: 1 << 20}, nil},
		{"* 1 FETCH (BODY[] {11}\r\n", bounds{bytes: 1 << 20, literal: 10}, errLiteral},
		{"* 1 FETCH (BODY[] {10}\r\n0123456789)\r\n", bounds{bytes: 1 << 20, literal: 10}, nil},
	} {
		for _, pieces := range ways() {
			if _, err := readAll(test.said, test.may, nil, pieces); !errors.Is(err, test.want) {
				t.Errorf("%.20q: %v, want %v", test.said, err, test.want)
			}
		}
	}
}

// What is read is the same however it comes in pieces; within bounds and without IDLE it is what was said.
func FuzzWire(f *testing.F) {
	f.Add([]byte("+ idling\r\n* 1 EXISTS\r\nI1 OK done\r\nT3 OK x\r\n"), true)
	f.Add([]byte("* 1 FETCH (UID 3 BODY[] {12}\r\nhello\r\nworld)\r\nT1 OK {3}\r\n"), false)
	f.Add([]byte("* LIST () \"/\" {99999999999999999999}\r\n"), false)
	f.Add([]byte("{1}\r\n{2}\r\n\n{3+}\n"), true)
	f.Fuzz(func(t *testing.T, said []byte, idling bool) {
		type result struct {
			out string
			err error
		}
		var first *result
		for _, pieces := range ways() {
			var i *idle
			if idling {
				i = newIdle()
			}
			out, err := readAll(string(said), bounds{bytes: 4096, literal: 100}, i, pieces)
			if first == nil {
				first = &result{out, err}
			}
			if (err == nil) != (first.err == nil) || err == nil && out != first.out {
				t.Fatalf("%q, %v and %q, %v", first.out, first.err, out, err)
			}
			if err == nil && !idling && !bytes.Equal(said, []byte(out)) {
				t.Fatalf("%q became %q", said, out)
			}
			if len(out) > len(said) {
				t.Fatalf("%q grew to %q", said, out)
			}
		}
	})
}

func FuzzHeader(f *testing.F) {
	f.Add([]byte("Message-ID: <a@b>\r\nDate: Mon, 02 Jan 2006 15:04:05 -0700\r\n\r\nx"))
	f.Add([]byte("message-id:\r\n <a@b>\r\n\r\n"))
	f.Add([]byte("Subject: x\nMESSAGE-ID : (c) <a\n b> \n"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		id := messageID(raw)
		if len(id) > maxMessageID+1 || id != "" && (id[0] != '<' || strings.ContainsAny(id, "\r\n\x00")) {
			t.Fatalf("Message-ID: %q", id)
		}
		sentAt(raw)
		if h := headerOf(raw); !bytes.HasPrefix(raw, h) {
			t.Fatalf("header: %q", h)
		}
	})
}

func TestMessageID(t *testing.T) {
	for in, want := range map[string]string{
		"Message-ID: <a@b>\r\n\r\n":                               "<a@b>",
		"Subject: x\r\nmessage-id:\r\n\t<a@b>\r\nDate: y\r\n\r\n": "<a@b>",
		"MESSAGE-ID: junk <a@b> junk\n\n":                         "<a@b>",
		"Subject: x\r\n\r\nMessage-ID: <body@b>":                  "",
		"Message-ID: a@b\r\n\r\n":                                 "",
		"X-Message-ID: <a@b>\r\n\r\n":                             "",
		"Message-ID: <" + strings.Repeat("x", 999) + ">\r\n\r\n":  "",
		"": "",
	} {
		if got := messageID([]byte(in)); got != want {
			t.Errorf("%.60q: %q", in, got)
		}
	}
}
