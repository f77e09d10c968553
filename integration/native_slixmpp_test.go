//go:build integration

package integration

import (
	"bytes"
	"context"
	"encoding/json"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"gangway/integration/ircclient"
	"gangway/integration/twilio"
	"gangway/integration/world"
)

// pythonWait bounds a whole journey of the scripted client, which gives each of its steps a minute.
const pythonWait = 3 * time.Minute

// step is one thing the scripted client does; its other fields are that step's arguments.
type step map[string]any

// outcome is the script's line about a step.
type outcome map[string]any

func (o outcome) text(key string) string { s, _ := o[key].(string); return s }

// list is a list of strings.
func (o outcome) list(key string) []string {
	all, _ := o[key].([]any)
	var texts []string
	for _, v := range all {
		if s, ok := v.(string); ok {
			texts = append(texts, s)
		}
	}
	return texts
}

// slixmpp plays steps with Debian's python3-slixmpp, in a process of its own. Each step must come to something: an
// error that the script reports fails the scenario.
func (p *person) slixmpp(steps ...step) []outcome {
	p.s.Helper()
	ca, err := p.s.XMPP.CAFile()
	if err != nil {
		p.s.Fatal(err)
	}
	host, port, err := net.SplitHostPort(p.s.XMPP.Addr())
	if err != nil {
		p.s.Fatal(err)
	}
	number, err := strconv.Atoi(port)
	if err != nil {
		p.s.Fatal(err)
	}
	conf, err := json.Marshal(map[string]any{
		"jid": p.Bare() + "/slixmpp", "password": world.Password, "host": host, "port": number, "ca": ca, "steps": steps,
	})
	if err != nil {
		p.s.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(p.s.ctx, pythonWait)
	defer cancel()
	cmd := exec.CommandContext(ctx, "/usr/bin/python3", "clients/slix.py") // Debian's, whatever else is first on PATH
	var lines, log bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = bytes.NewReader(conf), &lines, &log
	runErr := cmd.Run()
	var outcomes []outcome
	for line := range strings.Lines(lines.String()) {
		var o outcome
		if err := json.Unmarshal([]byte(line), &o); err != nil {
			p.s.Fatalf("%v in %q", err, line)
		}
		if o.text("error") != "" {
			p.s.Errorf("slixmpp, step %s: %s", o.text("step"), o.text("error"))
		}
		outcomes = append(outcomes, o)
	}
	if runErr != nil || len(outcomes) != len(steps) || p.s.Failed() {
		tail := log.Bytes()
		p.s.Fatalf("%d of %d steps, %v\n%s\n%s", len(outcomes), len(steps), runErr, lines.String(), tail[max(0, len(tail)-12_000):])
	}
	return outcomes
}

func slixmppScenarios() []scenario {
	return []scenario{
		{"slixmpp finds, registers and writes", slixmppWrites},
		{"slixmpp in a room", slixmppInARoom},
	}
}

func slixmppWrites(s *stage) {
	p := s.newPerson()
	picture := filepath.Join(s.TempDir(), "picture.txt")
	if err := os.WriteFile(picture, []byte("a picture"), 0o600); err != nil {
		s.Fatal(err)
	}
	out := p.slixmpp(
		step{"step": "discover", "domain": world.Domain},
		step{"step": "commands", "jid": world.SMS},
		step{"step": "command", "jid": world.SMS, "node": "jabber:iq:register", "answers": map[string]string{"number": p.number}},
		step{"step": "prompt", "jid": world.SMS, "text": "(555) 019-9999"},
		step{"step": "add", "jid": p.peerJID()},
		step{"step": "say", "to": p.peerJID(), "body": "hello from slixmpp to " + p.name},
		step{"step": "say", "to": p.peerJID(), "body": "hello again", "replaces": "no-such-id"},
		step{"step": "register", "jid": world.Mail, "answers": map[string]string{"alias": p.alias}},
		step{"step": "upload", "path": picture, "to": carolJID},
		step{"step": "command", "jid": world.SMS, "node": "status", "answers": map[string]string{}},
		step{"step": "unregister", "jid": world.Mail},
	)
	found, _ := out[0]["found"].(map[string]any)
	for gateway, kind := range map[string]string{world.Mail: "gateway/smtp", world.SMS: "gateway/sms", world.IRC: "gateway/irc"} {
		f, _ := found[gateway].(map[string]any)
		if !slices.Contains(outcome(f).list("identities"), kind) {
			s.Errorf("%s: %v", gateway, f)
		}
		for _, feature := range []string{"jabber:iq:register", nsCommands} {
			if !slices.Contains(outcome(f).list("features"), feature) {
				s.Errorf("%s lacks %s", gateway, feature)
			}
		}
	}
	for _, node := range []string{"jabber:iq:register", "status", "add-contact", "unregister", "preferences"} {
		if !slices.Contains(out[1].list("nodes"), node) {
			s.Errorf("no command %s among %v", node, out[1].list("nodes"))
		}
	}
	if out[2].text("status") != "completed" || out[2]["forms"] == 0.0 {
		s.Errorf("registration by ad-hoc command: %v", out[2])
	}
	if out[3].text("jid") != "+15550199999@"+world.SMS || out[3].text("prompt") == "" {
		s.Errorf("the prompt: %v", out[3])
	}
	if sub := out[4].text("subscription"); sub != "both" && sub != "to" {
		s.Errorf("the contact: %v", out[4])
	}
	if out[5]["receipt"] != true {
		s.Errorf("the message: %v", out[5])
	}
	if _, err := s.Twilio.WaitMessage(s.ctx, func(m *twilio.Message) bool { return m.Body == "hello from slixmpp to "+p.name }); err != nil {
		s.Error(err)
	}
	// SMS cannot correct: the correction is said anew, or refused with a sentence.
	if out[6]["receipt"] != true {
		s.sentence(out[6].text("text"))
	}
	if out[7]["before"] == true || out[7]["after"] != true {
		s.Errorf("registration by form: %v", out[7])
	}
	if !strings.HasPrefix(out[8].text("url"), "http") || out[8].text("refused") != "" {
		s.Errorf("the upload: %v", out[8])
	}
	if out[9].text("status") != "completed" || out[9].text("text") == "" {
		s.Errorf("status: %v", out[9])
	}
	if out[10]["after"] == true {
		s.Errorf("after the end of the registration: %v", out[10])
	}
}

func slixmppInARoom(s *stage) {
	p := s.newPerson()
	room, other := p.channel()
	out := p.slixmpp(
		step{"step": "join", "room": room, "nick": p.name},
		step{"step": "shout", "room": room, "body": "hello from slixmpp"},
		step{"step": "archive", "room": room},
	)
	if _, err := other.Wait(s.ctx, ircclient.Said(p.name, "#of-"+p.name, "hello from slixmpp")); err != nil {
		s.Error(err)
	}
	if out[0].text("nick") != p.name || !slices.Contains(out[0].list("occupants"), "irc-"+p.name) {
		s.Errorf("joined: %v", out[0])
	}
	if out[1]["same_id"] != true || out[1].text("stanza_id") == "" {
		s.Errorf("reflected: %v", out[1])
	}
	messages, _ := out[2]["messages"].([]any)
	if !slices.ContainsFunc(messages, func(m any) bool {
		o, _ := m.(map[string]any)
		return o["body"] == "hello from slixmpp" && o["id"] == out[1]["stanza_id"]
	}) {
		s.Errorf("the archive: %v", out[2])
	}
}
