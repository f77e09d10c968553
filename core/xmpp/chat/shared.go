package chat

import "gangway/core/xmpp/stream"

// StripFallback returns body without what a client put there only for those who do not know the protocol forNS
// (XEP-0428): the ranges that it names, counted in code points (XEP-0426).
func StripFallback(st *stream.Stanza, body, forNS string) string {
	return stripFallback(st, body, forNS)
}
