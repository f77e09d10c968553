package email

import (
	"encoding/base64"
	"net/url"
	"strings"

	"gangway/core"
)

// text ends the header with those of a text, and writes it.
func (w *headerWriter) text(text string) {
	body, encoding := encodeText(text)
	w.field("Content-Type", "text/plain;", "charset=utf-8")
	w.field("Content-Transfer-Encoding", encoding)
	w.buf.WriteString("\r\n")
	w.buf.Write(body)
}

// mixed ends the header with that of a multipart, and writes the text, if there is any, and the files.
func (w *headerWriter) mixed(o outgoing) {
	boundary := "=_" + core.Digest("boundary", o.id, o.text) // "=_" is in no encoding that is used
	w.field("Content-Type", "multipart/mixed;", `boundary="`+boundary+`"`)
	if strings.TrimSpace(o.text) != "" {
		w.buf.WriteString("\r\n--" + boundary + "\r\n")
		w.text(o.text)
	}
	for _, f := range o.files {
		w.buf.WriteString("\r\n--" + boundary + "\r\n")
		w.file(f)
	}
	w.buf.WriteString("\r\n--" + boundary + "--\r\n")
}

// file writes a part in base64. Pictures may be shown where they stand.
func (w *headerWriter) file(f part) {
	kind := []string{f.kind + ";"}
	if strings.HasPrefix(f.kind, "text/") {
		kind = append(kind, "charset=utf-8;")
	}
	w.field("Content-Type", append(kind, nameParam("name", f.name))...)
	w.field("Content-Transfer-Encoding", "base64")
	disposition := "attachment;"
	if strings.HasPrefix(f.kind, "image/") {
		disposition = "inline;"
	}
	w.field("Content-Disposition", disposition, nameParam("filename", f.name))
	w.buf.WriteString("\r\n")
	w.base64(f.content)
}

// nameParam writes a file name as a parameter: in quotes, or as RFC 2231 has it.
func nameParam(param, name string) string {
	plain := len(name) < lineFold-len(param)-10
	for i := range len(name) {
		plain = plain && name[i] >= ' ' && name[i] < 0x7f && name[i] != '"' && name[i] != '\\'
	}
	if plain && !strings.Contains(name, "=?") {
		return param + `="` + name + `"`
	}
	return param + "*=utf-8''" + strings.ReplaceAll(url.QueryEscape(name), "+", "%20")
}

const base64Line = 57 // bytes that make a line of 76 characters

func (w *headerWriter) base64(content []byte) {
	w.buf.Grow(len(content)/3*4 + len(content)/base64Line*2 + 8)
	line := make([]byte, 78)
	for len(content) > 0 {
		n := min(base64Line, len(content))
		base64.StdEncoding.Encode(line, content[:n])
		end := base64.StdEncoding.EncodedLen(n)
		w.buf.Write(append(line[:end:end], '\r', '\n'))
		content = content[n:]
	}
}
