package email

import "gangway/core"

// What users may choose about what they send.
const (
	historyChoice = "history"
	historyReply  = "reply"
	historyOff    = "off"
	jabberChoice  = "jabber-id"
	noticesChoice = "read-notices"
)

// sendChoices are the questions.
func sendChoices() []core.Field {
	return []core.Field{
		{
			Name: historyChoice, Type: core.ChoiceField, Value: historyReply, Label: "Quote what I answer, below my answer",
			Options: []core.Option{{Value: historyReply, Label: "where I answer a certain message"}, {Value: historyOff, Label: "never"}},
		},
		{Name: jabberChoice, Type: core.BoolField, Value: "false", Label: "Tell my XMPP address to everybody I write to (Jabber-ID)"},
		{Name: noticesChoice, Type: core.BoolField, Value: "false", Label: "Tell senders who ask for it when I have read their mail"},
	}
}

// choice is what holds of sendChoices.
func choice(p core.Preferences, name string) string {
	if v, ok := p.Own[name]; ok {
		return v
	}
	for _, f := range sendChoices() {
		if f.Name == name {
			return f.Value
		}
	}
	return ""
}
