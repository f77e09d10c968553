package email

import (
	"strings"
	"time"

	"gangway/core"
	"gangway/transports/email/auth"
	"gangway/transports/email/client"
	"gangway/transports/email/mime"
)

// Rendered is what a user would be shown of a mail that begins a thread, and what the gateway makes of it. Its JSON is
// what `gangway email render` prints; names in it are stable.
type Rendered struct {
	MessageID    string        `json:"message_id"`
	From         Correspondent `json:"from"`
	SentBy       core.Address  `json:"sent_by,omitempty"`
	Conversation core.Address  `json:"conversation"` // whose contact shows it: the sender, or a list
	Date         *time.Time    `json:"date,omitempty"`
	Subject      string        `json:"subject,omitempty"`
	Thread       Thread        `json:"thread"`
	Text         string        `json:"text"`              // of the message
	Omitted      int           `json:"omitted,omitempty"` // bytes of text that come as a file
	New          string        `json:"new,omitempty"`     // the text without what it quotes, if that is less
	Attachments  []File        `json:"attachments,omitempty"`
	Also         []string      `json:"also,omitempty"` // who else got it
	Reaction     []string      `json:"reaction,omitempty"`
	Read         string        `json:"read,omitempty"`     // the Message-ID of the mail that it says was read
	Edits        string        `json:"edits,omitempty"`    // of the mail that it replaces
	Retracts     string        `json:"retracts,omitempty"` // of the mail that it takes back
	Report       *Report       `json:"report,omitempty"`
	Verdicts     Verdicts      `json:"verdicts"`
	Repaired     []string      `json:"repaired,omitempty"` // what was odd about it
}

// Correspondent is an address with the name it goes by.
type Correspondent struct {
	Address core.Address `json:"address"`
	Name    string       `json:"name,omitempty"`
}

// Thread says what a mail belongs to.
type Thread struct {
	Root       string   `json:"root"`    // the Message-ID of the first mail of the thread, as far as this one knows
	Subject    string   `json:"subject"` // without the prefixes of answers and lists
	Answers    []string `json:"answers,omitempty"`
	References []string `json:"references,omitempty"`
}

// File is an attachment.
type File struct {
	Name string `json:"name,omitempty"`
	Type string `json:"type"`
	Size int64  `json:"size"` // bytes
	// Inline says that it belongs into the text, as pictures of a page do.
	Inline bool `json:"inline,omitempty"`
}

// Report is what a mail says became of another (RFC 3464, and what is older).
type Report struct {
	Action   string `json:"action"` // failed, delayed, delivered, expanded
	Code     string `json:"code,omitempty"`
	Said     string `json:"said,omitempty"` // by the server that refused
	Sentence string `json:"sentence,omitempty"`
}

// Verdicts are what is thought of a mail.
type Verdicts struct {
	Automatic bool   `json:"automatic"` // written by a program: never answered
	Loop      bool   `json:"loop,omitempty"`
	List      string `json:"list,omitempty"`      // its List-Id
	Encrypted string `json:"encrypted,omitempty"` // OpenPGP or S/MIME
	Signed    string `json:"signed,omitempty"`    // the same; nobody has checked it
	// Auth is what the server of RenderOptions.AuthServID found out about the sender, as the gateway behind it believes it.
	Auth *auth.Result `json:"auth,omitempty"`
	// Claimed is what the mail itself says of its authentication (RFC 8601): true only if the server of that name is
	// one's own, and takes such claims out of what comes from outside.
	Claimed map[string]string `json:"claimed,omitempty"`
}

// RenderOptions say what the gateway knows beside the mail. All may be empty but Now.
type RenderOptions struct {
	Domain     string // the gateway's own
	AuthServID string // the mail server whose Authentication-Results are believed, in A-labels
	Now        time.Time
}

// Render reads a mail as a gateway would that knows its domain only.
func Render(raw []byte, domain string, now time.Time) *Rendered {
	return RenderWith(raw, RenderOptions{Domain: domain, Now: now})
}

