package media

import (
	"context"
	"io"
	"net"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"gangway/core"
)

// raw is a server that answers with bytes as they are.
func raw(t *testing.T, answer func(c net.Conn)) *site {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	all.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			all.Go(func() {
				defer c.Close()
				_, _ = c.Read(make([]byte, 4096))
				answer(c)
			})
		}
	})
	t.Cleanup(func() {
		l.Close()
		all.Wait()
	})
	s := &site{Server: &httptest.Server{URL: "http://" + l.Addr().String()}, f: newFetcher([]string{l.Addr().String()})}
	return s
}

// untilGone keeps a connection open until the other side has had enough.
func untilGone(c net.Conn) { _, _ = io.Copy(io.Discard, c) }

func TestHostileServers(t *testing.T) {
	for name, c := range map[string]struct {
		answer func(net.Conn)
		want   core.Kind
	}{
		"says nothing":       {untilGone, core.Unavailable},
		"header has no end":  {func(c net.Conn) { forever(c, "HTTP/1.1 200 OK\r\n", "X: "+strings.Repeat("y", 1000)+"\r\n") }, core.Unavailable},
		"no HTTP":            {func(c net.Conn) { _, _ = io.WriteString(c, "SSH-2.0-OpenSSH\r\n") }, core.Unavailable},
		"body has no end":    {func(c net.Conn) { forever(c, "HTTP/1.1 200 OK\r\n\r\n", strings.Repeat("x", 1000)) }, core.TooLarge},
		"chunks have no end": {func(c net.Conn) { forever(c, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", "1\r\nx\r\n") }, core.TooLarge},
		"stops in the body": {func(c net.Conn) {
			_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\nabc")
			untilGone(c)
		}, core.Unavailable},
		"one byte at a time": {func(c net.Conn) {
			_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 9000\r\n\r\n")
			for {
				if _, err := io.WriteString(c, "x"); err != nil {
					return
				}
				time.Sleep(5 * time.Millisecond)
			}
		}, core.Unavailable},
		"promises more": {func(c net.Conn) {
			_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\nabc")
		}, core.Unavailable},
		"promises too much": {func(c net.Conn) {
			_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\nabc")
		}, core.TooLarge},
		"two lengths": {func(c net.Conn) {
			_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 900\r\n\r\nabc")
		}, core.Unavailable},
	} {
		t.Run(name, func(t *testing.T) {
			s := raw(t, c.answer)
			s.f.patience = patience{dial: time.Minute, answer: time.Minute, idle: time.Minute, total: time.Minute}
			switch name {
			case "says nothing":
				s.f.patience.answer = 20 * time.Millisecond
			case "stops in the body":
				s.f.patience.idle = 20 * time.Millisecond
			case "one byte at a time":
				s.f.patience.total = 100 * time.Millisecond
			}
			_, got, err := s.get(t.Context(), core.Attachment{URL: "/"}, 10000)
			if err == nil || core.KindOf(err) != c.want {
				t.Errorf("%d bytes, %v, want %v", len(got), err, c.want)
			}
			if len(s.f.slots) != 0 {
				t.Error("the slot is not given back")
			}
			if err != nil && strings.Contains(err.Error(), "127.0.0.1") {
				t.Errorf("the log would read an address: %v", err)
			}
		})
	}
}

func forever(c net.Conn, first, then string) {
	_, err := io.WriteString(c, first)
	for err == nil {
		_, err = io.WriteString(c, then)
	}
}

// What a server sends beyond the length that it gave is not read.
func TestLyingLength(t *testing.T) {
	s := raw(t, func(c net.Conn) {
		_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabcdefghijkl")
	})
	if _, got, err := s.get(t.Context(), core.Attachment{URL: "/"}, 10); err != nil || string(got) != "abc" {
		t.Errorf("%q, %v", got, err)
	}
}

func TestServerAway(t *testing.T) {
	s := startSite(t, nil)
	s.Close()
	if _, _, err := s.get(t.Context(), core.Attachment{URL: "/"}, 10); core.KindOf(err) != core.Unavailable {
		t.Errorf("%v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, _, err := s.get(ctx, core.Attachment{URL: "/"}, 10); core.KindOf(err) != core.Unavailable {
		t.Errorf("%v", err)
	}
}
