package form

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"gangway/core/xmpp/stream"
)

func encode(t *testing.T, f Form) string {
	t.Helper()
	var enc stream.Encoder
	enc.Start("iq", "", "from", "gw", "to", "a@b")
	f.Write(&enc)
	enc.End()
	if err := enc.Err(); err != nil {
		t.Fatal(err)
	}
	return string(enc.Bytes())
}

func TestWrite(t *testing.T) {
	got := encode(t, Form{
		Type: "form", FormType: "jabber:iq:register", Title: "E-mail", Instructions: "One.\n\n  Two & <three>.\n",
		Fields: []Field{
			{Var: "alias", Type: "text-single", Label: "Name", Values: []string{"a'b"}, Required: true},
			{Var: "how", Type: "list-single", Options: []Option{{Value: "tls", Label: "TLS"}, {Value: "none"}}},
			{Type: "fixed", Values: []string{"x", "y"}},
		},
	})
	want := `<iq from='gw' to='a@b'><x xmlns='jabber:x:data' type='form'><title>E-mail</title>` +
		`<instructions>One.</instructions><instructions>Two &amp; &lt;three&gt;.</instructions>` +
		`<field var='FORM_TYPE' type='hidden'><value>jabber:iq:register</value></field>` +
		`<field var='alias' type='text-single' label='Name'><required/><value>a&apos;b</value></field>` +
		`<field var='how' type='list-single'><option label='TLS'><value>tls</value></option><option><value>none</value></option></field>` +
		`<field type='fixed'><value>x</value><value>y</value></field></x></iq>`
	if strings.NewReplacer("&apos;", "'", "&#39;", "'").Replace(got) != strings.ReplaceAll(want, "&apos;", "'") {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func parse(t testing.TB, inside, typ string) (Submission, error) {
	t.Helper()
	st, err := stream.Parse(`<iq from='a@b' to='gw'><x xmlns='jabber:x:data' type='` + typ + `'>` + inside + `</x></iq>`)
	if err != nil {
		t.Fatal(err)
	}
	return Parse(Find(st.Element))
}

func TestParse(t *testing.T) {
	s, err := parse(t, `<title>x</title><field var='FORM_TYPE'><value>jabber:iq:register</value></field>
		<field var='a'><value>1</value></field><field var='b' type='jid-multi'><value>x</value><value>y</value></field>
		<field var='c'/><field><value>fixed</value></field><field><value>another</value></field>
		<field xmlns='else' var='a'><value>z</value></field>`, "submit")
	if err != nil {
		t.Fatal(err)
	}
	if s.Type() != "jabber:iq:register" || s.Get("a") != "1" || strings.Join(s.Values("b"), "") != "xy" || s.Get("b") != "x" {
		t.Errorf("got %v", s)
	}
	if !s.Has("c") || s.Get("c") != "" || s.Has("d") || s.Get("d") != "" {
		t.Errorf("empty and missing fields: %v", s)
	}
	if s, err := parse(t, `<field var='a'><value>1</value></field>`, "cancel"); err != nil || !s.Canceled || s.Has("a") {
		t.Errorf("cancel: %v, %v", s, err)
	}
}

func TestParseRefuses(t *testing.T) {
	var fields, values strings.Builder
	for i := range MaxFields + 1 {
		fmt.Fprintf(&fields, "<field var='f%d'/>", i)
	}
	for range MaxValues + 1 {
		values.WriteString("<value>x</value>")
	}
	for _, c := range []struct {
		name, typ, inside string
		want              error
	}{
		{"a form", "form", "", ErrType},
		{"a result", "result", "", ErrType},
		{"no type", "", "", ErrType},
		{"a field twice", "submit", "<field var='a'/><field var='a'><value>1</value></field>", ErrDuplicate},
		{"many fields", "submit", fields.String(), ErrLimit},
		{"many values", "submit", "<field var='a'>" + values.String() + "</field>", ErrLimit},
		{"a long value", "submit", "<field var='a'><value>" + strings.Repeat("x", MaxBytes) + "</value></field>", ErrLimit},
		{"a long name", "submit", "<field var='" + strings.Repeat("x", MaxBytes+1) + "'/>", ErrLimit},
	} {
		if _, err := parse(t, c.inside, c.typ); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", c.name, err, c.want)
		}
	}
}

// Whatever comes is within the bounds, or refused.
func FuzzParse(f *testing.F) {
	for _, s := range []string{
		`<field var='a'><value>1</value></field>`, `<field var='a'/><field var='a'/>`, `<reported/><item/>`,
		`<field><value>x</value></field>`, `<field var='FORM_TYPE' type='hidden'><value>x</value></field>`, `text`,
	} {
		f.Add(s, "submit")
	}
	f.Add("", "cancel")
	f.Fuzz(func(t *testing.T, inside, typ string) {
		st, err := stream.Parse(`<iq from='a@b' to='gw'><x xmlns='jabber:x:data' type='` + typ + `'>` + inside + `</x></iq>`)
		if err != nil {
			return
		}
		s, err := Parse(Find(st.Element))
		if err != nil {
			return
		}
		bytes := 0
		for name, values := range s.values {
			bytes += len(name)
			for _, v := range values {
				bytes += len(v)
			}
			if name == "" || len(values) > MaxValues || s.Get(name) != strings.Join(values[:min(1, len(values))], "") {
				t.Errorf("field %q: %d values", name, len(values))
			}
		}
		if len(s.values) > MaxFields || bytes > MaxBytes {
			t.Errorf("%d fields, %d bytes", len(s.values), bytes)
		}
	})
}
