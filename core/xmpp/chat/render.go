package chat

import (
	"context"
	"strings"
	"time"

	"gangway/core"
	"gangway/core/xmpp/addr"
	"gangway/core/xmpp/edge"
	"gangway/core/xmpp/stream"
	"gangway/mapping"
)

// lateAfter is the age from which a message carries when it was said (XEP-0203):
// below it a delay only makes clients sort wrongly or keep silent. What was missed carries it always.
const lateAfter = 300 * time.Second

// oldest is how far back a message may claim to have been said.
const oldest = 10 * 365 * 24 * time.Hour

// Bounds of what a network says, in bytes. Escaping makes five of one at most,
// and a stanza may have stream.DefaultMaxStanza.
const (
	maxBody    = 60_000
	maxSubject = 1000
)

// tooLong stands at the end of a text that was cut.
const tooLong = "\n[The rest of this message is too long to be shown.]"

// Renderer writes the events of one-to-one conversations. It implements
// edge.Renderer.
type Renderer struct {
	ledger core.Ledger
	now    func() time.Time
	book   book
	quotes *quotes
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
	p := page{enc: enc, domain: d, account: a, from: contact, to: string(a.User)}
	switch ev := ev.(type) {
	case *core.Message:
		name, since := r.book.meet(ctx, a.ID, ev.Peer)
		if p.name = name; mapping.IsAlias(contact) {
			p.unveil(ev.Peer, r.now().Sub(since) < unveilFor)
		}
		r.message(ctx, p, ev)
	case *core.Receipt:
		r.receipt(ctx, p, ev)
	case *core.Typing:
		p.typing(ev)
	case *core.Reaction:
		r.reaction(ctx, p, ev)
	case *core.Retraction:
		r.retraction(ctx, p, ev)
	default:
		return core.E(core.Unsupported, "chat: render", "")
	}
	return nil
}

// page is where one event is written.
type page struct {
	enc     *stream.Encoder
	domain  *edge.Domain
	account core.Account
	from    string // the correspondent's full JID
	to      string // the user's bare JID: the host server knows their devices
	name    string // what the correspondent is called; empty if nobody knows
	really  string // their address, where their JID does not tell it and the text is to
}

// unveilFor is how long the text tells the address of a new correspondent whose JID
// does not: the first message, also where it comes twice.
const unveilFor = time.Hour

// unveil has a correspondent called by their address if they have no name, and the
// text tell it if they are new.
func (p *page) unveil(peer core.Address, isNew bool) {
	if p.name == "" {
		p.name = bounded(string(peer), maxName)
	}
	if isNew {
		p.really = "From: " + string(peer) + "\n"
	}
}

// start opens a message of type chat.
func (p page) start(id, to string) {
	p.enc.Start("message", "", "type", "chat", "from", p.from, "to", to, "id", id)
}

// in says of a message that was just opened which language it is in, "" if that is
// not known. It stands on the message, not on its body, because there are clients
// that look for a body in the language of the message only.
func (p page) in(lang string) {
	if lang != "" {
		p.enc.Attr("xml:lang", lang)
	}
}

// message writes the text and, each in a message of its own, the files: clients
// show a file only where the body is its address and nothing else.
func (r *Renderer) message(ctx context.Context, p page, m *core.Message) {
	files := withAddress(m.Attachments)
	r.quotes.keep(m.ID, m.Text, len(files))
	speaks := m.Text != "" || m.Subject != "" || m.Own != "" || p.really != "" && !m.Mine
	if speaks || len(files) == 0 {
		r.say(p, m, string(m.ID), func(mark string) {
			r.text(ctx, p, m, mark)
		})
	}
	for i, f := range files {
		id := partID(m.ID, i)
		if i == 0 && !speaks {
			id = string(m.ID)
		}
		r.say(p, m, id, func(mark string) {
			if mark == "" {
				p.file(f)
			} else {
				p.enc.Leaf("body", "", mark+f.URL) // not as if the correspondent had sent it
			}
			if m.Thread != "" {
				p.enc.Leaf("thread", "", thread(m.Thread))
			}
		})
	}
}

// say writes one message around its content: from the correspondent, or as the
// user if it is theirs.
func (r *Renderer) say(p page, m *core.Message, id string, content func(mark string)) {
	if m.Mine && p.asUser(id, func() {
		p.in(tag(m.Lang))
		content("")
		r.late(p, m)
	}) {
		return
	}
	mark := ""
	if m.Mine {
		mark = mineMark
	}
	p.start(id, p.to)
	p.in(tag(m.Lang))
	content(mark)
	r.frame(p, m, id)
	p.enc.End()
}

