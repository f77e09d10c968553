package muc

import (
	"slices"

	"gangway/core"
	"gangway/core/xmpp/stream"
)

// standing is a rank in the words of XEP-0045 section 5.
type standing struct{ affiliation, role string }

func standingOf(r core.Rank) standing {
	switch r {
	case core.Owner:
		return standing{"owner", "moderator"}
	case core.Operator:
		return standing{"admin", "moderator"}
	case core.Half:
		return standing{"member", "moderator"}
	case core.Voice:
		return standing{"member", "participant"}
	case core.Spectator:
		return standing{"none", "visitor"}
	}
	return standing{"none", "participant"}
}

// rankOf is the inverse, for what a client asks for: as a rule only one of the two is given (XEP-0045
// sections 8 to 10).
func rankOf(affiliation, role string) (core.Rank, bool) {
	switch {
	case affiliation == "owner":
		return core.Owner, true
	case affiliation == "admin":
		return core.Operator, true
	case affiliation == "member" && role == "moderator":
		return core.Half, true
	case affiliation == "member":
		return core.Voice, true
	case affiliation == "none":
		return core.Plain, true
	case affiliation != "":
		return 0, false
	case role == "moderator":
		return core.Operator, true
	case role == "participant":
		return core.Voice, true
	case role == "visitor":
		return core.Plain, true
	}
	return 0, false
}

// real is a member's address outside the room, with what is visible of them there as its resource; empty if it can
// not be written as a JID.
func (rm *room) real(m core.Member) string {
	if m.Address == "" {
		return ""
	}
	jid, err := rm.domain.JID(rm.realm, m.Address, false)
	if err != nil {
		return ""
	}
	if m.Real != "" {
		jid += "/" + nearest(m.Real, maxResource)
	}
	return jid
}

// farewell is how a member goes.
type farewell struct {
	statuses []string
	by       string
	reason   string
	nick     string // the new one (status 303)
	asked    string // the resource that the client knows itself by, if it has not been let in
}

// here writes a member's available presence to one resource. It holds caps for nobody: members are not contacts.
func (rm *room) here(enc *stream.Encoder, to string, m core.Member, statuses ...string) {
	st := standingOf(m.Rank)
	enc.Start("presence", "", "from", rm.occupant(m.Nick), "to", to)
	if m.Away {
		enc.Leaf("show", "", "away")
	}
	enc.Start("x", NSUser)
	enc.Empty("item", "", "affiliation", st.affiliation, "role", st.role, "jid", rm.real(m))
	for _, s := range statuses {
		enc.Empty("status", "", "code", s)
	}
	enc.End()
	rm.writeOccupantID(enc, m.Person, m.Nick)
	if rm.rooms.resource(m.Nick) != m.Nick {
		enc.Leaf("nick", nsNick, m.Nick) // XEP-0172: what the address could not hold
	}
	hats(enc, m)
	enc.End()
}

// gone writes a member's unavailable presence to one resource.
func (rm *room) gone(enc *stream.Encoder, to string, m core.Member, f farewell) {
	st := standingOf(m.Rank)
	from := rm.occupant(m.Nick)
	if f.asked != "" {
		from = rm.jid + "/" + f.asked
	}
	enc.Start("presence", "", "from", from, "to", to, "type", "unavailable")
	removed := len(f.statuses) > 0 && f.nick == "" && f.by != ""
	if f.reason != "" && !removed {
		enc.Leaf("status", "", f.reason)
	}
	enc.Start("x", NSUser)
	affiliation, role := st.affiliation, "none"
	switch {
	case f.nick != "":
		role = st.role
	case slices.Contains(f.statuses, "301"):
		affiliation = "outcast" // XEP-0045 section 9.1, whatever they were
	}
	enc.Start("item", "", "affiliation", affiliation, "role", role, "jid", rm.real(m))
	if f.nick != "" {
		enc.Attr("nick", rm.rooms.resource(f.nick))
	}
	if removed {
		enc.Empty("actor", "", "nick", f.by)
		if f.reason != "" {
			enc.Leaf("reason", "", f.reason)
		}
	}
	enc.End()
	for _, s := range f.statuses {
		enc.Empty("status", "", "code", s)
	}
	enc.End()
	rm.writeOccupantID(enc, m.Person, m.Nick)
	enc.End()
}
