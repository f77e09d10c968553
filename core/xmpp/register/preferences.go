package register

import (
	"context"
	"maps"
	"regexp"
	"strings"

	"gangway/core"
)

// languageTag is a BCP 47 tag, as far as its form goes.
var languageTag = regexp.MustCompile(`^[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*$`)

// ownPrefix keeps the network's own questions apart from ours.
const ownPrefix = "own-"

// preferences shows what the user chose for the network, and changes it.
func (c commands) preferences(ctx context.Context, r Request) (core.Step, error) {
	p, err := c.Choices.Preferences(ctx, r.User, c.network())
	if err != nil {
		return core.Step{}, err
	}
	ask := c.ask("How shall the gateway to "+c.title()+" behave for you?", c.questions(p)...)
	several, err := c.several(ctx, r.User)
	if err != nil {
		return core.Step{}, err
	}
	if len(several) > 0 {
		ask.Fields = append(ask.Fields, c.speakerQuestion(several, p))
	}
	if r.Answers == nil {
		return ask, nil
	}
	wrong := ""
	err = c.Choices.ChangePreferences(ctx, r.User, c.network(), func(p *core.Preferences) error {
		changed := *p
		if wrong = c.choose(&changed, r.Answers); wrong == "" {
			chooseSpeaker(&changed, several, r.Answers["account"])
			*p = changed
		}
		return nil
	})
	switch {
	case err != nil:
		return core.Step{}, err
	case wrong != "":
		ask = withValues(ask, r.Answers)
		ask.Text = wrong
		return ask, nil
	}
	return c.done("Your preferences are kept."), c.reconsider(ctx, r)
}

// speakerQuestion asks which of several accounts writes to people whom the user has not spoken with yet.
func (c commands) speakerQuestion(several []core.Account, p core.Preferences) core.Field {
	f := c.choiceOf(several, "Write to new people from")
	f.Required, f.Value = false, string(several[0].ID)
	for _, a := range several {
		if a.ID == p.Account {
			f.Value = string(a.ID)
		}
	}
	return f
}

// chooseSpeaker keeps the answer, if it is one of the accounts. The oldest is what holds without one.
func chooseSpeaker(p *core.Preferences, several []core.Account, answer string) {
	for i, a := range several {
		switch {
		case string(a.ID) != answer:
		case i == 0:
			p.Account = ""
		default:
			p.Account = a.ID
		}
	}
}

// questions are what can be chosen, as far as it means something on the network.
func (c commands) questions(p core.Preferences) []core.Field {
	caps := c.Domain.Network.Caps
	var fields []core.Field
	yes := func(name, label string, on bool) {
		f := core.Field{Name: name, Label: label, Type: core.BoolField, Value: "false"}
		if on {
			f.Value = "true"
		}
		fields = append(fields, f)
	}
	if caps.TypingSender != nil {
		yes("typing", "Tell others when you are writing", !p.HideTyping)
	}
	if caps.ReadMarker != nil {
		yes("read", "Tell others what you have read", !p.HideRead)
	}
	yes("receipts", "Ask for delivery reports", !p.NoReceipts)
	if caps.Editor == nil {
		yes("resend", "Send your corrections as new messages", p.ResendEdits)
	}
	fields = append(fields, core.Field{Name: "language", Label: "Your language, such as en, for messages that come in several (empty: as your client says)", Value: p.Language})
	fields = append(fields, c.ownQuestions(p)...)
	for _, s := range c.settingsAt(core.Target{}) {
		f := c.Domain.Network.Ask(s, p, core.Target{})
		f.Name = ownPrefix + f.Name
		fields = append(fields, f)
	}
	return fields
}

// ownQuestions are the network's, with what the user chose before.
func (c commands) ownQuestions(p core.Preferences) []core.Field {
	chooser := c.Domain.Network.TransportCaps.Chooser
	if chooser == nil {
		return nil
	}
	fields := chooser.Choices()
	own := make([]core.Field, 0, len(fields))
	for _, f := range fields {
		if v, ok := p.Own[f.Name]; ok {
			f.Value = v
		}
		f.Name = ownPrefix + f.Name
		own = append(own, f)
	}
	return own
}

// choose puts answers into p, or says what is wrong with one.
func (c commands) choose(p *core.Preferences, answers map[string]string) (wrong string) {
	own, settings := maps.Clone(p.Own), map[string]string{}
	for _, f := range c.questions(*p) {
		v, ok := answers[f.Name]
		if !ok {
			continue
		}
		switch f.Name {
		case "typing":
			p.HideTyping = v != "true"
		case "read":
			p.HideRead = v != "true"
		case "receipts":
			p.NoReceipts = v != "true"
		case "resend":
			p.ResendEdits = v == "true"
		case "language":
			v = strings.TrimSpace(v)
			if v != "" && (len(v) > 35 || !languageTag.MatchString(v)) {
				return "A language is written like en, de or pt-BR."
			}
			p.Language = v
		default:
			if _, ok := c.Domain.Network.Setting(strings.TrimPrefix(f.Name, ownPrefix), core.Target{}); ok {
				settings[strings.TrimPrefix(f.Name, ownPrefix)] = v
				continue
			}
			if own == nil {
				own = map[string]string{}
			}
			own[strings.TrimPrefix(f.Name, ownPrefix)] = v
		}
	}
	p.Own = own
	if err := c.Domain.Network.Choose(p, core.Target{}, settings); err != nil {
		return core.AsError(err).Sentence()
	}
	return ""
}
