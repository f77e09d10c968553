package core_test

import (
	"maps"
	"strings"
	"testing"
	"testing/synctest"

	"gangway/core"
)

// tuned is a transport whose addresses are "#room%realm", with settings.
type tuned struct{ core.Transport }

func (tuned) Format(t core.Target) string {
	if t.Address == "" {
		return t.Realm
	}
	return string(t.Address) + "%" + t.Realm
}

func (tuned) Settings(realm string) []core.Setting {
	usual := "latin1"
	if realm == "ru.net" {
		usual = "koi8-r"
	}
	return []core.Setting{
		{Places: core.Anywhere, Field: core.Field{Name: "charset", Label: "Encoding", Value: usual}},
		{Places: core.InConversations, Field: core.Field{Name: "edits", Type: core.ChoiceField, Value: "mark", Label: "Corrections",
			Options: []core.Option{{Value: "mark", Label: "are marked"}, {Value: "refuse", Label: "are refused"}}}},
	}
}

func (tuned) Connection(core.Account) ([]core.Field, error) { return nil, nil }

type roomy struct {
	core.Session
	core.Rooms
}

func tunedNetwork() *core.Network {
	return &core.Network{Transport: tuned{}, Caps: core.CapsOf(&roomy{}), TransportCaps: core.TransportCapsOf(tuned{})}
}

var (
	everywhere = core.Target{}
	onNet      = core.Target{Realm: "ru.net"}
	inRoom     = core.Target{Realm: "ru.net", Address: "#c", Room: true}
	withBob    = core.Target{Realm: "ru.net", Address: "bob"}
)

// What is not chosen for a place is inherited from the wider one, and in the end from the configuration.
func TestSettingsAreInherited(t *testing.T) {
	n := tunedNetwork()
	var p core.Preferences
	for _, c := range []struct {
		at     core.Target
		answer string
		want   [4]string // everywhere, on the network, in the room, with Bob
		told   string    // of the room
	}{
		{everywhere, "", [4]string{"latin1", "koi8-r", "koi8-r", "koi8-r"}, "koi8-r, as usual"},
		{everywhere, "ascii", [4]string{"ascii", "ascii", "ascii", "ascii"}, "ascii, as everywhere"},
		{onNet, "cp866", [4]string{"ascii", "cp866", "cp866", "cp866"}, "cp866, as on ru.net"},
		{inRoom, "utf-8", [4]string{"ascii", "cp866", "utf-8", "cp866"}, "utf-8 (encoding)"},
		{inRoom, core.Inherit, [4]string{"ascii", "cp866", "cp866", "cp866"}, "cp866, as on ru.net"},
		{onNet, " ", [4]string{"ascii", "ascii", "ascii", "ascii"}, "ascii, as everywhere"},
	} {
		if err := n.Choose(&p, c.at, map[string]string{"charset": c.answer, "nonsense": "x"}); err != nil {
			t.Fatal(err)
		}
		for i, at := range []core.Target{everywhere, onNet, inRoom, withBob} {
			if got := n.Holds(p, "charset", at); got != c.want[i] {
				t.Errorf("after %q at %v: %v has %q, want %q", c.answer, c.at, at, got, c.want[i])
			}
		}
		s, _ := n.Setting("CHARSET", inRoom)
		if got := n.Tell(s, p, inRoom); !strings.HasPrefix(got, "charset = "+c.told) {
			t.Errorf("told %q, want %q", got, c.told)
		}
	}
	if want := map[string]string{"charset": "ascii"}; !maps.Equal(p.Own, want) {
		t.Errorf("kept %v", p.Own)
	}
}

