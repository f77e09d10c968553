package irc

import "strings"

// capability is a set of IRCv3 capabilities.
type capability uint32

const (
	capTags capability = 1 << iota
	capTime
	capBatch
	capLabels
	capEcho
	capMultiPrefix
	capUserhost
	capExtendedJoin
	capAccountNotify
	capAccountTag
	capAwayNotify
	capChghost
	capSetname
	capInviteNotify
	capNotify
	capSASL
	capReplies
	capMultiline
	capHistory
	capRedaction
	capReadMarker
	capExtendedMonitor
	capBouncer
	capPlayback
	capSelfMessage
	capEventPlayback
)

// capabilities are those that are asked for where they are offered, in the order of asking.
func capabilities() []struct {
	name string
	bit  capability
} {
	return []struct {
		name string
		bit  capability
	}{
		{"message-tags", capTags}, {"server-time", capTime}, {"batch", capBatch}, {"labeled-response", capLabels},
		{"echo-message", capEcho}, {"multi-prefix", capMultiPrefix}, {"userhost-in-names", capUserhost},
		{"extended-join", capExtendedJoin}, {"account-notify", capAccountNotify}, {"account-tag", capAccountTag},
		{"away-notify", capAwayNotify}, {"chghost", capChghost}, {"setname", capSetname},
		{"invite-notify", capInviteNotify}, {"cap-notify", capNotify}, {"sasl", capSASL},
		{"standard-replies", capReplies}, {"draft/multiline", capMultiline}, {"draft/chathistory", capHistory},
		{"draft/message-redaction", capRedaction}, {"draft/read-marker", capReadMarker},
		{"extended-monitor", capExtendedMonitor}, {"soju.im/bouncer-networks", capBouncer},
		{"znc.in/playback", capPlayback}, {"znc.in/self-message", capSelfMessage},
		{"draft/event-playback", capEventPlayback},
		// As they are, or will be, called once they are no drafts any more.
		{"chathistory", capHistory}, {"event-playback", capEventPlayback}, {"message-redaction", capRedaction},
		{"read-marker", capReadMarker}, {"draft/extended-monitor", capExtendedMonitor},
	}
}

func capNamed(name string) capability {
	for _, c := range capabilities() {
		if c.name == name {
			return c.bit
		}
	}
	return 0
}

// String lists the names, one for each.
func (c capability) String() string {
	var names []string
	for _, one := range capabilities() {
		if c&one.bit != 0 {
			c &^= one.bit
			names = append(names, one.name)
		}
	}
	return strings.Join(names, " ")
}
