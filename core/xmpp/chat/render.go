package chat

import (
	"context"
	"strconv"
	"time"

	"gangway/core"
	"gangway/core/xmpp/edge"
	"gangway/core/xmpp/stream"
)

// lateAfter is the age from which a message carries when it was said (XEP-0203):
// below it a delay only makes clients sort wrongly or keep silent.
const lateAfter = 60 * time.Second

// oldest is how far back a message may claim to have been said.
const oldest = 10 * 365 * 24 * time.Hour

// mineMark stands before what the user said in another app of the network.
// Without the privilege to speak as the user (XEP-0356) it comes from the
// correspondent, and must not look like the correspondent's own words.
const mineMark = "(you, from another app) "

// Renderer writes the events of one-to-one conversations. It implements
// edge.Renderer.
type Renderer struct {
	ledger core.Ledger
	now    func() time.Time
	book   book
	// recent is what was submitted a minute or two ago: the client that sent it is
	// taken to be there still.
	recent *fresh[core.MessageID, struct{}]
}

var _ edge.Renderer = (*Renderer)(nil)

// Render implements edge.Renderer.
func (r *Renderer) Render(ctx context.Context, enc *stream.Encoder, d *edge.Domain, a core.Account, ev core.Event) error {
	contact, err := d.Contact(a.Realm, ev.Where().Peer)
	if err != nil {
		return err
	}
	p := page{enc: enc, caps: d.Network.Caps, from: contact, to: string(a.User), domain: d.Name}
	switch ev := ev.(type) {
	case *core.Message:
		r.book.meet(ctx, a.ID, ev.Peer)
		r.message(ctx, p, a, ev)
	case *core.Receipt:
		r.receipt(p, ev)
	case *core.Typing:
		p.typing(ev)
	case *core.Reaction:
		r.reaction(ctx, p, a, ev)
	case *core.Retraction:
		p.retraction(ev)
	default:
		return core.E(core.Unsupported, "chat: render", "")
	}
	return nil
}

// page is where one event is written.
type page struct {
	enc    *stream.Encoder
	caps   core.Caps
	from   string // the correspondent's full JID
	to     string // the user's bare JID: the host server knows their devices
	domain string
}

// start opens a message of type chat.
func (p page) start(id, to string) {
	p.enc.Start("message", "", "type", "chat", "from", p.from, "to", to, "id", id)
}

// message writes the text and, each in a message of its own, the files: clients
// show a file only where the body is its address and nothing else.
func (r *Renderer) message(ctx context.Context, p page, a core.Account, m *core.Message) {
	id := string(m.ID)
	if m.Text != "" || m.Subject != "" || len(m.Attachments) == 0 {
		r.text(ctx, p, a, m)
		id = ""
	}
	for i, f := range m.Attachments {
		if f.URL == "" {
			continue
		}
		if id == "" || i > 0 {
			id = core.Digest("file", string(m.ID), strconv.Itoa(i))
		}
		p.start(id, p.to)
		p.enc.Leaf("body", "", f.URL)
		p.enc.Start("x", nsOOB)
		p.enc.Leaf("url", "", f.URL)
		p.enc.End()
		r.frame(p, m, id)
		p.enc.End()
	}
}

func (r *Renderer) text(ctx context.Context, p page, a core.Account, m *core.Message) {
	p.start(string(m.ID), p.to)
	if m.Subject != "" {
		p.enc.Leaf("subject", "", m.Subject)
	}
	text := m.Text
	if text == "" {
		text = m.Subject // no client shows, and few servers keep, what has no body
	}
	if m.Mine {
		text = mineMark + text
	}
	p.enc.Leaf("body", "", text)
	if m.ReplyTo.ID != "" {
		id, by := r.named(ctx, p, a, m.ReplyTo.ID)
		p.enc.Empty("reply", nsReply, "to", by, "id", id)
	}
	if m.Replaces.ID != "" {
		id, _ := r.named(ctx, p, a, m.Replaces.ID)
		p.enc.Empty("replace", nsCorrect, "id", id)
	}
	r.frame(p, m, string(m.ID))
	p.enc.End()
}

// frame writes what every message with a body has.
func (r *Renderer) frame(p page, m *core.Message, id string) {
	if m.Thread != "" {
		p.enc.Leaf("thread", "", string(m.Thread))
	}
	p.enc.Empty("origin-id", nsID, "id", id)
	if at := r.late(m.At); !at.IsZero() {
		p.enc.Empty("delay", nsDelay, "from", p.domain, "stamp", at.UTC().Format("2006-01-02T15:04:05.000Z"))
	}
	if m.Notice || m.Mine {
		return // nobody waits for an answer, not even for "seen"
	}
	if p.caps.ReadMarker != nil {
		p.enc.Empty("request", nsReceipts)
		p.enc.Empty("markable", nsMarkers)
	}
	if p.caps.TypingSender != nil {
		p.enc.Empty("active", nsActive)
	}
}

// late returns when a message was said if that is worth telling, else zero.
func (r *Renderer) late(at time.Time) time.Time {
	now := r.now()
	if at.IsZero() || now.Sub(at) < lateAfter {
		return time.Time{}
	}
	if first := now.Add(-oldest); at.Before(first) {
		return first
	}
	return at
}

// named returns the name under which the user's clients know a message, and the
// JID of who wrote it. What the ledger does not know is taken to be the
// correspondent's.
func (r *Renderer) named(ctx context.Context, p page, a core.Account, id core.MessageID) (name, by string) {
	e, err := r.ledger.Message(ctx, id)
	if err == nil && e.Account == a.ID && e.Mine && e.Origin.ID != "" {
		return e.Origin.ID, p.to
	}
	return string(id), p.from
}

func (p page) typing(t *core.Typing) {
	state := "paused"
	if t.On {
		state = "composing"
	}
	p.start("", p.to)
	p.enc.Empty(state, nsActive)
	p.enc.Empty("no-store", nsHints)
	p.enc.End()
}

// reaction writes the whole set of emoji. What the user put there with another
// app cannot be shown as the correspondent's, and is not shown.
func (r *Renderer) reaction(ctx context.Context, p page, a core.Account, re *core.Reaction) {
	if re.Mine || re.ID == "" {
		return
	}
	about, _ := r.named(ctx, p, a, re.ID)
	p.start(core.Digest(append([]string{"reaction", string(re.ID)}, re.Emoji...)...), p.to)
	p.enc.Start("reactions", nsReactions, "id", about)
	for _, e := range re.Emoji {
		p.enc.Leaf("reaction", "", e)
	}
	p.enc.End()
	p.enc.Empty("store", nsHints)
	p.enc.End()
}

// retraction takes a message back. The fallback names no id.
func (p page) retraction(re *core.Retraction) {
	if re.Mine || re.ID == "" {
		return
	}
	p.start(core.Digest("retraction", string(re.ID)), p.to)
	p.enc.Empty("retract", nsRetract, "id", string(re.ID))
	p.enc.Empty("fallback", nsFallback, "for", nsRetract)
	p.enc.Leaf("body", "", "This message was taken back by its sender. Your client cannot show that.")
	p.enc.Empty("store", nsHints)
	p.enc.End()
}
