package chat

import (
	"strings"
	"time"

	"gangway/core"
	"gangway/core/xmpp/stream"
)

// Bounds of what clients put into attributes. What is longer was not made by one.
const (
	maxID     = 1023
	maxThread = 255
)

// parts are the children of a message that are known here, found in one pass. Of
// several of a kind it is the first.
type parts struct {
	body, subject, thread, reply, replace, reactions, delay, addresses *stream.Element

	retracts string // the id of the message that is taken back
	retract  bool
	fallback bool // there is at least one <fallback/>
	files    bool // there is at least one file
	request  bool // a receipt is asked for
	noStore  bool // XEP-0334: not to be kept
	several  bool // bodies, each in a language
	active   bool // a chat state that says nothing

	typing, paused     bool
	displayed          string // a message that was read
	known              bool   // something else that clients send without text
	called, invitation bool
}

func read(st *stream.Stanza) (p parts) {
	ns := st.Space()
	for c := range st.Children() {
		switch c.Space() {
		case ns:
			p.plain(c)
		case nsActive:
			p.state(c)
		case nsReceipts:
			p.request = p.request || c.Local() == "request"
			p.known = true
		case nsMarkers:
			if c.Local() == "displayed" {
				p.displayed = c.Attr("id")
			}
			p.known = true
		case nsHints:
			p.noStore = p.noStore || c.Local() == "no-store" || c.Local() == "no-permanent-store"
			p.known = true
		default:
			p.extension(c)
		}
	}
	return p
}

func (p *parts) plain(c *stream.Element) {
	switch c.Local() {
	case "body":
		p.several = p.several || p.body != nil
		first(&p.body, c)
	case "subject":
		first(&p.subject, c)
	case "thread":
		first(&p.thread, c)
	}
}

func first(at **stream.Element, c *stream.Element) {
	if *at == nil {
		*at = c
	}
}

func (p *parts) state(c *stream.Element) {
	switch c.Local() {
	case "composing":
		p.typing = true
	case "active":
		p.active = true
	default: // paused, inactive, gone
		p.paused = true
	}
}

func (p *parts) extension(c *stream.Element) {
	switch c.Space() {
	case nsReply:
		first(&p.reply, c)
	case nsCorrect:
		first(&p.replace, c)
	case nsReactions:
		first(&p.reactions, c)
	case nsRetract:
		p.takenBack(c.Attr("id"))
	case nsFasten:
		if c.Child(nsRetract0, "retract") != nil {
			p.takenBack(c.Attr("id"))
		}
	case nsFallback:
		p.fallback = true
	case nsOOB, nsFiles:
		p.files = true
	case nsDelay:
		first(&p.delay, c)
	case nsAddress:
		first(&p.addresses, c)
	case nsCall:
		p.called = p.called || c.Local() == "propose"
		p.known = true
	case nsInvite:
		p.invitation = true
	case "http://jabber.org/protocol/muc#user":
		p.invitation = p.invitation || c.Child("", "invite") != nil
	case "jabber:x:event":
		p.known = true
	}
}

func (p *parts) takenBack(id string) {
	if !p.retract {
		p.retract, p.retracts = true, id
	}
}

// originID is the name under which the sender's client knows a stanza: its id,
// which receipts and errors repeat, or else its origin-id (XEP-0359). A
// stanza-id that a client has put there says nothing: ours are not made by it.
func originID(st *stream.Stanza) (string, error) {
	id := st.ID
	if id == "" {
		id = st.Child(nsID, "origin-id").Attr("id")
	}
	if len(id) > maxID {
		return "", core.E(core.Invalid, "chat: id", "The message's id is too long.")
	}
	return id, nil
}

// saidAt is when a message was said: by its <delay/> if a client sent it late,
// else now.
func saidAt(delay *stream.Element, now time.Time) time.Time {
	if delay == nil {
		return now
	}
	at, err := time.Parse(time.RFC3339Nano, delay.Attr("stamp"))
	if err != nil || at.After(now) || now.Sub(at) > oldest {
		return now
	}
	return at.UTC()
}

// threadOf returns the thread that a message is in, if its name is a reasonable
// one: it only groups, nothing is lost without it.
func threadOf(thread *stream.Element) core.ThreadID {
	t := thread.Text()
	if len(t) > maxThread {
		return ""
	}
	return core.ThreadID(strings.Clone(t))
}
