package register

import (
	"context"
	"errors"
	"strings"

	"gangway/core"
	"gangway/core/xmpp"
	"gangway/core/xmpp/addr"
	"gangway/core/xmpp/edge"
	"gangway/core/xmpp/stream"
)

// ofPlaces are the commands about what may be chosen for everything, for a network, and for a conversation.
func (c commands) ofPlaces() []Command {
	if len(c.settingsAt(core.Target{})) == 0 {
		return nil
	}
	places, run := core.OnRealm|core.InConversations, c.configure
	if sole := c.Domain.Network.Sole(); sole != "" { // the gateway is the network
		places |= core.Everywhere
		run = func(ctx context.Context, r Request) (core.Step, error) {
			if r.At == (core.Target{}) {
				r.At.Realm = sole
			}
			return c.configure(ctx, r)
		}
	}
	return []Command{
		{Name: "settings", Node: "settings", Title: "See or change what holds everywhere, on a network or in a room", Arg: "what",
			Usage: "[PLACE] [NAME [VALUE]]", Places: core.Everywhere | core.OnRealm, Run: c.settings},
		{Name: "configure", Node: "configure", Title: "Choose what holds here", Places: places, Run: run},
	}
}

// settingsAt are what can be chosen at a place.
func (c commands) settingsAt(at core.Target) []core.Setting { return c.Domain.Network.Settings(at) }

// connection are the questions about how an account connects; none but for a network as a whole.
func (c commands) connection(a core.Account, at core.Target) ([]core.Field, error) {
	tuner := c.Domain.Network.TransportCaps.Tuner
	if tuner == nil || core.PlaceOf(at) != core.OnRealm {
		return nil, nil
	}
	return tuner.Connection(a)
}

// account is the user's account on the network of a place; the zero account for everywhere.
func (c commands) account(ctx context.Context, user core.UserID, at core.Target) (core.Account, error) {
	if at == (core.Target{}) {
		return core.Account{User: user, Network: c.network()}, nil
	}
	return c.Gateway.Account(ctx, user, c.network(), at.Realm)
}

// configure is the form of a place: how its network is connected to, if it is one, and what is chosen there.
func (c commands) configure(ctx context.Context, r Request) (core.Step, error) {
	a, err := c.account(ctx, r.User, r.At)
	if err != nil {
		return core.Step{}, err
	}
	connection, err := c.connection(a, r.At)
	if err != nil {
		return core.Step{}, err
	}
	p, err := c.Choices.Preferences(ctx, r.User, c.network())
	if err != nil {
		return core.Step{}, err
	}
	ask := c.ask("What shall hold for "+c.Domain.Network.Place(r.At)+"?", connection...)
	for _, s := range c.settingsAt(r.At) {
		ask.Fields = append(ask.Fields, c.Domain.Network.Ask(s, p, r.At))
	}
	if r.Answers == nil {
		return ask, nil
	}
	text, err := c.change(ctx, a, r, connection)
	if err != nil && core.KindOf(err) == core.Invalid {
		ask = withValues(ask, r.Answers)
		ask.Text = core.AsError(err).Sentence()
		return ask, nil
	}
	return c.done(join("Your choices are kept.", text)), err
}

// change keeps the answers for a place; nothing of them if one will not do. text is what the network has to say about them.
func (c commands) change(ctx context.Context, a core.Account, r Request, connection []core.Field) (text string, err error) {
	choose := func(p *core.Preferences) error { return c.Domain.Network.Choose(p, r.At, r.Answers) }
	p, err := c.Choices.Preferences(ctx, r.User, c.network())
	if err == nil {
		err = choose(&p)
	}
	if err == nil {
		text, err = c.reconnect(ctx, a, r.Answers, connection)
	}
	if err == nil {
		err = c.Choices.ChangePreferences(ctx, r.User, c.network(), choose)
	}
	if err != nil {
		return "", err
	}
	return text, c.reconsider(ctx, r)
}

