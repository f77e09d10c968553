package muc

import (
	"testing"

	"gangway/core"
)

// TestOwnMessagesHaveOneName has the network speak of a message of the user's own, by its own name for it: clients know
// it by ours.
func TestOwnMessagesHaveOneName(t *testing.T) {
	s := openRich(t)
	s.enter(phone)
	s.show(&core.Message{Ref: ref, IDs: core.IDs{ID: "m1", Remote: "r1"}, Room: true, Mine: true, Author: "me", Text: "x"})
	s.Expect(`<message from='` + channel + `/me' to='` + phone + `'/>`)
	s.show(&core.Reaction{Ref: ref, IDs: core.IDs{ID: core.IDFor("a1", "r1"), Remote: "r1"}, Room: true, Author: "Op", Emoji: []string{"👍"}})
	s.Expect(`<message from='` + channel + `/Op'><reactions xmlns='urn:xmpp:reactions:0' id='m1'/></message>`)
	s.show(&core.Message{Ref: ref, IDs: core.IDs{ID: "m2", Remote: "r2"}, ReplyTo: core.IDs{Remote: "r1"}, Room: true, Author: "Op", Text: "y"})
	s.Expect(`<message from='` + channel + `/Op'><reply xmlns='urn:xmpp:reply:0' id='m1' to='` + channel + `/me'/></message>`)
	s.show(&core.Retraction{Ref: ref, IDs: core.IDs{Remote: "r1"}, Room: true, Author: "Op", Moderated: true})
	s.Expect(`<message from='` + channel + `'><retract xmlns='urn:xmpp:message-retract:1' id='m1'/></message>`)
	s.quiet()
}
