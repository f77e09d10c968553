package chat

import "gangway/core/xmpp/stream"

// mineMark stands before what the user said in another app of the network.
// Without the privilege to speak as the user (XEP-0356) it comes from the
// correspondent, and must not look like the correspondent's own words.
const mineMark = "(sent from another app) "

// asUser writes a message from the user to the correspondent, as if one of their
// clients had sent it: the user's server archives it and copies it to all of
// them. Its id is the one that replies and reactions will name, and it has no
// origin-id, which would be another. It reports whether it could.
func (p page) asUser(id string, payload func()) bool {
	privileges := p.domain.Privileges
	return privileges != nil &&
		privileges.Forward(p.enc, p.account.User, bare(p.from), id, func(*stream.Encoder) { payload() })
}
