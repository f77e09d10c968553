package chat

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"gangway/core"
	"gangway/core/xmpp/stream"
)

// event makes of a stanza that says something what it says.
func (h handler) event(ctx context.Context, user core.UserID, s *said) (core.Event, error) {
	switch {
	case s.reactions != nil:
		return h.reaction(ctx, s)
	case s.retract:
		return h.retraction(ctx, s)
	}
	return h.message(ctx, user, s)
}

func (h handler) message(ctx context.Context, user core.UserID, s *said) (core.Event, error) {
	m := &core.Message{
		Ref: s.ref, IDs: core.IDs{ID: core.NewID()}, Origin: s.source(), At: saidAt(s.delay, s.at),
		Subject: strings.Clone(s.subject.Text()), Text: strings.Clone(s.text), Attachments: s.content,
		Thread: threadOf(s.thread), Receipt: s.asks(), Also: s.also, Copied: s.copied, Hidden: s.hidden,
	}
	if s.body != nil {
		m.Lang = tag(langOf(s.Stanza, s.body))
	}
	if s.reply != nil {
		h.answer(ctx, m, s)
	}
	if s.replace != nil {
		if err := h.correct(ctx, user, m, s.replace.Attr("id")); err != nil {
			return nil, err
		}
	}
	if strings.TrimSpace(m.Text) == "" && len(m.Attachments) == 0 {
		return nil, core.E(core.Invalid, "chat: message", "The message has no text.")
	}
	return m, nil
}

// answer notes which message is answered. The quotation, which clients put into
// the text for those that do not know that, goes where the network can say it
// in another way; else, and where nobody knows any more which message it was, it
// is all that says what is answered.
func (h handler) answer(ctx context.Context, m *core.Message, s *said) {
	id := h.about(ctx, s.ref, s.reply.Attr("id"))
	if id == "" {
		return
	}
	m.ReplyTo.ID = id
	if h.domain.Network.Driver.Threads {
		m.Text, m.Quoted = splitFallback(s.Stanza, m.Text, nsReply)
	}
}

// correct makes m the new text of a message (XEP-0308). The id is always that of
// the first, never of an earlier correction. Where the network has no
// corrections they are refused, unless the user wants them sent as new messages.
func (h handler) correct(ctx context.Context, user core.UserID, m *core.Message, id string) error {
	editor := h.domain.Network.Caps.Editor != nil
	if !editor && !h.domain.Network.MayHold() {
		return h.instead(ctx, user, m)
	}
	first, err := h.mine(ctx, m.Ref, id)
	if err != nil && !editor {
		return h.instead(ctx, user, m)
	}
	m.Replaces.ID = first
	return err
}

// instead makes a new message of a correction.
func (h handler) instead(ctx context.Context, user core.UserID, m *core.Message) error {
	if !h.resends(ctx, user) {
		return h.cannot("changed after they were sent")
	}
	m.Text = "* " + m.Text
	return nil
}

// resends reports whether the user wants corrections sent as new messages.
func (h handler) resends(ctx context.Context, user core.UserID) bool {
	if h.choices == nil {
		return false
	}
	p, err := h.choices.Preferences(ctx, user, h.domain.Network.Driver.Name)
	if err != nil {
		h.log.Warn("preferences not found out", "err", err)
	}
	return err == nil && p.ResendEdits
}

func (h handler) reaction(ctx context.Context, s *said) (core.Event, error) {
	if h.domain.Network.Caps.Reactor == nil {
		return nil, h.cannot("reacted to")
	}
	set, err := h.emoji(s.reactions)
	if err != nil {
		return nil, err
	}
	id := h.about(ctx, s.ref, s.reactions.Attr("id"))
	if id == "" {
		return nil, errUnknown()
	}
	return &core.Reaction{Ref: s.ref, IDs: core.IDs{ID: id}, Origin: s.source(), Emoji: set, At: s.at}, nil
}

func (h handler) retraction(ctx context.Context, s *said) (core.Event, error) {
	if h.domain.Network.Caps.Retractor == nil && !h.domain.Network.MayHold() {
		return nil, h.cannot("taken back")
	}
	id, err := h.mine(ctx, s.ref, s.retracts)
	if err != nil {
		return nil, err
	}
	return &core.Retraction{Ref: s.ref, IDs: core.IDs{ID: id}, Origin: s.source(), At: s.at}, nil
}

func (h handler) cannot(what string) error {
	return core.E(core.Unsupported, "chat: ability",
		fmt.Sprintf("Messages cannot be %s on this network (%s).", what, h.domain.Network.Driver.Title))
}

const (
	maxEmoji  = 16
	emojiSize = 64 // bytes: families and flags are long
)

// emoji returns the whole set of reactions, as the network's rules have it. An
// empty one takes them back.
func (h handler) emoji(reactions *stream.Element) ([]string, error) {
	var set []string
	for c := range reactions.Children() {
		if !c.Is(nsReactions, "reaction") {
			continue
		}
		e := strings.TrimSpace(c.Text())
		switch {
		case e == "" || len(e) > emojiSize || len(set) == maxEmoji:
			return nil, core.E(core.Invalid, "chat: reaction", "These reactions are not understood here.")
		case !slices.ContainsFunc(set, func(have string) bool { return sameEmoji(have, e) }):
			set = append(set, strings.Clone(e))
		}
	}
	return obey(h.domain.Network.Driver.Reactions, set)
}

// obey checks a set against the rules, and spells it as they do.
func obey(rules core.ReactionRules, set []string) ([]string, error) {
	if rules.Most > 0 && len(set) > rules.Most {
		return nil, core.E(core.Invalid, "chat: reaction",
			fmt.Sprintf("This network takes at most %d of your reactions on one message.", rules.Most))
	}
	if rules.Allowed == nil {
		return set, nil
	}
	for i, e := range set {
		at := slices.IndexFunc(rules.Allowed, func(a string) bool { return sameEmoji(a, e) })
		if at < 0 {
			return nil, core.E(core.Invalid, "chat: reaction",
				"This network takes only these reactions: "+strings.Join(rules.Allowed, " ")+".")
		}
		set[i] = rules.Allowed[at]
	}
	return set, nil
}

// sameEmoji compares two reactions. Some clients ask for the coloured form of a
// character with U+FE0F and others leave that out.
func sameEmoji(a, b string) bool {
	return a == b || strings.ReplaceAll(a, variant, "") == strings.ReplaceAll(b, variant, "")
}

const variant = "\ufe0f"