// Wrong answers change nothing, and say what would be right.
func TestSettingsAreChecked(t *testing.T) {
	n := tunedNetwork()
	p := core.Preferences{Own: map[string]string{"history": "5"}}
	for _, c := range []struct {
		at           core.Target
		name, answer string
		says         string
	}{
		{inRoom, "edits", "maybe", "mark, refuse"}, {inRoom, core.ChoicePersistent, "maybe", "yes or no"}, {inRoom, core.ChoiceHistory, "201", "0 to 200"},
		{inRoom, core.ChoiceHistory, "-1", "0 to 200"}, {inRoom, core.ChoiceHistory, "x", "0 to 200"}, {everywhere, "charset", strings.Repeat("x", 201), "too long"},
		{everywhere, "charset", "a\nb", "too long"},
	} {
		err := n.Choose(&p, c.at, map[string]string{c.name: c.answer})
		if core.KindOf(err) != core.Invalid || !strings.Contains(core.AsError(err).Text, c.says) {
			t.Errorf("%s = %q: %v", c.name, c.answer, err)
		}
	}
	if len(p.Own) != 1 {
		t.Errorf("kept %v", p.Own)
	}
	if err := n.Choose(&p, everywhere, map[string]string{"edits": "refuse"}); err != nil || len(p.Own) != 1 {
		t.Errorf("what is no setting there: %v, %v", err, p.Own)
	}
}

// A question names what it inherits; one that is answered with that leaves everything as it is.
func TestSettingsAreAsked(t *testing.T) {
	n := tunedNetwork()
	p := core.Preferences{Own: map[string]string{"persistent": "true", "history ru.net": "7", "charset #c%ru.net": "utf-8"}}
	answers := map[string]string{}
	asked := map[string]core.Field{}
	for _, s := range n.Settings(inRoom) {
		f := n.Ask(s, p, inRoom)
		asked[f.Name], answers[f.Name] = f, f.Value
	}
	for name, want := range map[string]string{
		core.ChoicePersistent: "as everywhere: yes", core.ChoiceRecord: "as usual: yes", "edits": "as usual: are marked",
	} {
		f := asked[name]
		if f.Type != core.ChoiceField || f.Value != core.Inherit || f.Options[0] != (core.Option{Value: core.Inherit, Label: want}) {
			t.Errorf("%s is asked as %+v", name, f)
		}
	}
	if f := asked[core.ChoiceHistory]; f.Value != "" || !strings.HasSuffix(f.Label, "(empty: as on ru.net, 7)") {
		t.Errorf("history is asked as %+v", f)
	}
	if f := asked["charset"]; f.Value != "utf-8" || !strings.HasSuffix(f.Label, "(empty: as usual, koi8-r)") {
		t.Errorf("charset is asked as %+v", f)
	}
	before := maps.Clone(p.Own)
	if err := n.Choose(&p, inRoom, answers); err != nil || !maps.Equal(p.Own, before) {
		t.Errorf("after the proposed answers: %v, %v", p.Own, err)
	}
	for at, want := range map[core.Target]int{everywhere: 4, onNet: 4, inRoom: 5, withBob: 2} {
		if got := len(n.Settings(at)); got != want {
			t.Errorf("%v has %d settings, want %d", at, got, want)
		}
	}
}

// An account that is changed stays the same account, also among several; one that is as it was is left alone.
func TestChange(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newEnrolling(t, closed(func(a *core.Access) { a.Allow = func(core.UserID) bool { return true } }))
		defer h.stop()
		a, err := h.Link(t.Context(), core.Account{User: "alice@example.org", Network: "fake", Own: "al", Name: "Alice"})
		if err != nil {
			t.Fatal(err)
		}
		if step, err := h.Change(t.Context(), a, nil); err != nil || step.Done || len(step.Fields) != 1 {
			t.Errorf("asked %+v, %v", step, err)
		}
		for _, nick := range []string{"al", "alice"} {
			step, err := h.Change(t.Context(), a, map[string]string{"nick": nick})
			if err != nil || !step.Done || step.Link.ID != a.ID || string(step.Link.Own) != nick || step.Link.Name != "Alice" {
				t.Errorf("%s: %+v, %v", nick, step, err)
			}
		}
		elsewhere := a
		elsewhere.Realm = "other.net"
		if _, err := h.Change(t.Context(), elsewhere, map[string]string{"nick": "x"}); core.KindOf(err) != core.Invalid {
			t.Errorf("an account moves to another network: %v", err)
		}
	})
}
