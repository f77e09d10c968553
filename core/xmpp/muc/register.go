package muc

import "gangway/core/xmpp"

// Next are the handlers for what is not to a room.
type Next struct{ Message, Presence, Ping xmpp.Handler }

// Register puts the domain's room handlers in front of the others.
func (h *Handler) Register(r *xmpp.Router, next Next) {
	r.Message(h.Message(next.Message))
	r.Presence(h.Presence(next.Presence))
	r.IQ("get", xmpp.NSPing, "ping", h.Ping(next.Ping))
	r.IQ("get", NSAdmin, "query", xmpp.HandlerFunc(h.Admin))
	r.IQ("set", NSAdmin, "query", xmpp.HandlerFunc(h.Admin))
	r.IQ("get", NSOwner, "query", xmpp.HandlerFunc(h.Owner))
	r.IQ("set", NSOwner, "query", xmpp.HandlerFunc(h.Owner))
}
