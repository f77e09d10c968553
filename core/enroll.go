package core

import (
	"bytes"
	"context"
	"maps"
	"strings"
	"unicode/utf8"
)

// The fields by which somebody who is not admitted yet asks to be.
const (
	inviteField = "invite" // the token of an invitation
	noteField   = "note"   // what the administrator may want to know
)

// maxNote is the most that is kept of a note, in characters.
const maxNote = 300

// Enroll takes a user one step further in linking an account on a network; see Enroller. When the step is Done its
// account has been written and its session opened. answers are all that were given so far.
//
// Everybody may call it. Who is not admitted is asked for an invitation, or for a note to the administrator, where the
// configuration knows those; a good invitation leads on to the network's own first step, and a request ends with a step
// that is Done. Else the error is Denied, as Admit has it. OverLimit, with a sentence, after too many attempts.
func (g *Gateway) Enroll(ctx context.Context, user UserID, network string, answers map[string]string) (Step, error) {
	n := g.networks[network]
	if n == nil {
		return Step{}, E(NotFound, "core: enrol", "There is no such network here.")
	}
	step, err := g.enter(ctx, n, user, answers)
	if err != nil || step != nil {
		return deref(step), err
	}
	if n.TransportCaps.Enroller == nil {
		if n.Driver.Implicit {
			return Step{Title: n.Driver.Title, Done: true, Text: "You need not register here: just write to an address."}, nil
		}
		return Step{}, E(Unsupported, "core: enrol", "Accounts on this network are made by the administrator.")
	}
	return g.enroll(ctx, n, user, own(answers))
}

func deref(s *Step) Step {
	if s == nil {
		return Step{}
	}
	return *s
}

// own are the answers that are the network's business; nil if there are none.
func own(answers map[string]string) map[string]string {
	var kept map[string]string
	for name, value := range answers {
		if name == inviteField || name == noteField {
			continue
		}
		if kept == nil {
			kept = map[string]string{}
		}
		kept[name] = value
	}
	return kept
}

// enroll is Enroll for who is admitted. A network of many realms learns from the answers which account it is about: one
// that the user has there already is the one that is changed, however it came about.
func (g *Gateway) enroll(ctx context.Context, n *Network, user UserID, answers map[string]string) (Step, error) {
	network, enroller := n.Driver.Name, n.TransportCaps.Enroller
	current, err := g.current(ctx, user, network, "")
	if err != nil {
		return Step{}, err
	}
	step, err := enroller.Enroll(ctx, user, current, answers)
	if err == nil && step.Link != nil && (current == nil || step.Link.Realm != current.Realm) {
		if current, err = g.current(ctx, user, network, step.Link.Realm); err == nil && current != nil {
			step, err = enroller.Enroll(ctx, user, current, answers)
		}
	}
	if err != nil || !step.Done || step.Link == nil {
		return step, err
	}
	link := *step.Link
	link.User, link.Network = user, network
	if current != nil && link.Realm == current.Realm {
		link.ID = current.ID
	}
	linked, err := g.Link(ctx, link)
	if err != nil {
		return Step{}, err
	}
	step.Link = &linked
	return step, nil
}

// current is the account that a user has in a realm; nil: none.
func (g *Gateway) current(ctx context.Context, user UserID, network, realm string) (*Account, error) {
	a, err := g.cfg.Accounts.AccountOf(ctx, user, network, realm)
	switch {
	case err == nil && a.Realm == realm:
		return &a, nil
	case err == nil, KindOf(err) == Unenrolled:
		return nil, nil
	}
	return nil, err
}

// Change takes a user through their network's enrolment once more, with an account of theirs as the one that is changed.
// When the step is Done the account has been written; unless it is as it was its session is opened again.
func (g *Gateway) Change(ctx context.Context, a Account, answers map[string]string) (Step, error) {
	n := g.networks[a.Network]
	if n == nil || n.TransportCaps.Enroller == nil {
		return Step{}, E(Unsupported, "core: change", "There is nothing about this account that can be changed.")
	}
	if err := g.Admit(ctx, a.User); err != nil {
		return Step{}, err
	}
	step, err := n.TransportCaps.Enroller.Enroll(ctx, a.User, &a, answers)
	if err != nil || !step.Done || step.Link == nil {
		return step, err
	}
	link := *step.Link
	if link.Realm != a.Realm {
		return Step{}, E(Invalid, "core: change", "An account stays on its network. Register to have one on another.")
	}
	link.ID, link.User, link.Network = a.ID, a.User, a.Network
	if link.Own == "" {
		link.Own = a.Own
	}
	if link.Name == "" {
		link.Name = a.Name
	}
	if maps.Equal(link.Options, a.Options) && bytes.Equal(link.Secret, a.Secret) && link.Own == a.Own && link.Name == a.Name {
		step.Link = &a
		return step, nil
	}
	linked, err := g.Link(ctx, link)
	if err != nil {
		return Step{}, err
	}
	step.Link = &linked
	return step, nil
}

