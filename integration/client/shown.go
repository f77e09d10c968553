package client

import (
	"slices"
	"strconv"
)

// NSFallback is fallback indication (XEP-0428).
const NSFallback = "urn:xmpp:fallback:0"

// Shown is the body as a client shows it that knows replies: without the quotation that stands there for the others
// (XEP-0461, section 3.2). Ranges are in code points (XEP-0426); one that does not fit the body is left alone.
func (s *Stanza) Shown() string {
	body := []rune(s.Body())
	for _, f := range s.All(NSFallback, "fallback") {
		if f.Attr("for") != NSReply {
			continue
		}
		for _, r := range f.All(NSFallback, "body") {
			start, err := strconv.Atoi(r.Attr("start"))
			end, err2 := strconv.Atoi(r.Attr("end"))
			if err == nil && err2 == nil && 0 <= start && start <= end && end <= len(body) {
				body = slices.Delete(body, start, end)
			}
		}
	}
	return string(body)
}
