package register

import (
	"context"
	"fmt"
	"strings"

	"gangway/core"
	"gangway/core/xmpp/edge"
	"gangway/mapping"
)

// add puts an address on the user's list, and answers with the link to its JID.
func (c commands) add(ctx context.Context, r Request) (core.Step, error) {
	ask := c.ask("Which address?",
		core.Field{Name: "address", Label: orDefault(c.Domain.Network.Driver.Prompt, "Address"), Required: true})
	text, ok := r.Answers["address"]
	if !ok {
		return ask, nil
	}
	t, err := c.Domain.Understand(text)
	if err == nil && t.Address == "" {
		err = core.E(core.Invalid, "register: add", "That is a network, and nobody's address on it.")
	}
	if err != nil {
		ask.Text = core.AsError(err).Sentence()
		return ask, nil
	}
	link, err := c.describe(t)
	if err != nil {
		return core.Step{}, err
	}
	if err := c.list(ctx, r.User, t); err != nil {
		return core.Step{}, err
	}
	return c.done(link), nil
}

// list puts a correspondent on the user's list. Rooms have no place there, nor has
// anybody whom the user has no account to reach with yet.
func (c commands) list(ctx context.Context, user core.UserID, t core.Target) error {
	if c.Contacts == nil || t.Room {
		return nil
	}
	a, err := c.reaching(ctx, user, t)
	if err != nil {
		if core.KindOf(err) == core.Unenrolled {
			return nil
		}
		return err
	}
	s, err := c.among(ctx, a, t.Address)
	if err != nil {
		return err
	}
	return c.Contacts.PutContact(ctx, s.Contact)
}

// reaching is the account of the user's that speaks to a target. Unenrolled if there is none.
func (c commands) reaching(ctx context.Context, user core.UserID, t core.Target) (core.Account, error) {
	if c.Domain.Network.Driver.Shared {
		return c.Gateway.Speaker(ctx, user, c.network(), t)
	}
	accounts, err := c.own(ctx, user)
	if err != nil {
		return core.Account{}, err
	}
	for _, a := range accounts {
		if a.Realm == t.Realm {
			return a, nil
		}
	}
	return core.Account{}, c.unenrolled()
}

// among is somebody as one of the user's accounts knows them, if it does.
func (c commands) among(ctx context.Context, a core.Account, address core.Address) (somebody, error) {
	contact, err := c.Contacts.Contact(ctx, a.ID, address)
	if err != nil && core.KindOf(err) != core.NotFound {
		return somebody{}, err
	}
	if err != nil {
		contact = mapping.Contact{Account: a.ID, Address: address}
	}
	return c.somebody(a, contact), nil
}

// link answers what may be an address with its canonical form and a link.
func (c commands) link(text string) (string, error) {
	t, err := c.Domain.Understand(text)
	if err != nil {
		return "", err
	}
	return c.describe(t)
}

// describe writes an address and the link to it.
func (c commands) describe(t core.Target) (string, error) {
	uri, err := c.uri(t)
	if err != nil {
		return "", err
	}
	return c.Domain.Network.Transport.Format(t) + " is " + uri, nil
}

// uri is the link that clients make tappable.
func (c commands) uri(t core.Target) (string, error) {
	jid, err := c.Domain.JID(t.Realm, t.Address, t.Room)
	if err != nil {
		return "", err
	}
	if t.Room {
		return edge.URI(jid, "join"), nil
	}
	return edge.URI(jid, "message"), nil
}

// somebody is a contact of one of the user's accounts.
type somebody struct {
	mapping.Contact
	account core.Account
	text    string // the address as people write it
}

// called is what the user knows somebody by.
func (s somebody) called() string {
	switch {
	case s.Alias != "":
		return s.Alias
	case s.Name != "":
		return s.Name
	}
	return s.text
}

// line describes somebody in a list.
func (s somebody) line() string {
	line := s.text
	if name := s.called(); name != s.text {
		line = name + " (" + s.text + ")"
	}
	if s.Blocked {
		line += ", blocked"
	}
	return line
}

func (s somebody) matches(search string) bool {
	search = mapping.Fold(search)
	if search == "blocked" && s.Blocked {
		return true
	}
	for _, text := range []string{s.text, s.Name, s.Alias} {
		if strings.Contains(mapping.Fold(text), search) {
			return true
		}
	}
	return false
}

// people are the contacts of all of a user's accounts on the network.
func (c commands) people(ctx context.Context, user core.UserID) ([]somebody, error) {
	accounts, err := c.own(ctx, user)
	if err != nil || c.Contacts == nil {
		return nil, err
	}
	var all []somebody
	seen := map[string]bool{} // several accounts may know the same person
	for _, a := range accounts {
		for after := core.Address(""); ; {
			page, err := c.Contacts.Contacts(ctx, a.ID, after, 0)
			if err != nil {
				return nil, err
			}
			if len(page) == 0 {
				break
			}
			for _, contact := range page {
				if s := c.somebody(a, contact); !seen[s.text] {
					seen[s.text] = true
					all = append(all, s)
				}
			}
			after = page[len(page)-1].Address
		}
	}
	return all, nil
}

