package core

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Access is what the configuration says about who may use the gateway. It is not changed once it has been handed out.
type Access struct {
	Allow   func(UserID) bool // who may register without asking; nil: nobody
	Admins  []UserID          // may in any case, and are told who asks to be let in
	Approve bool              // others may ask, and wait for an administrator
	Invites bool              // others may come with an invitation
	// Domain is what of a user's name Limits.DomainRegistrations goes by; nil: it is not counted.
	Domain func(UserID) string
	Limits Limits
	// Strangers is what becomes of messages of strangers for who has chosen nothing; empty: AcceptStrangers.
	Strangers string
}

// Admin says whether a user is an administrator.
func (a *Access) Admin(user UserID) bool { return slices.Contains(a.Admins, user) }

func (a *Access) allows(user UserID) bool { return a.Admin(user) || a.Allow != nil && a.Allow(user) }

// refuses says why a person may not use the gateway, or nil. The words depend on nothing but their own standing.
func (a *Access) refuses(p Person) *Error {
	const op = "core: access"
	switch {
	case p.Standing == Suspended:
		return suspended(p)
	case p.Standing == Registered || a.allows(p.User):
		return nil
	case p.Standing == Pending:
		return E(Denied, op, "You have asked to be let in, and the administrator has not decided yet. You will be told.")
	case a.Approve:
		return E(Denied, op, `You are not registered here. Send "register" to the gateway to ask to be let in.`)
	case a.Invites:
		return E(Denied, op, "This gateway is not open to your address. If you have an invitation, send \"register\" "+
			"to the gateway; else ask its administrator.")
	}
	return notAllowed()
}

func notAllowed() *Error {
	return E(Denied, "core: access", "This gateway is not open to your address. Ask its administrator.")
}

func suspended(p Person) *Error {
	text := "Your access to this gateway is suspended."
	if p.Note != "" {
		text = fmt.Sprintf("Your access to this gateway is suspended: %s", sentence(p.Note))
	}
	return E(Denied, "core: access", text+" Ask its administrator.")
}

// sentence ends a text that somebody typed with a full stop.
func sentence(text string) string {
	text = strings.TrimSpace(text)
	if text != "" && !strings.ContainsRune(".!?", rune(text[len(text)-1])) {
		text += "."
	}
	return text
}

// access returns what the configuration says now.
func (g *Gateway) access() *Access {
	if g.cfg.Access == nil {
		return &Access{}
	}
	return g.cfg.Access()
}

// Admit returns nil if a user may use the gateway and register on its networks: they have been let in, or the
// allow-list would let them in. Else its error, Denied, says why not and what they can do about it. It speaks of the
// user's own standing only; the same words answer everybody who is not known here.
//
// Enroll needs no Admit before it: it is where who is not admitted shows an invitation or asks to be let in.
func (g *Gateway) Admit(ctx context.Context, user UserID) error {
	p, err := g.cfg.People.Person(ctx, user)
	if err != nil {
		return err
	}
	if refusal := g.access().refuses(p); refusal != nil {
		return refusal
	}
	return nil
}

// Allowed is Admit for those who cannot wait or have no words: it says yes where Admit says nil, and no also when the
// table of people cannot be read.
func (g *Gateway) Allowed(user UserID) bool { return g.Admit(context.Background(), user) == nil }

// Admin says whether a user is an administrator, by the configuration.
func (g *Gateway) Admin(user UserID) bool { return g.access().Admin(user) }

// Limits are those in force; Person.Messages goes before Limits.Messages.
func (g *Gateway) Limits() Limits { return g.access().Limits }

// active returns Denied for who is suspended.
func (g *Gateway) active(ctx context.Context, user UserID) error {
	p, err := g.cfg.People.Person(ctx, user)
	if err == nil && p.Standing == Suspended {
		err = suspended(p)
	}
	return err
}

// permit counts an event that a user submits, and returns OverLimit, with a sentence, if it is one too many. What the
// client sends by itself (chat states, markers, presence) is not counted.
func (g *Gateway) permit(p Person, e Event) error {
	switch e.(type) {
	case *Message, *Reaction, *Retraction:
	default:
		return nil
	}
	n := g.access().Limits.Messages
	if p.Messages > 0 {
		n = p.Messages
	}
	wait := g.sent.take(string(p.User), n, time.Minute)
	if wait == 0 {
		return nil
	}
	return &Error{Kind: OverLimit, Op: "core: limit", After: wait, Text: fmt.Sprintf(
		"You may send %d messages a minute here, and this was one too many: it was not sent. Try again in %s.", n, seconds(wait))}
}

// mayTry counts an attempt to register.
func (g *Gateway) mayTry(a *Access, user UserID) error {
	wait := g.tries.take("user "+string(user), a.Limits.Registrations, time.Hour)
	if wait == 0 && a.Domain != nil {
		wait = g.tries.take("domain "+a.Domain(user), a.Limits.DomainRegistrations, time.Hour)
	}
	if wait == 0 {
		return nil
	}
	return &Error{Kind: OverLimit, Op: "core: limit", After: wait,
		Text: "Those were too many attempts to register. Try again in " + seconds(wait) + "."}
}

// seconds writes a delay for people, rounded up.
func seconds(d time.Duration) string {
	n, unit := (d+time.Second-1)/time.Second, "second"
	if d > 2*time.Minute {
		n, unit = (d+time.Minute-1)/time.Minute, "minute"
	}
	if n == 1 {
		return "a second"
	}
	return fmt.Sprintf("%d %ss", n, unit)
}
