package email

import (
	"regexp"
	"strings"

	"gangway/transports/email/mime"
)

// Bounces that are no DSN (RFC 3464), of which there are many, and the words of those that are, but do not say more than
// 5.0.0. Nothing here finds out which mail is meant: that is in the address that the bounce came to.

var (
	bounceSubject = regexp.MustCompile(`(?i)undeliver|not? deliver|non-?delivery|deliver(?:y|ed)? (?:has |status )?(?:fail|error|notif|problem|report)|` +
		`fail(?:ed|ure)\b.*\b(?:deliver|mail|notice)|failure notice|return(?:ed|ing) (?:mail|to sender|your|message)|` +
		`could ?n.t be delivered|(?:could|can) ?not be delivered|(?:e?mail|message) (?:status|error|not sent|bounce|rejected|delivery)|` +
		`unzustellbar|onbestelbaar|non remis|mail system error|rejected mail|unknown (?:user|recipient)|user unknown|bounced?`)
	delaySubject = regexp.MustCompile(`(?i)\bdelay|\bwarning\b|still being retried|temporar|will (?:retry|keep trying)|verz.gert`)
	overSubject  = regexp.MustCompile(`(?i)fail|returned|undeliverable|permanent|unknown`)
	awaySubject  = regexp.MustCompile(`(?i)out of (?:the )?office|auto.?(?:reply|response)|automatic reply|vacation|abwesend|abwesenheit|absen[ct]e`)
	programs     = regexp.MustCompile(`(?i)^(?:mailer-?daemon|mail-?daemon|mdaemon|postmaster|mail|maildelivery|mailer|smtp.*|.*-daemon|bounce.*)$`)

	// original is where the copy of what was sent begins.
	original = regexp.MustCompile(`(?mi)^(?:-{2,}[ -]*(?:this is a copy|below this line|(?:your )?original|unsent|returned|message (?:header|text|body|follows)|the header|included is|forwarded)` +
		`|(?:your )?original message(?: (?:header|text|follow)s?)?|received: (?:from|by) |return-path:).*$`)
	goesOn = regexp.MustCompile(`(?i)this is (?:only )?a warning|warning message only|do(?:es)? not need to re-?send|will (?:be retried|keep trying|continue to (?:try|attempt))|still being retried|` +
		`has not yet been delivered|delivery attempts will (?:continue|be)|will be (?:made|attempted) for|will try again`)

	codesFound = regexp.MustCompile(`\b([245]\d\d)[ -]+(?:#?(\d)\.(\d{1,3})\.(\d{1,3}))?|\b#?([245])\.(\d{1,3})\.(\d{1,3})\b`)
	// spokenLine is a line of a bounce with what a server said.
	spokenLine = regexp.MustCompile(`(?m)^.*?(\b[45]\d\d[ -](?:#?[45]\.\d{1,3}\.\d{1,3}[ ]*)?\S.*)$`)
)

// clue is what words say, as the class of a status (RFC 3463).
type clue struct {
	words *regexp.Regexp
	class [2]int
}

