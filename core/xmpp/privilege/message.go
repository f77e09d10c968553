package privilege

import (
	"gangway/core"
	"gangway/core/xmpp/addr"
	"gangway/core/xmpp/stream"
)

// Forward writes a message of type "chat" from a user to a contact of ours, as if
// a client of the user's had sent it: the server archives it, copies it to the
// user's clients and routes it to us, where it is dropped as an echo. payload
// writes what is inside. It has no origin-id, and its id should be the name that
// replies and reactions will use.
//
// It reports whether it has written the message: not without the privilege, nor
// for a user of another server. Then the caller shows it in another way. It may
// be called again with the same id.
//
// NS1 is not enough: ejabberd to 23.01, which speaks it, only routes such a
// message, so that none of the user's clients would ever show it.
func (e *Entity) Forward(enc *stream.Encoder, user core.UserID, contact, id string, payload func(*stream.Encoder)) bool {
	g := e.For(user)
	to, err := addr.Parse(contact)
	if !g.Message || g.NS != NS2 || err != nil || id == "" {
		return false
	}
	e.mu.Lock()
	e.sent.add(echoOf(string(user), contact, id))
	e.mu.Unlock()
	enc.Start("message", "", "from", e.domain, "to", e.host, "id", forwardID(id))
	enc.Start("privilege", g.NS)
	enc.Start("forwarded", nsForward)
	// Both addresses bare: the server forbids others (XEP-0356 section 5.1).
	enc.Start("message", stream.NSClient, "type", "chat", "from", string(user), "to", to.Bare(), "id", id)
	payload(enc)
	enc.End()
	enc.End()
	enc.End()
	enc.End()
	return true
}

// forwardID is the id of what carries a forwarded message: a refusal names it.
func forwardID(id string) string { return "privilege-" + id }

// isEcho reports whether a message is one of those that Forward sent. Clients
// never send from a bare JID, so nothing that a user wrote is taken for one.
func (e *Entity) isEcho(st *stream.Stanza) bool {
	from, err := addr.Parse(st.From)
	if err != nil || st.ID == "" || !from.IsBare() || from.Local() == "" || st.Type == "error" {
		return false
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.sent.has(echoOf(from.Key(), st.To, st.ID))
}

// isRefusal reports whether a message is the server's refusal of one that Forward
// sent, and forgets the privilege then.
func (e *Entity) isRefusal(st *stream.Stanza) bool {
	if st.Type != "error" || e.host == "" || !addr.Same(st.From, e.host) || len(st.ID) <= len(forwardID("")) ||
		st.ID != forwardID(st.ID[len(forwardID("")):]) {
		return false
	}
	if st.Child("", "error").Child(stream.NSStanzas, "forbidden") != nil {
		e.withdraw("message", func(g *Grants) { g.Message = false })
	}
	return true
}

func echoOf(user, contact, id string) echo {
	return echo{core.Digest(user, addr.Key(contact), id)}
}

// echo names a message between a user and a contact.
type echo struct{ digest string }

// remembered is how many echoes are waited for at once: they come within the
// second, so that only a flood can outrun it.
const remembered = 8192

// memory knows the last so many echoes.
type memory struct {
	known map[echo]bool
	order []echo // a ring
	next  int
}

func newMemory() memory { return memory{known: map[echo]bool{}} }

func (m *memory) has(e echo) bool { return m.known[e] }

func (m *memory) add(e echo) {
	if m.known[e] {
		return
	}
	m.known[e] = true
	if len(m.order) < remembered {
		m.order = append(m.order, e)
		return
	}
	delete(m.known, m.order[m.next])
	m.order[m.next] = e
	m.next = (m.next + 1) % remembered
}
