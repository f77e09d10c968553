package muc

import "gangway/core/xmpp"

// Register registers the requests that rooms answer; pings to anybody else go to next.
func (h *Handler) Register(r *xmpp.Router, next xmpp.Handler) {
	r.IQ("get", xmpp.NSPing, "ping", h.Ping(next))
	for _, typ := range []string{"get", "set"} {
		r.IQ(typ, NSAdmin, "query", xmpp.HandlerFunc(h.Admin))
		r.IQ(typ, NSOwner, "query", xmpp.HandlerFunc(h.Owner))
	}
	r.IQ("set", nsModerate, "moderate", xmpp.HandlerFunc(h.Moderate))
}

// Invitations registers the direct invitations to correspondents; other messages go to next.
func (h *Handler) Invitations(r *xmpp.Router, next xmpp.Handler) {
	r.MessageWith(nsConference, "x", h.Direct(next))
}