func (c commands) somebody(a core.Account, contact mapping.Contact) somebody {
	return somebody{contact, a, c.Domain.Network.Transport.Format(core.Target{Realm: a.Realm, Address: contact.Address})}
}

// find returns whom the user means: by the alias they chose, or by an address.
// It need not be a contact.
func (c commands) find(ctx context.Context, user core.UserID, text string) (somebody, error) {
	accounts, err := c.enrolled(ctx, user)
	if err != nil {
		return somebody{}, err
	}
	for _, a := range accounts {
		contact, err := c.Contacts.ContactByAlias(ctx, a.ID, text)
		if err == nil {
			return c.somebody(a, contact), nil
		}
		if core.KindOf(err) != core.NotFound {
			return somebody{}, err
		}
	}
	t, err := c.Domain.Understand(text)
	if err != nil {
		return somebody{}, err
	}
	a, err := c.reaching(ctx, user, t)
	if err != nil && core.KindOf(err) == core.Unenrolled {
		err = core.E(core.NotFound, "register: contact", fmt.Sprintf("You have no account on %s.", t.Realm))
	}
	if err != nil {
		return somebody{}, err
	}
	return c.among(ctx, a, t.Address)
}

// whom is the contact that a command is about, or the step that asks for one.
func (c commands) whom(ctx context.Context, r Request, question string) (somebody, *core.Step, error) {
	ask := c.ask(question, core.Field{Name: "contact", Label: "Contact", Required: true})
	text, ok := r.Answers["contact"]
	if !ok {
		_, err := c.enrolled(ctx, r.User)
		return somebody{}, &ask, err
	}
	s, err := c.find(ctx, r.User, text)
	if err != nil {
		switch e := core.AsError(err); e.Kind {
		case core.Invalid, core.NotFound:
			ask.Text = e.Sentence()
			return somebody{}, &ask, nil
		}
		return somebody{}, nil, err
	}
	return s, nil, nil
}

// block has the gateway keep silent about somebody.
func (c commands) block(ctx context.Context, r Request) (core.Step, error) {
	s, ask, err := c.whom(ctx, r, "Whom do you want to hear nothing from? Write an address, or a name that you gave.")
	if err != nil || ask != nil {
		return stepOf(ask), err
	}
	if err := c.setBlocked(ctx, r.User, s, true); err != nil {
		return core.Step{}, err
	}
	if c.Requests != nil {
		if err := c.Requests.Turned(ctx, s.account, s.Address); err != nil {
			return core.Step{}, err
		}
	}
	return c.done("You hear nothing more from " + s.line() + `. Send "unblock ` + s.text + `" to change that.`), nil
}

// setBlocked blocks or unblocks somebody for all accounts that reach them.
func (c commands) setBlocked(ctx context.Context, user core.UserID, s somebody, on bool) error {
	accounts, err := c.several(ctx, user)
	if err != nil {
		return err
	}
	if len(accounts) == 0 {
		accounts = []core.Account{s.account}
	}
	for _, a := range accounts {
		if err := c.Contacts.Block(ctx, a.ID, s.Address, on); err != nil {
			return err
		}
	}
	return nil
}

// unblock takes it back.
func (c commands) unblock(ctx context.Context, r Request) (core.Step, error) {
	if r.Answers["contact"] == "" {
		return c.chooseBlocked(ctx, r.User)
	}
	s, ask, err := c.whom(ctx, r, "")
	if err != nil || ask != nil {
		return stepOf(ask), err
	}
	if !s.Blocked {
		return c.done(s.line() + " was not blocked."), nil
	}
	if err := c.setBlocked(ctx, r.User, s, false); err != nil {
		return core.Step{}, err
	}
	s.Blocked = false
	return c.done("You hear from " + s.line() + " again."), nil
}

func (c commands) chooseBlocked(ctx context.Context, user core.UserID) (core.Step, error) {
	people, err := c.people(ctx, user)
	if err != nil {
		return core.Step{}, err
	}
	var blocked []somebody
	for _, s := range people {
		if s.Blocked {
			blocked = append(blocked, s)
		}
	}
	if len(blocked) == 0 {
		return c.done("Nobody is blocked."), nil
	}
	question := "Whom do you want to hear from again?"
	if len(blocked) > maxChoice {
		question += fmt.Sprintf(" You have blocked %d; \"contacts blocked\" lists them.", len(blocked))
	}
	return c.ask(question, choice("contact", "Contact", blocked)), nil
}

// maxChoice is how many contacts are offered by number; of more, one is named.
const maxChoice = 50

// choice asks for one of several contacts.
func choice(name, label string, of []somebody) core.Field {
	f := core.Field{Name: name, Label: label, Required: true}
	if len(of) > maxChoice {
		return f
	}
	f.Type = core.ChoiceField
	for _, s := range of {
		f.Options = append(f.Options, core.Option{Value: s.text, Label: s.line()})
	}
	return f
}

func stepOf(s *core.Step) core.Step {
	if s == nil {
		return core.Step{}
	}
	return *s
}
