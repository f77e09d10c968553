package chat

import (
	"context"
	"strings"

	"gangway/core"
	"gangway/core/xmpp/stream"
)

// english is the language of what the gateway says itself. It knows no other, and
// says so.
const english = "en"

// inOneLanguage picks, of a message that says the same in several languages (RFC
// 6121 section 5.2.3), what goes to the network: in the language that the user has
// chosen, else in that of the stanza, else what comes first.
func (h handler) inOneLanguage(ctx context.Context, user core.UserID, s *said) {
	if !s.several {
		return
	}
	wanted := ""
	if h.choices != nil {
		p, err := h.choices.Preferences(ctx, user, h.domain.Network.Driver.Name)
		if err != nil {
			h.log.Warn("preferences not found out", "err", err)
		}
		wanted = p.Language
	}
	s.body = inLanguage(s.Stanza, "body", wanted, s.body)
	s.subject = inLanguage(s.Stanza, "subject", wanted, s.subject)
}

// inLanguage returns the child of a name that is in a language, or is closest to
// it; or is a message's main one; or else is first.
func inLanguage(st *stream.Stanza, name, wanted string, first *stream.Element) *stream.Element {
	best, close := first, 0
	for el := range st.Children() {
		if !el.Is(st.Space(), name) {
			continue
		}
		if n := closeness(langOf(st, el), wanted); n > close {
			best, close = el, n
		}
		if el.Lang() == "" && close == 0 {
			best, close = el, 1
		}
	}
	return best
}

// langOf is the language that an element of a stanza is in, as its sender says; ""
// if they do not.
func langOf(st *stream.Stanza, el *stream.Element) string {
	if lang := el.Lang(); lang != "" {
		return lang
	}
	return st.Lang()
}

// closeness says how well a language does for who wants another: 0, not at all;
// more, the more of their tags is the same (RFC 4647 section 3.4). Every language
// that does comes before one of which nothing is known.
func closeness(has, wanted string) int {
	if has == "" || wanted == "" {
		return 0
	}
	n := 0
	for n < len(has) && n < len(wanted) && lower(has[n]) == lower(wanted[n]) {
		n++
	}
	whole := func(tag string) bool { return n == len(tag) || tag[n] == '-' }
	if whole(has) && whole(wanted) {
		return 1 + n
	}
	same := strings.LastIndexByte(has[:n], '-')
	if same <= 0 {
		return 0
	}
	return 1 + same
}

func lower(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		return c + 'a' - 'A'
	}
	return c
}

// maxTag bounds a language tag (RFC 5646 section 4.4.1).
const maxTag = 35

// tag returns a language tag if it has the form of one, else "".
func tag(lang string) string {
	if lang == "" || len(lang) > maxTag {
		return ""
	}
	for sub := range strings.SplitSeq(lang, "-") {
		if sub == "" || len(sub) > 8 || strings.IndexFunc(sub, notAlphanumeric) >= 0 {
			return ""
		}
	}
	return strings.Clone(lang)
}

func notAlphanumeric(c rune) bool {
	return (c < '0' || c > '9') && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z')
}
