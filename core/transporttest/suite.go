// Package transporttest holds the conformance suite that every transport passes, and the in-memory Host that a
// transport's own tests use.
//
// A transport's test says how to start the other side of its network and calls Run:
//
//	func TestConformance(t *testing.T) { transporttest.Run(t, startFixture) }
package transporttest

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"gangway/core"
)

// Fixture is a transport to test and the other side of its network.
type Fixture struct {
	Driver   core.Driver
	Settings core.Decoder
	Account  core.Account // ID, User, Network, Own and whatever else the transport needs
	Peer     core.Address // a correspondent that Far plays
	Far      Far
	Forms    []Form   // what people write, and what it means
	Bad      []string // what nobody could mean
}

// Form is an accepted way to write an address.
type Form struct {
	Text string
	Want core.Target
}

// Far is the other side of the network, played by the transport's own test.
type Far interface {
	// Next returns the next message that the network was given for Peer.
	Next(ctx context.Context) (Got, error)
	// Say makes Peer say text to the account, under the network's id. It returns nil when the transport has told
	// the network that it has the message (on a live lane: when it was written), an error when it was refused.
	// The same id again is the network's own repetition.
	Say(ctx context.Context, id, text string) error
}

// Got is a message as the network got it. Name is the network's name for it, empty where it has none.
type Got struct{ Name, Text string }

// Run runs the suite. start makes a fresh fixture for each subtest and cleans up with t.Cleanup.
func Run(t *testing.T, start func(*testing.T) Fixture) {
	for _, sub := range []struct {
		name string
		test func(*testing.T, *running)
	}{
		{"driver is complete", testDriver},
		{"addresses", testAddresses},
		{"a message goes out", testSend},
		{"the same message again keeps its name", testSendAgain},
		{"a message comes in", testReceive},
		{"a repeated message comes in once", testReceiveAgain},
		{"the network is not told what is not safe", testRefusal},
		{"hostile text hurts nothing", testHostileText},
		{"many at once", testConcurrent},
	} {
		t.Run(sub.name, func(t *testing.T) {
			r := launch(t, start(t))
			sub.test(t, r)
		})
	}
}

// running is a fixture whose transport and session run.
type running struct {
	Fixture
	host      *Host
	transport core.Transport
	session   core.Session
	ctx       context.Context
}

