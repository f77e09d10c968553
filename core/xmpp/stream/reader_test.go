package stream

import (
	"bytes"
	"errors"
	"io"
	"strconv"
	"strings"
	"testing"
	"testing/iotest"
)

const testHeader = `<?xml version='1.0'?><stream:stream xmlns='jabber:component:accept' ` +
	`xmlns:stream='http://etherx.jabber.org/streams' id='s1' from='gw.example'>`

// open returns a Reader behind the header.
func open(t testing.TB, r io.Reader, l Limits) *Reader {
	t.Helper()
	rd := NewReader(r, l)
	if _, err := rd.ReadHeader(); err != nil {
		t.Fatalf("header: %v", err)
	}
	return rd
}

func TestReadHeader(t *testing.T) {
	rd := NewReader(strings.NewReader(testHeader+"<message id='1'/></stream:stream>"), Limits{})
	h, err := rd.ReadHeader()
	if err != nil || h.ID != "s1" || h.From != "gw.example" {
		t.Fatalf("%+v, %v", h, err)
	}
	st, err := rd.Next()
	if err != nil || st.ID != "1" || st.Kind != Message {
		t.Fatalf("%+v, %v", st, err)
	}
	for range 2 {
		if _, err := rd.Next(); !errors.Is(err, io.EOF) {
			t.Fatalf("after the closing tag: %v", err)
		}
	}
}

func TestReadHeaderRefuses(t *testing.T) {
	for _, in := range []string{
		"HTTP/1.1 400 Bad Request\r\n\r\n",
		"<html>", "<stream>", "<stream:stream>", "<stream:stream xmlns:stream='urn:other'>",
		"<stream:stream xmlns:stream='http://etherx.jabber.org/streams' a='1' a='2'>",
		"<stream:stream xmlns:stream='http://etherx.jabber.org/streams'/>",
		"<!DOCTYPE x><stream:stream xmlns:stream='http://etherx.jabber.org/streams'>",
		"<!-- x --><stream:stream xmlns:stream='http://etherx.jabber.org/streams'>",
		"<stream:stream x='" + strings.Repeat("x", 20<<10) + "'>",
	} {
		var bad *StreamError
		rd := NewReader(strings.NewReader(in), Limits{})
		if _, err := rd.ReadHeader(); !errors.As(err, &bad) {
			t.Errorf("%.40q: %v", in, err)
		}
		if _, err := rd.Next(); err == nil {
			t.Errorf("%.40q: a stanza", in)
		}
	}
	if _, err := NewReader(strings.NewReader("<stream:str"), Limits{}).ReadHeader(); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("cut off: %v", err)
	}
}

// TestNextHoweverItTrickles reads the same stanzas whole and byte by byte.
func TestNextHoweverItTrickles(t *testing.T) {
	all := testHeader + strings.Join(goodStanzas(), " \n") + "</stream:stream>"
	for name, r := range map[string]io.Reader{
		"whole":         strings.NewReader(all),
		"bytes":         iotest.OneByteReader(strings.NewReader(all)),
		"data with EOF": iotest.DataErrReader(strings.NewReader(all)),
	} {
		rd := open(t, r, Limits{})
		for i, want := range goodStanzas() {
			st, err := rd.Next()
			if err != nil {
				t.Fatalf("%s: %s: %v", name, want, err)
			}
			if st.Size != len(want) {
				t.Errorf("%s: stanza %d: %d bytes, want %d", name, i, st.Size, len(want))
			}
			st.Release()
		}
		if _, err := rd.Next(); !errors.Is(err, io.EOF) {
			t.Errorf("%s: at the end: %v", name, err)
		}
	}
}

func TestTree(t *testing.T) {
	st := mustParse(t, chatStanza)
	if st.Kind != Message || st.From != "alice@example.org/phone" || st.To != "#chan%irc.example@irc.gw.example" ||
		st.Type != "chat" || st.ID != "a1b2c3d4-e5f6" || st.Request() {
		t.Errorf("head: %+v", st)
	}
	if st.Body() != "Hello, how are you? It & the rest <3" {
		t.Errorf("body %q", st.Body())
	}
	if st.Child("urn:xmpp:receipts", "request") == nil || st.Child("urn:xmpp:receipts", "received") != nil ||
		st.Child("", "request") != nil || st.Child("urn:xmpp:sid:0", "origin-id").Attr("id") != "a1b2c3d4-e5f6" {
		t.Error("children")
	}
	if st.Child("x", "y").Child("", "z").Attr("a") != "" || st.Only() != nil {
		t.Error("a chain through nothing")
	}
	var names []string
	for c := range st.Children() {
		names = append(names, c.Local())
	}
	if strings.Join(names, " ") != "body request origin-id active" {
		t.Errorf("children %v", names)
	}

	inner := mustParse(t, forwardStanza).Child("urn:xmpp:privilege:2", "privilege").
		Child("urn:xmpp:forward:0", "forwarded").Child(NSClient, "message")
	if inner.ChildText("", "body") != "inner" {
		t.Error("the namespace of a forwarded message is its own")
	}
	if lang := mustParse(t, groupStanza).Lang(); lang != "de" {
		t.Errorf("xml:lang %q", lang)
	}
	if q := mustParse(t, iqStanza); !q.Request() || !q.Only().Is("http://jabber.org/protocol/disco#info", "query") {
		t.Error("request")
	}
}

