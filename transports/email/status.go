package email

import (
	"fmt"
	"strings"

	"gangway/core"
	"gangway/transports/email/client"
	"gangway/transports/email/mime"
)

// enhanced is an enhanced status code (RFC 3463); zero if there is none.
type enhanced [3]int

// status is what a mail server answered: a reply code, an enhanced one, or both.
type status struct {
	code     int
	enhanced enhanced
}

// String is the code as people quote it: "550 5.1.1".
func (s status) String() string {
	var parts []string
	if s.code != 0 {
		parts = append(parts, fmt.Sprint(s.code))
	}
	if s.enhanced != (enhanced{}) {
		parts = append(parts, fmt.Sprintf("%d.%d.%d", s.enhanced[0], s.enhanced[1], s.enhanced[2]))
	}
	return strings.Join(parts, " ")
}

// stage is where in the dialogue an answer came.
type stage = client.Stage

// temporary says whether trying again can help.
func (s status) temporary() bool {
	return s.code/100 == 4 || s.code == 0 && s.enhanced[0] == 4
}

// failure turns an answer into what the user reads. said is the server's own text.
func (s status) failure(op, peer, said string, at stage) *core.Error {
	kind, text := s.meaning(peer, at)
	if s.temporary() && at != client.Report {
		if kind != core.OverLimit {
			kind = core.Unavailable
		}
	}
	if said = cited(said); said != "" {
		text += " The mail server said: " + said
	}
	return &core.Error{Kind: kind, Op: op, Text: text, Code: s.String()}
}

// cited makes a server's text fit to be shown.
func cited(said string) string {
	said = mime.Truncate(mime.OneLine(said), 300)
	if said == "" {
		return ""
	}
	return "\u201c" + said + "\u201d"
}

// meaning is the table of codes. Kinds that the outbox would retry are only for what may pass.
func (s status) meaning(peer string, at stage) (core.Kind, string) {
	_, domain, _ := strings.Cut(peer, "@")
	class := [2]int{s.enhanced[1], s.enhanced[2]}
	if s.enhanced == (enhanced{}) || s.enhanced[1] == 0 {
		class = s.implied(at)
	}
	switch class {
	case [2]int{1, 1}:
		return core.NotFound, "There is no mailbox " + peer + "."
	case [2]int{1, 6}:
		return core.NotFound, "The mailbox " + peer + " has moved and left no address."
	case [2]int{1, 2}, [2]int{4, 4}, [2]int{1, 10}:
		return core.NotFound, domain + " does not exist, or takes no mail."
	case [2]int{1, 3}:
		return core.Invalid, peer + " is not a valid address."
	case [2]int{1, 7}, [2]int{1, 8}:
		return core.Denied, "The mail server does not accept this gateway as a sender. Please tell its administrator."
	case [2]int{2, 0}, [2]int{2, 1}:
		return core.NotFound, "The mailbox " + peer + " is disabled."
	case [2]int{2, 2}:
		if s.temporary() {
			return core.OverLimit, "The mailbox " + peer + " is full."
		}
		return core.TooLarge, "The mailbox " + peer + " is full."
	case [2]int{2, 3}, [2]int{3, 4}:
		return core.TooLarge, "The message is larger than " + peer + " can take."
	case [2]int{4, 7}:
		return core.Unavailable, "The mail server of " + domain + " could not be reached in time."
	case [2]int{4, 6}:
		return core.Unsupported, "The mail to " + peer + " went round in a loop."
	case [2]int{7, 10}, [2]int{7, 11}:
		return core.Denied, "The mail server of " + domain + " could not be reached securely."
	}
	switch {
	case class[0] == 6:
		return core.Unsupported, "The mail server of " + domain + " cannot take this kind of message."
	case class[0] == 7 && class[1] >= 20 && class[1] <= 29:
		return core.Denied, "The mail was refused because this gateway could not prove that it is the sender. Please tell its administrator."
	case class[0] == 7:
		return core.Denied, "The mail server of " + domain + " refused the message by its rules."
	case class[0] == 5:
		return core.Unsupported, "The mail servers did not understand each other. Please tell the gateway's administrator."
	case s.temporary():
		return core.Unavailable, "The mail server of " + domain + " does not take mail at the moment."
	}
	return core.Denied, "The mail to " + peer + " was refused."
}

// implied is the class of a reply code that came without an enhanced one (RFC 5321 section 4.2).
func (s status) implied(at stage) [2]int {
	switch {
	case s.code == 550 && at == client.Rcpt, s.code == 551:
		return [2]int{1, 1}
	case s.code == 556:
		return [2]int{1, 10}
	case s.code == 553, s.code == 501 && at == client.Rcpt:
		return [2]int{1, 3}
	case s.code == 552 && at == client.Rcpt:
		return [2]int{2, 2}
	case s.code == 552:
		return [2]int{3, 4}
	case s.code == 554, s.code == 550 && (at == client.Data || at == client.Mail):
		return [2]int{7, 1}
	case s.code >= 500 && s.code <= 504, s.code == 555:
		return [2]int{5, 0}
	}
	return [2]int{}
}
