package email

// writesAs is the address that a mail is from: where it answers one that came to a subaddress of the user's
// (alice+shop@...), that. Whoever was given it knows no other.
func (s *session) writesAs(r *row) address {
	tagged, err := parseAddress(string(r.Tagged))
	if r.Tagged == "" || err != nil || s.via != nil || tagged.domain != s.own.domain {
		return s.own
	}
	return tagged
}
