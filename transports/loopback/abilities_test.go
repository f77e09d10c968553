package loopback_test

import (
	"reflect"
	"testing"
	"time"

	"gangway/core"
	"gangway/core/transporttest"
	"gangway/transports/loopback"
)

// two are sessions of alice and bob, and the host where what they do to each other arrives.
func two(t *testing.T) (alice, bobs core.Caps, host *transporttest.Host) {
	t.Helper()
	a := core.Account{ID: "a1", Network: "loopback", Own: "alice"}
	host = transporttest.NewHost(t, a, bob)
	tr, err := loopback.Driver().New(host, func(any) error { return nil })
	if err != nil {
		t.Fatal(err)
	}
	open := func(a core.Account) core.Caps {
		s, err := tr.Open(a)
		if err != nil {
			t.Fatal(err)
		}
		return core.CapsOf(s)
	}
	return open(a), open(bob), host
}

// What one side does to a message is about the same message on the other side, whoever sent it.
func TestAbilities(t *testing.T) {
	alice, bobs, host := two(t)
	ctx := t.Context()
	toBob, toAlice := core.Ref{Account: "a1", Peer: "bob"}, core.Ref{Account: "b1", Peer: "alice"}
	at := time.Unix(1e9, 0)
	taken, err := alice.Editor.Edit(ctx, &core.Message{
		Ref: toBob, IDs: core.IDs{ID: "m2"}, Text: "new", Replaces: core.IDs{Remote: "m1"},
	})
	if err != nil || taken != (core.Taken{Remote: "m1", State: core.Delivered}) {
		t.Errorf("Edit = %+v, %v", taken, err)
	}
	for _, err := range []error{
		alice.Retractor.Retract(ctx, &core.Retraction{Ref: toBob, IDs: core.IDs{Remote: "m1"}, At: at}),
		bobs.Reactor.React(ctx, &core.Reaction{Ref: toAlice, IDs: core.IDs{Remote: "from-m1"}, Emoji: []string{"👍"}, At: at}),
		bobs.ReadMarker.Read(ctx, &core.Receipt{Ref: toAlice, IDs: core.IDs{Remote: "from-m1"}, State: core.Read}),
		bobs.TypingSender.Typing(ctx, &core.Typing{Ref: toAlice, On: true}),
	} {
		if err != nil {
			t.Error(err)
		}
	}
	got := host.Events()
	if m, ok := got[0].(*core.Message); !ok || m.Ref != toAlice || m.Remote != "from-m2" || m.Replaces.Remote != "from-m1" || m.Text != "new" {
		t.Errorf("the edit arrives as %+v", got[0])
	}
	want := []core.Event{
		&core.Retraction{Ref: toAlice, IDs: core.IDs{Remote: "from-m1"}, At: at},
		&core.Reaction{Ref: toBob, IDs: core.IDs{Remote: "m1"}, Emoji: []string{"👍"}, At: at},
		&core.Receipt{Ref: toBob, IDs: core.IDs{Remote: "m1"}, State: core.Read},
		&core.Typing{Ref: toBob, On: true},
	}
	if !reflect.DeepEqual(got[1:], want) {
		t.Errorf("arrived\n%+v, want\n%+v", got[1:], want)
	}
}

func TestAbilitiesRefuse(t *testing.T) {
	alice, _, _ := two(t)
	ctx := t.Context()
	nobody := core.Ref{Account: "a1", Peer: "nobody"}
	for what, err := range map[string]error{
		"a message without a name": alice.Reactor.React(ctx, &core.Reaction{Ref: core.Ref{Account: "a1", Peer: "bob"}}),
		"reacting to nobody":       alice.Reactor.React(ctx, &core.Reaction{Ref: nobody, IDs: core.IDs{Remote: "m1"}}),
		"typing to nobody":         alice.TypingSender.Typing(ctx, &core.Typing{Ref: nobody}),
	} {
		if err == nil || core.KindOf(err) != core.NotFound {
			t.Errorf("%s: %v", what, err)
		}
	}
}

func TestProfiles(t *testing.T) {
	alice, bobs, _ := two(t)
	all, err := alice.ContactLister.Contacts(t.Context())
	if err != nil || len(all) != 1 || all[0].Peer != loopback.Echo || all[0].Name == "" || all[0].Account != "a1" {
		t.Errorf("Contacts = %+v, %v", all, err)
	}
	p, err := bobs.Profiler.Profile(t.Context(), "alice")
	if err != nil || p.Ref != (core.Ref{Account: "b1", Peer: "alice"}) {
		t.Errorf("Profile = %+v, %v", p, err)
	}
	if _, err := bobs.Profiler.Profile(t.Context(), "nobody"); err == nil {
		t.Error("nobody has a profile")
	}
}
