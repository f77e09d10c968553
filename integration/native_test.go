//go:build integration

package integration

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"gangway/integration/client"
	"gangway/integration/world"
)

// scenario is something a person does from any client, on any host server.
type scenario struct {
	name string
	play func(*stage)
}

// scenarios is the suite: the same assertions on every flavour.
func scenarios() []scenario {
	var all []scenario
	for _, part := range [][]scenario{discoveryScenarios(), rosterScenarios(), registerScenarios(), doorScenarios(), messageScenarios(), richScenarios(), roomScenarios(), slixmppScenarios(), profanityScenarios(),
		blockScenarios(), loopScenarios(), guestScenarios(), adminScenarios(), archiveScenarios(), cardScenarios()} {
		all = append(all, part...)
	}
	return all
}

// scenarioTime is how long one scenario may take. It is counted from its own beginning: until then it waits for its turn.
const scenarioTime = 4 * time.Minute

// TestNative plays the suite beside Prosody, with and without mod_privilege, and beside ejabberd. The servers of a
// flavour are its own and are started once; each scenario has people, numbers and rooms of its own. The flavours are
// beside each other, so that the end of one, when few scenarios are left, is no time of waiting.
func TestNative(t *testing.T) {
	t.Parallel()
	for _, f := range []world.Flavour{world.PlainProsody, world.PrivilegedProsody, world.PrivilegedEjabberd} {
		t.Run(string(f), func(t *testing.T) {
			t.Parallel()
			w, _ := start(t, world.Options{Flavour: f, Numbers: 99, Access: residents(99), Guests: true, Loopback: true})
			var people atomic.Int32
			for _, sc := range scenarios() {
				t.Run(sc.name, func(t *testing.T) {
					t.Parallel()
					ctx, cancel := context.WithTimeout(t.Context(), scenarioTime)
					t.Cleanup(cancel)
					begun := time.Now()
					sc.play(&stage{T: t, World: w, ctx: ctx, flavour: f, people: &people})
					t.Logf("%v", time.Since(begun).Round(time.Millisecond))
				})
			}
		})
	}
}

// newStage is a stage with a world of its own.
func newStage(ctx context.Context, t *testing.T, w *world.World, f world.Flavour) *stage {
	return &stage{T: t, World: w, ctx: ctx, flavour: f, people: new(atomic.Int32)}
}

// stage is where one scenario is played.
type stage struct {
	*testing.T
	*world.World
	ctx     context.Context
	flavour world.Flavour
	people  *atomic.Int32 // how many the flavour has had
}

// person is somebody with an account of their own on the XMPP server, and a phone number and mailbox to register.
type person struct {
	*client.Client
	s             *stage
	name          string
	number, alias string
}

// residents are the addresses of the first n people, as the list of those who may register: whoever has another address
// is a guest, who needs an invitation or the word of an administrator.
func residents(n int) string {
	all := []string{"admin@" + world.Domain, world.Alice + "@" + world.Domain, world.Bob + "@" + world.Domain}
	for i := range n {
		all = append(all, fmt.Sprintf("user%d@%s", i+1, world.Domain))
	}
	return strings.Join(all, `", "`)
}

// newGuest makes somebody new who is not on the list of those who may register.
func (s *stage) newGuest(opts ...client.Option) *person {
	s.Helper()
	return s.arrive("guest", opts...)
}

// newPerson makes somebody new, online.
func (s *stage) newPerson(opts ...client.Option) *person {
	s.Helper()
	return s.arrive("user", opts...)
}

func (s *stage) arrive(kind string, opts ...client.Option) *person {
	s.Helper()
	n := int(s.people.Add(1))
	p := &person{s: s, name: fmt.Sprintf("%s%d", kind, n), number: world.Number(n), alias: fmt.Sprintf("mail%d", n)}
	if err := s.Join(s.ctx, p.name); err != nil {
		s.Fatal(err)
	}
	p.Client = p.device("phone", opts...)
	return p
}

// device logs in once more.
func (p *person) device(resource string, opts ...client.Option) *client.Client {
	p.s.Helper()
	return login(p.s.ctx, p.s.T, p.s.World, p.name, resource, opts...)
}

// wait fails the scenario when what is awaited does not come.
func (p *person) wait(what string, match func(*client.Stanza) bool) *client.Stanza {
	p.s.Helper()
	return wait(p.s.ctx, p.s.T, p.Client, what, match)
}

// ask sends a request that must have a result.
func (p *person) ask(to, kind, payload string) *client.Stanza {
	p.s.Helper()
	st, err := p.IQ(p.s.ctx, to, kind, payload)
	if err != nil {
		p.s.Fatalf("%s to %s: %v", payload, to, err)
	}
	return st
}

// refused sends a request that must be refused with that condition, and returns the sentence.
func (p *person) refused(to, kind, payload, condition string) string {
	p.s.Helper()
	st, err := p.IQ(p.s.ctx, to, kind, payload)
	if !client.IsCondition(err, condition) {
		p.s.Fatalf("%s to %s: %v, want %s\n%v", payload, to, err, condition, st)
	}
	e, _ := errors.AsType[*client.StanzaError](err)
	return e.Text
}

// say sends a chat message with a receipt request and returns its id.
func (p *person) say(to, body string) string {
	p.s.Helper()
	return p.send(client.Message{To: to, Body: body, Receipt: true})
}

func (p *person) send(m client.Message) string {
	p.s.Helper()
	id, err := p.SendMessage(m)
	if err != nil {
		p.s.Fatal(err)
	}
	return id
}

// registerByChat links the person's number or mailbox by talking to the gateway.
func (p *person) registerByChat(gateway string) {
	p.s.Helper()
	answer := p.number
	if gateway == world.Mail {
		answer = p.alias
	}
	last, err := world.Register(p.s.ctx, p.Client, gateway, answer)
	if err != nil {
		p.s.Fatalf("%v\n%s", err, journal(p.Client))
	}
	if !strings.Contains(last, answer) {
		p.s.Errorf("%s says at the end of the registration: %q", gateway, last)
	}
}

// sentence checks that a text is one for people: a whole sentence.
func (s *stage) sentence(text string) {
	s.Helper()
	if !strings.HasSuffix(text, ".") || !strings.Contains(text, " ") {
		s.Errorf("no sentence: %q", text)
	}
}
