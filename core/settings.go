package core

import (
	"strconv"
	"strings"
)

// Setting is a question whose answer may differ from place to place: everything that a user has on a network, one realm
// of it, one conversation there. What is not answered for a place is inherited from the next wider one, and in the end
// from the configuration.
type Setting struct {
	Field         // Value: what holds for who has chosen nothing; never Required, never a secret
	Places Places // where it can be answered
	// Check returns an answer as it is kept, or Invalid with a sentence; nil: whatever the type allows. What is kept is
	// at most maxChoice bytes.
	Check func(answer string) (string, error)
}

// Places are kinds of places.
type Places uint8

// The places. A place is a Target: the zero Target is Everywhere, one without an address a realm.
const (
	Everywhere Places = 1 << iota
	OnRealm
	InRoom
	WithPerson

	InConversations = InRoom | WithPerson
	Anywhere        = Everywhere | OnRealm | InConversations
)

// PlaceOf is the kind of a place.
func PlaceOf(at Target) Places {
	switch {
	case at.Room:
		return InRoom
	case at.Address != "":
		return WithPerson
	case at.Realm != "":
		return OnRealm
	}
	return Everywhere
}

// The settings that every network with rooms has.
const (
	ChoicePersistent = "persistent" // "true": the account stays in the room when none of the user's clients is
	ChoiceRecord     = "record"     // "false": what is said in the room is not kept
	ChoiceHistory    = "history"    // how many messages a join is shown
)

const (
	// Inherit is the answer that takes an answer back.
	Inherit = "inherit"

	maxChoice = 200
	// UsualHistory is how many messages a join is shown for who has chosen nothing.
	UsualHistory = 20
	// MostHistory is how many messages a join can be shown.
	MostHistory = 200
)

// roomSettings are those of every network with rooms.
func roomSettings() []Setting {
	return []Setting{
		{Places: Everywhere | OnRealm | InRoom, Field: Field{
			Name: ChoicePersistent, Type: BoolField, Value: "false", Label: "Stay in rooms when none of my clients is in them",
		}},
		{Places: Everywhere | OnRealm | InRoom, Field: Field{
			Name: ChoiceRecord, Type: BoolField, Value: "true", Label: "Keep the history of rooms",
		}},
		{Places: Everywhere | OnRealm | InRoom, Check: CheckNumber(0, MostHistory), Field: Field{
			Name: ChoiceHistory, Value: strconv.Itoa(UsualHistory), Label: "Messages of the history that are shown when I join",
		}},
	}
}

// CheckNumber accepts whole numbers within bounds.
func CheckNumber(least, most int) func(string) (string, error) {
	return func(answer string) (string, error) {
		n, err := strconv.Atoi(answer)
		if err != nil || n < least || n > most {
			return "", E(Invalid, "core: setting", "Write a number from "+strconv.Itoa(least)+" to "+strconv.Itoa(most)+".")
		}
		return strconv.Itoa(n), nil
	}
}

// Sole is the realm that the network's gateway stands for; empty if it serves several, or has none.
func (n *Network) Sole() string {
	if n.TransportCaps.Single == nil {
		return ""
	}
	return n.TransportCaps.Single.Single()
}

// Settings are what can be chosen at a place of the network, in the order in which it is asked.
func (n *Network) Settings(at Target) []Setting {
	var all []Setting
	if n.Caps.Rooms != nil {
		all = roomSettings()
	}
	if n.TransportCaps.Tuner != nil {
		all = append(all, n.TransportCaps.Tuner.Settings(at.Realm)...)
	}
	if n.MayHold() {
		all = append(all, settingOfHold(n.TransportCaps.Holder.Hold()))
	}
	if n.strangers != nil {
		all = append(all, strangersSetting(n.strangers()))
	}
	here, kept := PlaceOf(at), all[:0]
	for _, s := range all {
		if s.Places&here != 0 {
			kept = append(kept, s)
		}
	}
	return kept
}

// Setting returns one of Settings, by its name in any case.
func (n *Network) Setting(name string, at Target) (Setting, bool) {
	for _, s := range n.Settings(at) {
		if strings.EqualFold(s.Name, name) {
			return s, true
		}
	}
	return Setting{}, false
}

// Place is what a person calls a place.
func (n *Network) Place(at Target) string {
	if at == (Target{}) {
		return "everywhere"
	}
	return n.Transport.Format(at)
}

// Choice is the answer that holds at a place, as kept, and the place that it was given for. ok is false where none was
// given: then the Setting's own Value holds. t writes the places.
func (p Preferences) Choice(t interface{ Format(Target) string }, name string, at Target) (value string, from Target, ok bool) {
	if len(p.Own) == 0 {
		return "", Target{}, false
	}
	for _, place := range [...]Target{at, {Realm: at.Realm}, {}} {
		if value, ok := p.Own[choiceKey(t, name, place)]; ok {
			return value, place, true
		}
	}
	return "", Target{}, false
}

// Chosen is the answer that was given for a place itself; empty if none was.
func (n *Network) Chosen(p Preferences, name string, at Target) string {
	return p.Own[choiceKey(n.Transport, name, at)]
}

