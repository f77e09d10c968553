package xmpp_test

import (
	"errors"
	"testing"

	"gangway/core/xmpp"
	"gangway/core/xmpp/stream"
)

// Whoever writes hears when it is not taken: because the link is down, or because
// of what was written.
func TestRefusedIsTold(t *testing.T) {
	l, err := xmpp.New(xmpp.Config{Server: "127.0.0.1:1", Domain: domain, Secret: "s", MaxHeld: 100, Router: echoRouter()})
	if err != nil {
		t.Fatal(err)
	}
	write := func(to string) (refused int, err error) {
		err = l.Write(func(e *stream.Encoder) {
			e.OnRefuse(func() { refused++ })
			e.Empty("presence", "", "from", domain, "to", to)
		})
		return refused, err
	}
	if n, err := write("a@b"); err != nil || n != 0 {
		t.Errorf("held for the next connection: %v, refused %d times", err, n)
	}
	if n, err := write("a@b"); err != nil || n != 0 {
		t.Errorf("the hook of one is called for another: %v, refused %d times", err, n)
	}
	if n, err := write("a@b"); !errors.Is(err, xmpp.ErrDown) || n != 1 {
		t.Errorf("too much: %v, refused %d times", err, n)
	}
	if n, err := write(""); !errors.Is(err, stream.ErrAddress) || n != 1 {
		t.Errorf("to nobody: %v, refused %d times", err, n)
	}
}
