package stream

import (
	"encoding/xml"
	"errors"
	"strings"
	"testing"
)

func encode(fn func(*Encoder)) (string, error) {
	var e Encoder
	fn(&e)
	return string(e.Bytes()), e.Err()
}

func TestEncoder(t *testing.T) {
	for name, c := range map[string]struct {
		fn   func(*Encoder)
		want string
	}{
		"message": {func(e *Encoder) {
			e.Start("message", "", "type", "chat", "id", "", "to", "a@b")
			e.Leaf("body", "", "1 < 2 & 3 > 2")
			e.Empty("request", "urn:xmpp:receipts")
			e.End()
		}, `<message type='chat' to='a@b'><body>1 &lt; 2 &amp; 3 &gt; 2</body><request xmlns='urn:xmpp:receipts'/></message>`},
		"inherited namespace": {func(e *Encoder) {
			e.Start("iq", "")
			e.Start("query", "urn:q")
			e.Empty("item", "")
			e.Empty("item", "urn:q")
			e.Empty("other", "urn:o")
			e.End()
			e.End()
		}, `<iq><query xmlns='urn:q'><item/><item/><other xmlns='urn:o'/></query></iq>`},
		"forwarded": {func(e *Encoder) {
			e.Start("message", NSComponent)
			e.Start("forwarded", "urn:xmpp:forward:0")
			e.Start("message", NSClient)
			e.Leaf("body", "", "x")
			e.End()
			e.End()
			e.End()
		}, `<message><forwarded xmlns='urn:xmpp:forward:0'><message xmlns='jabber:client'><body>x</body></message></forwarded></message>`},
		"attributes": {func(e *Encoder) {
			e.Start("message", "", "xml:lang", "en", "id", "a'b\"c<\n\t\r&")
			e.Attr("empty", "")
			e.End()
		}, `<message xml:lang='en' id='a&apos;b"c&lt;&#xA;&#x9;&#xD;&amp;' empty=''/>`},
		"two stanzas": {func(e *Encoder) { e.Empty("a", ""); e.Empty("b", "") }, `<a/><b/>`},
		"illegal characters": {func(e *Encoder) {
			e.Leaf("body", "", "\x00\x02\x1f\ufffe\uffff\xff\xed\xa0\x80ok\u0085\r\n\t")
		}, "<body>\ufffd\ufffd\ufffd\ufffd\ufffd\ufffd\ufffd\ufffd\ufffdok\u0085&#xD;\n\t</body>"},
	} {
		if got, err := encode(c.fn); err != nil || got != c.want {
			t.Errorf("%s: %v\ngot  %s\nwant %s", name, err, got, c.want)
		}
	}
}

func TestEncoderRefuses(t *testing.T) {
	boom := errors.New("boom")
	for name, c := range map[string]struct {
		fn   func(*Encoder)
		want error
	}{
		"unfinished":       {func(e *Encoder) { e.Start("a", "") }, ErrUnbalanced},
		"end too many":     {func(e *Encoder) { e.Empty("a", ""); e.End() }, ErrUnbalanced},
		"text outside":     {func(e *Encoder) { e.Text("x") }, ErrUnbalanced},
		"late attribute":   {func(e *Encoder) { e.Start("a", ""); e.Text("x"); e.Attr("b", "c") }, ErrUnbalanced},
		"element name":     {func(e *Encoder) { e.Empty("a b", "") }, ErrName},
		"empty name":       {func(e *Encoder) { e.Empty("", "") }, ErrName},
		"prefixed name":    {func(e *Encoder) { e.Empty("x:a", "") }, ErrName},
		"attribute name":   {func(e *Encoder) { e.Empty("a", "", "b='c' d", "x") }, ErrName},
		"attribute twice":  {func(e *Encoder) { e.Empty("a", "", "b", "x", "b", "y") }, ErrName},
		"odd attributes":   {func(e *Encoder) { e.Empty("a", "", "b") }, ErrName},
		"xmlns":            {func(e *Encoder) { e.Empty("a", "", "xmlns", "x") }, ErrName},
		"xmlns prefix":     {func(e *Encoder) { e.Empty("a", "", "xmlns:b", "x") }, ErrName},
		"too large":        {func(e *Encoder) { e.Leaf("a", "", strings.Repeat("&", 100_001)) }, ErrTooLarge},
		"large attributes": {func(e *Encoder) { e.Empty("a", "", "b", strings.Repeat("x", DefaultMaxStanza)) }, ErrTooLarge},
		"failed":           {func(e *Encoder) { e.Start("a", ""); e.Fail(boom); e.End() }, boom},
	} {
		got, err := encode(func(e *Encoder) {
			e.Empty("before", "")
			c.fn(e)
			e.Empty("later", "")
		})
		if !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
		if got = strings.TrimSuffix(got, "<a/>"); got != "<before/>" { // one case finishes its a
			t.Errorf("%s: left %q", name, got)
		}
	}
}

func TestEncoderDomain(t *testing.T) {
	for from, want := range map[string]string{
		"gw.example":         "gw.example",
		"a@gw.example/r@x/y": "a@gw.example/r@x/y",
		"a@GW.Example/R":     "a@gw.example/R", // as the server was told
		"":                   "",
		"@gw.example":        "",
		"other.example":      "",
		"gw.example@other":   "",
		"a@other/gw.example": "",
		"xgw.example":        "",
		"gw.example.":        "",
	} {
		e := Encoder{Domain: "gw.example"}
		e.Start("message", "", "from", from, "to", "x@y")
		e.Empty("message", "", "from", "inner@elsewhere")
		e.End()
		if want == "" {
			if !errors.Is(e.Err(), ErrAddress) || len(e.Bytes()) != 0 {
				t.Errorf("from %q: %v, %s", from, e.Err(), e.Bytes())
			}
			continue
		}
		if !strings.Contains(string(e.Bytes()), "<message from='"+want+"' to='x@y'>") {
			t.Errorf("from %q: %v, %s", from, e.Err(), e.Bytes())
		}
	}
	e := Encoder{Domain: "gw.example"}
	e.Empty("message", "", "from", "gw.example")
	if !errors.Is(e.Err(), ErrAddress) {
		t.Errorf("a stanza to nobody: %v", e.Err())
	}
}

