package irc

import (
	"context"
	"maps"
	"strings"

	"gangway/core"
	"gangway/transports/irc/charset"
	"gangway/transports/irc/isupport"
	"gangway/transports/irc/wire"
)

// What a user may choose for an account; the keys of core.Account.Options.
const (
	optionNick       = "nick"
	optionLogin      = "login"
	optionAlternates = "alternates" // nicks to try when the first is taken, parted by spaces
	optionUnlogged   = "unlogged"   // what to do without the login: see the values below
	optionUsername   = "username"
	optionRealname   = "realname"
	// and optionBouncer

	unloggedStop     = "stop"     // do not connect
	unloggedContinue = "continue" // connect, and say so
	// Otherwise: connect where the network has no logins at the moment, and stop where it refuses this one.
)

const (
	maxCommands = 20
	maxUsername = 10  // RFC 2812 does not say; networks cut what is longer
	maxRealname = 150 // the same
)

// Enroll asks for what a user wants to be called on a network, and for the account with its services (SASL). Nobody
// has to: without it a connection is made with the nick that a room is entered with.
func (t *transport) Enroll(_ context.Context, _ core.UserID, current *core.Account, answers map[string]string) (core.Step, error) {
	if current == nil {
		current = &core.Account{Realm: t.cfg.FixedNetwork}
	}
	known, err := openCredentials(current.Secret)
	if err != nil {
		return core.Step{}, err
	}
	if answers == nil {
		return t.askAccount(current, ""), nil
	}
	realm, err := t.realm(strings.TrimSpace(firstOf(answers["network"], t.cfg.FixedNetwork)))
	if err != nil {
		return t.askAccount(current, core.AsError(err).Sentence()), nil
	}
	link := &core.Account{Realm: realm, Options: map[string]string{}}
	if current.Realm == realm {
		maps.Copy(link.Options, current.Options)
	} else {
		known = credentials{}
	}
	if wrong := answerAccount(link.Options, answers); wrong != "" {
		return t.askAccount(current, wrong), nil
	}
	wrong, err := known.answer(answers, link.Options[optionNick])
	if err != nil {
		return core.Step{}, err
	}
	if wrong != "" {
		return t.askAccount(current, wrong), nil
	}
	if _, asked := answers["unlogged"]; isTrue(answers["more"]) && !asked {
		return askMore(link, known), nil
	}
	if link.Secret, err = known.seal(); err != nil {
		return core.Step{}, err
	}
	return core.Step{Title: "IRC", Done: true, Link: link, Text: t.done(realm, known)}, nil
}

// done is what the user reads in the end.
func (t *transport) done(realm string, c credentials) string {
	text := "Done. Enter a channel of " + realm + ", such as " + t.Format(core.Target{Realm: realm, Address: "#channel"}) + "."
	if c.Certificate != nil {
		short, long := c.fingerprints()
		text += "\nYour certificate's fingerprint is " + short + " (SHA-256) or " + long +
			" (SHA-512). Tell it to the network once you are logged in, as a rule with: /msg NickServ CERT ADD"
	}
	return text
}

// answerAccount takes over what is no secret; what is wrong with it, if anything.
func answerAccount(options, answers map[string]string) (wrong string) {
	nick, login := strings.TrimSpace(answers["nick"]), strings.TrimSpace(answers["login"])
	alternates := strings.Fields(answers["alternates"])
	for _, n := range append(alternates, nick) {
		if n != "" && nickFrom(n) != n {
			return "That cannot be a nick on IRC. Use letters, digits and _-[]{}\\|^`."
		}
	}
	unlogged := answers["unlogged"]
	switch {
	case strings.ContainsAny(login, "\r\n\x00") || len(login) > isupport.MaxNick:
		return "The account's name must be one line."
	case strings.ContainsAny(answers["bouncer_network"], "\r\n\x00"):
		return "The name of the bouncer's network must be one line."
	case len(alternates) > maxNickTries-2:
		return "So many nicks are never tried."
	case strings.ContainsAny(answers["username"]+answers["realname"], "\r\n\x00") || len(answers["realname"]) > maxRealname:
		return "The user name and the real name must be one short line each."
	case answers["username"] != "" && asciiNick(answers["username"], maxUsername) != answers["username"]:
		return "A user name has at most 10 letters and digits."
	case unlogged != "" && unlogged != unloggedStop && unlogged != unloggedContinue:
		return "Choose one of the ways to go on without a login."
	}
	if wrong := answerCharsets(answers); wrong != "" {
		return wrong
	}
	setOption(options, optionNick, nick)
	setOption(options, optionLogin, login)
	if _, asked := answers["unlogged"]; asked {
		setOption(options, optionAlternates, strings.Join(alternates, " "))
		setOption(options, optionUnlogged, unlogged)
		setOption(options, optionBouncer, strings.TrimSpace(answers["bouncer_network"]))
		for _, name := range []string{optionUsername, optionRealname, optionReads, optionWrites, optionCharsets} {
			setOption(options, name, strings.TrimSpace(answers[name]))
		}
	}
	return ""
}

