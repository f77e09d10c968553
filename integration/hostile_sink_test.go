//go:build integration

package integration

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"gangway/core/xmpp/stream"
	"gangway/integration/world"
)

// silence is how long nothing at all may come before what is waited for is given up.
const silence = 30 * time.Second

// sink is a client that only counts: it reads faster than the servers write, and refuses what is not XML.
type sink struct {
	t    *testing.T
	conn net.Conn

	mu      sync.Mutex
	changed *sync.Cond
	err     error                   // why the stream ended
	arrived map[string]map[int]bool // by row
	answers map[string]string       // types of IQ answers by id
	notes   int                     // words of lines that were left out
	subject map[string]bool         // rooms that have been joined
	ended   chan struct{}
}

// openSink logs in and becomes available, the first to be sent what comes to the bare address.
func openSink(ctx context.Context, t *testing.T, w *world.World, user string) *sink {
	t.Helper()
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", w.XMPP.Addr())
	if err != nil {
		t.Fatal(err)
	}
	s := &sink{t: t, conn: conn, arrived: map[string]map[int]bool{}, answers: map[string]string{}, subject: map[string]bool{}, ended: make(chan struct{})}
	s.changed = sync.NewCond(&s.mu)
	t.Cleanup(func() {
		conn.Close()
		<-s.ended
	})
	rd := s.login(user)
	go s.read(rd)
	s.write("<presence><priority>5</priority></presence>")
	return s
}

func (s *sink) login(user string) *stream.Reader {
	s.t.Helper()
	open := func() *stream.Reader {
		s.write("<?xml version='1.0'?><stream:stream to='" + world.Domain + "' version='1.0' xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>")
		rd := stream.NewReader(s.conn, stream.Limits{})
		if _, err := rd.ReadHeader(); err != nil {
			s.t.Fatal(err)
		}
		s.next(rd, "features")
		return rd
	}
	rd := open()
	plain := base64.StdEncoding.EncodeToString([]byte("\x00" + user + "\x00" + world.Password))
	s.write("<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>" + plain + "</auth>")
	s.next(rd, "success")
	rd = open()
	s.write("<iq type='set' id='bind'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><resource>sink</resource></bind></iq>")
	s.next(rd, "iq")
	return rd
}

func (s *sink) next(rd *stream.Reader, want string) {
	s.t.Helper()
	st, err := rd.Next()
	if err != nil || st.Local() != want {
		s.t.Fatalf("%s did not come: %v, %v", want, st, err)
	}
}

func (s *sink) write(raw string) {
	s.t.Helper()
	_ = s.conn.SetWriteDeadline(time.Now().Add(time.Minute))
	if _, err := s.conn.Write([]byte(raw)); err != nil {
		s.t.Errorf("the sink: %v", err)
	}
}

func (s *sink) read(rd *stream.Reader) {
	defer close(s.ended)
	for {
		st, err := rd.Next()
		s.mu.Lock()
		if err != nil {
			s.err = err
		} else {
			s.take(st)
		}
		s.changed.Broadcast()
		s.mu.Unlock()
		if err != nil {
			return
		}
		st.Release()
	}
}

// take counts a stanza. Payloads begin with "h|row|number|".
func (s *sink) take(st *stream.Stanza) {
	switch st.Local() {
	case "iq":
		s.answers[strings.Clone(st.Attr("id"))] = strings.Clone(st.Attr("type"))
	case "message":
		if el := st.Child("", "subject"); el != nil && st.Attr("type") == "groupchat" {
			room, _, _ := strings.Cut(st.Attr("from"), "/")
			s.subject[strings.Clone(room)] = true
		}
		_, body, ok := strings.Cut(st.ChildText("", "body"), "h|")
		if !ok {
			if strings.Contains(st.ChildText("", "body"), "too long") {
				s.notes++
			}
			return
		}
		part := strings.SplitN(body, "|", 3)
		var n int
		if len(part) < 3 {
			return
		}
		if _, err := fmt.Sscan(part[1], &n); err != nil {
			return
		}
		row := strings.Clone(part[0])
		if s.arrived[row] == nil {
			s.arrived[row] = map[int]bool{}
		}
		s.arrived[row][n] = true
	}
}

// await waits until something holds; it fails when the stream or the test's time ends.
func (s *sink) await(ctx context.Context, what string, ok func() bool) {
	s.t.Helper()
	if err := s.until(ctx, ok); err != nil {
		s.t.Fatalf("%s: %v", what, err)
	}
}

// until waits until something holds, for as long as anything comes at all.
func (s *sink) until(ctx context.Context, ok func() bool) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	silent := time.AfterFunc(silence, func() { cancel(errors.New("nothing more came")) })
	defer silent.Stop()
	stop := context.AfterFunc(ctx, s.changed.Broadcast)
	defer stop()
	s.mu.Lock()
	defer s.mu.Unlock()
	for !ok() {
		if s.err != nil {
			return s.err
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		s.changed.Wait()
		if ctx.Err() == nil {
			silent.Reset(silence)
		}
	}
	return nil
}

// count is how many payloads of a row have arrived. The lock is held.
func (s *sink) count(row string) int { return len(s.arrived[row]) }

// ping asks an address and waits for its answer: all before it on the way has arrived then.
func (s *sink) ping(ctx context.Context, to string) {
	s.t.Helper()
	s.mu.Lock()
	id := fmt.Sprint("ping", len(s.answers))
	s.mu.Unlock()
	s.write("<iq type='get' id='" + id + "' to='" + to + "'><ping xmlns='urn:xmpp:ping'/></iq>")
	s.await(ctx, "a ping of "+to, func() bool { return s.answers[id] != "" })
}
