package wire

import (
	"bytes"
	"go/ast"
	"go/parser"
	"go/token"
	"reflect"
	"strings"
	"testing"
)

// commands are all functions that make a Command.
func commands() map[string]any {
	return map[string]any{
		"CapLS": CapLS, "CapReq": CapReq, "CapEnd": CapEnd, "Authenticate": Authenticate, "Pass": Pass, "Nick": Nick,
		"User": User, "WebIRC": WebIRC, "BouncerBind": BouncerBind, "BouncerListNetworks": BouncerListNetworks,
		"Quit": Quit, "Ping": Ping, "Pong": Pong, "Privmsg": Privmsg, "Notice": Notice, "Tagmsg": Tagmsg, "Redact": Redact,
		"MultilineOpen": MultilineOpen, "MultilineLine": MultilineLine, "BatchClose": BatchClose, "Join": Join,
		"Part": Part, "Topic": Topic, "Kick": Kick, "Invite": Invite, "Mode": Mode, "List": List, "Who": Who, "Whox": Whox,
		"Away": Away, "Setname": Setname, "MonitorAdd": MonitorAdd, "MonitorRemove": MonitorRemove, "IsOn": IsOn,
		"Whois": Whois, "HistoryAfter": HistoryAfter, "HistoryBefore": HistoryBefore, "HistoryLatest": HistoryLatest, "HistoryTargets": HistoryTargets, "MarkRead": MarkRead, "Raw": Raw,
	}
}

