package chat

import (
	"context"
	"errors"
	"flag"
	"strings"
	"testing"
	"time"

	"gangway/core"
	"gangway/core/xmpp/edge"
	"gangway/core/xmpp/edge/edgetest"
	"gangway/core/xmpp/stream"
	"gangway/core/xmpp/xmpptest"
)

var update = flag.Bool("update", false, "write what is rendered to testdata")

var noon = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

const (
	ours   core.MessageID = "abcdefghijklmnopqrstuvwx23"
	theirs core.MessageID = "zzzzzzzzzzzzzzzzzzzzzzzz22"
)

// pane renders as of noon, for a network with or without abilities.
func pane(s core.Session) (*Chat, *edge.Domain, *edgetest.Hall) {
	hall := &edgetest.Hall{Entries: []core.Entry{{
		Ref: core.Ref{Account: "a1", Peer: "bob@example.com"}, IDs: core.IDs{ID: ours}, Mine: true,
		Origin: core.Origin{ID: "client-1", From: "alice@example.org/phone"},
	}, {
		Ref: core.Ref{Account: "a2"}, IDs: core.IDs{ID: "somebodyelsesmessageabcdef"}, Mine: true,
		Origin: core.Origin{ID: "secret", From: "carol@example.org/phone"},
	}}}
	c := New(Config{Gateway: hall, Ledger: hall, Contacts: hall, Now: func() time.Time { return noon }})
	n := edgetest.Network(s)
	n.Driver.Threads = true
	return c, &edge.Domain{Name: "email.gw", Network: n}, hall
}