// enter lets a user in, or returns the step or the error that stands before. Both are nil for who is admitted.
func (g *Gateway) enter(ctx context.Context, n *Network, user UserID, answers map[string]string) (*Step, error) {
	access := g.access()
	if len(answers) > 0 {
		if err := g.mayTry(access, user); err != nil {
			return nil, err
		}
	}
	p, err := g.cfg.People.Person(ctx, user)
	if err != nil {
		return nil, err
	}
	refusal := access.refuses(p)
	ask := access.question(n, p)
	switch {
	case refusal == nil:
		return nil, nil
	case p.Standing == Suspended || ask == nil:
		return nil, refusal
	}
	token, hasToken := answers[inviteField]
	note, hasNote := answers[noteField]
	switch token = strings.TrimSpace(token); {
	case token != "" && access.Invites:
		_, err := g.cfg.People.Redeem(ctx, user, n.Driver.Name, token)
		if err != nil && KindOf(err) == NotFound {
			ask.Text = "That is no invitation, or it is not good any more. " + ask.Text
			return ask, nil
		}
		return nil, err
	case (hasToken || hasNote) && access.Approve && p.Standing == Stranger:
		return g.request(ctx, n, user, note)
	case p.Standing == Pending && hasToken:
		return nil, refusal
	}
	return ask, nil
}

// question is what somebody who is not admitted is asked; nil if nothing would help them.
func (a *Access) question(n *Network, p Person) *Step {
	s := &Step{Title: n.Driver.Title}
	ask := a.Approve && p.Standing == Stranger
	if a.Invites {
		s.Fields = append(s.Fields, Field{Name: inviteField, Label: "Invitation", Required: !ask})
	}
	if ask {
		s.Fields = append(s.Fields, Field{Name: noteField, Label: "A note to the administrator"})
	}
	switch {
	case len(s.Fields) == 0:
		return nil
	case a.Invites && ask:
		s.Text = "This gateway is not open to everybody. If you have an invitation, enter it; without one your request " +
			"is passed to the administrator, with your note."
	case ask:
		s.Text = "This gateway is not open to everybody. Your request will be passed to the administrator, with your note."
	case p.Standing == Pending:
		s.Text = "You have asked to be let in, and the administrator has not decided yet. An invitation lets you in at once."
	default:
		s.Text = "This gateway is not open to everybody. Please enter your invitation."
	}
	return s
}

// request notes that somebody asks to be let in, and tells the administrators.
func (g *Gateway) request(ctx context.Context, n *Network, user UserID, note string) (*Step, error) {
	note = shorten(note, maxNote)
	asked := false
	_, err := g.cfg.People.ChangePerson(ctx, user, func(p *Person) error {
		if asked = p.Standing == Stranger; asked {
			p.Standing, p.Network, p.Note = Pending, n.Driver.Name, note
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	if asked {
		text := string(user) + " asks to be let in to " + n.Driver.Title + "."
		if note != "" {
			text += " They say: " + note
		}
		g.tellAdmins(ctx, n.Driver.Name, text+"\nTo decide, send \"approve "+string(user)+"\" or \"reject "+string(user)+"\".")
	}
	return &Step{Title: n.Driver.Title, Done: true,
		Text: "Your request has been passed to the administrator. You will be told when it is decided."}, nil
}

// shorten returns at most n characters of a text, on one line.
func shorten(text string, n int) string {
	text = strings.Join(strings.Fields(strings.ToValidUTF8(text, "")), " ")
	if utf8.RuneCountInString(text) <= n {
		return text
	}
	return string([]rune(text)[:n-1]) + "…"
}

// Link writes an account, whoever asks for it, and (re)opens its session.
func (g *Gateway) Link(ctx context.Context, a Account) (Account, error) {
	linked, err := g.cfg.Accounts.Link(ctx, a)
	if err != nil {
		return Account{}, err
	}
	g.stop(linked.ID)
	if n := g.networks[linked.Network]; n != nil && n.Driver.Lane == Stored {
		err = g.With(ctx, linked, func(Session) error { return nil })
	}
	return linked, err
}

// Unenroll removes all of a user's accounts on a network, with everything kept for them. Unenrolled if there is none.
// That the user was let in, or is suspended, is remembered; see Erase.
func (g *Gateway) Unenroll(ctx context.Context, user UserID, network string) error {
	all, err := g.cfg.People.AccountsOf(ctx, user)
	if err != nil {
		return err
	}
	found := false
	for _, a := range all {
		if a.Network != network {
			continue
		}
		found = true
		if err := g.Unlink(ctx, a.ID); err != nil {
			return err
		}
	}
	if !found {
		return E(Unenrolled, "core: unenrol", "You are not registered here.")
	}
	return nil
}

// Unlink removes one account, with everything kept for it. NotFound if it is gone.
func (g *Gateway) Unlink(ctx context.Context, id AccountID) error {
	g.stop(id)
	err := g.cfg.Accounts.Unlink(ctx, id)
	g.stop(id) // an attempt in between may have opened it again
	if err == nil && g.cfg.Archive != nil {
		err = g.cfg.Archive.Forget(ctx, id)
	}
	return err
}
