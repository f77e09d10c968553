package register

import (
	"context"
	"fmt"
	"strings"

	"gangway/core"
)

// maxName is the most characters that a name may have.
const maxName = 100

// shownContacts is how many contacts one list shows.
const shownContacts = 50

// What can be done with a contact.
const (
	rename  = "rename"
	remove  = "remove"
	nothing = "nothing"
)

// contacts lists the user's contacts, and renames or removes one.
func (c commands) contacts(ctx context.Context, r Request) (core.Step, error) {
	people, err := c.people(ctx, r.User)
	if err != nil {
		return core.Step{}, err
	}
	if search := r.Answers["search"]; search != "" {
		people = matching(people, search)
	}
	page, action := leafed(r.Answers, "action")
	shown, further := pageOf(people, page, shownContacts)
	_, chosen := r.Answers["contact"]
	switch {
	case len(people) == 0 && action == "":
		return c.noContacts(ctx, r)
	case action == "":
		return c.listContacts(people, shown, page, further), nil
	case action != rename && action != remove:
		return c.done("Nothing was changed."), nil
	case !chosen:
		return c.ask("Which contact shall be "+action+"d?", choice("contact", "Contact", shown)), nil
	}
	s, ask, err := c.whom(ctx, r, "")
	switch {
	case err != nil || ask != nil:
		return stepOf(ask), err
	case action == remove:
		return c.removeContact(ctx, s)
	}
	return c.renameContact(ctx, r, s)
}

func matching(people []somebody, search string) []somebody {
	var found []somebody
	for _, s := range people {
		if s.matches(search) {
			found = append(found, s)
		}
	}
	return found
}

func (c commands) noContacts(ctx context.Context, r Request) (core.Step, error) {
	if r.Answers["search"] != "" {
		return c.done("None of your contacts is called anything like that."), nil
	}
	if accounts, err := c.own(ctx, r.User); err != nil || len(accounts) == 0 && !c.Domain.Network.Driver.Implicit {
		if err == nil {
			err = c.unenrolled()
		}
		return core.Step{}, err
	}
	return c.done("You have no contacts here yet. Send an address to get the link to it."), nil
}

func (c commands) listContacts(all, shown []somebody, page int, further bool) core.Step {
	var b strings.Builder
	if fmt.Fprintf(&b, "%d %s", len(all), plural(len(all), "contact")); len(shown) < len(all) {
		fmt.Fprintf(&b, ", %d to %d of them", page*shownContacts+1, page*shownContacts+len(shown))
	}
	b.WriteString(":")
	for _, s := range shown {
		b.WriteString("\n" + s.line())
		t, err := c.Domain.Network.Transport.Parse(s.text)
		if err != nil {
			continue
		}
		if uri, err := c.uri(t); err == nil {
			b.WriteString("\n   " + uri)
		}
	}
	if further {
		b.WriteString("\n... and more. Send \"contacts\" with a part of a name to find one.")
	}
	step := c.ask(b.String(), core.Field{
		Name: onPage("action", page), Label: "What shall be done?", Type: core.ChoiceField, Value: nothing, Required: true,
		Options: leaf([]core.Option{{Value: rename, Label: rename}, {Value: remove, Label: remove}, {Value: nothing, Label: nothing}}, further),
	})
	step.More = true
	return step
}

func (c commands) removeContact(ctx context.Context, s somebody) (core.Step, error) {
	err := c.Contacts.RemoveContact(ctx, s.account.ID, s.Address)
	if err != nil && core.KindOf(err) != core.NotFound {
		return core.Step{}, err
	}
	return c.done(s.line() + " is forgotten here. Remove it from your client's contact list, too."), nil
}

// renameContact gives a contact the name that the user chose, or, with an empty
// one, takes that back.
func (c commands) renameContact(ctx context.Context, r Request, s somebody) (core.Step, error) {
	ask := c.ask("What do you want to call "+s.text+"? You can use that name in commands here.",
		core.Field{Name: "name", Label: "Name", Value: s.Alias})
	name, ok := r.Answers["name"]
	if !ok {
		return ask, nil
	}
	s.Alias = oneLine(name, maxName)
	if err := c.Contacts.PutContact(ctx, s.Contact); err != nil {
		if core.KindOf(err) != core.Invalid {
			return core.Step{}, err
		}
		ask.Text = core.AsError(err).Sentence()
		return ask, nil
	}
	if s.Alias == "" {
		return c.done(s.text + " has no name of yours any more."), nil
	}
	return c.done(s.text + " is called " + s.Alias + " here."), nil
}

func plural(n int, noun string) string {
	if n == 1 {
		return noun
	}
	return noun + "s"
}

// oneLine is a text as somebody typed it, on one line, and at most n characters.
func oneLine(text string, n int) string {
	runes := []rune(strings.Join(strings.Fields(text), " "))
	return string(runes[:min(len(runes), n)])
}
