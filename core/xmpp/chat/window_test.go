package chat

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"gangway/core"
	"gangway/core/xmpp"
	"gangway/core/xmpp/edge"
	"gangway/core/xmpp/edge/edgetest"
	"gangway/core/xmpp/xmpptest"
)

// holding is a hall with a window. What the network cannot do itself it refuses, unless it is held.
type holding struct {
	*edgetest.Hall
	prefs core.Preferences

	mu   sync.Mutex
	held int // lines
	flat []string
}

func (h *holding) Hold() core.Hold { return core.Hold{Quiet: 15 * time.Second} }

func (h *holding) SendNow(_ context.Context, _ core.Account, peer core.Address) (int, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	n := h.held
	h.held = 0
	h.flat = append(h.flat, fmt.Sprint("send now ", peer))
	return n, nil
}

func (h *holding) Submit(_ context.Context, _ core.Account, e core.Event) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	switch e := e.(type) {
	case *core.Message:
		if e.Replaces.Known() && h.held == 0 {
			return core.E(core.Unsupported, "test", "")
		}
		h.flat = append(h.flat, fmt.Sprint("message ", e.Text, " for ", e.Replaces.ID))
	case *core.Retraction:
		if h.held == 0 {
			return core.E(core.Unsupported, "test", "")
		}
		h.flat = append(h.flat, fmt.Sprint("retraction of ", e.ID))
	case *core.Typing:
		h.flat = append(h.flat, fmt.Sprint("typing ", e.On))
	}
	return nil
}

func (h *holding) Preferences(context.Context, core.UserID, string) (core.Preferences, error) {
	return h.prefs, nil
}

func (h *holding) Blocked(context.Context, core.AccountID, core.Address) (bool, error) {
	return false, nil
}

func (h *holding) took() []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.flat
}

// What the network cannot do with messages that were sent is left to the hall while they may be held.
func TestWindow(t *testing.T) {
	const (
		correction = `<body>x</body><replace xmlns='urn:xmpp:message-correct:0' id='client-1'/>`
		retraction = `<body>/me retracted</body><retract xmlns='urn:xmpp:message-retract:1' id='client-1'/>`
		cannot     = `<message type='error' id='c1'><error type='cancel'><feature-not-implemented xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/>
			<text xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'>*after they were sent*</text></error></message>`
	)
	for _, c := range []struct {
		name, inside string
		held         int
		resend       bool
		want         []string
		answer       string
	}{
		{name: "a correction of what is held", inside: correction, held: 1, want: []string{"message x for " + string(ours)}},
		{name: "a correction too late", inside: correction, answer: cannot},
		{name: "a correction too late, as a message", inside: correction, resend: true, want: []string{"message * x for "}},
		{name: "a correction of what nobody knows", inside: `<body>x</body><replace xmlns='urn:xmpp:message-correct:0' id='lost'/>`, held: 1, answer: cannot},
		{name: "a retraction of what is held", inside: retraction, held: 1, want: []string{"retraction of " + string(ours)}},
		{name: "a retraction too late", inside: retraction, answer: cannot},
		{name: "typing", inside: `<composing xmlns='http://jabber.org/protocol/chatstates'/>`, want: []string{"typing true"}},
		{name: "typing no more", inside: `<paused xmlns='http://jabber.org/protocol/chatstates'/>`, want: []string{"typing false"}},
		{name: "send", inside: `<body> /send </body><request xmlns='urn:xmpp:receipts'/>`, held: 1, want: []string{"send now bob@example.com"},
			answer: `<message type='chat' to='alice@example.org/phone' from='` + bob + `/gateway'><received xmlns='urn:xmpp:receipts' id='c1'/></message>`},
		{name: "send nothing", inside: `<body>/send</body>`, want: []string{"send now bob@example.com"},
			answer: `<message type='chat' to='alice@example.org' from='` + bob + `/gateway'><body>Nothing waits to be sent*</body></message>`},
		{name: "words about sending", inside: `<body>/send it</body>`, want: []string{"message /send it for "}},
	} {
		t.Run(c.name, func(t *testing.T) {
			h, srv := stageWindow(t)
			h.held, h.prefs.ResendEdits = c.held, c.resend
			srv.Send(`<message type='chat' id='c1' from='alice@example.org/phone' to='` + bob + `'>` + c.inside + `</message>`)
			if c.answer != "" {
				srv.Expect(c.answer)
			}
			quiet(srv)
			if got := h.took(); !slices.Equal(got, c.want) {
				t.Errorf("took %q, want %q", got, c.want)
			}
		})
	}
}

func stageWindow(t *testing.T) (*holding, *xmpptest.Server) {
	t.Helper()
	_, d, hall := pane((*edgetest.Plain)(nil))
	h := &holding{Hall: hall}
	d.Network.TransportCaps.Holder = h
	ch := New(Config{Gateway: h, Ledger: hall, Contacts: hall, Choices: h, Window: h, Now: func() time.Time { return noon }})
	router := xmpp.NewRouter(xmpp.RouterConfig{})
	router.Message(&edge.Switch{Domain: d, Self: xmpp.HandlerFunc(nil), Contact: ch.Handler(d)})
	router.IQ("get", xmpp.NSPing, "ping", xmpp.Ping())
	srv := xmpptest.New(t)
	d.Link = xmpptest.Start(t, srv, d.Name, router)
	return h, srv
}

// Of a message of several lines that failed late it is said once in words, and of each line as an error.
func TestLateFailureOfParts(t *testing.T) {
	th := open(t, (*edgetest.Plain)(nil))
	failed := core.Receipt{Ref: bobRef, State: core.Failed, Err: core.E(core.NotFound, "test", "Nobody there.")}
	whole, part := failed, failed
	whole.ID, whole.Origin = ours, core.Origin{ID: "client-1", From: "alice@example.org/phone"}
	part.ID, part.Origin, part.Whole = theirs, core.Origin{ID: "client-2", From: "alice@example.org/phone"}, ours
	th.show(&whole)
	th.show(&part)
	th.Expect(`<message type='error' id='client-1'/>`)
	th.Expect(`<message type='chat'><body>Your message was not delivered: Nobody there.</body></message>`)
	th.Expect(`<message type='error' id='client-2'/>`)
	th.quiet()
}
