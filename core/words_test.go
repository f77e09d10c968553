package core_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"reflect"
	"strings"
	"testing"
	"time"

	"gangway/core"
)

func TestEventsSurviveTheDisk(t *testing.T) {
	ref := core.Ref{Account: "a", Peer: "p\x00\xff"}
	ids := core.IDs{ID: "i", Remote: "<r@x>"}
	for _, e := range []core.Event{
		&core.Message{
			Ref: core.Ref{Account: "a", Peer: "p"}, IDs: ids, Origin: core.Origin{ID: "1", From: "a@b/c"}, Room: true, Author: "x",
			Mine: true, At: time.Unix(1e9, 5).UTC(), Subject: "s", Text: "t\n<&>", Thread: "th",
			Attachments: []core.Attachment{{URL: "u", Name: "n", Type: "t", Size: 3}},
			ReplyTo:     ids, Replaces: ids, Notice: true, Receipt: true,
		},
		&core.Receipt{Ref: core.Ref{Account: "a"}, IDs: ids, State: core.Delivered},
		&core.Reaction{IDs: ids, Emoji: []string{"👍"}},
		&core.Retraction{IDs: ids},
		&core.Presence{Show: core.Busy, Text: "x"},
		&core.Profile{Name: "n"},
		&core.Notice{ID: "i", Text: "t"},
	} {
		name, body, err := core.EncodeEvent(e)
		if err != nil {
			t.Fatal(err)
		}
		got, err := core.DecodeEvent(name, body)
		if err != nil || !reflect.DeepEqual(got, e) {
			t.Errorf("%s: got %+v, %v, want %+v", name, got, err, e)
		}
	}
	if _, _, err := core.EncodeEvent(&core.RoomJoined{Ref: ref}); err == nil {
		t.Error("a live event was encoded")
	}
	if _, err := core.DecodeEvent("message", []byte("{")); err == nil {
		t.Error("half an event was decoded")
	}
	if _, err := core.DecodeEvent("nonsense", []byte("{}")); err == nil {
		t.Error("an unknown event was decoded")
	}
}

func TestStatesOnlyGoForward(t *testing.T) {
	for _, c := range []struct {
		old, next core.State
		want      bool
	}{
		{core.Queued, core.Accepted, true},
		{core.Accepted, core.Delivered, true},
		{core.Delivered, core.Sent, false},
		{core.Delivered, core.Delivered, false},
		{core.Delivered, core.Read, true},
		{core.Sent, core.Failed, true},
		{core.Delivered, core.Failed, false},
		{core.Failed, core.Failed, false},
		{core.Failed, core.Delivered, false},
	} {
		if got := c.next.Follows(c.old); got != c.want {
			t.Errorf("%v after %v: %v", c.next, c.old, got)
		}
	}
}

func TestErrorsKeepTheUsersSentence(t *testing.T) {
	cause := errors.New("dial tcp: refused")
	inner := &core.Error{Kind: core.Unavailable, Text: "Try later.", Code: "451", After: time.Minute, Err: cause}
	outer := core.Wrap(core.Internal, "email: send", fmt.Errorf("attempt 3: %w", inner))
	if outer.Kind != core.Unavailable || outer.Sentence() != "Try later." || outer.Code != "451" || outer.After != time.Minute {
		t.Errorf("wrapped: %+v", outer)
	}
	if !errors.Is(outer, cause) {
		t.Error("the cause is lost")
	}
	for k := core.Internal; k <= core.Uncertain; k++ {
		e := core.Error{Kind: k, Err: cause}
		if e.Sentence() == "" || e.Sentence() == cause.Error() {
			t.Errorf("%v: the user reads %q", k, e.Sentence())
		}
	}
	outer.Reason, outer.Moved, outer.By, outer.Alert = core.Moved, "mailto:bob@example.org", "mx.example.org", true
	b, err := outer.MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	var back core.Error
	if err := back.UnmarshalJSON(b); err != nil || back.Kind != outer.Kind || back.Text != outer.Text || back.Code != outer.Code {
		t.Errorf("after the disk: %+v, %v", back, err)
	}
	if back.Reason != outer.Reason || back.Moved != outer.Moved || back.By != outer.By || back.Alert != outer.Alert {
		t.Errorf("after the disk: %+v", back)
	}
	if core.AsError(nil) != nil {
		t.Error("nil is no error")
	}
}

func TestDigestSeparatesItsParts(t *testing.T) {
	if core.Digest("ab", "c") == core.Digest("a", "bc") || len(core.Digest()) != 26 {
		t.Error("parts run together")
	}
	first, second := core.NewID(), core.NewID()
	if first == second || len(first) != 26 {
		t.Errorf("NewID makes %q, then %q", first, second)
	}
}

func TestSecretsAreNeverPrinted(t *testing.T) {
	a := core.Account{ID: "a", Secret: core.Secret("hunter2")}
	asJSON, err := json.Marshal(a)
	if err != nil {
		t.Fatal(err)
	}
	var log strings.Builder
	slog.New(slog.NewTextHandler(&log, nil)).Info("x", "account", a, "secret", a.Secret)
	for _, text := range []string{
		fmt.Sprintf("%v %+v %#v %s %x %q", a, a, a, a.Secret, a.Secret, a.Secret), string(asJSON), log.String(),
	} {
		if strings.Contains(text, "hunter2") || strings.Contains(text, "68756e") || strings.Contains(text, "104 117") {
			t.Errorf("printed: %s", text)
		}
	}
}