// clues are in order: what is said most exactly comes first.
var clues = []clue{
	{regexp.MustCompile(`(?i)quota|(?:mailbox|inbox|account|user)(?:'s mailbox)? (?:is |has )?(?:full|exceeded)|full (?:mail)?box|insufficient (?:system |disk )?(?:storage|space)|storage (?:limit|exceed)|disk full`), [2]int{2, 2}},
	{regexp.MustCompile(`(?i)(?:message|mail|size)[^.\n]{0,30} (?:too (?:large|big|long)|exceed)|exceeds? [^.\n]{0,30}(?:size|limit)|size limit`), [2]int{3, 4}},
	{regexp.MustCompile(`(?i)too many hops|mail (?:loop|is looping)|loops? back|hop count|routing loop`), [2]int{4, 6}},
	{regexp.MustCompile(`(?i)(?:mailbox|account|user|address|recipient)[^.\n]{0,40}(?:disabled|inactive|deactivated|suspended|not active|no longer|closed|locked|expired)`), [2]int{2, 1}},
	{regexp.MustCompile(`(?i)(?:host|domain|server|mx)(?: name)?[^.\n]{0,30}(?:unknown|not found|not exist|no such|lookup)|(?:unknown|no such|couldn't find any|cannot find|can't find)(?: mail)? (?:host|domain|server)|name (?:service|server) error|nxdomain|dns error|not? (?:valid|existing) domain|domain[^.\n]{0,20}invalid|bad host|not listed in domain name`), [2]int{1, 2}},
	{regexp.MustCompile(`(?i)(?:user|recipient|mailbox|address|account|alias|addressee|name|person)s?\b[^.\n]{0,60}(?:unknown|not (?:be )?found|n[o']t exist|invalid|unavailable|not (?:listed|known|local|valid|have)|undeliverable|illegal)|(?:unknown|no such|invalid|illegal|not a valid|bad|non-?existent|no)[ -](?:or \w+ )?(?:local |such |destination |e-?mail |destination )*(?:user|recipient|mailbox|address|account|alias|part|person|addressee)|unrouteable|does ?n[o']t have an? [^.\n]{0,20}(?:account|mailbox)|no (?:mailbox|account) here|not our customer|who is this|no match`), [2]int{1, 1}},
	{regexp.MustCompile(`(?i)timed? ?out|too long|retr(?:y|ies)[^.\n]{0,20}(?:exceed|timeout|exhausted)|expired|gave up|give up|given up|connection (?:refused|reset|closed|dropped)|(?:unable|could not|couldn't|can't|cannot) (?:to )?(?:connect|contact|reach|establish)|not respond|unreachable|no route|for (?:the last )?\d+ (?:hours|days)`), [2]int{4, 7}},
	{regexp.MustCompile(`(?i)spam|block(?:ed|list)|black ?list|polic(?:y|ies)|denied|(?:not|n't) (?:permitted|allowed|authori[sz]ed|accept)|prohibit|reputation|dnsbl|\brbl\b|content (?:rejected|filter)|unsolicited|virus|refused|rejected|restricted|banned`), [2]int{7, 1}},
}

// hintOf is what the words of a server, or of a bounce, say; zero if that is nothing.
func hintOf(text string) [2]int {
	text = mime.Truncate(text, 8<<10)
	for _, c := range clues {
		if c.words.MatchString(text) {
			return c.class
		}
	}
	return [2]int{}
}

// guessReport decides about a bounce that is no DSN. It says failed only if that is clear: an answer from a person, or
// from their holiday, goes to the same address.
func guessReport(l *letter) report {
	root := l.mail.Root
	about := root.Header.Has("X-Failed-Recipients")
	program := programs.MatchString(l.from.local) || root.Type == "multipart/report" ||
		l.automatic && bounceSubject.MatchString(l.subject) && !answers(l.subject)
	if !about && (awaySubject.MatchString(l.subject) || !program) {
		return report{}
	}
	text := explanation(l.body.Text)
	hint := hintOf(text)
	switch {
	case delaySubject.MatchString(l.subject) && !overSubject.MatchString(l.subject), goesOn.MatchString(text):
		return report{action: delayed, status: status{hint: hint}}
	case !about && !bounceSubject.MatchString(l.subject) && hint == [2]int{}:
		return report{}
	}
	r := report{action: failed, status: readCodes(text), said: saidIn(text)}
	if r.status.code/100 == 4 || r.status.code/100 == 2 || r.status.enhanced[0] == 2 {
		r.status, r.said = status{}, ""
	}
	r.status.hint = hint
	return r
}

// answers says whether a subject is that of an answer: our own may be about failures, too.
func answers(subject string) bool {
	_, is := baseSubject(subject)
	return is
}

// explanation is the part of a bounce before the copy of what was sent.
func explanation(text string) string {
	text = mime.Truncate(text, 16<<10)
	if at := original.FindStringIndex(text); at != nil && strings.TrimSpace(text[:at[0]]) != "" {
		text = text[:at[0]]
	}
	return text
}

// saidIn is what a server said, in the words of a bounce; empty if they do not cite one.
func saidIn(text string) string {
	if m := spokenLine.FindStringSubmatch(text); m != nil {
		return mime.OneLine(m[1])
	}
	return ""
}

// readCodes finds the first reply code and enhanced status code in a text.
func readCodes(text string) status {
	m := codesFound.FindStringSubmatch(mime.Truncate(text, 8<<10))
	if m == nil {
		return status{}
	}
	s := status{code: number(m[1])}
	if m[2] != "" {
		s.enhanced = enhanced{number(m[2]), number(m[3]), number(m[4])}
	}
	if m[5] != "" {
		s.enhanced = enhanced{number(m[5]), number(m[6]), number(m[7])}
	}
	return s
}

func number(digits string) int {
	n := 0
	for _, c := range digits {
		n = n*10 + int(c-'0')
	}
	return n
}