func launch(t *testing.T, f Fixture) *running {
	t.Helper()
	host := NewHost(t, f.Account)
	if _, err := f.Driver.New(host, badSettings); err == nil {
		t.Error("New swallowed an error of its settings")
	}
	transport, err := f.Driver.New(host, f.Settings)
	if err != nil {
		t.Fatalf("New: %v", err)
	}
	session, err := transport.Open(f.Account)
	if err != nil {
		t.Fatalf("Open: %v", err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	var wg sync.WaitGroup
	t.Cleanup(func() {
		cancel()
		wg.Wait()
	})
	run, stop := context.WithCancel(ctx)
	t.Cleanup(stop)
	wg.Go(func() {
		if err := transport.Run(run); err != nil && run.Err() == nil {
			t.Errorf("transport.Run: %v", err)
		}
	})
	wg.Go(func() { live(run, t, host, session) })
	return &running{Fixture: f, host: host, transport: transport, session: session, ctx: ctx}
}

// live runs a session as its supervisor does. A session may end because the host has refused something, and then lives
// on.
func live(run context.Context, t *testing.T, host *Host, s core.Session) {
	for run.Err() == nil {
		err := s.Run(run)
		if err == nil || run.Err() != nil {
			return
		}
		if !host.hasRefused() {
			t.Errorf("session.Run: %v", err)
			return
		}
		select {
		case <-run.Done():
		case <-time.After(10 * time.Millisecond):
		}
	}
}

func testDriver(t *testing.T, r *running) {
	d := r.Driver
	if d.Name == "" || d.Title == "" || d.Type == "" || d.New == nil {
		t.Errorf("driver lacks a name, a title, a type or New: %+v", d)
	}
	if strings.ToLower(d.Name) != d.Name || strings.ContainsAny(d.Name, " ./") {
		t.Errorf("name %q is no lower-case word", d.Name)
	}
	if d.Lane == core.Stored && (d.Lifetime <= 0 || len(d.Retry) == 0) {
		t.Error("a stored lane needs a lifetime and a retry schedule")
	}
	if d.Session == nil || !reflect.ValueOf(d.Session).IsNil() {
		t.Fatal("Driver.Session must be a nil pointer of the session's type")
	}
	if got, want := reflect.TypeOf(r.session), reflect.TypeOf(d.Session); got != want {
		t.Errorf("Open returns a %v, Driver.Session says %v", got, want)
	}
}

func badSettings(any) error { return errors.New("line 3: unknown key") }

func testAddresses(t *testing.T, r *running) {
	for _, f := range r.Forms {
		got, err := r.transport.Parse(f.Text)
		if err != nil || got != f.Want {
			t.Errorf("Parse(%q) = %+v, %v, want %+v", f.Text, got, err, f.Want)
			continue
		}
		again, err := r.transport.Parse(r.transport.Format(got))
		if err != nil || again != got {
			t.Errorf("Parse(Format(%+v)) = %+v, %v", got, again, err)
		}
	}
	for _, text := range append(r.Bad, "", "\x00", "a\r\nb", strings.Repeat("x", 70_000)) {
		_, err := r.transport.Parse(text)
		if err == nil {
			t.Errorf("Parse(%.40q) is accepted", text)
			continue
		}
		e := core.AsError(err)
		if e.Kind != core.Invalid && e.Kind != core.NotFound && e.Kind != core.Denied || e.Text == "" {
			t.Errorf("Parse(%.40q): %v: wants a kind and a sentence for the user", text, err)
		}
	}
}

func (r *running) message(text string) *core.Message {
	id := core.NewID()
	return &core.Message{
		Ref:    core.Ref{Account: r.Account.ID, Peer: r.Peer},
		IDs:    core.IDs{ID: id},
		Origin: core.Origin{ID: "origin-" + string(id), From: "edge"},
		Text:   text, Receipt: true,
	}
}

func (r *running) send(t *testing.T, m *core.Message) core.Taken {
	t.Helper()
	taken, err := r.session.Send(r.ctx, m)
	if err != nil {
		t.Fatalf("Send: %v", err)
	}
	return taken
}

func (r *running) next(t *testing.T) Got {
	t.Helper()
	got, err := r.Far.Next(r.ctx)
	if err != nil {
		t.Fatalf("the network got nothing: %v", err)
	}
	return got
}

func testSend(t *testing.T, r *running) {
	m := r.message("a message goes out")
	taken := r.send(t, m)
	if got := r.next(t); got.Text != m.Text {
		t.Errorf("the network got %q, want %q", got.Text, m.Text)
	}
	if r.Driver.Lane == core.Stored {
		if taken.State < core.Accepted || taken.State > core.Delivered {
			t.Errorf("taken as %v", taken.State)
		}
		return
	}
	r.host.Wait("the live message's receipt", func(e core.Event) bool {
		got, ok := e.(*core.Receipt)
		return ok && got.ID == m.ID && got.Origin == m.Origin && got.Ref == m.Ref && got.State == core.Delivered
	})
}

func testSendAgain(t *testing.T, r *running) {
	if r.Driver.Lane != core.Stored {
		return // nothing is sent again on a live lane
	}
	m := r.message("sent twice")
	first := r.send(t, m)
	a := r.next(t)
	if core.CapsOf(r.session).Reconciler != nil {
		return // such a network is asked, and never sent to again
	}
	second := r.send(t, m)
	b := r.next(t)
	if first.Remote != second.Remote || a.Name != b.Name {
		t.Errorf("names differ: %q %q, then %q %q", first.Remote, a.Name, second.Remote, b.Name)
	}
}

func testReceive(t *testing.T, r *running) {
	if err := r.Far.Say(r.ctx, "in-1", "a message comes in"); err != nil {
		t.Fatalf("Say: %v", err)
	}
	m := r.host.WaitMessage("a message comes in")
	if want := (core.Ref{Account: r.Account.ID, Peer: r.Peer}); m.Ref != want || m.Mine || m.Room {
		t.Errorf("delivered as %+v, want %+v", m, want)
	}
	if r.Driver.Lane == core.Stored && m.Remote == "" {
		t.Error("a stored message needs the network's name, or a repetition cannot be recognised")
	}
}

func testReceiveAgain(t *testing.T, r *running) {
	if r.Driver.Lane != core.Stored {
		return // a live network has no repetitions of its own
	}
	for range 3 {
		if err := r.Far.Say(r.ctx, "in-2", "repeated"); err != nil {
			t.Fatalf("Say: %v", err)
		}
	}
	if err := r.Far.Say(r.ctx, "in-3", "last"); err != nil {
		t.Fatalf("Say: %v", err)
	}
	r.host.WaitMessage("last")
	count := 0
	for _, e := range r.host.Events() {
		if m, ok := e.(*core.Message); ok && m.Text == "repeated" {
			count++
		}
	}
	if count != 1 {
		t.Errorf("delivered %d times", count)
	}
}

func testRefusal(t *testing.T, r *running) {
	if r.Driver.Lane != core.Stored {
		return // nobody is told anything on a live lane
	}
	r.host.Refuse(core.E(core.Unavailable, "disk", ""))
	if err := r.Far.Say(r.ctx, "in-4", "not safe"); err == nil {
		t.Error("the network was told that a message is safe which is not")
	}
	r.host.Refuse(nil)
	if err := r.Far.Say(r.ctx, "in-4", "not safe"); err != nil {
		t.Errorf("the repetition was refused: %v", err)
	}
	r.host.WaitMessage("not safe")
}

func testHostileText(t *testing.T, r *running) {
	for i, text := range Hostile {
		m := r.message(text)
		if _, err := r.session.Send(r.ctx, m); err != nil {
			if e := core.AsError(err); e.Kind == core.Internal || e.Sentence() == "" {
				t.Errorf("text %d: %v", i, err)
			}
		}
	}
	marker := r.message("after the hostile ones")
	r.send(t, marker)
	for n := 0; ; n++ {
		got := r.next(t)
		if got.Text == marker.Text {
			return
		}
		if n > 10_000 {
			t.Fatal("the marker does not come")
		}
	}
}

func testConcurrent(t *testing.T, r *running) {
	const n = 8
	want := map[string]bool{}
	var wg sync.WaitGroup
	for i := range n {
		text := fmt.Sprintf("concurrent %d", i)
		want[text] = true
		wg.Go(func() {
			if _, err := r.session.Send(r.ctx, r.message(text)); err != nil {
				t.Errorf("Send: %v", err)
			}
		})
		wg.Go(func() {
			if err := r.Far.Say(r.ctx, fmt.Sprintf("many-%d", i), fmt.Sprintf("said %d", i)); err != nil {
				t.Errorf("Say: %v", err)
			}
		})
	}
	wg.Wait()
	for range n {
		delete(want, r.next(t).Text)
	}
	if len(want) > 0 {
		t.Errorf("the network did not get %v", want)
	}
	for i := range n {
		r.host.WaitMessage(fmt.Sprintf("said %d", i))
	}
}

// Hostile are texts that a network's framing, a database or an XML stream may stumble over. A refusal is an answer;
// a session that says nothing more is not.
var Hostile = []string{
	"nul \x00 byte", "c0 \x01\x02\x03\x0f\x1d\x1f bytes", "bell \a", "lone \r return",
	"invalid \xff\xfe utf-8", "surrogate \xed\xa0\x80", "noncharacter \ufffe", "\u202egnirts lortnoc",
	"&lt;<message/>]]><![CDATA[x", "</stream:stream>", "\r\n.\r\n", "line\r\n.\r\nQUIT :x",
	strings.Repeat("é", 600), strings.Repeat("\U0001F469\u200D\U0001F467", 100), " ", "\u2028\u2029",
}

func describe(events []core.Event) string {
	var b strings.Builder
	for i, e := range events {
		if i == 20 {
			b.WriteString(" ...")
			break
		}
		fmt.Fprintf(&b, "\n  %T %+v", e, e)
	}
	return b.String()
}
