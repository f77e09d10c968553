package client

import (
	"errors"
	"io"
	"strings"
	"testing"
)

const opening = "<?xml version='1.0'?><stream:stream xmlns='jabber:client' xmlns:stream='" + nsStream + "' id='1' version='1.0'>"

func readOne(t *testing.T, xml string) (*Stanza, error) {
	t.Helper()
	r := newReader(strings.NewReader(opening + xml))
	if err := r.header(); err != nil {
		t.Fatal(err)
	}
	return r.next()
}

func TestStanza(t *testing.T) {
	raw := `<message from='Alice@example.test/phone' to="bob@example.test" id='a&amp;1' type='chat'>` +
		`<body>1 &lt; 2 &amp; “ok”</body><thread>th</thread><request xmlns='urn:xmpp:receipts'/>` +
		`<x:other xmlns:x='urn:other' x:a='1' b='2'>one<x:in/>two</x:other></message>`
	s, err := readOne(t, "\n "+raw+"<presence/>")
	if err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct{ name, got, want string }{
		{"kind", s.Kind(), "message"},
		{"from", s.From(), "Alice@example.test/phone"},
		{"bare", Bare(s.From()), "Alice@example.test"},
		{"id", s.ID(), "a&1"},
		{"type", s.Type(), "chat"},
		{"body", s.Body(), "1 < 2 & “ok”"},
		{"thread", s.Thread(), "th"},
		{"subject", s.Subject(), ""},
		{"raw", s.Raw, raw},
		{"child's own attribute", s.Child("urn:other", "other").Attr("b"), "2"},
		{"attribute with a namespace", s.Child("urn:other", "other").Attr("a"), ""},
		{"mixed text", s.Child("urn:other", "other").Content(), "onetwo"},
		{"child of nothing", s.Child("no", "such").Child("", "thing").Content(), ""},
	} {
		if tc.got != tc.want {
			t.Errorf("%s: %q, want %q", tc.name, tc.got, tc.want)
		}
	}
	if s.Child(NSReceipts, "request") == nil || s.Child(NSClient, "request") != nil {
		t.Error("namespaces are not told apart")
	}
	if s.Err() != nil {
		t.Errorf("Err = %v", s.Err())
	}
}

func TestStanzasFollowEachOther(t *testing.T) {
	r := newReader(strings.NewReader(opening + "<presence from='a'/> <presence from='b'></presence>\n<iq id='c'/></stream:stream>"))
	if err := r.header(); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"<presence from='a'/>", "<presence from='b'></presence>", "<iq id='c'/>"} {
		s, err := r.next()
		if err != nil || s.Raw != want {
			t.Fatalf("next = %v, %v; want %s", s, err, want)
		}
	}
	if _, err := r.next(); !errors.Is(err, io.EOF) {
		t.Fatalf("after the end: %v", err)
	}
}

func TestStanzaErrors(t *testing.T) {
	s, err := readOne(t, `<message type='error' id='m1' from='email.example.test'><error type='cancel'>`+
		`<item-not-found xmlns='`+NSStanzas+`'/><text xmlns='`+NSStanzas+`'>No such mailbox.</text></error></message>`)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Err(); !IsCondition(err, "item-not-found") || err.Error() != "email.example.test answers cancel/item-not-found: No such mailbox." {
		t.Fatalf("Err = %v", err)
	}
	if !ErrorOf("m1")(s) || MessageFrom("email.example.test", "")(s) {
		t.Fatal("the matchers take an error for a message")
	}
	s, err = readOne(t, "<iq type='error' id='1'/>")
	if err != nil || s.Err() == nil || IsCondition(s.Err(), "item-not-found") {
		t.Fatalf("an error that says nothing: %v, %v", s.Err(), err)
	}
}

func TestStatus(t *testing.T) {
	s, err := readOne(t, `<presence from='r@x/n'><x xmlns='`+NSMUCUser+`'><item/><status code='100'/><status code='110'/></x></presence>`)
	if err != nil {
		t.Fatal(err)
	}
	if !s.HasStatus("110") || !s.HasStatus("100") || s.HasStatus("11") {
		t.Fatal("status codes are misread")
	}
}

