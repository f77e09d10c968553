package xmpptest

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"gangway/core/xmpp/addr"
	"gangway/core/xmpp/stream"
)

// View is the server as one test sees it: what is sent to users that no other
// view has, and names captured by this test alone.
type View struct {
	Patience time.Duration // for what is expected; longer where the test's clock is not the real one

	srv *Server
	t   testing.TB
	m   matcher

	received []*stream.Stanza // guarded by the server's mu
	ignored  []*stream.Stanza // guarded by the server's mu
}

func newView(s *Server, t testing.TB) *View {
	return &View{Patience: patience, srv: s, t: t, m: matcher{vars: map[string]string{}}}
}

// Share gives users, by their bare JIDs, to a test of their own until it ends,
// such as a subtest that runs beside others: it sees what is sent to them, and
// whoever else uses the server does not.
func (s *Server) Share(t testing.TB, users ...string) *View {
	v := newView(s, t)
	v.Patience = s.Patience
	give := func(to *View) func() {
		return func() {
			for _, u := range users {
				s.views[u] = to
			}
		}
	}
	s.update(give(v))
	t.Cleanup(func() { s.update(give(&View{srv: s})) }) // what comes later is for nobody
	return v
}

// viewOf returns whose a stanza to this address is. The lock is held.
func (s *Server) viewOf(to string) *View {
	if len(s.views) > 0 {
		if a, err := addr.Parse(to); err == nil {
			if v := s.views[a.Bare()]; v != nil {
				return v
			}
		}
	}
	return s.View
}

// await blocks until ready, called with the lock held, returns true. It returns
// false if that takes too long.
func (v *View) await(ready func() bool) bool {
	deadline := time.NewTimer(v.Patience)
	defer deadline.Stop()
	for {
		v.srv.mu.Lock()
		ok, changed := ready(), v.srv.changed
		v.srv.mu.Unlock()
		if ok {
			return true
		}
		select {
		case <-changed:
		case <-deadline.C:
			return false
		}
	}
}

// Send sends a stanza, with captured $names replaced, to the component it is to.
func (v *View) Send(xml string) {
	v.t.Helper()
	xml = v.m.known(xml)
	st, err := stream.Parse(xml)
	if err != nil {
		v.t.Fatalf("xmpptest: Send: %v: %s", err, xml)
	}
	to, err := addr.Parse(st.To)
	if err != nil {
		v.t.Fatalf("xmpptest: Send: to %q: %v", st.To, err)
	}
	v.srv.raw(v.t, to.Domain(), xml)
}

// Ignore drops what matches the pattern, then and later, before Expect sees it.
func (v *View) Ignore(pattern string) {
	v.t.Helper()
	p := v.pattern(pattern)
	v.srv.update(func() { v.ignored = append(v.ignored, p) })
}

// Var returns what $name captured.
func (v *View) Var(name string) string { return v.m.vars[name] }

// Set makes $name stand for a value, as if it had been captured.
func (v *View) Set(name, value string) { v.m.vars[name] = value }

// Known replaces the $names in a text by what was captured.
func (v *View) Known(text string) string { return v.m.known(text) }

// Unset forgets what $name captured.
func (v *View) Unset(name string) { delete(v.m.vars, name) }

func (v *View) pattern(xml string) *stream.Stanza {
	v.t.Helper()
	p, err := stream.Parse(strings.TrimSpace(xml))
	if err != nil {
		v.t.Fatalf("xmpptest: pattern: %v: %s", err, xml)
	}
	return p
}

// next waits for the next stanza that is not ignored; nil if there is none in time.
func (v *View) next() *stream.Stanza {
	var st *stream.Stanza
	v.await(func() bool {
		for st == nil && len(v.received) > 0 {
			st = v.received[0]
			v.received = v.received[1:]
			for _, p := range v.ignored {
				m := matcher{vars: map[string]string{}}
				if len(m.diff(p.Element, st.Element, "")) == 0 {
					st = nil
					break
				}
			}
		}
		return st != nil
	})
	return st
}

// Next returns the next stanza from any component.
func (v *View) Next() *stream.Stanza {
	v.t.Helper()
	st := v.next()
	if st == nil {
		v.t.Fatal("xmpptest: expected a stanza, received none")
	}
	return st
}

// Expect fails unless the next stanza from any component matches the pattern. It
// returns that stanza.
func (v *View) Expect(pattern string) *stream.Stanza {
	v.t.Helper()
	p := v.pattern(pattern)
	st := v.next()
	if st == nil {
		v.t.Fatalf("xmpptest: received nothing, expected\n%s", pretty(p.Element))
	}
	if d := v.m.try(p.Element, st.Element, ""); len(d) > 0 {
		v.t.Fatalf("xmpptest: expected\n%sreceived\n%sdifferences\n    %s",
			pretty(p.Element), pretty(st.Element), strings.Join(d, "\n    "))
	}
	return st
}

// ExpectAll fails unless the next stanzas match the patterns, in any order.
func (v *View) ExpectAll(patterns ...string) {
	v.t.Helper()
	left := make([]*stream.Stanza, len(patterns))
	for i, xml := range patterns {
		left[i] = v.pattern(xml)
	}
	for len(left) > 0 {
		st := v.next()
		i := 0
		for st != nil && i < len(left) && len(v.m.try(left[i].Element, st.Element, "")) > 0 {
			i++
		}
		if st == nil || i == len(left) {
			v.t.Fatal(explain(left, st))
		}
		left = append(left[:i], left[i+1:]...)
	}
}

func explain(left []*stream.Stanza, st *stream.Stanza) string {
	var b strings.Builder
	b.WriteString("xmpptest: expected one of\n")
	for _, p := range left {
		b.WriteString(pretty(p.Element))
	}
	if st == nil {
		b.WriteString("received nothing")
	} else {
		b.WriteString("received\n" + pretty(st.Element))
	}
	return b.String()
}

// Quiet fails if a component has anything more to say to a user who has sent it
// something: it sends a request as this user, which is answered after all
// before, and expects the answer next.
func (v *View) Quiet(from, to string) {
	v.t.Helper()
	id := fmt.Sprintf("quiet-%d", time.Now().UnixNano())
	v.Send(fmt.Sprintf("<iq type='get' id='%s' from='%s' to='%s'><ping xmlns='urn:xmpp:ping'/></iq>", id, from, to))
	switch st := v.next(); {
	case st == nil:
		v.t.Fatalf("xmpptest: %s does not answer a ping of %s", v.m.known(to), v.m.known(from))
	case st.ID != id:
		v.t.Fatalf("xmpptest: expected nothing, received\n%s", pretty(st.Element))
	}
}
