package email

import (
	"bytes"
	"context"
	"fmt"
	"path"
	"slices"
	"strings"
	"unicode/utf8"

	"gangway/core"
	"gangway/transports/email/mime"
)

// noText is what is shown where there is nothing.
const noText = "(no text)"

// fullText is what the whole text of a mail is called that is too long for a message.
const fullText = "message.txt"

// incoming is a file of an incoming mail. Its bytes are decoded when they are needed, one file at a time.
type incoming struct {
	core.Attachment
	content func() []byte
	inline  bool // it belongs into the text
}

// files are what came with a mail, in its order: first its whole text, if that is too long to be shown.
func (l *letter) files() []incoming {
	var all []incoming
	if l.body.Cut > 0 {
		text := l.full.Text
		all = append(all, incoming{
			Attachment: core.Attachment{Name: fullText, Type: "text/plain", Size: int64(len(text))},
			content:    func() []byte { return []byte(text) },
		})
	}
	for _, p := range l.body.Files {
		all = append(all, incoming{
			Attachment: core.Attachment{Name: nameOf(p), Type: p.Type, Size: p.Size()}, content: p.Decode, inline: p.Inline(),
		})
	}
	return all
}

// nameOf is what a file is called: as its sender says, or for what it is.
func nameOf(p *mime.Part) string {
	name := p.FileName()
	switch {
	case name != "":
	case p.Type == "text/calendar", p.Type == "application/ics":
		return "invitation.ics"
	case p.Type == "message/rfc822", p.Type == "message/global":
		return "message.eml"
	}
	return name
}

// keepFiles gives the files of a mail a place where the user finds them, and m their addresses. What cannot be kept is
// named in the text, with the reason. An error means that it may go better later: then the mail is not taken, so that
// nothing of it is lost.
func (t *transport) keepFiles(ctx context.Context, a core.Account, l *letter, m *core.Message) error {
	var left []string
	files := l.files()
	for i, f := range files {
		if i == maxFiles {
			left = append(left, fmt.Sprintf("[and %d more files, which were left out: %d are carried at most]", len(files)-maxFiles, maxFiles))
			break
		}
		kept, err := t.keepFile(ctx, a, f)
		switch {
		case err == nil:
			if !slices.ContainsFunc(m.Attachments, func(o core.Attachment) bool { return o.URL == kept.URL }) {
				m.Attachments = append(m.Attachments, kept)
			}
		case temporary(err):
			return err
		default:
			left = append(left, "["+describe(f.Attachment)+", was left out: "+core.AsError(err).Sentence()+"]")
		}
	}
	m.Text = strings.Trim(m.Text+"\n"+strings.Join(left, "\n"), "\n")
	if m.Text == "" && m.Subject == "" && len(m.Attachments) == 0 {
		m.Text = noText
	}
	return nil
}

func (t *transport) keepFile(ctx context.Context, a core.Account, f incoming) (core.Attachment, error) {
	if !t.memory.take(f.Size) {
		return core.Attachment{}, core.E(core.OverLimit, "email: files", "")
	}
	defer t.memory.give(f.Size)
	content := f.content()
	file := f.Attachment
	file.Size = int64(len(content))
	return t.host.Blobs().Put(ctx, a, file, bytes.NewReader(content))
}

// temporary says whether it may go better later.
func temporary(err error) bool {
	k := core.KindOf(err)
	return k.Retried() || k == core.Uncertain
}

// describe names a file in one line.
func describe(a core.Attachment) string {
	name := a.Name
	if name == "" {
		name = "file"
	}
	return name + ", " + a.Type + ", " + size(a.Size)
}

// part is a file of an outgoing mail.
type part struct {
	name, kind string
	content    []byte
}

// maxAttached bounds the bytes of all files of one mail: with more, many servers would refuse it.
const maxAttached = 15 << 20

// roomForFiles is how many bytes the files of one mail may have. Base64 makes four of three.
func (t *transport) roomForFiles() int64 { return min(maxAttached, t.settings.MaxSize/4*3) }

