package muc

import (
	"context"
	"sync"
	"time"

	"gangway/core"
	"gangway/core/xmpp"
	"gangway/core/xmpp/edge"
	"gangway/core/xmpp/stream"
)

// whisper handles a message to one member (XEP-0045 section 7.5). It goes to where the member is reached in private,
// and that is where their own words come from, whatever room they were met in. Receipts and errors come from where
// the message was sent to.
func (h *Handler) whisper(ctx context.Context, c *call) error {
	nick := c.to.Resource()
	if x := c.st.Child(NSUser, "x"); nick == "" && x != nil {
		switch {
		case x.Child("", "invite") != nil:
			return h.invite(ctx, c, x)
		case x.Child("", "decline") != nil:
			return nil // who invites over the network is not told there either
		}
	}
	if nick == "" {
		return xmpp.NewError("modify", "bad-request", "A message to a room must be of the type \"groupchat\".")
	}
	if !c.room.has(c.st.From) {
		return notIn()
	}
	body, err := text(c.st)
	if err != nil || body == "" {
		return err
	}
	nick = h.nickOf(ctx, c, nick)
	var peer core.Address
	err = h.with(ctx, c.account, func(caps core.Caps) error {
		peer = caps.Rooms.Occupant(c.target.Address, nick)
		return nil
	})
	if err != nil {
		return err
	}
	h.rooms.whispers.add(c.account.ID, c.origin, c.room.occupant(nick))
	return h.rooms.gw.Submit(ctx, c.account, &core.Message{
		Ref: core.Ref{Account: c.account.ID, Peer: peer}, IDs: core.IDs{ID: core.NewID()},
		Origin: c.origin, At: time.Now(), Text: body,
		Receipt: c.st.Child(nsReceipts, "request") != nil,
	})
}

// Whispers returns a renderer of conversations that answers messages which went through a room from the member that
// they were addressed to; next renders everything else.
func (r *Rooms) Whispers(next edge.Renderer) edge.Renderer { return &whisperer{r, next} }

type whisperer struct {
	rooms *Rooms
	next  edge.Renderer
}

// Render implements edge.Renderer.
func (w *whisperer) Render(ctx context.Context, enc *stream.Encoder, d *edge.Domain, a core.Account, e core.Event) error {
	r, ok := e.(*core.Receipt)
	if !ok || r.Origin.From == "" {
		return w.next.Render(ctx, enc, d, a, e)
	}
	occupant := w.rooms.whispers.take(r)
	if occupant == "" {
		return w.next.Render(ctx, enc, d, a, e)
	}
	switch r.State {
	case core.Failed:
		enc.Start("message", "", "from", occupant, "to", r.Origin.From, "type", "error", "id", r.Origin.ID)
		enc.Empty("x", NSUser)
		refusal(r.Err, false).Encode(enc)
		enc.End()
	case core.Delivered:
		enc.Start("message", "", "from", occupant, "to", r.Origin.From, "type", "chat", "id", core.Digest("delivered", string(r.ID)))
		enc.Empty("received", nsReceipts, "id", r.Origin.ID)
		enc.Empty("x", NSUser)
		enc.End()
	case core.Queued, core.Accepted, core.Sent, core.Read, core.Withdrawn:
	}
	return nil
}

// maxWhispers bounds what is remembered of messages whose fate is not known yet. Of a forgotten one the fate is told
// from the correspondent's own address.
const maxWhispers = 4096

// whispers are the messages to members whose fate is not known: who they were addressed to.
type whispers struct {
	mu  sync.Mutex
	all map[whisperKey]string
}

type whisperKey struct {
	account core.AccountID
	origin  core.Origin
}

func (w *whispers) add(a core.AccountID, o core.Origin, occupant string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.all == nil {
		w.all = map[whisperKey]string{}
	}
	for some := range w.all {
		if len(w.all) < maxWhispers {
			break
		}
		delete(w.all, some)
	}
	w.all[whisperKey{a, o}] = occupant
}

// take returns whom a message was addressed to, and forgets it when its fate is final.
func (w *whispers) take(r *core.Receipt) string {
	w.mu.Lock()
	defer w.mu.Unlock()
	k := whisperKey{r.Account, r.Origin}
	occupant := w.all[k]
	if r.State >= core.Delivered {
		delete(w.all, k)
	}
	return occupant
}
