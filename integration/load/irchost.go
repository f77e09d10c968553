package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"gangway/core/xmpp/stream"
)

const (
	nsUser = "http://jabber.org/protocol/muc#user"
	nsPing = "urn:xmpp:ping"

	nsStanzas = "urn:ietf:params:xml:ns:xmpp-stanzas"
)

// ircHost plays the XMPP server of one gateway: it takes the component's connection, one after the other, answers its
// requests and counts what it says. One goroutine reads; anybody writes.
type ircHost struct {
	listener net.Listener
	linked   chan struct{}          // closed when the gateway is connected
	joined   atomic.Int64           // self-presences: users in rooms
	left     atomic.Int64           // self-presences of type unavailable
	bodies   atomic.Int64           // messages of rooms with a body
	refused  atomic.Pointer[string] // the last presence that was an error, in words; nil: there was none

	mu   sync.Mutex // held while writing
	conn net.Conn
	held chan struct{} // closed when connections are let in again; nil: they are
	// heard is called with each message of a room and each error, by the reader; it must not keep the stanza.
	heard atomic.Pointer[func(*stream.Stanza)]
}

func newIRCHost(ctx context.Context) (*ircHost, error) {
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	return &ircHost{listener: l, linked: make(chan struct{})}, nil
}

// run serves connections until ctx ends.
func (h *ircHost) run(ctx context.Context) {
	stop := context.AfterFunc(ctx, func() {
		h.listener.Close()
		h.mu.Lock()
		defer h.mu.Unlock()
		if h.conn != nil {
			h.conn.Close()
		}
	})
	defer stop()
	for {
		conn, err := h.listener.Accept()
		if err != nil {
			return
		}
		h.open(ctx)
		h.serve(conn)
	}
}

// hold cuts the connection, and answers no other before release.
func (h *ircHost) hold() {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.held == nil {
		h.held = make(chan struct{})
	}
	if h.conn != nil {
		h.conn.Close()
	}
}

func (h *ircHost) release() {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.held != nil {
		close(h.held)
		h.held = nil
	}
}

// open waits for release.
func (h *ircHost) open(ctx context.Context) {
	h.mu.Lock()
	held := h.held
	h.mu.Unlock()
	if held == nil {
		return
	}
	select {
	case <-held:
	case <-ctx.Done():
	}
}

func (h *ircHost) serve(conn net.Conn) {
	defer conn.Close()
	rd := stream.NewReader(conn, stream.Limits{})
	if _, err := rd.ReadHeader(); err != nil {
		return
	}
	_, err := io.WriteString(conn, "<?xml version='1.0'?><stream:stream xmlns='jabber:component:accept' "+
		"xmlns:stream='http://etherx.jabber.org/streams' id='load' from='"+ircDomain+"'>")
	if err != nil {
		return
	}
	if _, err := rd.Next(); err != nil {
		return
	}
	h.mu.Lock()
	h.conn = conn
	_, err = io.WriteString(conn, "<handshake/>")
	h.mu.Unlock()
	if err != nil {
		return
	}
	select {
	case <-h.linked:
	default:
		close(h.linked)
	}
	for {
		st, err := rd.Next()
		if _, wrong := errors.AsType[*stream.StanzaError](err); wrong {
			continue
		}
		if err != nil {
			break
		}
		h.on(st)
		st.Release()
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.conn = nil
	_, _ = io.WriteString(conn, stream.CloseTag) // it may be gone
}

// write sends whole stanzas, like a server of which nothing is lost before it reaches the component's socket.
func (h *ircHost) write(stanzas []byte) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.conn == nil {
		return errors.New("the gateway is not connected")
	}
	_ = h.conn.SetWriteDeadline(time.Now().Add(time.Minute))
	_, err := h.conn.Write(stanzas)
	return err
}

func (h *ircHost) on(st *stream.Stanza) {
	switch st.Kind {
	case stream.Message:
		if st.Type == "groupchat" && st.Child("", "body") != nil {
			h.bodies.Add(1)
		}
	case stream.Presence:
		if st.Type == "error" {
			words := st.From + ": " + st.Child("", "error").ChildText(nsStanzas, "text")
			h.refused.Store(&words)
		}
		if self(st) {
			h.self(st)
		}
	case stream.IQ:
		if st.Type == "get" || st.Type == "set" {
			_ = h.write(answer(st)) // a broken connection shows in the reading
			return
		}
	}
	if heard := h.heard.Load(); heard != nil {
		(*heard)(st)
	}
}

func (h *ircHost) self(st *stream.Stanza) {
	switch st.Type {
	case "":
		h.joined.Add(1)
	case "unavailable":
		h.left.Add(1)
	}
}

// self says whether a presence is the recipient's own in a room (status 110).
func self(st *stream.Stanza) bool {
	for status := range st.Child(nsUser, "x").Children() {
		if status.Local() == "status" && status.Attr("code") == "110" {
			return true
		}
	}
	return false
}

// answer is what a server says to a request: yes to a ping, no to everything else.
func answer(st *stream.Stanza) []byte {
	e := &bytes.Buffer{}
	kind, payload := "error", "<error type='cancel'><service-unavailable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error>"
	if st.Child(nsPing, "ping") != nil {
		kind, payload = "result", ""
	}
	fmt.Fprintf(e, "<iq type='%s' id=%s from=%s to=%s>%s</iq>", kind, quoted(st.ID), quoted(st.To), quoted(st.From), payload)
	return e.Bytes()
}

func quoted(s string) string {
	var b bytes.Buffer
	b.WriteByte('\'')
	for _, r := range s {
		switch r {
		case '\'', '<', '&':
			b.WriteString("&#" + strconv.Itoa(int(r)) + ";")
		default:
			b.WriteRune(r)
		}
	}
	b.WriteByte('\'')
	return b.String()
}
