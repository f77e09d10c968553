package chat

import (
	"context"
	"strconv"

	"gangway/core"
	"gangway/core/xmpp/stream"
)

func itoa(n int) string { return strconv.Itoa(n) }

// takenBack is what clients show that do not know retractions. It names no id.
const takenBack = "This message was taken back by its sender. Your client cannot show that."

// reaction writes the whole set of emoji (XEP-0444), also an empty one. What the
// user put there with another app cannot be shown as the correspondent's.
func (r *Renderer) reaction(ctx context.Context, p page, re *core.Reaction) {
	if re.ID == "" {
		return
	}
	about, _ := r.named(ctx, p, re.ID)
	id := core.Digest(append([]string{"reaction", string(re.ID), strconv.FormatInt(re.At.UnixNano(), 36)}, re.Emoji...)...)
	payload := func(enc *stream.Encoder) {
		enc.Start("reactions", nsReactions, "id", about)
		for _, e := range re.Emoji[:min(len(re.Emoji), maxEmoji)] {
			enc.Leaf("reaction", "", bounded(e, emojiSize))
		}
		enc.End()
		enc.Empty("store", nsHints)
	}
	if re.Mine {
		p.asUser(id, func() { payload(p.enc) })
		return
	}
	p.start(id, p.to)
	payload(p.enc)
	p.enc.End()
}

// retraction takes a message back (XEP-0424), with each of its files.
func (r *Renderer) retraction(ctx context.Context, p page, re *core.Retraction) {
	if re.ID == "" {
		return
	}
	about, _ := r.named(ctx, p, re.ID)
	p.takeBack(re, about, "")
	if about != string(re.ID) {
		return // what a client sent is one stanza
	}
	q := r.quotes.of(re.ID)
	first := 0
	if q.text == "" {
		first = 1 // its stanza has the message's own id
	}
	for i := first; i < q.files; i++ {
		p.takeBack(re, partID(re.ID, i), strconv.Itoa(i))
	}
}

// takeBack writes the retraction of one stanza.
func (p page) takeBack(re *core.Retraction, about, part string) {
	id := core.Digest("retraction", string(re.ID), part)
	payload := func(mark string) {
		p.in(english)
		p.enc.Empty("retract", nsRetract, "id", about)
		p.fallback(nsRetract, 0, 0)
		p.enc.Leaf("body", "", mark+takenBack)
		p.enc.Empty("store", nsHints)
	}
	if !re.Mine {
		p.start(id, p.to)
		payload("")
		p.enc.End()
		return
	}
	if p.asUser(id, func() { payload("") }) || part != "" {
		return
	}
	// Only its sender can take a message back, so all that is left is to say so.
	p.start(id, p.to)
	p.in(english)
	p.enc.Leaf("body", "", mineMark+"This message was taken back.")
	p.enc.Empty("reply", nsReply, "to", p.to, "id", about)
	p.enc.Empty("origin-id", nsID, "id", id)
	p.enc.End()
}
