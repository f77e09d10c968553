package stream

import (
	"bufio"
	"bytes"
	"encoding/xml"
	"io"
	"strings"
	"testing"

	"mellium.im/xmlstream"
	"mellium.im/xmpp/jid"
	"mellium.im/xmpp/stanza"
)

// The same chat message, read and written by this package, by encoding/xml as
// bare tokens, and by mellium's stanza types.

func BenchmarkRead(b *testing.B) {
	rd := open(b, io.MultiReader(strings.NewReader(testHeader), &loop{data: []byte(chatStanza)}), Limits{})
	b.SetBytes(int64(len(chatStanza)))
	b.ReportAllocs()
	for b.Loop() {
		st, err := rd.Next()
		if err != nil {
			b.Fatal(err)
		}
		if len(st.Body()) == 0 || st.Child("urn:xmpp:receipts", "request") == nil {
			b.Fatal("wrong stanza")
		}
		st.Release()
	}
}

func BenchmarkReadTokens(b *testing.B) {
	d := xml.NewDecoder(io.MultiReader(strings.NewReader(testHeader), &loop{data: []byte(chatStanza)}))
	skipHeader(b, d)
	b.SetBytes(int64(len(chatStanza)))
	b.ReportAllocs()
	for b.Loop() {
		depth := 0
		for {
			tok, err := d.RawToken()
			if err != nil {
				b.Fatal(err)
			}
			switch tok.(type) {
			case xml.StartElement:
				depth++
			case xml.EndElement:
				depth--
			}
			if depth == 0 {
				break
			}
		}
	}
}

// melliumMessage is a message as mellium's examples decode it.
type melliumMessage struct {
	stanza.Message
	Body    string    `xml:"body"`
	Request *struct{} `xml:"urn:xmpp:receipts request"`
}

func BenchmarkReadMellium(b *testing.B) {
	d := xml.NewDecoder(io.MultiReader(strings.NewReader(testHeader), &loop{data: []byte(chatStanza)}))
	skipHeader(b, d)
	b.SetBytes(int64(len(chatStanza)))
	b.ReportAllocs()
	for b.Loop() {
		var m melliumMessage
		if err := d.Decode(&m); err != nil {
			b.Fatal(err)
		}
		if m.Body == "" || m.Request == nil {
			b.Fatal("wrong stanza")
		}
	}
}

func skipHeader(b *testing.B, d *xml.Decoder) {
	b.Helper()
	for {
		tok, err := d.Token()
		if err != nil {
			b.Fatal(err)
		}
		if _, ok := tok.(xml.StartElement); ok {
			return
		}
	}
}

const (
	benchFrom = "#chan%irc.example@irc.gw.example/nick"
	benchTo   = "alice@example.org/phone"
	benchBody = "Hello, how are you? It & the rest <3"
)

func BenchmarkWrite(b *testing.B) {
	e := Encoder{Domain: "irc.gw.example"}
	b.ReportAllocs()
	for b.Loop() {
		e.Reset()
		e.Start("message", "", "type", "chat", "id", "a1b2c3d4-e5f6", "from", benchFrom, "to", benchTo)
		e.Leaf("body", "", benchBody)
		e.Empty("received", "urn:xmpp:receipts", "id", "a1b2c3d4-e5f6")
		e.End()
		if e.Err() != nil {
			b.Fatal(e.Err())
		}
	}
	b.SetBytes(int64(len(e.Bytes())))
}

func BenchmarkWriteMellium(b *testing.B) {
	var out bytes.Buffer
	w := bufio.NewWriter(&out)
	enc := xml.NewEncoder(w)
	msg := stanza.Message{
		ID: "a1b2c3d4-e5f6", Type: stanza.ChatMessage,
		From: jid.MustParse(benchFrom), To: jid.MustParse(benchTo),
	}
	element := func(local, space string, attr []xml.Attr, inner xml.TokenReader) xml.TokenReader {
		return xmlstream.Wrap(inner, xml.StartElement{Name: xml.Name{Space: space, Local: local}, Attr: attr})
	}
	b.ReportAllocs()
	for b.Loop() {
		out.Reset()
		_, err := xmlstream.Copy(enc, msg.Wrap(xmlstream.MultiReader(
			element("body", "", nil, xmlstream.Token(xml.CharData(benchBody))),
			element("received", "urn:xmpp:receipts", []xml.Attr{{Name: xml.Name{Local: "id"}, Value: msg.ID}}, nil),
		)))
		if err != nil {
			b.Fatal(err)
		}
		if err := enc.Flush(); err != nil {
			b.Fatal(err)
		}
		if err := w.Flush(); err != nil {
			b.Fatal(err)
		}
	}
	b.SetBytes(int64(out.Len()))
}
