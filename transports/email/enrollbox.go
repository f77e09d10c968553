package email

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"gangway/core"
	"gangway/transports/email/discover"
	"gangway/transports/email/oauth"
)

// linking is a mailbox on its way to being linked: what the user has said of it, and what is known.
type linking struct {
	t        *transport
	user     core.UserID
	current  *core.Account // the account that is changed; nil: a new one
	own      address
	password string
	answers  map[string]string
	found    discover.Found
	login    credentials
	secret   secret
}

// enrollBox asks for an address and its password, finds the servers, logs in to them, and keeps what took the login.
// What it asks for beside those depends on what it finds: a server where none is known, or a code that is typed
// elsewhere (enrolltoken.go).
func (t *transport) enrollBox(ctx context.Context, user core.UserID, current *core.Account, answers map[string]string) (core.Step, error) {
	text, ok := answers["address"]
	if current != nil && !isBox(current.Realm) {
		current = nil
	}
	if !ok {
		return askBox(current, "Which mailbox do you want to use here? Give its address and its password.", ""), nil
	}
	own, err := parseAddress(typed(text))
	if err != nil {
		return askBox(current, core.AsError(err).Sentence(), text), nil
	}
	if wrong, err := t.mayLink(ctx, user, own); err != nil || wrong != "" {
		return askBox(current, wrong, own.String()), err
	}
	if realm := own.folded(); current == nil || current.Realm != realm {
		if known, err := t.boxOf(ctx, user, realm); err != nil || known {
			return core.Step{Link: &core.Account{Realm: realm}}, err // to be asked again, with that account
		}
		current = nil
	}
	if current != nil { // in the spelling that its server knows
		if own, err = parseAddress(string(current.Own)); err != nil {
			return core.Step{}, err
		}
	}
	l := &linking{t: t, user: user, current: current, own: own, password: answers["password"], answers: answers}
	return l.step(ctx)
}

// askBox asks for the two things that are enough as a rule.
func askBox(current *core.Account, text, address string) core.Step {
	if address == "" && current != nil {
		address = string(current.Own)
	}
	return core.Step{Title: "E-mail", Text: text, Fields: []core.Field{
		{Name: "address", Label: "E-mail address", Value: address, Required: true},
		{Name: "password", Label: "Password", Type: core.SecretField},
	}}
}

// boxOf says whether a user has linked a mailbox already.
func (t *transport) boxOf(ctx context.Context, user core.UserID, realm string) (bool, error) {
	all, err := t.host.AccountsOf(ctx, user)
	for _, a := range all {
		if a.Realm == realm {
			return true, err
		}
	}
	return false, err
}

// mayLink says in a sentence why an address cannot be linked; empty if it can.
func (t *transport) mayLink(ctx context.Context, user core.UserID, own address) (wrong string, err error) {
	switch {
	case own.domain == t.domain:
		return "Addresses at " + t.domain + " are given out here and have no mailbox of their own. Begin again and choose a name.", nil
	case !t.linkable(own.wire):
		return "This gateway does not link mailboxes at " + own.domain + ". Ask its administrator.", nil
	}
	all, err := t.host.AccountsOf(ctx, user)
	if err != nil {
		return "", err
	}
	n := 0
	for _, a := range all {
		if isBox(a.Realm) && a.Realm != own.folded() {
			n++
		}
	}
	if n >= t.boxes.most {
		return fmt.Sprintf("You have linked %d mailboxes, and more are not allowed here. Unregister one first.", n), nil
	}
	owner, err := t.host.Owner(ctx, own.address(), "")
	switch {
	case err == nil && owner.User != user:
		return "That mailbox is linked by somebody else here.", nil
	case err != nil && core.KindOf(err) != core.NotFound && core.KindOf(err) != core.Unenrolled:
		return "", err
	}
	return "", nil
}

// step goes on as far as can be without another answer.
func (l *linking) step(ctx context.Context) (core.Step, error) {
	if strings.ContainsAny(l.password, "\r\n\x00") || len(l.password) > 1000 {
		return l.ask("A password is one line."), nil
	}
	l.found = l.t.boxes.finder.Find(ctx, l.own.quotedLocal(), l.own.wire)
	p := l.found.Provider
	grants := l.t.boxes.tokensFor(l.own.wire, p)
	switch {
	case p != nil && p.Closed != "":
		return l.ask(p.Closed + " It cannot be linked."), nil
	case grants != nil && (l.password == "" || p != nil && p.TokenOnly):
		return l.grant(ctx, grants)
	case p != nil && p.TokenOnly:
		return l.ask(p.Name + " takes no passwords from other programs, and this gateway is not set up to log in there in another way. Ask its administrator."), nil
	case l.password == "":
		return l.ask("Please enter the password, too."), nil
	}
	l.login, l.secret = credentials{password: l.password}, secret{Password: l.password}
	return l.try(ctx)
}