// TestCommandsAreAllTried finds a new command that the tests below would not know of.
func TestCommandsAreAllTried(t *testing.T) {
	file, err := parser.ParseFile(token.NewFileSet(), "command.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	known := commands()
	for _, d := range file.Decls {
		f, ok := d.(*ast.FuncDecl)
		if !ok || f.Recv != nil || !f.Name.IsExported() {
			continue
		}
		if known[f.Name.Name] == nil {
			t.Errorf("%s is not among the commands that are tried", f.Name.Name)
		}
		delete(known, f.Name.Name)
	}
	for name := range known {
		t.Errorf("%s is none", name)
	}
}

// calls calls f with evil in one of its fields after the other, and with something harmless in all others.
func calls(f any, evil string, try func(field int, c Command)) {
	v := reflect.ValueOf(f)
	n := v.Type().NumIn()
	for field := range max(n, 1) {
		var args []reflect.Value
		for i := range n {
			text := "x"
			if i == field {
				text = evil
			}
			switch in := v.Type().In(i); {
			case in.Kind() == reflect.String:
				args = append(args, reflect.ValueOf(text))
			case in.Kind() == reflect.Int:
				args = append(args, reflect.ValueOf(7))
			case in.Kind() == reflect.Bool:
				args = append(args, reflect.ValueOf(true))
			case v.Type().IsVariadic() && i == n-1:
				args = append(args, reflect.ValueOf("x"), reflect.ValueOf(text))
			default:
				args = append(args, reflect.ValueOf([]string{"x", text}))
			}
		}
		out := v.Call(args)
		if len(out) > 1 && !out[1].IsNil() {
			continue
		}
		try(field, out[0].Interface().(Command))
	}
}

// TestOneCommandIsOneLine puts line ends, NUL and what parts fields into every field of every command.
func TestOneCommandIsOneLine(t *testing.T) {
	for name, f := range commands() {
		harmless := map[int]int{}
		calls(f, "x", func(field int, c Command) {
			line, err := c.Append(nil, "", MaxBody)
			if err != nil {
				t.Errorf("%s: %v", name, err)
			}
			harmless[field] = words(line)
		})
		for _, evil := range []string{
			"x\r\nQUIT", "x\nQUIT", "x\rQUIT", "x\x00QUIT", "\r\n", "x QUIT y", ":x", " ", "", "x,y", strings.Repeat("é", 600), "@x QUIT",
			"x\u2028QUIT", "\xff\r\n",
		} {
			calls(f, evil, func(field int, c Command) {
				line, err := c.With(Tag{"+x", evil}).Append([]byte("before "), "l1", MaxBody)
				rest, ok := bytes.CutPrefix(line, []byte("before "))
				if !ok {
					t.Fatalf("%s: what was there is gone", name)
				}
				if err != nil {
					if len(rest) > 0 {
						t.Errorf("%s, field %d, %q: refused, and wrote %q", name, field, evil, rest)
					}
					return
				}
				body, ok := bytes.CutSuffix(rest, []byte("\r\n"))
				if !ok || bytes.ContainsAny(body, "\r\n\x00") {
					t.Errorf("%s, field %d, %q: wrote %q", name, field, evil, rest)
				}
				_, body, _ = bytes.Cut(body, []byte(" ")) // the tags
				if len(body)+2 > MaxBody {
					t.Errorf("%s, field %d, %.20q: wrote %d bytes", name, field, evil, len(body)+2)
				}
				if n := words(body); n > harmless[field] && name != "Raw" {
					t.Errorf("%s, field %d, %q: wrote %d fields, not %d: %q", name, field, evil, n, harmless[field], body)
				}
			})
		}
	}
}

// words counts the fields of a line.
func words(line []byte) int {
	head, _, has := bytes.Cut(bytes.TrimRight(line, "\r\n"), []byte(" :"))
	n := len(bytes.FieldsFunc(head, func(r rune) bool { return r == ' ' }))
	if has {
		n++
	}
	return n
}

func TestTagsAreWritten(t *testing.T) {
	for _, c := range []struct {
		tags  []Tag
		label string
		want  string // empty: refused
	}{
		{nil, "", "QUIT"},
		{nil, "1", "@label=1 QUIT"},
		{[]Tag{{"+draft/reply", "a b;c\\d\r\n"}}, "1", `@+draft/reply=a\sb\:c\\d\r\n;label=1 QUIT`},
		{[]Tag{{"+typing", "done"}, {"+x", ""}}, "", "@+typing=done;+x QUIT"},
		{[]Tag{{"+vendor.example/x", "1"}}, "", "@+vendor.example/x=1 QUIT"},
		{[]Tag{{"+x y", "1"}}, "", ""},
		{[]Tag{{"", "1"}}, "", ""},
		{[]Tag{{"+/x", "1"}}, "", ""},
		{[]Tag{{"+x\n", "1"}}, "", ""},
		{[]Tag{{"+x", "\xff"}}, "", ""},
		{[]Tag{{"+x", "\x00"}}, "", ""},
		{[]Tag{{"+x", strings.Repeat("y", maxClientTags)}}, "", ""},
	} {
		got, err := Quit("").With(c.tags...).Append(nil, c.label, MaxBody)
		if (err != nil) != (c.want == "") || strings.TrimSuffix(string(got), "\r\n") != c.want {
			t.Errorf("%q, label %q: %q, %v; want %q", c.tags, c.label, got, err, c.want)
		}
	}
}

func TestRaw(t *testing.T) {
	for line, want := range map[string]string{
		"privmsg NickServ :identify a  b": "PRIVMSG NickServ :identify a  b", "MODE  alice  +x": "MODE alice +x", "JOIN #a :": "JOIN #a :",
		"": "", ":x QUIT": "", "@a QUIT": "", " QUIT": "", "001 x": "", "QUIT\r\nQUIT": "", "a!b c": "",
	} {
		c, err := Raw(line)
		if (err != nil) != (want == "") {
			t.Errorf("Raw(%q): %v", line, err)
		}
		if err != nil {
			continue
		}
		if got, err := c.Append(nil, "", MaxBody); err != nil || string(got) != want+"\r\n" {
			t.Errorf("Raw(%q) writes %q, %v", line, got, err)
		}
	}
}