func TestRenderGolden(t *testing.T) {
	ref := core.Ref{Account: "a1", Peer: "Bob@example.com"}
	id := core.IDs{ID: theirs}
	origin := core.Origin{ID: "client-1", From: "alice@example.org/phone"}
	moved := &core.Error{
		Kind: core.NotFound, Reason: core.Moved, Moved: "mailto:bob@example.net", Text: "Bob has moved.", Code: "551 5.1.6", By: "mx.example.com",
	}
	refused := &core.Error{Kind: core.NotFound, Text: "Nobody at that address.", Code: "550 5.1.1", Err: errors.New("not for users")}
	for _, c := range []struct {
		name    string
		session core.Session
		event   core.Event
	}{
		{"message", (*edgetest.Plain)(nil), &core.Message{Ref: ref, IDs: id, Text: "Hello <you> & \x02all\x00", At: noon.Add(-300 * time.Second)}},
		{"message-through-another-account", (*edgetest.Plain)(nil), &core.Message{Ref: ref, IDs: id, Text: "Hello", Own: "alice@other.example"}},
		{"message-full", (*edgetest.Full)(nil), &core.Message{Ref: ref, IDs: id, Text: "Hello", Subject: "Greetings", Thread: "t1", At: noon}},
		{"message-late", (*edgetest.Plain)(nil), &core.Message{Ref: ref, IDs: id, Text: "Hello", At: noon.Add(-301 * time.Second)}},
		{"message-ancient", (*edgetest.Plain)(nil), &core.Message{Ref: ref, IDs: id, Text: "Hello", At: time.Unix(0, 0)}},
		{"message-future", (*edgetest.Plain)(nil), &core.Message{Ref: ref, IDs: id, Text: "Hello", At: noon.Add(time.Hour)}},
		{"message-subject-only", (*edgetest.Plain)(nil), &core.Message{Ref: ref, IDs: id, Subject: "Greetings"}},
		{"message-language", (*edgetest.Full)(nil), &core.Message{Ref: ref, IDs: id, Text: "Servus", Lang: "de-AT"}},
		{"message-language-that-is-none", (*edgetest.Plain)(nil), &core.Message{Ref: ref, IDs: id, Text: "Hello", Lang: "no language"}},
		{"message-empty", (*edgetest.Plain)(nil), &core.Message{Ref: ref, IDs: id}},
		{"message-mine", (*edgetest.Full)(nil), &core.Message{Ref: ref, IDs: id, Text: "Hello", Mine: true}},
		{"message-notice", (*edgetest.Full)(nil), &core.Message{Ref: ref, IDs: id, Text: "I am away", Notice: true}},
		{"message-network", (*edgetest.Plain)(nil), &core.Message{Ref: core.Ref{Account: "a1"}, IDs: id, Text: "Welcome"}},
		{"message-file", (*edgetest.Plain)(nil), &core.Message{Ref: ref, IDs: id, Attachments: []core.Attachment{{URL: "https://files.example/1.jpg", Name: "1.jpg", Type: "image/jpeg", Size: 12345}}}},
		{"message-file-without-address", (*edgetest.Plain)(nil), &core.Message{Ref: ref, IDs: id, Text: "[1.jpg]", Attachments: []core.Attachment{{Name: "1.jpg"}}}},
		{"message-file-mine", (*edgetest.Plain)(nil), &core.Message{Ref: ref, IDs: id, Mine: true, Attachments: []core.Attachment{{URL: "https://files.example/1.jpg"}}}},
		{"message-also", (*edgetest.Full)(nil), &core.Message{Ref: ref, IDs: id, Text: "Hello, you two", Also: []core.Address{"carol@example.com", "no\x00body"}}},
		{"message-text-and-files", (*edgetest.Plain)(nil), &core.Message{Ref: ref, IDs: id, Text: "Two:", Attachments: []core.Attachment{{URL: "https://files.example/1.jpg"}, {URL: "https://files.example/2.jpg"}}}},
		{"reply-to-mine", (*edgetest.Plain)(nil), &core.Message{Ref: ref, IDs: id, Text: "Yes", ReplyTo: core.IDs{ID: ours}}},
		{"reply-to-theirs", (*edgetest.Plain)(nil), &core.Message{Ref: ref, IDs: id, Text: "Yes", ReplyTo: core.IDs{ID: "yyyyyyyyyyyyyyyyyyyyyyyy22"}}},
		{"reply-to-strangers", (*edgetest.Plain)(nil), &core.Message{Ref: ref, IDs: id, Text: "Yes", ReplyTo: core.IDs{ID: "somebodyelsesmessageabcdef"}}},
		{"correction", (*edgetest.Full)(nil), &core.Message{Ref: ref, IDs: id, Text: "Hallo", Replaces: core.IDs{ID: "yyyyyyyyyyyyyyyyyyyyyyyy22"}}},
		{"receipt-queued", (*edgetest.Full)(nil), &core.Receipt{Ref: ref, IDs: core.IDs{ID: ours}, Origin: origin, State: core.Queued}},
		{"receipt-accepted", (*edgetest.Full)(nil), &core.Receipt{Ref: ref, IDs: core.IDs{ID: ours}, Origin: origin, State: core.Accepted}},
		{"receipt-sent", (*edgetest.Full)(nil), &core.Receipt{Ref: ref, IDs: core.IDs{ID: ours}, Origin: origin, State: core.Sent}},
		{"receipt-delivered", (*edgetest.Full)(nil), &core.Receipt{Ref: ref, IDs: core.IDs{ID: ours}, Origin: origin, State: core.Delivered}},
		{"receipt-read", (*edgetest.Full)(nil), &core.Receipt{Ref: ref, IDs: core.IDs{ID: ours}, Origin: origin, State: core.Read}},
		{"receipt-failed", (*edgetest.Full)(nil), &core.Receipt{Ref: ref, IDs: core.IDs{ID: ours}, Origin: origin, State: core.Failed, Err: refused}},
		{"receipt-failed-moved", (*edgetest.Full)(nil), &core.Receipt{Ref: ref, IDs: core.IDs{ID: ours}, Origin: origin, State: core.Failed, Err: moved}},
		{"receipt-failed-unknown", (*edgetest.Full)(nil), &core.Receipt{Ref: ref, IDs: core.IDs{ID: ours}, Origin: origin, State: core.Failed}},
		{"receipt-nameless", (*edgetest.Full)(nil), &core.Receipt{Ref: ref, IDs: core.IDs{ID: ours}, State: core.Failed, Err: refused}},
		{"typing-on", (*edgetest.Full)(nil), &core.Typing{Ref: ref, On: true}},
		{"typing-off", (*edgetest.Full)(nil), &core.Typing{Ref: ref}},
		{"reaction", (*edgetest.Full)(nil), &core.Reaction{Ref: ref, IDs: core.IDs{ID: ours}, Emoji: []string{"👍", "🎉"}}},
		{"reaction-none", (*edgetest.Full)(nil), &core.Reaction{Ref: ref, IDs: id}},
		{"reaction-mine", (*edgetest.Full)(nil), &core.Reaction{Ref: ref, IDs: id, Mine: true, Emoji: []string{"👍"}}},
		{"retraction-mine", (*edgetest.Full)(nil), &core.Retraction{Ref: ref, IDs: core.IDs{ID: ours}, Mine: true, At: noon}},
		{"receipt-failed-reaction", (*edgetest.Full)(nil), &core.Receipt{Ref: ref, Origin: origin, State: core.Failed, Err: refused}},
		{"receipt-not-asked-for", (*edgetest.Full)(nil), &core.Receipt{Ref: ref, IDs: core.IDs{ID: ours}, Origin: core.Origin{ID: "client-1", From: ":alice@example.org/phone"}, State: core.Delivered}},
		{"receipt-failed-not-asked-for", (*edgetest.Full)(nil), &core.Receipt{Ref: ref, IDs: core.IDs{ID: ours}, Origin: core.Origin{ID: "client-1", From: ":alice@example.org/phone"}, State: core.Failed, Err: refused}},
		{"retraction", (*edgetest.Full)(nil), &core.Retraction{Ref: ref, IDs: id}},
		{"receipt-read-elsewhere", (*edgetest.Full)(nil), &core.Receipt{Ref: ref, IDs: id, State: core.Read, Mine: true}},
	} {
		t.Run(c.name, func(t *testing.T) {
			ch, d, _ := pane(c.session)
			got := rendered(t, ch, d, c.event)
			if again := rendered(t, ch, d, c.event); again != got {
				t.Errorf("rendered again it is different:\n%s\n%s", got, again)
			}
			xmpptest.Golden(t, *update, c.name, got)
		})
	}
}