// try logs in to the servers.
func (l *linking) try(ctx context.Context) (core.Step, error) {
	imap, smtp, wrong := l.servers()
	if wrong != "" {
		return l.askServers(wrong), nil
	}
	reads, err := l.t.tryIMAP(ctx, imap, l.own.quotedLocal(), l.login)
	if err != nil {
		return l.failed(ctx, err, "IMAP", imap)
	}
	if !reads.Sure { // the name that does for one does for the other
		for i := range smtp {
			smtp[i].User, smtp[i].Sure = reads.User, true
		}
	}
	submits, err := l.t.trySMTP(ctx, smtp, l.own.quotedLocal(), l.login)
	if err != nil {
		return l.failed(ctx, err, "SMTP", smtp)
	}
	return l.done(reads, submits)
}

// servers are those that the user has named, else those that were found.
func (l *linking) servers() (imap, smtp []discover.Server, wrong string) {
	imap, smtp = l.found.IMAP, l.found.SMTP
	user := strings.TrimSpace(l.answers["login"])
	if user == "" {
		user = l.own.quotedLocal() + "@" + l.own.wire
	}
	for _, one := range []struct {
		key   string
		usual [2]int
		all   *[]discover.Server
	}{{"imap", [2]int{993, 143}, &imap}, {"smtp", [2]int{465, 587}, &smtp}} {
		text := strings.TrimSpace(l.answers[one.key])
		if text == "" {
			continue
		}
		named, err := l.t.serversAt(text, user, one.usual)
		if err != nil {
			return nil, nil, core.AsError(err).Sentence()
		}
		*one.all = named
	}
	if len(imap) == 0 || len(smtp) == 0 {
		return nil, nil, "The mail servers of " + l.own.domain + " could not be found. Please enter them: your provider's help pages name them."
	}
	return imap, smtp, ""
}

// failed says in a sentence what went wrong, and asks again.
func (l *linking) failed(ctx context.Context, err error, protocol string, servers []discover.Server) (core.Step, error) {
	if ctx.Err() != nil {
		return core.Step{}, core.Wrap(core.Unavailable, "email: link", ctx.Err())
	}
	where := servers[0].Host
	switch {
	case errors.Is(err, oauth.ErrRevoked):
		return l.ask("The provider has taken the access back. Please begin again."), nil
	case errors.Is(err, errRefused):
		return l.ask(l.refusal(protocol)), nil
	case errors.Is(err, discover.ErrForbidden):
		return l.askServers("The address of the " + protocol + " server (" + where + ") leads to where this gateway connects to no mail servers."), nil
	}
	return l.askServers("The " + protocol + " server of " + l.own.domain + " (" + where + ") does not answer. Please check its name and port."), nil
}

// refusal says why a server may have refused the login.
func (l *linking) refusal(protocol string) string {
	p := l.found.Provider
	switch {
	case l.login.tokens != nil:
		return "The " + protocol + " server refuses the login, although access was allowed. Is this the address that you have allowed it for?"
	case p != nil && p.AppPassword != "":
		return p.Name + " refuses the login. It wants a password of its own for programs like this one, which you can make here: " + p.AppPassword
	case p != nil && p.Switch != "":
		return p.Name + " refuses the login. Either the password is wrong, or: " + p.Switch
	}
	return "The " + protocol + " server of " + l.own.domain + " refuses the login. Is the password right? Some providers want one made for programs, or have IMAP to be switched on first."
}

// ask asks for the address and password again.
func (l *linking) ask(text string) core.Step { return askBox(l.current, text, l.own.String()) }

// askServers asks for what could not be found out.
func (l *linking) askServers(text string) core.Step {
	proposal := func(key string, of []discover.Server) string {
		if text := l.answers[key]; text != "" || len(of) == 0 {
			return text
		}
		return of[0].Host
	}
	return core.Step{Title: "E-mail", Text: text, Fields: []core.Field{
		{Name: "imap", Label: "Server for incoming mail (IMAP), such as imap.example.com", Value: proposal("imap", l.found.IMAP), Required: true},
		{Name: "smtp", Label: "Server for outgoing mail (SMTP), such as smtp.example.com", Value: proposal("smtp", l.found.SMTP), Required: true},
		{Name: "login", Label: "Login (empty: the address)", Value: l.answers["login"]},
	}}
}

// done is the account.
func (l *linking) done(imap, smtp discover.Server) (core.Step, error) {
	sealed, err := l.secret.seal()
	if err != nil {
		return core.Step{}, err
	}
	link := core.Account{Own: l.own.address()}
	if l.current != nil {
		link = *l.current
	}
	link.Realm, link.Secret = l.own.folded(), sealed
	link.Options = map[string]string{optionIMAP: serverURL("imap", imap), optionSMTP: serverURL("smtp", smtp)}
	if p := l.found.Provider; p != nil && p.SavesSent {
		link.Options[optionSavesSent] = "true"
	}
	text := "Your mailbox " + l.own.String() + " is linked. What comes in from now on is shown here, and what you write is sent from that address."
	if l.current != nil {
		text = "The login of your mailbox " + l.own.String() + " is changed."
	}
	return core.Step{Title: "E-mail", Text: text, Done: true, Link: &link}, nil
}