func TestTreeWrittenBack(t *testing.T) {
	for _, doc := range goodStanzas() {
		st := mustParse(t, doc)
		again := mustParse(t, st.String())
		var a, b strings.Builder
		outline(&a, st.Element)
		outline(&b, again.Element)
		// At the top, jabber:client and the stream's namespace are the same.
		fold := strings.NewReplacer(NSComponent, NSClient)
		if fold.Replace(a.String()) != fold.Replace(b.String()) {
			t.Errorf("%s\nbecame %s", doc, st)
		}
	}
}

func TestTreeForwarded(t *testing.T) {
	st := mustParse(t, `<message id='1'><body>x</body></message>`)
	got, err := encode(func(e *Encoder) {
		e.Start("message", "")
		e.Start("forwarded", "urn:f")
		e.Element(st.Element)
		e.End()
		e.End()
	})
	want := `<message><forwarded xmlns='urn:f'><message xmlns='jabber:client' id='1'><body>x</body></message></forwarded></message>`
	if err != nil || got != want {
		t.Errorf("%v\ngot  %s\nwant %s", err, got, want)
	}
}

type payload struct {
	XMLName xml.Name `xml:"urn:p p"`
	Items   []struct {
		Name string `xml:"name,attr"`
		Text string `xml:",chardata"`
	} `xml:"item"`
}

func TestValue(t *testing.T) {
	const doc = `<iq><p xmlns='urn:p'><item name='a'>1 &lt; 2</item><item name='b'/></p></iq>`
	var p payload
	if err := mustParse(t, doc).Child("urn:p", "p").Unmarshal(&p); err != nil || len(p.Items) != 2 || p.Items[0].Text != "1 < 2" {
		t.Fatalf("%+v, %v", p, err)
	}
	got, err := encode(func(e *Encoder) {
		e.Start("iq", "")
		if err := e.Value(p); err != nil {
			t.Error(err)
		}
		e.End()
	})
	if err != nil || got != doc {
		t.Errorf("%v\ngot  %s\nwant %s", err, got, doc)
	}
	var none *Element
	if none.Unmarshal(&p) == nil {
		t.Error("decoded nothing")
	}
}

// FuzzEncoder writes hostile values, and whatever calls the fuzzer comes up
// with, and reads the result back with both parsers.
func FuzzEncoder(f *testing.F) {
	f.Add("id", "a@b", "text", "xml:lang", "urn:x", []byte{0, 1, 2, 3, 4, 5})
	f.Add("\x00", "\xff\xed\xa0\x80", "]]>\r\n\x02", "x='", "&<>'\"", []byte{3, 3, 3, 0, 1, 1, 1, 1})
	f.Fuzz(func(t *testing.T, id, to, text, name, space string, calls []byte) {
		var e Encoder
		e.Start("message", "", "id", id, "to", to)
		e.Leaf("body", "", text)
		e.End()
		if e.Err() != nil {
			if len(e.Bytes()) == 0 && errors.Is(e.Err(), ErrTooLarge) {
				return
			}
			t.Fatal(e.Err())
		}
		checkMessage(t, mustParse(t, string(e.Bytes())), id, to, text)
		for _, c := range calls {
			switch c % 6 {
			case 0:
				e.Start("x", space, "a", id)
			case 1:
				e.End()
			case 2:
				e.Text(text)
			case 3:
				e.Attr(name, to)
			case 4:
				e.Empty(name, space)
			case 5:
				e.Leaf("y", "", to, "xml:lang", id)
			}
		}
		if !compare(t, string(e.Bytes())) {
			t.Fatalf("wrote what cannot be read: %q", e.Bytes())
		}
	})
}

// clean is what may become of a value on the way.
func clean(s string) string {
	return strings.Map(func(r rune) rune {
		if !isChar(r) {
			return '\ufffd'
		}
		return r
	}, strings.Join(splitInvalid(s), "\ufffd"))
}

// splitInvalid cuts at each byte that is not UTF-8.
func splitInvalid(s string) []string {
	var parts []string
	from := 0
	for i, r := range s {
		if r == '\ufffd' && !strings.HasPrefix(s[i:], "\ufffd") {
			parts = append(parts, s[from:i])
			from = i + 1
		}
	}
	return append(parts, s[from:])
}

func checkMessage(t *testing.T, st *Stanza, id, to, text string) {
	t.Helper()
	if st.ID != clean(id) || st.To != clean(to) || st.Body() != clean(text) {
		t.Fatalf("wrote %q %q %q\nread  %q %q %q", id, to, text, st.ID, st.To, st.Body())
	}
}

func TestEncoderDoesNotAllocate(t *testing.T) {
	var e Encoder
	id, to, body := "a1", "alice@example.org", "Hello & goodbye"
	n := testing.AllocsPerRun(1000, func() {
		e.Reset()
		e.Start("message", "", "type", "chat", "id", id, "from", "gw", "to", to)
		e.Leaf("body", "", body)
		e.Empty("received", "urn:xmpp:receipts", "id", id)
		e.End()
		if e.Err() != nil {
			t.Fatal(e.Err())
		}
	})
	if n != 0 {
		t.Errorf("%v allocations", n)
	}
}