// reconnect changes how an account connects, if that is asked for. What is not answered stays as it is.
func (c commands) reconnect(ctx context.Context, a core.Account, given map[string]string, connection []core.Field) (string, error) {
	answers, touched := map[string]string{}, false
	for _, f := range connection {
		v, ok := given[f.Name]
		if f.Type == core.NoteField || !ok {
			v = f.Value
		} else if v != f.Value {
			touched = true
		}
		answers[f.Name] = v
	}
	if !touched {
		return "", nil
	}
	step, err := c.Gateway.Change(ctx, a, answers)
	switch {
	case err != nil:
		return "", err
	case !step.Done:
		return "", core.E(core.Invalid, "register: configure", step.Text)
	}
	return step.Text, nil
}

// reconsider has the rooms of a user heed what they have chosen.
func (c commands) reconsider(ctx context.Context, r Request) error {
	if c.Chosen == nil {
		return nil
	}
	if r.At != (core.Target{}) {
		a, err := c.account(ctx, r.User, r.At)
		if err != nil {
			return err
		}
		return c.Chosen(ctx, a)
	}
	accounts, err := c.own(ctx, r.User)
	if err != nil {
		return err
	}
	var errs []error
	for _, a := range accounts {
		errs = append(errs, c.Chosen(ctx, a))
	}
	return errors.Join(errs...)
}

// settings is configure for those who write: a list of what holds, one of it, or a change of one.
func (c commands) settings(ctx context.Context, r Request) (core.Step, error) {
	words := strings.Fields(r.Answers["what"])
	if len(words) > 0 {
		if at, ok := c.placeOf(words[0], r.At); ok {
			r.At, words = at, words[1:]
		}
	}
	if core.PlaceOf(r.At) != core.Everywhere && len(c.settingsAt(r.At)) == 0 {
		return core.Step{}, core.E(core.NotFound, "register: settings", "There is nothing to choose about that.")
	}
	a, err := c.account(ctx, r.User, r.At)
	if err != nil {
		return core.Step{}, err
	}
	connection, err := c.connection(a, r.At)
	if err != nil {
		return core.Step{}, err
	}
	p, err := c.Choices.Preferences(ctx, r.User, c.network())
	if err != nil {
		return core.Step{}, err
	}
	if len(words) == 0 {
		return c.done(c.told(p, r.At, connection)), nil
	}
	name := strings.ToLower(words[0])
	s, isSetting := c.Domain.Network.Setting(name, r.At)
	f, isField := fieldNamed(connection, name)
	switch value := strings.Join(words[1:], " "); {
	case !isSetting && !isField:
		return core.Step{}, core.E(core.NotFound, "register: settings",
			"There is no setting \""+words[0]+"\" for "+c.Domain.Network.Place(r.At)+`. Send "settings" to see which there are.`)
	case value == "" && isSetting:
		return c.done(c.Domain.Network.Tell(s, p, r.At) + possible(s.Field)), nil
	case value == "":
		return c.done(tellField(f) + possible(f)), nil
	default:
		r.Answers = map[string]string{name: value}
		if isField {
			if r.Answers[f.Name], err = forField(f, value); err != nil {
				return core.Step{}, err
			}
		}
	}
	text, err := c.change(ctx, a, r, connection)
	if err != nil {
		return core.Step{}, err
	}
	if isField {
		return c.done(join("That is kept.", text)), nil
	}
	if p, err = c.Choices.Preferences(ctx, r.User, c.network()); err != nil {
		return core.Step{}, err
	}
	return c.done(c.Domain.Network.Place(r.At) + ": " + c.Domain.Network.Tell(s, p, r.At)), nil
}

// placeOf is the place that a word names: an address, or on a network an address there.
func (c commands) placeOf(word string, at core.Target) (core.Target, bool) {
	n := c.Domain.Network
	if _, ok := n.Setting(word, at); ok {
		return at, false
	}
	if strings.EqualFold(word, n.Place(core.Target{})) {
		return core.Target{}, true
	}
	if at.Realm != "" {
		if t, err := n.Transport.Parse(n.Transport.Format(core.Target{Realm: at.Realm, Address: core.Address(word)})); err == nil && t.Room {
			return t, true
		}
	}
	if t, err := c.Domain.Understand(word); err == nil && strings.ContainsAny(word, "%/#.@") {
		return t, true
	}
	return at, false
}