func (r *Renderer) text(ctx context.Context, p page, m *core.Message, mark string) {
	if m.Subject != "" {
		p.enc.Leaf("subject", "", bounded(m.Subject, maxSubject))
	}
	body := mark + through(m) + shown(m)
	if !m.Mine {
		body = p.really + body
	}
	quote := ""
	if m.ReplyTo.ID != "" && m.Replaces.ID == "" {
		quote = quotation(r.quotes.of(m.ReplyTo.ID).text)
	}
	p.enc.Leaf("body", "", quote+body)
	if m.ReplyTo.ID != "" {
		id, by := r.named(ctx, p, m.ReplyTo.ID)
		p.enc.Empty("reply", nsReply, "to", by, "id", id)
	}
	if quote != "" {
		p.fallback(nsReply, 0, points(quote))
	}
	if m.Replaces.ID != "" {
		id, _ := r.named(ctx, p, m.Replaces.ID)
		p.enc.Empty("replace", nsCorrect, "id", id)
	}
	if m.Thread != "" {
		p.enc.Leaf("thread", "", thread(m.Thread))
	}
}

// through is a line about the account of the user's that a message went through, where that is another than before.
func through(m *core.Message) string {
	switch {
	case m.Own == "":
		return ""
	case m.Mine:
		return "From: " + string(m.Own) + "\n"
	}
	return "To: " + string(m.Own) + "\n"
}

// shown is what a message says, as long as a stanza can be.
func shown(m *core.Message) string {
	text := m.Text
	if text == "" {
		text = bounded(m.Subject, maxSubject) // no client shows, and few servers keep, what has no body
	}
	if len(text) > maxBody {
		text = bounded(text, maxBody) + tooLong
	}
	return text
}

// thread is a thread's name in a length that clients bear. What only groups may
// have another name.
func thread(t core.ThreadID) string {
	if len(t) > maxThread {
		return core.Digest("thread", string(t))
	}
	return string(t)
}

// fallback says which range of the body, in code points, is there only for
// clients that do not know ns; all of it, if to is 0.
func (p page) fallback(ns string, from, to int) {
	p.enc.Start("fallback", nsFallback, "for", ns)
	if to == 0 {
		p.enc.Empty("body", "")
	} else {
		p.enc.Empty("body", "", "start", itoa(from), "end", itoa(to))
	}
	p.enc.End()
}

// frame writes what every message with a body has.
func (r *Renderer) frame(p page, m *core.Message, id string) {
	p.enc.Empty("origin-id", nsID, "id", id)
	if p.name != "" {
		p.enc.Leaf("nick", nsNick, p.name)
	}
	if len(m.Also) > 0 {
		p.addresses(m.Also)
	}
	r.late(p, m)
	if m.Notice || m.Mine {
		return // nobody waits for an answer, not even for "seen"
	}
	caps := &p.domain.Network.Caps
	if caps.ReadMarker != nil {
		p.enc.Empty("request", nsReceipts)
		p.enc.Empty("markable", nsMarkers)
	}
	if caps.TypingSender != nil {
		p.enc.Empty("active", nsActive)
	}
}

// addresses writes who else got the message (XEP-0033): an answer to all of them
// is addressed so.
func (p page) addresses(also []core.Address) {
	p.enc.Start("addresses", nsAddress)
	p.enc.Empty("address", "", "type", "to", "jid", p.to, "delivered", "true")
	for i, peer := range also {
		jid, err := p.domain.JID(p.account.Realm, peer, false)
		if err == nil && i < maxRecipients {
			p.enc.Empty("address", "", "type", "cc", "jid", jid, "delivered", "true")
		}
	}
	p.enc.End()
}

// late writes when a message was said, if that is worth telling.
func (r *Renderer) late(p page, m *core.Message) {
	now, at := r.now(), m.At
	if at.IsZero() || !m.Past && now.Sub(at) <= lateAfter {
		return
	}
	if first := now.Add(-oldest); at.Before(first) {
		at = first
	}
	p.enc.Empty("delay", nsDelay, "from", p.domain.Name, "stamp", at.UTC().Format("2006-01-02T15:04:05.000Z"))
}

// named returns the name under which the user's clients know a message, and the
// bare JID of who wrote it. What the ledger does not know is taken to be the
// correspondent's.
func (r *Renderer) named(ctx context.Context, p page, id core.MessageID) (name, by string) {
	e, err := r.ledger.Message(ctx, id)
	switch {
	case err != nil || e.Account != p.account.ID || !e.Mine:
		return string(id), bare(p.from)
	case e.Origin.ID != "":
		return e.Origin.ID, p.to
	}
	return string(id), p.to // said in another app
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

// bare cuts the resource off a contact's JID.
func bare(contact string) string {
	if n := len(contact) - len(edge.Resource) - 1; n > 0 && contact[n] == '/' {
		return contact[:n]
	}
	return contact
}

// answered is whom an Origin's sender is answered at, and whether they want to
// hear that a message has arrived.
func answered(o core.Origin) (to string, asked bool) {
	to, silent := strings.CutPrefix(o.From, unasked)
	if _, err := addr.Parse(to); err != nil {
		return "", false
	}
	return to, !silent
}
