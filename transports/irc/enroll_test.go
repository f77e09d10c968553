package irc

import (
	"bytes"
	"crypto/tls"
	"reflect"
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
	if step := enrol(nil, nil); step.Done || len(step.Fields) != 5 || step.Fields[0].Name != "network" || step.Fields[3].Type != core.SecretField {
		t.Errorf("first step %+v", step)
	}
	for _, answers := range []map[string]string{
		{}, {"network": "no such place!"}, {"network": "libera", "nick": "two words"}, {"network": "libera", "password": "a\nb"},
	} {
		if step := enrol(nil, answers); step.Done || step.Text == "" || len(step.Fields) != 5 {
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

func TestEnrolMore(t *testing.T) {
	tr := transportOf(t, openConfig)
	answers := map[string]string{"network": "libera", "nick": "al", "password": "pa55", "more": "true"}
	enrol := func(current *core.Account) core.Step {
		t.Helper()
		step, err := tr.Enroll(t.Context(), "alice@example.test", current, answers)
		if err != nil {
			t.Fatal(err)
		}
		return step
	}
	more := enrol(nil)
	if more.Done || len(more.Fields) != 10 {
		t.Fatalf("second step %+v", more)
	}
	for _, f := range more.Fields {
		answers[f.Name] = f.Value
	}
	answers["commands"] = "QUIT :x"
	if step := enrol(nil); step.Done {
		t.Error("QUIT is taken as a command of the user's")
	}
	answers["alternates"], answers["unlogged"], answers["certificate"] = "al_ al2", unloggedStop, "true"
	answers["server_password"], answers["commands"] = "srv", "MODE al +x\n\nPRIVMSG NickServ :identify s3cret\n"
	step := enrol(nil)
	if !step.Done {
		t.Fatalf("third step %+v", step)
	}
	c, err := openCredentials(step.Link.Secret)
	if err != nil || c.Password != "pa55" || c.Server != "srv" || len(c.Commands) != 2 || c.Certificate == nil {
		t.Errorf("sealed is %+v, %v", c, err)
	}
	short, long := c.fingerprints()
	if !strings.Contains(step.Text, short) || !strings.Contains(step.Text, long) || strings.Contains(step.Text, "s3cret") {
		t.Errorf("last step says %q", step.Text)
	}
	config, err := c.identified(&tls.Config{MinVersion: tls.VersionTLS12})
	if err != nil || len(config.Certificates) != 1 {
		t.Errorf("a connection shows %v, %v", config, err)
	}
	if got := step.Link.Options; got["alternates"] != "al_ al2" || got["unlogged"] != unloggedStop {
		t.Errorf("options %v", got)
	}
	delete(answers, "password")
	delete(answers, "server_password")
	again := enrol(step.Link)
	if kept, err := openCredentials(again.Link.Secret); err != nil || kept.Password != "pa55" || kept.Server != "srv" || !bytes.Equal(kept.Certificate, c.Certificate) {
		t.Errorf("after no answer %+v, %v", kept, err)
	}
	answers["certificate"] = "false"
	if kept, _ := openCredentials(enrol(step.Link).Link.Secret); kept.Certificate != nil || kept.Key != nil {
		t.Error("the certificate stays")
	}
	for answer, wrong := range map[string]string{"alternates": "a b c d e f g h i", "unlogged": "maybe", "commands": strings.Repeat("AWAY\n", 30)} {
		was := answers[answer]
		answers[answer] = wrong
		if step := enrol(nil); step.Done {
			t.Errorf("%s %q is taken", answer, wrong)
		}
		answers[answer] = was
	}
}

func TestCredentialsAreSealedTogether(t *testing.T) {
	for _, c := range []credentials{{}, {Password: "x"}, {Password: "{\"password\":\"y\"}"}, {Server: "s"}, {Commands: []string{"AWAY"}}} {
		secret, err := c.seal()
		if err != nil {
			t.Fatal(err)
		}
		if got, err := openCredentials(secret); err != nil || !reflect.DeepEqual(got, c) {
			t.Errorf("%+v came back as %+v, %v", c, got, err)
		}
	}
	if _, err := openCredentials(core.Secret(structured + "nonsense")); err == nil {
		t.Error("nonsense is taken")
	}
}
