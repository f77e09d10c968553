package muc

import (
	"context"
	"slices"

	"gangway/core"
	"gangway/core/xmpp/form"
)

// ownSettings are what a user can choose for a room, but for whether they stay in it, which XEP-0045 has a field for.
func (h *Handler) ownSettings(at core.Target) []core.Setting {
	if h.rooms.cfg.Choices == nil {
		return nil
	}
	return slices.DeleteFunc(h.domain.Network.Settings(at), func(s core.Setting) bool {
		return s.Name == core.ChoicePersistent ||
			h.rooms.cfg.Archive == nil && (s.Name == core.ChoiceRecord || s.Name == core.ChoiceHistory)
	})
}

// ownFields are the questions about what the user chose for a room, and what they inherit.
func (h *Handler) ownFields(ctx context.Context, c *call) (fields []form.Field, err error) {
	if h.rooms.cfg.Notes != nil {
		stays, err := h.rooms.stays(ctx, h.domain, c.account, c.target.Address)
		if err != nil {
			return nil, err
		}
		fields = append(fields, boolean(varPersistent, "Stay in this room when none of my clients is in it", stays))
	}
	settings := h.ownSettings(c.target)
	if len(settings) == 0 {
		return fields, nil
	}
	p, err := h.rooms.cfg.Choices.Preferences(ctx, c.user, c.account.Network)
	if err != nil {
		return nil, err
	}
	for _, s := range settings {
		f := h.domain.Network.Ask(s, p, c.target)
		out := form.Field{Var: ownVar + f.Name, Type: "text-single", Label: f.Label, Values: some(f.Value)}
		if f.Type == core.ChoiceField {
			out.Type = "list-single"
			for _, o := range f.Options {
				out.Options = append(out.Options, form.Option(o))
			}
		}
		fields = append(fields, out)
	}
	return fields, nil
}

// chooseOwn keeps what a form has of the user's own choices.
func (h *Handler) chooseOwn(ctx context.Context, c *call, chosen form.Submission) error {
	answers := map[string]string{}
	for _, s := range h.ownSettings(c.target) {
		if name := ownVar + s.Name; chosen.Has(name) {
			answers[s.Name] = chosen.Get(name)
		}
	}
	persistent := chosen.Has(varPersistent) && h.rooms.cfg.Notes != nil
	switch {
	case !persistent && len(answers) == 0:
		return nil
	case h.rooms.cfg.Choices == nil:
		nick := ""
		if isTrue(chosen.Get(varPersistent)) {
			_, me := c.room.present()
			nick = me.Nick
		}
		return h.rooms.keepRoom(ctx, h.domain, c.account, c.target.Address, nick)
	}
	if _, err := h.rooms.kept(ctx, h.domain, c.account); err != nil { // what comes from elsewhere is noted as chosen first
		return err
	}
	n := h.domain.Network
	err := h.rooms.cfg.Choices.ChangePreferences(ctx, c.user, c.account.Network, func(p *core.Preferences) error {
		if err := n.Choose(p, c.target, answers); err != nil || !persistent {
			return err
		}
		return stay(n, p, c.target, isTrue(chosen.Get(varPersistent)))
	})
	if err != nil {
		return err
	}
	_, err = h.rooms.remain(ctx, h.domain, c.account, c.target, c.room)
	return err
}

// stay makes the user stay in a room, or not. What is so without a choice for the room needs none.
func stay(n *core.Network, p *core.Preferences, at core.Target, on bool) error {
	value := "false"
	if on {
		value = "true"
	}
	if n.Holds(*p, core.ChoicePersistent, at) == value {
		return nil
	}
	if err := n.Choose(p, at, map[string]string{core.ChoicePersistent: core.Inherit}); err != nil {
		return err
	}
	if n.Holds(*p, core.ChoicePersistent, at) == value {
		return nil
	}
	return n.Choose(p, at, map[string]string{core.ChoicePersistent: value})
}