// answerCharsets says what is wrong with the encodings that a user chose, if anything.
func answerCharsets(answers map[string]string) (wrong string) {
	if _, err := charset.NamedPair(strings.TrimSpace(answers[optionReads]), strings.TrimSpace(answers[optionWrites])); err != nil {
		return "An encoding is written like latin1, windows-1251 or koi8-r. (" + err.Error() + ")"
	}
	if _, err := charset.ParseRooms(answers[optionCharsets]); err != nil {
		return "The encodings of channels are written like \"#channel koi8-r\", one channel a line. (" + err.Error() + ")"
	}
	return ""
}

// answer takes over what is to be sealed; what is wrong with it, if anything. Passwords that are not answered stay.
func (c *credentials) answer(answers map[string]string, name string) (wrong string, err error) {
	for _, password := range []string{answers["password"], answers["server_password"]} {
		if strings.ContainsAny(password, "\r\n\x00") || len(password) > 300 {
			return "The account's name and password must be one line each.", nil
		}
	}
	c.Password = firstOf(answers["password"], c.Password)
	c.Server = firstOf(answers["server_password"], c.Server)
	if text, ok := answers["commands"]; ok {
		c.Commands = commandLines(text)
	}
	if len(c.Commands) > maxCommands {
		return "There are too many commands.", nil
	}
	for _, line := range c.Commands {
		if !isOwnCommand(line) {
			return "This is not a command that can be written when connected: " + wire.Bare(line), nil
		}
	}
	switch wish, asked := answers["certificate"]; {
	case isTrue(wish) && c.Certificate == nil:
		return "", c.certify(firstOf(name, "irc"))
	case asked && !isTrue(wish):
		c.Certificate, c.Key = nil, nil
	}
	return "", nil
}

// isTrue reads a BoolField.
func isTrue(answer string) bool { return answer == "true" || answer == "1" }

func isOwnCommand(line string) bool {
	_, err := ownCommand(line)
	return err == nil
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
		core.Field{Name: "nick", Label: "Nick", Value: current.Options[optionNick]},
		core.Field{Name: "login", Label: "Account (if it is not the nick)", Value: current.Options[optionLogin]},
		core.Field{Name: "password", Label: "Password", Type: core.SecretField},
		core.Field{Name: "more", Label: "More settings", Type: core.BoolField, Value: "false"},
	)
	return step
}

// askMore is the second form, for who wants it.
func askMore(current *core.Account, known credentials) core.Step {
	certificate := "false"
	if known.Certificate != nil {
		certificate = "true"
	}
	return core.Step{Title: "IRC", Text: "Whatever you leave as it is stays so.", Fields: []core.Field{
		{Name: "alternates", Label: "Other nicks, for when yours is taken", Value: current.Options[optionAlternates]},
		{Name: "certificate", Label: "Log in with a certificate of this gateway's (CertFP)", Type: core.BoolField, Value: certificate},
		{Name: "unlogged", Label: "When logging in fails", Type: core.ChoiceField, Value: current.Options[optionUnlogged], Options: []core.Option{
			{Value: "", Label: "connect only if the network has no logins at the moment"},
			{Value: unloggedStop, Label: "never connect"}, {Value: unloggedContinue, Label: "connect nevertheless"},
		}},
		{Name: "bouncer_network", Label: "Which network, if this is a bouncer of several (soju)", Value: current.Options[optionBouncer]},
		{Name: "server_password", Label: "Password of the server (bouncers, private servers)", Type: core.SecretField},
		{Name: optionUsername, Label: "User name, as in nick!user@host", Value: current.Options[optionUsername]},
		{Name: optionRealname, Label: "Real name", Value: current.Options[optionRealname]},
		{Name: optionReads, Label: "Encoding of what is not UTF-8, such as latin1", Value: current.Options[optionReads]},
		{Name: optionWrites, Label: "Encoding to write in (empty: UTF-8)", Value: current.Options[optionWrites]},
		{Name: optionCharsets, Label: "The same for channels, one a line, such as: #channel koi8-r koi8-r", Type: core.LongField,
			Value: current.Options[optionCharsets]},
		{Name: "commands", Label: "Commands to write when connected, one a line", Type: core.LongField, Value: strings.Join(known.Commands, "\n")},
	}}
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
