package ident

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/netip"
	"regexp"
	"strings"
	"sync"
	"testing"
)

// serve runs a Server until the test ends.
func serve(t *testing.T) (*Server, string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := New()
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	wg.Go(func() {
		if err := s.Run(ctx, l); err != nil {
			t.Errorf("Run: %v", err)
		}
	})
	t.Cleanup(func() {
		cancel()
		wg.Wait()
	})
	return s, l.Addr().String()
}

// connection is one of ours, to a network that is here.
func connection(t *testing.T) (conn net.Conn, ours, theirs int) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	if conn, err = net.Dial("tcp", l.Addr().String()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return conn, conn.LocalAddr().(*net.TCPAddr).Port, conn.RemoteAddr().(*net.TCPAddr).Port
}

func ask(t *testing.T, addr string, queries ...string) []string {
	t.Helper()
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	in := bufio.NewReader(conn)
	var answers []string
	for _, q := range queries {
		if _, err := io.WriteString(conn, q); err != nil {
			t.Fatal(err)
		}
		line, err := in.ReadString('\n')
		if err != nil {
			t.Fatalf("%q: %v", q, err)
		}
		answers = append(answers, line)
	}
	return answers
}

func TestAnswers(t *testing.T) {
	s, addr := serve(t)
	conn, ours, theirs := connection(t)
	remove := s.Add(conn, "aword")
	got := ask(t, addr, fmt.Sprintf("%d, %d\r\n", ours, theirs), fmt.Sprintf(" %d ,%d \n", ours, theirs), fmt.Sprintf("%d, %d\r\n", theirs, ours),
		"0, 1\r\n", "1, 65536\r\n", "one, two\r\n", "\r\n")
	ports, other := fmt.Sprintf("%d, %d", ours, theirs), fmt.Sprintf("%d, %d", theirs, ours)
	want := []string{
		ports + " : USERID : UNIX : aword\r\n", ports + " : USERID : UNIX : aword\r\n", other + " : ERROR : NO-USER\r\n",
		"0, 0 : ERROR : INVALID-PORT\r\n", "0, 0 : ERROR : INVALID-PORT\r\n", "0, 0 : ERROR : INVALID-PORT\r\n", "0, 0 : ERROR : INVALID-PORT\r\n",
	}
	if strings.Join(got, "") != strings.Join(want, "") {
		t.Errorf("got %q\nwant %q", got, want)
	}
	remove()
	remove()
	if got := ask(t, addr, fmt.Sprintf("%d, %d\r\n", ours, theirs)); !strings.Contains(got[0], "NO-USER") {
		t.Errorf("after the end %q", got)
	}
}

// TestAskedEarly has a network ask before the connection is known.
func TestAskedEarly(t *testing.T) {
	s, addr := serve(t)
	conn, ours, theirs := connection(t)
	done := s.Dialing()
	answer := make(chan []string)
	go func() { answer <- ask(t, addr, fmt.Sprintf("%d, %d\r\n", ours, theirs)) }()
	defer s.Add(conn, "early")()
	done()
	if got := <-answer; !strings.HasSuffix(got[0], "early\r\n") {
		t.Errorf("%q", got)
	}
	done = s.Dialing() // one that comes to nothing
	go func() { answer <- ask(t, addr, "1, 2\r\n") }()
	done()
	if got := <-answer; !strings.Contains(got[0], "NO-USER") {
		t.Errorf("%q", got)
	}
}

func TestEndlessLinesAreCutOff(t *testing.T) {
	_, addr := serve(t)
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_, _ = io.WriteString(conn, strings.Repeat("1", maxQueries*maxLine)) // it may be cut off before
	if got, _ := io.ReadAll(conn); len(got) > 0 {
		t.Errorf("answered %q", got)
	}
}

func TestWord(t *testing.T) {
	seen := map[string]bool{}
	for i := range 1000 {
		w := Word([]byte("key"), fmt.Sprintf("user%d@example.org", i))
		if !regexp.MustCompile(`^[a-z][a-z2-7]{9}$`).MatchString(w) || seen[w] {
			t.Fatalf("word %q", w)
		}
		seen[w] = true
	}
	one, again, other := Word([]byte("key"), "a"), Word([]byte("key"), "a"), Word([]byte("other"), "a")
	if one != again || one == other {
		t.Error("a word follows from the key and the user, and from nothing else")
	}
}

func FuzzAnswer(f *testing.F) {
	f.Add("6193, 23\r\n")
	f.Add("0, 0")
	f.Add(",,\x00")
	f.Fuzz(func(t *testing.T, query string) {
		got := New().answer(t.Context(), query, netip.MustParseAddr("127.0.0.1"), netip.MustParseAddr("::1"))
		if !regexp.MustCompile(`^\d{1,5}, \d{1,5} : ERROR : (NO-USER|INVALID-PORT)\r\n$`).MatchString(got) {
			t.Errorf("%q answered %q", query, got)
		}
	})
}