// RenderWith reads a mail as the gateway would. It never fails.
func RenderWith(raw []byte, o RenderOptions) *Rendered {
	l := readLetter(raw, "unknown", o.Now) // who sent it is not part of it
	if o.AuthServID != "" {
		l.auth = auth.Trusted(fieldsOf(l.mail.Root.Header), o.AuthServID, l.from.wire)
		if l.auth.Verdict == auth.Unknown {
			l.auth.Verdict = auth.Unverified
		}
	}
	m := l.message("")
	r := &Rendered{
		MessageID: l.id, From: Correspondent{l.from.address(), l.name}, Conversation: l.peer(), Subject: l.subject,
		Text: l.under(l.shown(m.Text), l.forgeable(), false), Omitted: l.body.Cut,
		Reaction: l.reaction, Read: l.readNotice(), Edits: firstID(l, editField), Retracts: firstID(l, deleteField),
		Thread: l.thread(), Verdicts: l.verdicts(o.Domain), Report: l.report(),
	}
	if l.sentBy.local != "" {
		r.SentBy = l.sentBy.address()
	}
	if !l.written.IsZero() {
		r.Date = &l.written
	}
	if short, _ := l.short(nil); short != nil {
		r.New = short.body.Text
	}
	for _, f := range l.files() {
		r.Attachments = append(r.Attachments, File{f.Name, f.Type, f.Size, f.inline})
	}
	for _, a := range l.also("") {
		r.Also = append(r.Also, string(a))
	}
	r.Repaired = append(append(r.Repaired, l.repaired...), l.mail.Defects...)
	return r
}

// shown is the text of a message with its subject, where there is anything to show at all.
func (l *letter) shown(text string) string {
	text = strings.Trim(heading(l.subject)+"\n"+text, "\n")
	if text == "" && len(l.files()) == 0 {
		return noText
	}
	return text
}

func firstID(l *letter, field string) string {
	for _, id := range mime.MessageIDs(l.mail.Root.Header.Get(field), 1) {
		return id
	}
	return ""
}

func (l *letter) thread() Thread {
	t := Thread{Root: l.id, Answers: l.inReplyTo, References: l.references}
	t.Subject, _ = baseSubject(l.subject)
	switch {
	case len(l.references) > 0:
		t.Root = l.references[0]
	case len(l.inReplyTo) > 0:
		t.Root = l.inReplyTo[0]
	}
	return t
}

func (l *letter) report() *Report {
	r := readReport(l)
	if r.action == unclear {
		return nil
	}
	names := map[action]string{failed: "failed", delayed: "delayed", delivered: "delivered", expanded: "expanded"}
	out := &Report{Action: names[r.action], Code: r.status.String(), Said: mime.Truncate(r.said, 1000)}
	if r.action == failed {
		out.Sentence = r.status.failure("email: report", "the recipient", r.said, client.Report).Text
	}
	return out
}

func (l *letter) verdicts(domain string) Verdicts {
	v := Verdicts{
		Automatic: l.automatic, Loop: l.looping(domain), Encrypted: l.body.Encrypted, Signed: l.body.Signed,
		Claimed: claimed(l.mail.Root.Header.Get("Authentication-Results")),
	}
	if l.list != nil {
		v.List = l.list.id
	}
	if l.auth.Verdict != auth.Unknown {
		v.Auth = &l.auth
	}
	return v
}

// claimed reads the newest Authentication-Results: the server under "server", and the first result of each method.
func claimed(field string) map[string]string {
	words := strings.Split(mime.Truncate(field, 8<<10), ";")
	server := strings.Fields(words[0])
	if len(server) == 0 {
		return nil
	}
	all := map[string]string{"server": mime.OneLine(server[0])}
	for _, word := range words[1:] {
		method, result, ok := strings.Cut(word, "=")
		method = strings.ToLower(strings.TrimSpace(method))
		result, _, _ = strings.Cut(strings.TrimSpace(result), " ")
		if _, known := all[method]; ok && !known && len(method) < 20 && len(all) < 10 && result != "" {
			all[method] = mime.Truncate(mime.OneLine(strings.ToLower(result)), 40)
		}
	}
	return all
}
