package irc

import (
	"context"
	"maps"
	"strconv"
	"strings"

	"gangway/core"
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
		return core.Step{Title: "IRC", Text: "Whatever you leave as it is stays so.", Fields: t.moreFields(*link, known)}, nil
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
	if _, err := portsOf(answers[optionPorts]); err != nil {
		return core.AsError(err).Sentence()
	}
	if _, err := pinOf(answers[optionFingerprint]); err != nil {
		return core.AsError(err).Sentence()
	}
	if burst, err := strconv.Atoi(firstOf(strings.TrimSpace(answers[optionBurst]), "1")); err != nil || burst < 1 || burst > 1000 {
		return "The lines that go at once are a number from 1 on."
	}
	if host := strings.TrimSpace(answers[optionAddress]); host != "" && !validHost(strings.ToLower(host)) {
		return "The server's address is a host name, such as irc.example.org."
	}
	setOption(options, optionNick, nick)
	setOption(options, optionLogin, login)
	if _, asked := answers["unlogged"]; asked {
		setOption(options, optionAlternates, strings.Join(alternates, " "))
		setOption(options, optionUnlogged, unlogged)
		setOption(options, optionBouncer, strings.TrimSpace(answers["bouncer_network"]))
		for _, name := range []string{optionUsername, optionRealname, optionPorts, optionFingerprint, optionBurst} {
			setOption(options, name, strings.TrimSpace(answers[name]))
		}
		setOption(options, optionAddress, strings.ToLower(strings.TrimSpace(answers[optionAddress])))
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
	c.Password = answered(answers["password"], c.Password)
	c.Server = answered(answers["server_password"], c.Server)
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

// noPassword is the answer that takes a password away: none at all leaves it as it is.
const noPassword = "-"

func answered(answer, known string) string {
	if answer == noPassword {
		return ""
	}
	return firstOf(answer, known)
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
	known, _ := openCredentials(current.Secret) // one that cannot be opened ends the enrolment elsewhere
	step.Fields = append(step.Fields, accountFields(*current, known)...)
	step.Fields = append(step.Fields, core.Field{Name: "more", Label: "More settings", Type: core.BoolField, Value: "false"})
	return step
}

// Connection implements core.Tuner.
func (t *transport) Connection(a core.Account) ([]core.Field, error) {
	known, err := openCredentials(a.Secret)
	if err != nil {
		return nil, err
	}
	network := core.Field{Name: "network", Label: "Network", Type: core.NoteField, Value: a.Realm}
	return append(append([]core.Field{network}, accountFields(a, known)...), t.moreFields(a, known)...), nil
}

// accountFields are what most want to choose.
func accountFields(a core.Account, known credentials) []core.Field {
	return []core.Field{
		{Name: "nick", Label: "Nick", Value: a.Options[optionNick]},
		{Name: "login", Label: "Account (if it is not the nick)", Value: a.Options[optionLogin]},
		passwordField("password", "Password", known.Password),
	}
}

func passwordField(name, label, known string) core.Field {
	if known != "" {
		label += " (empty: as it is; " + noPassword + ": none)"
	}
	return core.Field{Name: name, Label: label, Type: core.SecretField}
}

// moreFields are the second form, for who wants it.
func (t *transport) moreFields(a core.Account, known credentials) []core.Field {
	certificate := "false"
	if known.Certificate != nil {
		certificate = "true"
	}
	text := func(name, label string) core.Field {
		return core.Field{Name: name, Label: label, Value: a.Options[name]}
	}
	all := []core.Field{
		text(optionAlternates, "Other nicks, for when yours is taken"),
		{Name: "certificate", Label: "Log in with a certificate of this gateway's (CertFP)", Type: core.BoolField, Value: certificate},
		{Name: "unlogged", Label: "When logging in fails", Type: core.ChoiceField, Value: a.Options[optionUnlogged], Options: []core.Option{
			{Value: "", Label: "connect only if the network has no logins at the moment"},
			{Value: unloggedStop, Label: "never connect"}, {Value: unloggedContinue, Label: "connect nevertheless"},
		}},
		{Name: "bouncer_network", Label: "Which network, if this is a bouncer of several (soju)", Value: a.Options[optionBouncer]},
		passwordField("server_password", "Password of the server (bouncers, private servers)", known.Server),
		text(optionUsername, "User name, as in nick!user@host"),
		text(optionRealname, "Real name"),
		text(optionBurst, "Lines that go at once, before the gateway slows down (empty: as the network is known to take)"),
		text(optionFingerprint, "Fingerprint of the network's certificate, if that is the only one to trust (SHA-256 in hex)"),
	}
	if t.networks[a.Realm] == nil {
		all = append(all, text(optionPorts, "Ports with TLS to try, such as 6697 7000 (empty: 6697)"))
		if t.allowed["*"] {
			all = append(all, text(optionAddress, "Address of the server, if it is another than "+firstOf(a.Realm, "the network's name")))
		}
	}
	return append(all, core.Field{
		Name: "commands", Label: "Commands to write when connected, one a line", Type: core.LongField, Value: strings.Join(known.Commands, "\n"),
	})
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
