package email

import (
	"context"
	"regexp"
	"slices"
	"strings"

	"gangway/core"
)

// aliasForm is what people may choose: safe in every mail program, and in no other form of address of ours.
var aliasForm = regexp.MustCompile(`^[a-z0-9][a-z0-9._-]{0,62}$`)

// reserved are the names that have a meaning in every mail domain (RFC 2142), or would look as if they had.
func reserved() []string {
	return []string{
		"abuse", "admin", "administrator", "alias", "bounce", "bounces", "daemon", "dmarc", "ftp", "gangway", "gateway",
		"hostmaster", "info", "list", "list-request", "listmaster", "mail", "mailer-daemon", "mailerdaemon", "marketing",
		"news", "newsmaster", "no-reply", "nobody", "noc", "noreply", "postmaster", "root", "sales", "security",
		"support", "sysadmin", "system", "tls-reports", "tlsrpt", "trouble", "usenet", "uucp", "webmaster", "www",
	}
}

// The ways to have an address; the values of the answer "kind".
const (
	kindAlias = "alias" // of our own domain
	kindBox   = "box"   // a mailbox elsewhere
)

// Enroll gives out an address of our own domain, or links a mailbox that the user has elsewhere, whichever the
// configuration has; where it has both, the user chooses.
func (t *transport) Enroll(ctx context.Context, user core.UserID, current *core.Account, answers map[string]string) (core.Step, error) {
	_, alias := answers["alias"]
	_, box := answers["address"]
	switch {
	case len(t.settings.Mailboxes) == 0, alias, t.servesDomain() && answers["kind"] == kindAlias:
		return t.enrollAlias(ctx, user, current, answers)
	case !t.servesDomain(), box, answers["kind"] == kindBox:
		return t.enrollBox(ctx, user, current, answers)
	}
	return core.Step{
		Title: "E-mail", Text: "Which e-mail address do you want to use here?", More: true,
		Fields: []core.Field{{
			Name: "kind", Label: "Address", Type: core.ChoiceField, Value: kindAlias, Required: true,
			Options: []core.Option{
				{Value: kindAlias, Label: "one that ends in @" + t.domain},
				{Value: kindBox, Label: "one that I have, with its own mailbox"},
			},
		}},
	}, nil
}

// enrollAlias asks for the name before the @ and takes it. An administrator can link the reserved ones to somebody.
func (t *transport) enrollAlias(ctx context.Context, user core.UserID, current *core.Account, answers map[string]string) (core.Step, error) {
	if current != nil && isBox(current.Realm) {
		current = nil
	}
	ask := core.Step{
		Title: "E-mail", Text: "Which e-mail address would you like? Choose the part before @" + t.domain + ".",
		Fields: []core.Field{{Name: "alias", Label: "Name before @" + t.domain, Value: proposal(user, current), Required: true}},
	}
	answer, ok := answers["alias"]
	if !ok {
		return ask, nil
	}
	alias := t.aliasOf(answer)
	ask.Fields[0].Value = alias
	switch {
	case !aliasForm.MatchString(alias) || strings.HasSuffix(alias, ".") || strings.Contains(alias, ".."):
		ask.Text = "The name may have letters, digits, dots, dashes and underscores, up to 63, and begins with a letter or digit."
		return ask, nil
	case slices.Contains(reserved(), alias):
		ask.Text = "That name is reserved. Please choose another."
		return ask, nil
	}
	own := core.Address(alias + "@" + t.domain)
	owner, err := t.host.Owner(ctx, own, "")
	switch {
	case err == nil && owner.User != user:
		ask.Text = "That address is somebody else's. Please choose another."
		return ask, nil
	case err != nil && core.KindOf(err) != core.NotFound && core.KindOf(err) != core.Unenrolled:
		return core.Step{}, err
	}
	link := core.Account{Own: own}
	if current != nil {
		link = *current
		link.Own = own
	}
	return core.Step{
		Title: "E-mail", Text: "Your e-mail address is " + string(own) + ".", Done: true, Link: &link,
	}, nil
}

// aliasOf takes the domain away, if it was typed along.
func (t *transport) aliasOf(s string) string {
	s = strings.ToLower(strings.TrimSpace(s))
	return strings.TrimSuffix(s, "@"+t.domain)
}

// proposal is the present alias, or the user's own name as far as it can be one.
func proposal(user core.UserID, current *core.Account) string {
	name := string(user)
	if current != nil {
		name = string(current.Own)
	}
	name, _, _ = strings.Cut(strings.ToLower(name), "@")
	if !aliasForm.MatchString(name) || slices.Contains(reserved(), name) {
		return ""
	}
	return name
}
