package muc

import (
	"context"
	"strings"

	"gangway/core"
)

// status passes on that the user is away or back, as a client in a room says it (behaviour 36): on the network that is
// a matter of the account, so that every room shows it. Whoever said something last is right. Nobody waits to hear that
// such a thing failed.
func (h *Handler) status(ctx context.Context, c *call) {
	if h.domain.Network.Caps.PresenceSetter == nil {
		return
	}
	p := &core.Presence{Ref: core.Ref{Account: c.account.ID}, Text: strings.Clone(c.st.ChildText("", "status"))}
	switch c.st.ChildText("", "show") {
	case "away":
		p.Show = core.Away
	case "xa":
		p.Show = core.ExtendedAway
	case "dnd":
		p.Show = core.Busy
	}
	if err := h.rooms.gw.Submit(ctx, c.account, p); err != nil {
		h.rooms.log.Debug("status not carried", "account", c.account.ID, "err", err)
	}
}
