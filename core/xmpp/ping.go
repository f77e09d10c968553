package xmpp

import (
	"context"

	"gangway/core/xmpp/stream"
)

// Ping returns the handler of XEP-0199 pings to the component. Register it for
// IQs of type "get" with the payload urn:xmpp:ping, ping.
func Ping() Handler {
	return HandlerFunc(func(_ context.Context, w Sender, st *stream.Stanza) error {
		return Result(w, st, nil)
	})
}

// Version returns the handler of XEP-0092 requests: name and version, and not
// the operating system. Register it for IQs of type "get" with the payload
// jabber:iq:version, query.
func Version(name, version string) Handler {
	return HandlerFunc(func(_ context.Context, w Sender, st *stream.Stanza) error {
		return Result(w, st, func(e *stream.Encoder) {
			e.Start("query", NSVersion)
			e.Leaf("name", "", name)
			e.Leaf("version", "", version)
			e.End()
		})
	})
}

// Namespaces of the handlers in this package.
const (
	NSPing    = "urn:xmpp:ping"
	NSVersion = "jabber:iq:version"
)
