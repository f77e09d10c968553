package chat

import (
	"context"
	"strconv"
	"strings"
	"unicode/utf8"

	"gangway/core"
	"gangway/mapping"
)

// The stanza of a message's text has the message's own id, and so has that of
// its first file if it has no text. Each further one has it with a number
// behind, so that whatever a client says about one of them is understood.
const fileMark = "-f"

// partID is the id of the stanza of a message's i-th file.
func partID(id core.MessageID, i int) string { return string(id) + fileMark + strconv.Itoa(i) }

// ourName returns the message that an id of ours belongs to. It is false for one
// that we cannot have made.
func ourName(id string) (core.MessageID, bool) {
	name, part, more := strings.Cut(id, fileMark)
	if !isOurs(name) {
		return "", false
	}
	if n, err := strconv.Atoi(part); more && (err != nil || n < 0 || n > 999 || strconv.Itoa(n) != part) {
		return "", false
	}
	return core.MessageID(strings.Clone(name)), true
}

// isOurs reports whether a name could be one that core made (core.MessageID).
func isOurs(id string) bool {
	if len(id) != 26 {
		return false
	}
	for i := range len(id) {
		if c := id[i]; (c < 'a' || c > 'z') && (c < '2' || c > '7') {
			return false
		}
	}
	return true
}

// sentName is a message of an account's user by the id that their client gave it.
type sentName struct {
	account core.AccountID
	peer    string // folded
	origin  string
}

// sent is a message that the user has sent.
func (h handler) sent(ctx context.Context, ref core.Ref, id string) (core.MessageID, bool) {
	if id == "" || len(id) > maxID {
		return "", false
	}
	peer := mapping.Fold(string(ref.Peer))
	if e, err := h.ledger.ByOrigin(ctx, ref.Account, id); err == nil && mapping.Fold(string(e.Peer)) == peer {
		return e.ID, true
	}
	if h.live() {
		return h.walked.get(sentName{ref.Account, peer, id})
	}
	return "", false
}

// live reports whether messages go straight through, so that the ledger does not
// know them, and something can be said about them later.
func (h handler) live() bool {
	n := h.domain.Network
	c := n.Caps
	return n.Driver.Lane == core.Live &&
		(n.Driver.Threads || c.Editor != nil || c.Retractor != nil || c.Reactor != nil)
}

// remember notes the name of a message that the ledger will not know.
func (h handler) remember(m *core.Message) {
	if m.Origin.ID != "" && h.live() {
		h.walked.put(sentName{m.Account, mapping.Fold(string(m.Peer)), m.Origin.ID}, m.ID)
	}
}

// about returns our name for a message by the one that the user's client has for
// it: theirs, if the user sent it, or ours. Empty if there is none.
func (h handler) about(ctx context.Context, ref core.Ref, id string) core.MessageID {
	if name, ok := h.sent(ctx, ref, id); ok {
		return name
	}
	name, _ := ourName(id)
	return name
}

// mine returns our name for one of the user's own messages.
func (h handler) mine(ctx context.Context, ref core.Ref, id string) (core.MessageID, error) {
	name, ok := h.sent(ctx, ref, id)
	if ok {
		return name, nil
	}
	// What the user said in another app has our name.
	if name, ok = ourName(id); ok {
		if e, err := h.ledger.Message(ctx, name); err == nil && e.Account == ref.Account && e.Mine {
			return name, nil
		}
	}
	return "", errUnknown()
}

func errUnknown() error {
	return core.E(core.NotFound, "chat: message", "The message that this is about is not known here any more.")
}

// bounded cuts a text to at most n bytes, between two characters. It is a copy.
func bounded(s string, n int) string {
	if len(s) > n {
		for n > 0 && !utf8.RuneStart(s[n]) {
			n--
		}
		s = s[:n]
	}
	return strings.Clone(s)
}
