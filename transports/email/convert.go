package email

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"slices"
	"strings"
	"time"

	"gangway/core"
	"gangway/transports/email/auth"
	"gangway/transports/email/mime"
)

const (
	maxText       = 32 << 10 // bytes of text in one message
	maxFiles      = 20       // files that are listed
	maxReceived   = 50       // hops before a mail is taken for a loop
	maxLoops      = 3        // passages of this gateway before that
	maxAnswersTo  = 3        // addresses of Reply-To that are shown
	maxCandidates = 100      // ids that are looked at to find the thread
	oldest        = 10 * 365 * 24 * time.Hour
	loopField     = "X-Loop"
	noID          = "@missing.invalid>" // ends the ids that we made for mails without one
)

// letter is an incoming mail, read.
type letter struct {
	mail        *mime.Message
	raw         []byte // as it came
	id          string // Message-ID, with brackets; made of the content if there is none
	from        address
	name        string      // of the sender; empty if it says nothing, or plays a trick
	tricks      []string    // by which the sender looks like somebody else, in words for the user
	auth        auth.Result // who it is from, as far as that was found out
	back        string      // who may be told that it went to nobody; empty: no one. See backTo
	subject     string
	date        time.Time // within bounds
	written     time.Time // the mail's own date; zero if it cannot be read
	inReplyTo   []string
	references  []string
	threadIndex string
	nameless    bool         // with neither a Message-ID nor a Date: the id is that of its bytes; see named
	automatic   bool         // written by a program: never answered
	list        *mailingList // nil if it came by none
	sentBy      address      // Sender, if that is somebody else than from; else zero
	notify      address      // who wants to know when it is read; zero: nobody
	reaction    []string     // emoji that it puts on the mail it answers
	body        mime.Body
	repaired    []string  // what was odd about it, beside mail.Defects
	whole       string    // where the whole text is, if body is only what is new in it
	full        mime.Body // with all of the text
}

// readLetter reads a mail. It never fails: what is odd is repaired or left out. returnPath is the envelope's sender,
// for mails without a usable From.
func readLetter(raw []byte, returnPath string, now time.Time) *letter {
	m := mime.Parse(raw)
	root := m.Root
	l := &letter{
		mail:       m,
		raw:        raw,
		id:         mime.MessageID(root.Header.Get("Message-ID")),
		subject:    mime.Truncate(root.Text("Subject"), 1000),
		written:    root.Date(),
		inReplyTo:  mime.MessageIDs(root.Header.Get("In-Reply-To"), maxCandidates),
		references: lastIDs(root.Header.Get("References")),
		automatic:  isAutomatic(root, returnPath),
		list:       readList(root),
		reaction:   m.Reaction(),
	}
	l.read()
	l.from, l.name = l.sender(returnPath)
	l.sentBy = l.otherSender()
	l.notify = l.asksForNotice(returnPath)
	l.date = clamp(l.written, now)
	l.checkDate()
	if index, err := base64.StdEncoding.DecodeString(root.Header.Get("Thread-Index")); err == nil && len(index) >= 22 {
		l.threadIndex = string(index[:22])
	}
	switch {
	case l.id != "":
		return l
	case !root.Header.Has("Date"):
		l.nameless = true
		l.id = "<" + core.Digest("bytes", sum(raw)) + noID
	default:
		l.id = "<" + core.Digest(l.from.String(), root.Header.Get("Date"), l.subject, sum(bodyOf(raw))) + noID
	}
	l.repair("no Message-ID")
	return l
}

// sum stands for bytes that may be many.
func sum(b []byte) string {
	s := sha256.Sum256(b)
	return string(s[:])
}

// bodyOf is what lies after the header, which each server on the way adds to.
func bodyOf(raw []byte) []byte {
	for _, blank := range []string{"\r\n\r\n", "\n\n"} {
		if _, body, ok := bytes.Cut(raw, []byte(blank)); ok {
			return body
		}
	}
	return raw
}

// lastIDs returns the newest ids of References, oldest first.
func lastIDs(value string) []string {
	ids := mime.MessageIDs(value, 100*maxCandidates)
	return ids[max(0, len(ids)-maxCandidates):]
}

// clamp keeps a mail's own date within what is believable.
func clamp(t, now time.Time) time.Time {
	if t.IsZero() || t.After(now) || t.Before(now.Add(-oldest)) {
		return now
	}
	return t
}

// checkDate notes what is wrong with the mail's own date.
func (l *letter) checkDate() {
	switch {
	case !l.mail.Root.Header.Has("Date"):
		l.repair("no date")
	case l.written.IsZero():
		l.repair("the date cannot be read")
	case !l.date.Equal(l.written):
		l.repair("the date is not believable")
	}
}

func (l *letter) repair(what string) { l.repaired = append(l.repaired, what) }

// sender finds whom a mail is from.
func (l *letter) sender(returnPath string) (address, string) {
	for i, field := range []string{"From", "Sender", "Reply-To"} {
		for _, mb := range l.mail.Root.Mailboxes(field) {
			a, err := parseAddress(mb.Addr)
			if err != nil {
				continue
			}
			if i > 0 {
				l.repair("no usable From: " + field + " instead")
			}
			name := mime.Truncate(mb.Name, 200)
			if l.tricks = tricks(mb, a); slices.Contains(l.tricks, trickAddress) {
				l.repair("the sender's name looks like another address")
			}
			if strings.Contains(name, "@") || len(l.tricks) > 0 {
				name = ""
			}
			return a, name
		}
	}
	if a, err := parseAddress(returnPath); err == nil {
		l.repair("no usable From: the envelope's sender instead")
		return a, ""
	}
	l.repair("no usable From")
	return address{local: "unknown", domain: "unknown.invalid", wire: "unknown.invalid"}, ""
}