// Holds is the answer that holds at a place, as kept: given there, inherited, or the setting's own. It is empty if there
// is no such setting.
func (n *Network) Holds(p Preferences, name string, at Target) string {
	if value, _, ok := p.Choice(n.Transport, name, at); ok {
		return value
	}
	s, _ := n.Setting(name, at)
	return s.Value
}

// choiceKey is where an answer is in Preferences.Own: under the name of its setting, and after a space its place.
func choiceKey(t interface{ Format(Target) string }, name string, at Target) string {
	if at == (Target{}) {
		return name
	}
	if text := t.Format(at); text != "" {
		return name + " " + text
	}
	return name
}

// Choose puts answers for a place into p; Inherit and nothing take one back, as does what holds without it. Answers to
// what is no setting there are left alone. Invalid, with a sentence, if one will not do: p is as it was then.
func (n *Network) Choose(p *Preferences, at Target, answers map[string]string) error {
	changed := map[string]string{}
	for _, s := range n.Settings(at) {
		answer, ok := answers[s.Name]
		if !ok {
			continue
		}
		value, err := s.accept(answer)
		if err != nil {
			return err
		}
		changed[choiceKey(n.Transport, s.Name, at)] = value
	}
	own := make(map[string]string, len(p.Own)+len(changed))
	for k, v := range p.Own {
		own[k] = v
	}
	for k, v := range changed {
		if own[k] = v; v == "" {
			delete(own, k)
		}
	}
	p.Own = own
	return nil
}

// accept returns an answer as it is kept; empty: there is none.
func (s Setting) accept(answer string) (string, error) {
	answer = strings.TrimSpace(answer)
	if answer == "" || strings.EqualFold(answer, Inherit) {
		return "", nil
	}
	wrong := func(text string) error { return E(Invalid, "core: setting", s.Label+": "+text) }
	switch s.Type {
	case BoolField:
		switch strings.ToLower(answer) {
		case "true", "1", "yes", "on":
			return "true", nil
		case "false", "0", "no", "off":
			return "false", nil
		}
		return "", wrong("This is yes or no.")
	case ChoiceField:
		for _, o := range s.Options {
			if strings.EqualFold(o.Value, answer) {
				return o.Value, nil
			}
		}
		return "", wrong("Choose one of " + strings.Join(s.values(), ", ") + ".")
	}
	if len(answer) > maxChoice || strings.ContainsAny(answer, "\r\n\x00") {
		return "", wrong("That is too long.")
	}
	if s.Check == nil {
		return answer, nil
	}
	value, err := s.Check(answer)
	if err != nil {
		return "", wrong(AsError(err).Sentence())
	}
	return value, nil
}

func (s Setting) values() []string {
	all := make([]string, len(s.Options))
	for i, o := range s.Options {
		all[i] = o.Value
	}
	return all
}

// Ask is the question for a place, with what is chosen there as its value, or Inherit, and with what holds otherwise, and
// from where, in its text.
func (n *Network) Ask(s Setting, p Preferences, at Target) Field {
	f := s.Field
	f.Value = n.Chosen(p, s.Name, at)
	inherited, from := n.inherited(s, p, at)
	switch s.Type {
	case BoolField:
		f.Type, f.Options = ChoiceField, []Option{{"true", "yes"}, {"false", "no"}}
	case ChoiceField:
	default:
		if f.Label += " (empty: as " + from; inherited != "" {
			f.Label += ", " + inherited
		}
		f.Label += ")"
		return f
	}
	as := "as " + from + ": " + s.Says(inherited)
	f.Options = append([]Option{{Inherit, as}}, f.Options...)
	if f.Value == "" {
		f.Value = Inherit
	}
	return f
}

// inherited is what holds at a place without an answer of its own, and where that is from.
func (n *Network) inherited(s Setting, p Preferences, at Target) (value, from string) {
	if own := choiceKey(n.Transport, s.Name, at); p.Own[own] != "" {
		others := Preferences{Own: map[string]string{}}
		for k, v := range p.Own {
			if k != own {
				others.Own[k] = v
			}
		}
		p = others
	}
	value, place, ok := p.Choice(n.Transport, s.Name, at)
	if !ok {
		return s.Value, "usual"
	}
	if place == (Target{}) {
		return value, "everywhere"
	}
	return value, "on " + n.Place(place)
}

// Says is a value for people.
func (s Setting) Says(value string) string {
	switch {
	case s.Type == BoolField && value == "true":
		return "yes"
	case s.Type == BoolField:
		return "no"
	}
	for _, o := range s.Options {
		if o.Value == value && o.Label != "" {
			return o.Label
		}
	}
	return value
}

// Tell is a line that says what holds at a place, and from where.
func (n *Network) Tell(s Setting, p Preferences, at Target) string {
	if own := n.Chosen(p, s.Name, at); own != "" {
		return s.Name + " = " + own + " (" + lowerLabel(s.Label) + ")"
	}
	value, from := n.inherited(s, p, at)
	return s.Name + " = " + orNone(value) + ", as " + from + " (" + lowerLabel(s.Label) + ")"
}

func lowerLabel(s string) string {
	if s == "" {
		return s
	}
	return strings.ToLower(s[:1]) + s[1:]
}

func orNone(s string) string {
	if s == "" {
		return "nothing"
	}
	return s
}
