package email

import (
	"context"
	"encoding/json"
	"slices"
	"strings"

	"gangway/core"
	"gangway/transports/email/auth"
)

// unverifiedChoice is whether a mail that may be from anybody says so.
const unverifiedChoice = "unverified"

var _ core.Tuner = (*transport)(nil)

// Settings implements core.Tuner.
func (t *transport) Settings(string) []core.Setting {
	usual := "false"
	if t.settings.Show {
		usual = "true"
	}
	return []core.Setting{{
		Places: core.Everywhere | core.WithPerson,
		Field: core.Field{
			Name: unverifiedChoice, Type: core.BoolField, Value: usual, Label: "Say where a mail may be from somebody else than it says",
		},
	}}
}

// Connection implements core.Tuner: there is none to have questions about.
func (t *transport) Connection(core.Account) ([]core.Field, error) { return nil, nil }

const (
	markUnverified = "⚠ unverified sender"
	markAutomatic  = "(automatic mail)"
)

// marked puts above a message what its reader should know about where it is from. answer: it came to the envelope sender
// of a mail of ours.
func (t *transport) marked(ctx context.Context, l *letter, a core.Account, m *core.Message, answer bool) {
	switch {
	case l.forgeable():
		m.Trust = core.Unverified
	case l.auth.Verdict == auth.Verified:
		m.Trust = core.Verified
	}
	m.Text = l.under(m.Text, l.forgeable() && t.warns(ctx, a.ID, m.Peer), answer)
}

// under is a text with what is to be read above it.
func (l *letter) under(text string, warn, answer bool) string {
	var marks []string
	if warn {
		marks = append(marks, markUnverified)
	}
	for _, trick := range l.tricks {
		marks = append(marks, "⚠ "+trick)
	}
	if l.automatic && l.list == nil && !answer {
		marks = append(marks, markAutomatic)
	}
	return strings.TrimSuffix(strings.Join(append(marks, text), "\n"), "\n")
}

// warns says whether the user of an account wants to be told of mail in a conversation that is not verified.
func (t *transport) warns(ctx context.Context, id core.AccountID, peer core.Address) bool {
	chosen, err := t.host.Preferences(ctx, id)
	if err != nil {
		t.host.Logger().Debug("preferences not found out", "account", id, "err", err)
	}
	value, _, ok := chosen.Choice(t, unverifiedChoice, core.Target{Address: peer})
	if !ok {
		return t.settings.Show
	}
	return value == "true"
}

// namesake is who is known by a name.
type namesake struct {
	Address string `json:"address"`
}

// known looks at whose name a letter's sender has, and returns the letter as it is to be shown. The first to come by a
// name keeps it, for as long as they write: others of that name are not called by it, and their mail says whose it is.
func (t *transport) known(ctx context.Context, l *letter, a core.AccountID) (*letter, error) {
	if l.name == "" || l.list.isForum() {
		return l, nil
	}
	key := "called " + core.Digest(folded(l.name)) + " " + string(a)
	b, err := t.host.Notes().Get(ctx, key)
	if err != nil && core.KindOf(err) != core.NotFound {
		return nil, core.Wrap(core.Unavailable, "email: names", err)
	}
	first := namesake{}
	if err == nil {
		if err := json.Unmarshal(b, &first); err != nil {
			return nil, core.Wrap(core.Internal, "email: names", err)
		}
		if strings.EqualFold(first.Address, l.from.String()) {
			return l, nil
		}
		own := *l
		own.tricks = append(slices.Clone(l.tricks), "somebody else is known to you as "+l.name+": "+first.Address)
		own.name = ""
		return &own, nil
	}
	if b, err = json.Marshal(namesake{l.from.String()}); err != nil {
		return nil, core.Wrap(core.Internal, "email: names", err)
	}
	if err := t.host.Notes().Put(ctx, key, b, keepThreads); err != nil {
		return nil, core.Wrap(core.Unavailable, "email: names", err)
	}
	return l, nil
}

// forgeable says whether somebody looked, and the letter may be from anybody: then it changes nothing that was said
// before.
func (l *letter) forgeable() bool {
	return l.auth.Verdict != auth.Unknown && l.auth.Verdict != auth.Verified
}

// folded is a name without what does not tell two of them apart.
func folded(name string) string { return strings.ToLower(strings.Join(strings.Fields(name), " ")) }
