package irc

import (
	"strings"
	"testing"

	"gangway/core"
)

func TestEnrol(t *testing.T) {
	tr := transportOf(t, openConfig)
	enrol := func(current *core.Account, answers map[string]string) core.Step {
		t.Helper()
		step, err := tr.Enroll(t.Context(), "alice@example.test", current, answers)
		if err != nil {
			t.Fatal(err)
		}
		return step
	}
	if step := enrol(nil, nil); step.Done || len(step.Fields) != 4 || step.Fields[0].Name != "network" || step.Fields[3].Type != core.SecretField {
		t.Errorf("first step %+v", step)
	}
	for _, answers := range []map[string]string{
		{}, {"network": "no such place!"}, {"network": "libera", "nick": "two words"}, {"network": "libera", "password": "a\nb"},
	} {
		if step := enrol(nil, answers); step.Done || step.Text == "" || len(step.Fields) != 4 {
			t.Errorf("%v: %+v", answers, step)
		}
	}
	step := enrol(nil, map[string]string{"network": "libera", "nick": "al", "login": "alice", "password": "pa55"})
	if !step.Done || step.Link.Realm != "irc.libera.chat" || string(step.Link.Secret) != "pa55" || step.Link.Options["nick"] != "al" ||
		step.Link.Options["login"] != "alice" || !strings.Contains(step.Text, "#channel%irc.libera.chat") || strings.Contains(step.Text, "pa55") {
		t.Errorf("last step %+v", step)
	}
	again := enrol(step.Link, map[string]string{"network": "libera", "nick": "al2"})
	if string(again.Link.Secret) != "pa55" || again.Link.Options["nick"] != "al2" || again.Link.Options["login"] != "" {
		t.Errorf("changed to %+v", again.Link)
	}
	if step.Link.Options["nick"] != "al" {
		t.Error("the present account was changed")
	}
	if other := enrol(step.Link, map[string]string{"network": "irc.oftc.net"}); len(other.Link.Secret) != 0 {
		t.Error("a password was carried to another network")
	}
}

func TestEnrolOnAnAllowList(t *testing.T) {
	tr := transportOf(t, `networks = ["irc.b.test", "irc.a.test"]`)
	step, err := tr.Enroll(t.Context(), "alice@example.test", nil, nil)
	if err != nil || step.Fields[0].Type != core.ChoiceField || len(step.Fields[0].Options) != 2 || step.Fields[0].Options[0].Value != "irc.a.test" {
		t.Errorf("step %+v, %v", step, err)
	}
	fixed := transportOf(t, "networks = [\"irc.a.test\"]\nfixed_network = \"irc.a.test\"")
	step, err = fixed.Enroll(t.Context(), "alice@example.test", nil, map[string]string{"nick": "al"})
	if err != nil || !step.Done || step.Link.Realm != "irc.a.test" {
		t.Errorf("step %+v, %v", step, err)
	}
}