// fetchFiles gets what the user attached. The memory it takes is given back by done, which is never nil.
func (t *transport) fetchFiles(ctx context.Context, all []core.Attachment) (parts []part, done func(), err error) {
	var frees []func()
	done = func() {
		for _, free := range frees {
			free()
		}
	}
	room := t.roomForFiles()
	left := room
	for _, a := range all {
		if a.URL == "" {
			continue
		}
		if left <= 0 {
			return nil, done, tooMuch()
		}
		p, free, err := t.fetchFile(ctx, a, left)
		frees = append(frees, free)
		if err != nil {
			return nil, done, fetchFailure(a, err)
		}
		parts = append(parts, p)
		left -= int64(len(p.content))
	}
	encoded := (room - left) / 3 * 4 // what compose will make of it
	if !t.memory.take(encoded) {
		return nil, done, core.E(core.OverLimit, "email: memory", "")
	}
	frees = append(frees, func() { t.memory.give(encoded) })
	return parts, done, nil
}

func (t *transport) fetchFile(ctx context.Context, a core.Attachment, limit int64) (part, func(), error) {
	b, err := t.host.Blobs().Get(ctx, a, limit)
	if err != nil {
		return part{}, func() {}, err
	}
	defer b.Body.Close()
	content, free, err := t.memory.readAll(b.Body, limit)
	if err != nil {
		return part{}, free, err
	}
	return part{name: partName(b.Attachment), kind: partType(b.Type, content), content: content}, free, nil
}

func tooMuch() *core.Error {
	return core.E(core.TooLarge, "email: files", "The files are too large for one mail.")
}

// fetchFailure says what it means for the message that a file could not be fetched.
func fetchFailure(a core.Attachment, err error) error {
	e := *core.AsError(err)
	e.Op, e.Err = "email: files", err
	name := mime.Truncate(mime.OneLine(a.Name), 100)
	if name == "" {
		name = "The file"
	}
	if e.Kind == core.Denied { // it is the address that is refused, and not the account
		e.Kind = core.Invalid
	}
	what := " could not be fetched, so that the mail was not sent. "
	if e.Kind.Retried() {
		what = " cannot be fetched at the moment. "
	}
	e.Text = name + what + e.Sentence()
	return &e
}

// partName is what a file is called in a mail.
func partName(a core.Attachment) string {
	name := path.Base(strings.ReplaceAll(mime.OneLine(a.Name), `\`, "/"))
	if name == "." || name == "/" || name == ".." {
		return "file"
	}
	return mime.Truncate(name, 200)
}

// partType is a type that may be sent in base64: those of messages may not (RFC 2046 section 5.2.1), and text must be
// in the charset that is said.
func partType(kind string, content []byte) string {
	kind = strings.ToLower(kind)
	major, minor, ok := strings.Cut(kind, "/")
	switch {
	case !ok || !isTypeName(major) || !isTypeName(minor), major == "message", major == "multipart":
		return "application/octet-stream"
	case major == "text" && !utf8.Valid(content):
		return "application/octet-stream"
	}
	return kind
}

func isTypeName(s string) bool {
	for i := range len(s) {
		c := s[i]
		if c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || strings.IndexByte("!#$&-^_.+", c) >= 0 {
			continue
		}
		return false
	}
	return s != "" && len(s) <= 127
}

// withoutURLs takes the addresses of attached files out of a text: they are the sender's, and the files come along.
func withoutURLs(text string, all []core.Attachment) string {
	for _, a := range all {
		if a.URL == "" || !strings.Contains(text, a.URL) {
			continue
		}
		var lines []string
		for line := range strings.SplitSeq(text, "\n") {
			if strings.TrimSpace(line) == a.URL {
				continue
			}
			lines = append(lines, strings.ReplaceAll(line, a.URL, "[file]"))
		}
		text = strings.Join(lines, "\n")
	}
	return text
}
