package ircclient

import (
	"bufio"
	"fmt"
	"maps"
	"net"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestParse(t *testing.T) {
	for _, tc := range []struct {
		raw  string
		want Line
	}{
		{"PING :abc", Line{Command: "PING", Params: []string{"abc"}}},
		{":irc.test 001 al :Welcome to it", Line{Source: "irc.test", Command: "001", Params: []string{"al", "Welcome to it"}}},
		{":al!u@h privmsg  #c  ::-) x", Line{Source: "al!u@h", Command: "PRIVMSG", Params: []string{"#c", ":-) x"}}},
		{":al!u@h PART #c", Line{Source: "al!u@h", Command: "PART", Params: []string{"#c"}}},
		{":al TOPIC #c :", Line{Source: "al", Command: "TOPIC", Params: []string{"#c", ""}}},
		{
			`@time=2026-01-01T00:00:00Z;+x=a\sb\:c\\d\e\;empty;=no :al!u@h TAGMSG #c`,
			Line{
				Tags:   map[string]string{"time": "2026-01-01T00:00:00Z", "+x": `a b;c\de`, "empty": ""},
				Source: "al!u@h", Command: "TAGMSG", Params: []string{"#c"},
			},
		},
	} {
		got, err := Parse(tc.raw)
		if err != nil {
			t.Errorf("Parse(%q): %v", tc.raw, err)
			continue
		}
		if got.Raw != tc.raw || !maps.Equal(got.Tags, tc.want.Tags) || got.Source != tc.want.Source ||
			got.Command != tc.want.Command || !slices.Equal(got.Params, tc.want.Params) {
			t.Errorf("Parse(%q) = %+v", tc.raw, got)
		}
	}
	for _, raw := range []string{"", " ", "@a=b", "@a=b ", ":src", ":src ", "@a :b "} {
		if l, err := Parse(raw); err == nil {
			t.Errorf("Parse(%q) = %+v", raw, l)
		}
	}
	l := Line{Source: "al!u@h", Params: []string{"a"}}
	if l.Nick() != "al" || l.Param(1) != "" || l.Last() != "a" || (Line{}).Last() != "" {
		t.Error("accessors")
	}
}

func FuzzParse(f *testing.F) {
	f.Add("@a=b ")
	f.Add(":al!u@h PRIVMSG #c :x")
	f.Fuzz(func(t *testing.T, raw string) {
		l, err := Parse(raw)
		if err == nil && (l.Command == "" || strings.Contains(l.Command, " ")) {
			t.Fatalf("command %q", l.Command)
		}
	})
}

// script plays a server for one connection: it reads up to each expected line and answers it.
func script(t *testing.T, turns ...[2]string) (addr string) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		conn, err := listener.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		_ = conn.SetDeadline(time.Now().Add(20 * time.Second))
		lines := bufio.NewScanner(conn)
		for _, turn := range turns {
			for lines.Scan() && !strings.HasPrefix(lines.Text(), turn[0]) {
				continue
			}
			_, _ = fmt.Fprint(conn, turn[1])
		}
		for lines.Scan() && !strings.HasPrefix(lines.Text(), "QUIT") {
			continue
		}
	}()
	t.Cleanup(func() {
		_ = listener.Close()
		<-done
	})
	return listener.Addr().String()
}

func TestDialTalks(t *testing.T) {
	addr := script(t,
		[2]string{"CAP REQ :echo-message", ""},
		[2]string{"USER al 0 * :al", "\r\nPING :x1\r\n:s CAP * ACK :echo-message\r\n"},
		[2]string{"PONG :x1", ""},
		[2]string{"CAP END", ":s 001 al2 :Welcome\r\n:bob!b@h PRIVMSG al2 :early\r\n"},
		[2]string{"JOIN #c", ":al2!u@h JOIN #c\r\n:s 366 al2 #c :End\r\n"},
		[2]string{"JOIN #no", ":s 474 al2 #no :Cannot join\r\n"},
		[2]string{"PRIVMSG #c :hi", ":al2!u@h NICK :al3\r\n"},
	)
	c, err := Dial(t.Context(), addr, Config{Nick: "al", Caps: []string{"echo-message"}})
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Join(t.Context(), "#c"); err != nil {
		t.Fatal(err)
	}
	if err := c.Join(t.Context(), "#no"); err == nil || !strings.Contains(err.Error(), "474") {
		t.Fatalf("err = %v", err)
	}
	if err := c.Privmsg("#c", "hi"); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Wait(t.Context(), Command("NICK")); err != nil || c.Nick() != "al3" {
		t.Fatalf("nick = %s, %v", c.Nick(), err)
	}
	if _, err := c.Wait(t.Context(), Said("bob", "al2", "early")); err != nil {
		t.Fatal(err)
	}
	if err := c.Send("PRIVMSG #c :a\r\nQUIT"); err == nil {
		t.Fatal("a line with CR LF is sent")
	}
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestDialRefused(t *testing.T) {
	for name, tc := range map[string]struct{ answer, want string }{
		"nick":   {":s 433 * al :In use\r\n", "433"},
		"banned": {"ERROR :banned\r\n", "ERROR :banned"},
		"cap":    {":s CAP * NAK :sasl\r\n", "NAK"},
	} {
		t.Run(name, func(t *testing.T) {
			addr := script(t, [2]string{"USER", tc.answer})
			conf := Config{Nick: "al"}
			if name == "cap" {
				conf.Caps = []string{"sasl"}
			}
			if _, err := Dial(t.Context(), addr, conf); err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Fatalf("err = %v", err)
			}
		})
	}
}