// rendered returns one stanza on each line.
func rendered(t *testing.T, r edge.Renderer, d *edge.Domain, e core.Event) string {
	t.Helper()
	enc := stream.Encoder{Domain: d.Name}
	if err := r.Render(context.Background(), &enc, d, edgetest.Account(), e); err != nil {
		t.Fatal(err)
	}
	if err := enc.Err(); err != nil {
		t.Fatal(err)
	}
	return xmpptest.Lines(&enc)
}

func TestRenderMeets(t *testing.T) {
	ch, d, hall := pane((*edgetest.Plain)(nil))
	m := &core.Message{Ref: core.Ref{Account: "a1", Peer: "Bob@example.com"}, IDs: core.IDs{ID: theirs}, Text: "Hello"}
	rendered(t, ch, d, m)
	rendered(t, ch, d, m)
	if got := hall.Met(); len(got) != 1 || got[0] != "Bob@example.com" {
		t.Errorf("met %q, want Bob once", got)
	}
}

// A failure soon after the message is told by the error alone: the client that
// sent it is there. Later ones are followed by a message that servers keep.
func TestFailureSoonAndLate(t *testing.T) {
	ch, d, _ := pane((*edgetest.Plain)(nil))
	now := noon
	ch.now = func() time.Time { return now }
	ch.recent.now = ch.now
	ch.recent.put(ours, struct{}{})
	failed := &core.Receipt{
		Ref: core.Ref{Account: "a1", Peer: "bob@example.com"}, IDs: core.IDs{ID: ours},
		Origin: core.Origin{ID: "client-1", From: "alice@example.org/phone"}, State: core.Failed,
	}
	if n := strings.Count(rendered(t, ch, d, failed), "\n"); n != 1 {
		t.Errorf("%d stanzas at once, want 1", n)
	}
	now = noon.Add(2*time.Minute - time.Second)
	if n := strings.Count(rendered(t, ch, d, failed), "\n"); n != 1 {
		t.Errorf("%d stanzas within two minutes, want 1", n)
	}
	now = noon.Add(5 * time.Minute)
	if n := strings.Count(rendered(t, ch, d, failed), "\n"); n != 2 {
		t.Errorf("%d stanzas later, want 2", n)
	}
}

func TestRenderRefuses(t *testing.T) {
	ch, d, _ := pane((*edgetest.Plain)(nil))
	var enc stream.Encoder
	for name, e := range map[string]core.Event{
		"an address that no JID can have": &core.Message{Ref: core.Ref{Account: "a1", Peer: "a\x00b@example.com"}, Text: "x"},
		"an event of somebody else's":     &core.Presence{Ref: core.Ref{Account: "a1", Peer: "b@example.com"}},
	} {
		if err := ch.Render(context.Background(), &enc, d, edgetest.Account(), e); err == nil || enc.Count() > 0 {
			t.Errorf("%s: %v, %d stanzas", name, err, enc.Count())
		}
	}
}

func TestFresh(t *testing.T) {
	now := noon
	f := newFresh[core.MessageID, int](func() time.Time { return now }, time.Minute, 10)
	f.put(ours, 1)
	now = now.Add(59 * time.Second)
	if v, ok := f.get(ours); !ok || v != 1 {
		t.Error("forgotten too early")
	}
	now = now.Add(2 * time.Minute)
	if _, ok := f.get(ours); ok {
		t.Error("not forgotten")
	}
	for range 100 {
		f.put(core.NewID(), 0)
	}
	if n := len(f.young) + len(f.old); n > 20 {
		t.Errorf("%d rows kept", n)
	}
}