func TestText(t *testing.T) {
	for in, want := range map[string]string{
		"<message>a\r\nb\rc\nd&#13;&#10;e</message>":          "a\nb\nc\nd\r\ne",
		"<message>\r<![CDATA[\n\r\n]]>\n</message>":           "\n\n\n\n",
		"<message>a<![CDATA[<b>&amp;]]]>]]&gt;</message>":     "a<b>&amp;]]]>",
		"<message>one <b>two</b> three</message>":             "one  three",
		"<message>&#x1F600;&#128512;&lt;&#0000065;</message>": "😀😀<A",
		"<message><b/></message>":                             "",
	} {
		if got := mustParse(t, in).Text(); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
	if v := mustParse(t, "<message id='a\r\nb\tc\rd&#13;\"'/>").ID; v != "a\nb\tc\nd\r\"" {
		t.Errorf("attribute %q", v)
	}
}

// TestRefusedStanzaDoesNotEndTheStream also proves that what can be known of a
// bad stanza is.
func TestRefusedStanzaDoesNotEndTheStream(t *testing.T) {
	for name, bad := range badStanzas() {
		rd := open(t, strings.NewReader(testHeader+bad+"<iq id='after'/>"), Limits{})
		_, err := rd.Next()
		var refused *StanzaError
		if !errors.As(err, &refused) {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if refused.From != "a@b" || refused.Kind != Message {
			t.Errorf("%s: from %q, kind %v", name, refused.From, refused.Kind)
		}
		if st, err := rd.Next(); err != nil || st.ID != "after" {
			t.Errorf("%s: the next stanza: %v", name, err)
		}
	}
}

func TestFramingErrors(t *testing.T) {
	for in, condition := range map[string]string{
		"<!DOCTYPE x [<!ENTITY a 'b'>]>":     "restricted-xml",
		"<message><!DOCTYPE x></message>":    "restricted-xml",
		"<message><!ENTITY a 'b'></message>": "restricted-xml",
		"<message><![INCLUDE[x]]></message>": "restricted-xml",
		"<!-- x -->":                         "restricted-xml",
		"<?php ?>":                           "restricted-xml",
		"<?xml version='1.0'?>":              "restricted-xml",
		"text<message/>":                     "not-well-formed",
		"</message>":                         "not-well-formed",
		"</stream:streams>":                  "not-well-formed",
		"<message <body/></message>":         "not-well-formed",
		"<message/ ></message>":              "not-well-formed",
		"<message></message<message/>":       "not-well-formed",
		"&amp;":                              "not-well-formed",
	} {
		rd := open(t, strings.NewReader(testHeader+in), Limits{})
		_, err := rd.Next()
		var bad *StreamError
		if !errors.As(err, &bad) || bad.Condition != condition {
			t.Errorf("%s: %v, want %s", in, err, condition)
		}
		if _, again := rd.Next(); !errors.Is(again, err) {
			t.Errorf("%s: then %v", in, again)
		}
	}
}

func TestCutOff(t *testing.T) {
	for i := 1; i < len(chatStanza); i++ {
		rd := open(t, strings.NewReader(testHeader+chatStanza[:i]), Limits{})
		if _, err := rd.Next(); !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Fatalf("after %q: %v", chatStanza[:i], err)
		}
	}
	rd := open(t, strings.NewReader(testHeader), Limits{})
	if _, err := rd.Next(); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("without closing tag: %v", err)
	}
}

