package register

import (
	"context"
	"strings"
	"testing"

	"gangway/core/xmpp/edge"
	"gangway/core/xmpp/edge/edgetest"
)

// Whatever is said gets an answer, and no answer repeats a secret.
func FuzzChat(f *testing.F) {
	const secret = "hunter2-hunter2"
	for _, s := range []string{
		"help", "1\n.\nSECRET\n2\nyes\n.\n123", "register\ncancel\nunregister\nyes\nstatus", "add\nnonsense\nbob@example.com",
		"undelivered\nretry\nall", "xmpp:%20@email.gw", "register\ntaken@mail.example\nSECRET\n3\n1\nmaybe\nno", "0", "-1", "add  ",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, script string) {
		h := newHall()
		h.Step = enrolment
		c := chatDoor{from: "email.gw", Desk: New(Config{
			Domain:  &edge.Domain{Name: "email.gw", Network: edgetest.Network((*edgetest.Plain)(nil))},
			Gateway: h, Accounts: h, Letters: &letters{all: []Letter{{Seq: 7, Peer: "b@c", Text: "x"}}},
			Contacts: newBook("b@c"), Timeline: timeline{}, Choices: &choices{}, Data: h, Admin: h,
		})}
		p := &visitor{}
		for _, line := range strings.Split(script, "\n") {
			asked := p.talk != nil && p.talk.command.Name == "register" && p.talk.field < len(p.talk.step.Fields) && p.talk.step.Fields[p.talk.field].Name == "password"
			if asked && strings.TrimSpace(line) != "" && line != keep && !strings.EqualFold(line, "cancel") {
				line = secret
			}
			if line = strings.TrimSpace(line); line == "" {
				continue
			}
			reply := c.answer(context.Background(), edgetest.Alice, p, line).text
			if reply == "" || asked && strings.Contains(reply, secret) {
				t.Fatalf("%q was answered with %q", line, reply)
			}
		}
	})
}
