package email

import (
	"fmt"
	"net/url"
	"regexp"
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
	hint     [2]int // a class that the words say, for where the codes do not; zero: none
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

// meaning is what a status says, before the server's own text.
type meaning struct {
	kind   core.Kind
	reason core.Reason
	text   string
	alert  bool // the gateway's administrator can do something, and nobody else
}

// failure turns an answer into what the user reads. said is the server's own text. Of what may pass little is told:
// nobody reads it unless it has not passed when the mail's time is over.
func (s status) failure(op, peer, said string, at stage) *core.Error {
	m := s.meaning(peer, said, at)
	if s.temporary() && at != client.Report {
		if m.kind != core.OverLimit {
			m.kind = core.Unavailable
		}
		if m.reason != core.Full && m.reason != core.Insecure {
			m.reason = core.NoReason
		}
	}
	e := &core.Error{Kind: m.kind, Op: op, Text: m.text, Code: s.String(), Reason: m.reason, Alert: m.alert}
	if e.Reason == core.Moved {
		e.Moved = movedTo(said)
	}
	if said = cited(said); said != "" {
		e.Text += " The mail server said: " + said
	}
	return e
}

// cited makes a server's text fit to be shown.
func cited(said string) string {
	said = mime.Truncate(mime.OneLine(said), 300)
	if said == "" {
		return ""
	}
	return "\u201c" + said + "\u201d"
}

// elsewhere is an address in the text of a 551 (RFC 5321 section 3.4).
var elsewhere = regexp.MustCompile(`<([^<>\s]{3,320})>`)

// movedTo is the URI of where a mailbox has moved; empty if nobody said.
func movedTo(said string) string {
	m := elsewhere.FindStringSubmatch(said)
	if m == nil {
		return ""
	}
	a, err := parseAddress(m[1])
	if err != nil {
		return ""
	}
	return "mailto:" + url.PathEscape(a.quotedLocal()) + "@" + a.wire
}

// vague says that the codes leave open what is wrong.
func (s status) vague() bool {
	return (s.enhanced == enhanced{} || s.enhanced[1] == 0) && (s.code == 0 || s.code == 550 || s.code == 554 || s.code == 500 || s.code == 501 || s.code == 552)
}

// meaning is the table of codes. Kinds that the outbox would retry are only for what may pass.
func (s status) meaning(peer, said string, at stage) meaning {
	domain := peer[strings.LastIndexByte(peer, '@')+1:]
	class := [2]int{s.enhanced[1], s.enhanced[2]}
	if s.enhanced == (enhanced{}) || s.enhanced[1] == 0 {
		class = s.implied(at)
	}
	switch {
	case s.code == 551:
		class = [2]int{1, 6}
	case at == client.Auth && s.code/100 == 5:
		class = [2]int{7, 8}
	}
	if s.hint != [2]int{} && (class == [2]int{} || s.vague()) {
		class = s.hint
	}
	if m, ok := s.exactly(class, peer, domain); ok {
		if m.reason == core.Moved && movedTo(said) != "" {
			m.text = "The mailbox " + peer + " has moved."
		}
		return m
	}
	switch {
	case class[0] == 6:
		return meaning{core.Unsupported, core.Unacceptable, "The mail server of " + domain + " cannot take this kind of message.", false}
	case class[0] == 7 && class[1] >= 20 && class[1] <= 29:
		return meaning{core.Denied, core.Rules, "The mail was refused because this gateway could not prove that it is the sender. Please tell its administrator.", true}
	case class[0] == 7:
		return meaning{core.Denied, core.Rules, "The mail server of " + domain + " refused the message by its rules.", false}
	case class[0] == 5:
		return meaning{core.Unsupported, core.Fault, "The mail servers did not understand each other. Please tell the gateway's administrator.", true}
	case s.temporary():
		return meaning{core.Unavailable, core.NoReason, "The mail server of " + domain + " does not take mail at the moment.", false}
	}
	return meaning{core.Denied, core.Rules, "The mail to " + peer + " was refused.", false}
}

// exactly is the part of the table that does not go by whole classes.
func (s status) exactly(class [2]int, peer, domain string) (meaning, bool) {
	switch class {
	case [2]int{1, 1}:
		return meaning{core.NotFound, core.NoReason, "There is no mailbox " + peer + ".", false}, true
	case [2]int{1, 6}:
		return meaning{core.NotFound, core.Moved, "The mailbox " + peer + " has moved and left no address.", false}, true
	case [2]int{1, 2}, [2]int{4, 4}, [2]int{1, 10}:
		return meaning{core.NotFound, core.NoHost, domain + " does not exist, or takes no mail.", false}, true
	case [2]int{1, 3}:
		return meaning{core.Invalid, core.Malformed, peer + " is not a valid address.", false}, true
	case [2]int{1, 7}, [2]int{1, 8}:
		return meaning{core.Denied, core.Fault, "The mail server does not accept this gateway as a sender. Please tell its administrator.", true}, true
	case [2]int{2, 0}, [2]int{2, 1}:
		return meaning{core.NotFound, core.Inactive, "The mailbox " + peer + " is disabled.", false}, true
	case [2]int{2, 2}:
		full := meaning{core.Denied, core.Full, "The mailbox " + peer + " is full.", false}
		if s.temporary() {
			full.kind = core.OverLimit
		}
		return full, true
	case [2]int{2, 3}, [2]int{3, 4}:
		return meaning{core.TooLarge, core.Unacceptable, "The message is larger than " + peer + " can take.", false}, true
	case [2]int{4, 1}, [2]int{4, 2}:
		if s.code/100 == 5 { // a server that says so is there: what it means is the mailbox
			return meaning{core.NotFound, core.NoReason, "There is no mailbox " + peer + ", or its server takes no mail for it.", false}, true
		}
		return meaning{core.Unavailable, core.NoReason, "The mail server of " + domain + " could not be reached.", false}, true
	case [2]int{4, 3}:
		return meaning{core.Unavailable, core.NoReason, "It could not be found out at the moment which server takes the mail of " + domain + ".", false}, s.temporary()
	case [2]int{4, 7}:
		return meaning{core.Unavailable, core.NoReason, "The mail server of " + domain + " could not be reached in time.", false}, s.code/100 != 5
	case [2]int{4, 6}:
		return meaning{core.Unsupported, core.Looping, "The mail to " + peer + " went round in a loop.", false}, true
	case [2]int{6, 7}:
		return meaning{core.Unsupported, core.Unacceptable, "The mail server of " + domain + " cannot take mail for an address with letters beyond a to z.", false}, true
	case [2]int{7, 8}:
		return meaning{core.Denied, core.NoReason, "The mail server does not take the name and the password that mail is sent with.", true}, true
	case [2]int{7, 10}, [2]int{7, 11}:
		return meaning{core.Denied, core.Insecure, "The mail server of " + domain + " could not be reached securely.", false}, true
	}
	return meaning{}, false
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
	case s.code == 530, s.code == 534, s.code == 535, s.code == 538: // RFC 4954 section 6
		return [2]int{7, 8}
	case s.code == 554, s.code == 550 && (at == client.Data || at == client.Mail):
		return [2]int{7, 1}
	case s.code >= 500 && s.code <= 504, s.code == 555:
		return [2]int{5, 0}
	}
	return [2]int{}
}