func TestLimits(t *testing.T) {
	nest := func(n int) string {
		return "<message from='a@b'>" + strings.Repeat("<a>", n-1) + strings.Repeat("</a>", n-1) + "</message>"
	}
	attrs := func(n int) string {
		var b strings.Builder
		b.WriteString("<message from='a@b'")
		for i := range n - 1 {
			b.WriteString(" a" + strconv.Itoa(i) + "=''")
		}
		return b.String() + "/>"
	}
	prefixes := func(n int) string {
		var b strings.Builder
		b.WriteString("<message from='a@b'")
		for i := range n {
			b.WriteString(" xmlns:a" + strconv.Itoa(i) + "='u'")
		}
		return b.String() + "/>"
	}
	size := func(n int) string { return "<message from='a@b'>" + strings.Repeat("x", n-30) + "</message>" }
	for _, c := range []struct {
		name  string
		build func(int) string
		most  int
		want  error
	}{
		{"depth", nest, 64, ErrLimit},
		{"attributes", attrs, 256, ErrLimit},
		{"prefixes", prefixes, 64, ErrLimit},
		{"size", size, 512 << 10, ErrTooLarge},
		{"elements", func(n int) string { return "<message from='a@b'>" + strings.Repeat("<a/>", n-1) + "</message>" }, 32 << 10, ErrLimit},
	} {
		if c.name == "size" && len(size(1000)) != 1000 {
			t.Fatal("size is off")
		}
		for _, n := range []int{c.most, c.most + 1} {
			rd := open(t, strings.NewReader(testHeader+c.build(n)+"<iq id='after'/>"), Limits{})
			st, err := rd.Next()
			var refused *StanzaError
			switch {
			case n == c.most && err != nil:
				t.Errorf("%s %d: %v", c.name, n, err)
			case n == c.most:
				st.Release()
			case !errors.Is(err, c.want) || !errors.As(err, &refused) || refused.From != "a@b":
				t.Errorf("%s %d: %v, want %v", c.name, n, err, c.want)
			}
			if st, err := rd.Next(); err != nil || st.ID != "after" {
				t.Errorf("%s %d: the next stanza: %v", c.name, n, err)
			}
		}
	}
}

// TestHugeStanza reads 10 MB without keeping them.
func TestHugeStanza(t *testing.T) {
	fill := func(n int) io.Reader { return io.LimitReader(repeat("<a b='>'>x</a><!-- -> -->"), int64(n)) }
	const size = 10 << 20 / 25 * 25
	src := io.MultiReader(
		strings.NewReader(testHeader+"<message id='big' type='chat' from='a@b/c' to='d@e'>"), fill(size),
		strings.NewReader("</message><iq id='after'/>"),
	)
	rd := open(t, src, Limits{})
	_, err := rd.Next()
	var refused *StanzaError
	if !errors.As(err, &refused) || !errors.Is(err, ErrTooLarge) {
		t.Fatal(err)
	}
	if *refused != (StanzaError{Message, "big", "a@b/c", "d@e", "chat", ErrTooLarge}) {
		t.Errorf("%+v", refused)
	}
	if cap(rd.buf) > 2<<20 {
		t.Errorf("%d bytes kept", cap(rd.buf))
	}
	if st, err := rd.Next(); err != nil || st.ID != "after" {
		t.Errorf("the next stanza: %v", err)
	}
}

func TestEndlessStanza(t *testing.T) {
	for _, start := range []string{"<message>", "<message x='", "<message><!--", "<message><![CDATA[", "<message><?"} {
		rd := open(t, io.MultiReader(strings.NewReader(testHeader+start), repeat("x ")), Limits{Skip: 4 << 20})
		_, err := rd.Next()
		var bad *StreamError
		if !errors.As(err, &bad) || bad.Condition != "policy-violation" {
			t.Errorf("%s: %v", start, err)
		}
	}
}

type repeat string

func (r repeat) Read(b []byte) (int, error) {
	n := 0
	for n < len(b) {
		n += copy(b[n:], r)
	}
	return n / len(r) * len(r), nil
}

func TestReleaseAndClone(t *testing.T) {
	rd := open(t, strings.NewReader(testHeader+chatStanza+iqStanza), Limits{})
	st, err := rd.Next()
	if err != nil {
		t.Fatal(err)
	}
	from, clone, want := st.From, st.Clone(), st.String()
	st.Release()
	if _, err := rd.Next(); err != nil {
		t.Fatal(err)
	}
	if from != "alice@example.org/phone" || clone.String() != want || clone.From != from || clone.Body() == "" {
		t.Error("a string or a clone changed with the release")
	}
	clone.Release()
}

// TestPipelined reads far more than the buffer, in odd pieces.
func TestPipelined(t *testing.T) {
	var all bytes.Buffer
	all.WriteString(testHeader)
	for i := range 5000 {
		all.WriteString("<message id='" + strconv.Itoa(i) + "'><body>" + strings.Repeat("x", i%700) + "</body></message>")
	}
	rd := open(t, iotest.HalfReader(&all), Limits{})
	for i := range 5000 {
		st, err := rd.Next()
		if err != nil || st.ID != strconv.Itoa(i) || len(st.Body()) != i%700 {
			t.Fatalf("stanza %d: %v", i, err)
		}
		st.Release()
	}
}

// loop repeats its data for ever.
type loop struct {
	data []byte
	pos  int
}

func (l *loop) Read(b []byte) (int, error) {
	n := 0
	for n < len(b) {
		c := copy(b[n:], l.data[l.pos:])
		n += c
		l.pos = (l.pos + c) % len(l.data)
	}
	return n, nil
}

func mustParse(t testing.TB, s string) *Stanza {
	t.Helper()
	st, err := Parse(s)
	if err != nil {
		t.Fatalf("%s: %v", s, err)
	}
	return st
}