func TestBadStreams(t *testing.T) {
	for name, tc := range map[string]struct{ xml, want string }{
		"cut":          {"<message><body>half", "unexpected EOF"},
		"broken":       {"<message></iq>", "closed by"},
		"comment":      {"<message><!-- x --></message>", "have no place"},
		"deep":         {strings.Repeat("<a>", maxDepth+1), "too deeply"},
		"conflict":     {"<stream:error><conflict xmlns='urn:ietf:params:xml:ns:xmpp-streams'/><text>Replaced</text></stream:error>", "stream error conflict: Replaced"},
		"endless":      {"<message><body>" + strings.Repeat("x", maxStanza), "too long"},
		"entity":       {"<message>&nbsp;</message>", "entity"},
		"doctype":      {"<message><!DOCTYPE x></message>", "have no place"},
		"text between": {"lost<message/>", "text between stanzas"},
		"half open":    {"", "EOF"},
	} {
		t.Run(name, func(t *testing.T) {
			s, err := readOne(t, tc.xml)
			if err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Fatalf("next = %v, %v; want an error with %q", s, err, tc.want)
			}
		})
	}
	if err := newReader(strings.NewReader("<html/>")).header(); err == nil {
		t.Error("any root is taken for a stream")
	}
}

func TestMessageXML(t *testing.T) {
	m := Message{
		To: "bob\\40mail.test@email.example.test", ID: "i'1", Body: "a<b", Subject: "S&T", Thread: "t", Receipt: true,
		ReplyTo: "x@y", ReplyID: "r", Replaces: "old", Extra: "<z xmlns='urn:z'/>",
	}
	s, err := readOne(t, m.xml())
	if err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct{ name, got, want string }{
		{"to", s.To(), m.To},
		{"id", s.ID(), m.ID},
		{"type", s.Type(), "chat"},
		{"body", s.Body(), m.Body},
		{"subject", s.Subject(), m.Subject},
		{"thread", s.Thread(), m.Thread},
		{"origin-id", s.Child(NSOriginID, "origin-id").Attr("id"), m.ID},
		{"reply", s.Child(NSReply, "reply").Attr("id"), "r"},
		{"reply to", s.Child(NSReply, "reply").Attr("to"), "x@y"},
		{"replace", s.Child(NSCorrect, "replace").Attr("id"), "old"},
	} {
		if tc.got != tc.want {
			t.Errorf("%s: %q, want %q", tc.name, tc.got, tc.want)
		}
	}
	if s.Child(NSReceipts, "request") == nil || s.Child("urn:z", "z") == nil {
		t.Error("request or extra is missing")
	}
}

func FuzzReader(f *testing.F) {
	f.Add("<message><body>hi</body></message></stream:stream>")
	f.Add("<presence a='&#x41;'/><iq")
	f.Add("<a:b xmlns:a='x' a:c='d'><![CDATA[<]]></a:b>")
	f.Fuzz(func(t *testing.T, xml string) {
		r := newReader(strings.NewReader(opening + xml))
		if err := r.header(); err != nil {
			return // the header itself is cut by what follows
		}
		for {
			s, err := r.next()
			if err != nil {
				return
			}
			if !strings.HasPrefix(s.Raw, "<") || !strings.HasSuffix(s.Raw, ">") {
				t.Fatalf("raw stanza %q", s.Raw)
			}
			_ = s.Err()
		}
	})
}

func TestShown(t *testing.T) {
	for _, c := range []struct{ name, xml, want string }{
		{"plain", `<body>hi</body>`, "hi"},
		{"reply", `<body>&gt; été 🙂&#10;yes</body><fallback xmlns='urn:xmpp:fallback:0' for='urn:xmpp:reply:0'><body start='0' end='8'/></fallback>`, "yes"},
		{"of something else", `<body>abc</body><fallback xmlns='urn:xmpp:fallback:0' for='urn:xmpp:reactions:0'><body start='0' end='3'/></fallback>`, "abc"},
		{"too long", `<body>abc</body><fallback xmlns='urn:xmpp:fallback:0' for='urn:xmpp:reply:0'><body start='0' end='4'/></fallback>`, "abc"},
	} {
		s, err := readOne(t, `<message>`+c.xml+`</message>`)
		if err != nil {
			t.Fatal(err)
		}
		if got := s.Shown(); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}
