package email

import (
	"strings"
	"time"

	"gangway/core"
	"gangway/transports/email/hypertext"
)

// outgoing is a mail to be written.
type outgoing struct {
	id         string // Message-ID, with brackets
	from       address
	name       string // the sender's
	to, cc     []address
	utf8       bool // it goes by SMTPUTF8: addresses may have other characters
	at         time.Time
	subject    string
	inReplyTo  string
	references []string
	loop       string // our domain
	jabberID   string // of the sender, who wants it known; else empty
	extras     []extra
	text       string
	lang       string // of the text, a BCP 47 tag; empty: not known
	quote      quote
	emoji      []string // it is a reaction of these, and the text is for programs that know none
	notice     *notice  // it is a read notice
	files      []part
}

// extra is a field of a header whose value needs no encoding.
type extra struct{ name, value string }

// quote is what stands below the text of an answer.
type quote struct{ introduction, text string }

// plain writes a quotation as text.
func (q quote) plain() string {
	if q.text == "" {
		return ""
	}
	return "\n\n" + q.introduction + "\n> " + strings.ReplaceAll(q.text, "\n", "\n> ")
}

func (q quote) html() string {
	if q.text == "" {
		return ""
	}
	return hypertext.Quotation(q.introduction, q.text)
}

// compose writes the mail: seven bits, folded, with CRLF. The same mail gives the same bytes.
func compose(o outgoing) ([]byte, error) {
	var w headerWriter
	w.head(o)
	switch {
	case o.notice != nil:
		w.readNotice(o)
	case len(o.emoji) > 0:
		w.reaction(o)
	case len(o.files) > 0:
		w.mixed(o)
	default:
		w.words(o)
	}
	return w.buf.Bytes(), w.err
}

// head writes the fields that are not of MIME's parts.
func (w *headerWriter) head(o outgoing) {
	from, _ := o.from.envelope()
	w.field("Date", o.at.UTC().Format("Mon, 02 Jan 2006 15:04:05 -0700"))
	w.field("From", append(w.phrase(o.name), "<"+from+">")...)
	to := mailboxes(o.to, o.utf8)
	if len(to) == 0 {
		to = []string{"undisclosed-recipients:;"} // RFC 5322 section 3.4: a group without members
	}
	w.field("To", to...)
	if cc := mailboxes(o.cc, o.utf8); len(cc) > 0 {
		w.field("Cc", cc...)
	}
	w.field("Message-ID", o.id)
	w.field("Subject", w.unstructured(o.subject)...)
	if o.inReplyTo != "" {
		w.field("In-Reply-To", o.inReplyTo)
	}
	if len(o.references) > 0 {
		w.field("References", o.references...)
	}
	if o.jabberID != "" {
		w.field("Jabber-ID", w.unstructured(o.jabberID)...)
	}
	for _, f := range o.extras {
		w.field(f.name, f.value)
	}
	w.field(loopField, o.loop)
	w.field("MIME-Version", "1.0")
}

// words writes what was said: as text, and beside that as HTML where it is styled.
func (w *headerWriter) words(o outgoing) {
	text := strings.Trim(o.text+o.quote.plain(), "\n")
	if !hypertext.Styled(o.text) {
		w.text("plain", text)
		return
	}
	w.multipart("alternative", o.boundary("alternative"), func(next func()) {
		next()
		w.text("plain", text)
		next()
		w.text("html", hypertext.Page(o.text, o.lang, o.quote.html()))
	})
}

// boundary is one that is the same for the same mail, and nobody's who does not know the mail. "=_" is in no encoding
// that is used.
func (o *outgoing) boundary(kind string) string {
	return "=_" + core.Digest("boundary", kind, o.id, o.text)
}

// multipart ends the header with that of a multipart, and writes its parts: next begins each. params are further
// parameters of its type.
func (w *headerWriter) multipart(kind, boundary string, parts func(next func()), params ...string) {
	w.field("Content-Type", append(append([]string{"multipart/" + kind + ";"}, params...), `boundary="`+boundary+`"`)...)
	parts(func() {
		w.buf.WriteString("\r\n--" + boundary + "\r\n")
	})
	w.buf.WriteString("\r\n--" + boundary + "--\r\n")
}