// otherSender is who sent the mail on behalf of From, as far as it says. On a list that is the list.
func (l *letter) otherSender() address {
	if l.list != nil || l.automatic { // a list, or a program
		return address{}
	}
	for _, mb := range l.mail.Root.Mailboxes("Sender") {
		if a, err := parseAddress(mb.Addr); err == nil && a.folded() != l.from.folded() {
			return a
		}
	}
	return address{}
}

// isAutomatic says whether a program wrote the mail (RFC 3834, and what programs older than it do).
func isAutomatic(root *mime.Part, returnPath string) bool {
	auto, _, _ := strings.Cut(root.Header.Get("Auto-Submitted"), ";")
	auto = strings.ToLower(strings.TrimSpace(auto))
	switch strings.ToLower(root.Header.Get("Precedence")) {
	case "bulk", "junk", "auto_reply":
		return true
	}
	return returnPath == "" || auto != "" && auto != "no" || root.Type == "multipart/report" ||
		root.Header.Has("X-Auto-Response-Suppress") || root.Header.Has("X-Autoreply")
}

// looping says whether the mail has been here, or anywhere, too often.
func (l *letter) looping(domain string) bool {
	h := l.mail.Root.Header
	ours := 0
	for _, v := range h.All(loopField, 1000) {
		if strings.EqualFold(v, domain) {
			ours++
		}
	}
	return max(ours, l.passages(domain)) >= maxLoops || h.Count("Received") > maxReceived
}

// print tells mails with the same Message-ID apart. Copies of one mail, however they came, have the same.
func (l *letter) print() string {
	return core.Digest(l.from.folded(), l.mail.Root.Header.Get("Date"))
}

// message makes the message that a person sees, without its files. tag is the subaddress it was sent to, with the
// address; or empty.
func (l *letter) message(tag string) *core.Message {
	var b strings.Builder
	if tag != "" {
		fmt.Fprintf(&b, "(to %s)\n", tag)
	}
	if l.urgent() {
		b.WriteString("(important)\n")
	}
	if l.sentBy.local != "" {
		fmt.Fprintf(&b, "(sent by %s)\n", l.sentBy)
	}
	if others := l.answersTo(); len(others) > 0 {
		fmt.Fprintf(&b, "(answers to: %s)\n", strings.Join(others, ", "))
	}
	if l.list.isForum() {
		fmt.Fprintf(&b, "%s: ", l.author())
	}
	b.WriteString(l.body.Text)
	if l.whole != "" {
		fmt.Fprintf(&b, "\n[... the whole mail: %s ]", l.whole)
	}
	if n := l.body.Cut; n > 0 {
		fmt.Fprintf(&b, "\n[... %s more, see %s]", size(int64(n)), fullText)
	}
	m := &core.Message{
		Ref: core.Ref{Peer: l.peer()}, At: l.date, Subject: l.subject, Notice: l.unanswered(),
	}
	m.Text = strings.Trim(b.String(), "\n")
	return m
}

// urgent says whether the sender says so: Importance (RFC 2156), Priority, or what Outlook and others have.
func (l *letter) urgent() bool {
	if l.list != nil || l.automatic { // everything is, there
		return false
	}
	for field, values := range map[string][]string{
		"Importance": {"high"}, "Priority": {"urgent"}, "X-Priority": {"1", "2"}, "X-MSMail-Priority": {"high"},
	} {
		word, _, _ := strings.Cut(strings.TrimSpace(l.mail.Root.Header.Get(field)), " ") // "1 (Highest)"
		if slices.Contains(values, strings.ToLower(word)) {
			return true
		}
	}
	return false
}

// peer is whose conversation the mail is in.
func (l *letter) peer() core.Address {
	if l.list.isForum() {
		return l.list.post.address()
	}
	return l.from.address()
}

// goesTo says whether that is where an answer in the conversation goes.
func (l *letter) goesTo(a address) bool { return strings.EqualFold(a.String(), string(l.peer())) }

// author is what the one who wrote to a list is called there.
func (l *letter) author() string {
	if l.name != "" {
		return l.name
	}
	return l.from.String()
}

// read decodes the body once, with as much text as is ever decoded, and cuts of it what a message shows.
func (l *letter) read() {
	l.full = l.mail.Body(mime.DefaultLimits().Text)
	l.body = l.full
	l.body.Text = mime.Truncate(l.full.Text, maxText)
	l.body.Cut += len(l.full.Text) - len(l.body.Text)
	if l.body.Quoted >= len(l.body.Text) {
		l.body.Quoted = 0
	}
}

// answersTo are the addresses that the sender wants answers at (Reply-To), if that is not where the mail is from. The
// user is told: an answer in the conversation goes to the sender.
func (l *letter) answersTo() []string {
	var all []string
	for _, mb := range l.mail.Root.Mailboxes("Reply-To") {
		a, err := parseAddress(mb.Addr)
		if err != nil || l.goesTo(a) || slices.Contains(all, a.String()) {
			continue
		}
		if len(all) == maxAnswersTo {
			return append(all, "...")
		}
		all = append(all, a.String())
	}
	return all
}

// size writes a number of bytes as people read it.
func size(n int64) string {
	switch {
	case n < 1<<10:
		return fmt.Sprintf("%d bytes", n)
	case n < 1<<20:
		return fmt.Sprintf("%d KB", (n+1<<9)>>10)
	}
	return fmt.Sprintf("%.1f MB", float64(n)/(1<<20))
}
