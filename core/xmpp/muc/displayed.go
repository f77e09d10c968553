package muc

import (
	"gangway/core"
	"gangway/core/xmpp/edge"
	"gangway/core/xmpp/stream"
)

const nsDisplayed = "urn:xmpp:mds:displayed:0" // XEP-0490

// displayed tells the user's clients up to which message of the room the user has read in another app of the network,
// where the host server lets us write to their account (XEP-0490); otherwise nothing. The id is the room's, so that all
// of them know it.
func (rm *room) displayed(enc *stream.Encoder, d *edge.Domain, user core.UserID, e *core.Receipt) {
	if e.ID == "" || e.State != core.Read {
		return
	}
	d.Privileges.Ask(enc, user, "set", nsPubsub, func(enc *stream.Encoder) {
		enc.Start("pubsub", nsPubsub)
		enc.Start("publish", "", "node", nsDisplayed)
		enc.Start("item", "", "id", rm.jid)
		enc.Start("displayed", nsDisplayed)
		enc.Empty("stanza-id", NSStanzaID, "by", rm.jid, "id", string(e.ID))
		enc.End()
		enc.End()
		enc.End()
		publishOptions(enc)
		enc.End()
	})
}
