package email

import "strings"

// unanswered says whether nothing is ever sent back for a letter by itself: no notice that it was read, no receipt. It is
// a program's, or came by a list, or is from an address that nobody reads (RFC 3834 section 2).
func (l *letter) unanswered() bool {
	if l.automatic || l.list != nil {
		return true
	}
	if strings.EqualFold(l.mail.Root.Header.Get("Precedence"), "list") {
		return true
	}
	local := strings.ToLower(l.from.local)
	local, _, _ = strings.Cut(local, "+")
	switch strings.NewReplacer("-", "", "_", "", ".", "").Replace(local) {
	case "mailerdaemon", "noreply", "donotreply", "noresponse", "nobody":
		return true
	}
	return false
}
