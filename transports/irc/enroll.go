package irc

import (
	"context"
	"maps"
	"strings"

	"gangway/core"
	"gangway/transports/irc/isupport"
)

// Enroll asks for what a user wants to be called on a network, and for the password of an account with its services
// (SASL). Nobody has to: without it a connection is made with the nick that a room is entered with.
func (t *transport) Enroll(_ context.Context, _ core.UserID, current *core.Account, answers map[string]string) (core.Step, error) {
	if current == nil {
		current = &core.Account{Realm: t.cfg.FixedNetwork}
	}
	if answers == nil {
		return t.askAccount(current, ""), nil
	}
	realm, err := t.realm(strings.TrimSpace(firstOf(answers["network"], t.cfg.FixedNetwork)))
	if err != nil {
		return t.askAccount(current, core.AsError(err).Sentence()), nil
	}
	nick := strings.TrimSpace(answers["nick"])
	login, password := strings.TrimSpace(answers["login"]), answers["password"]
	switch {
	case nick != "" && nickFrom(nick) != nick:
		return t.askAccount(current, "That cannot be a nick on IRC. Use letters, digits and _-[]{}\\|^`."), nil
	case strings.ContainsAny(login+password, "\r\n\x00") || len(login) > isupport.MaxNick || len(password) > 300:
		return t.askAccount(current, "The account's name and password must be one line each."), nil
	}
	link := &core.Account{Realm: realm, Options: map[string]string{}}
	if current.Realm == realm {
		link.Secret = current.Secret
		maps.Copy(link.Options, current.Options)
	}
	setOption(link.Options, "nick", nick)
	setOption(link.Options, "login", login)
	if password != "" {
		link.Secret = []byte(password)
	}
	return core.Step{
		Title: "IRC", Done: true, Link: link,
		Text: "Done. Enter a channel of " + realm + ", such as " + t.Format(core.Target{Realm: realm, Address: "#channel"}) + ".",
	}, nil
}

func setOption(options map[string]string, key, value string) {
	if delete(options, key); value != "" {
		options[key] = value
	}
}

// askAccount is the form, with what was wrong before, if anything.
func (t *transport) askAccount(current *core.Account, wrong string) core.Step {
	step := core.Step{
		Title: "IRC",
		Text:  "Which nick do you want on which network? The account and password are for networks where you have registered; leave them empty otherwise.",
	}
	if wrong != "" {
		step.Text = wrong
	}
	if t.cfg.FixedNetwork == "" {
		step.Fields = append(step.Fields, t.networkField(current.Realm))
	}
	step.Fields = append(step.Fields,
		core.Field{Name: "nick", Label: "Nick", Value: current.Options["nick"]},
		core.Field{Name: "login", Label: "Account (if it is not the nick)", Value: current.Options["login"]},
		core.Field{Name: "password", Label: "Password", Type: core.SecretField},
	)
	return step
}

// networkField lets the user choose among the networks, or write one where every public one is allowed.
func (t *transport) networkField(realm string) core.Field {
	f := core.Field{Name: "network", Label: "Network", Value: realm, Required: true}
	if t.allowed["*"] {
		return f
	}
	f.Type = core.ChoiceField
	for _, name := range t.realms() {
		f.Options = append(f.Options, core.Option{Value: name, Label: name})
	}
	return f
}