// told is all that holds at a place.
func (c commands) told(p core.Preferences, at core.Target, connection []core.Field) string {
	var b strings.Builder
	place := c.Domain.Network.Place(at)
	b.WriteString("What holds for " + place + ":")
	for _, f := range connection {
		if f.Type != core.NoteField {
			b.WriteString("\n" + tellField(f))
		}
	}
	for _, s := range c.settingsAt(at) {
		b.WriteString("\n" + c.Domain.Network.Tell(s, p, at))
	}
	b.WriteString("\n\nTo see what one can be, send its name: settings " + place + " NAME. To change it: settings " + place +
		" NAME VALUE, where \"" + core.Inherit + "\" takes back what you chose.")
	return b.String()
}

func fieldNamed(fields []core.Field, name string) (core.Field, bool) {
	for _, f := range fields {
		if f.Type != core.NoteField && strings.EqualFold(f.Name, name) {
			return f, true
		}
	}
	return core.Field{}, false
}

// tellField says what is chosen about a connection. A secret is not shown.
func tellField(f core.Field) string {
	value := label(f)
	switch {
	case f.Type == core.SecretField:
		value = "(not shown)"
	case value == "":
		value = "nothing"
	}
	return f.Name + " = " + strings.ReplaceAll(value, "\n", "; ") + " (" + lowerFirst(f.Label) + ")"
}

// possible are the values that something can have.
func possible(f core.Field) string {
	if f.Type == core.BoolField {
		return "\nIt can be yes or no."
	}
	text := ""
	for _, o := range f.Options {
		text += "\n" + orDefault(o.Value, `""`) + ": " + orDefault(o.Label, o.Value)
	}
	return text
}

// forField reads a value that was typed for a field; Inherit empties it.
func forField(f core.Field, text string) (string, error) {
	if strings.EqualFold(text, core.Inherit) {
		return "", nil
	}
	if f.Type == core.LongField {
		text = strings.ReplaceAll(text, "; ", "\n")
	}
	value, wrong := typed(f, text)
	if wrong != "" {
		return "", core.E(core.Invalid, "register: settings", fieldWrong(f, wrong))
	}
	return value, nil
}

// Networks is a chat with a network as a whole: what is for the desk goes there, the rest to next.
func (d *Desk) Networks(next edge.Handler) edge.Handler { return networkDoor{d, next} }

type networkDoor struct {
	*Desk
	next edge.Handler
}

// ServeTarget implements edge.Handler.
func (n networkDoor) ServeTarget(ctx context.Context, w xmpp.Sender, st *stream.Stanza, t core.Target) error {
	if core.PlaceOf(t) != core.OnRealm || st.Type == "error" || st.Type == "groupchat" {
		return n.next.ServeTarget(ctx, w, st, t)
	}
	jid, err := n.Domain.JID(t.Realm, "", false)
	if err != nil {
		return err
	}
	door := chatDoor{Desk: n.Desk, from: jid, at: t}
	if !door.wants(st) {
		return n.next.ServeTarget(ctx, w, st, t)
	}
	return door.Serve(ctx, w, st)
}

// wants reports whether what is said to a network is for the desk: one of its words, or an answer to what it asked.
func (c chatDoor) wants(st *stream.Stanza) bool {
	text := strings.TrimSpace(st.Body())
	if _, _, ok := c.named(text); ok || strings.EqualFold(text, "help") {
		return true
	}
	from, err := addr.Parse(st.From)
	return err == nil && text != "" && c.visitors.talking(c.visitor(core.UserID(from.Key())))
}

// visitor names who talks here.
func (c chatDoor) visitor(user core.UserID) core.UserID {
	if c.at == (core.Target{}) {
		return user
	}
	return core.UserID(string(user) + " " + c.from)
}
