package email

import (
	"encoding/base64"
	"encoding/json"
	"net/url"
	"strconv"
	"strings"
)

// mixed writes what was said, if anything was, and the files.
func (w *headerWriter) mixed(o outgoing) {
	w.multipart("mixed", o.boundary("mixed"), func(next func()) {
		if strings.TrimSpace(o.text) != "" || o.quote.text != "" {
			next()
			w.words(o)
		}
		for _, f := range o.files {
			next()
			w.file(f)
		}
	})
}

// Google's way to send a reaction, beside RFC 9078, which its own programs do not know.
const googleReaction = "text/vnd.google.email-reaction+json"

// reaction writes a mail that is a reaction to the one it answers: as RFC 9078 has it, as Google has it, which knows one
// emoji at a time, and as text for whoever knows neither.
func (w *headerWriter) reaction(o outgoing) {
	w.multipart("alternative", o.boundary("alternative"), func(next func()) {
		next()
		w.text("plain", o.text)
		next()
		w.field("Content-Disposition", "reaction")
		w.text("plain", strings.Join(o.emoji, " "))
		next()
		emoji, _ := json.Marshal(o.emoji[0]) // a string always can be
		body, encoding := encodeText(`{"version":1,"emoji":` + string(emoji) + "}")
		w.field("Content-Type", googleReaction+";", "charset=utf-8")
		w.field("Content-Transfer-Encoding", encoding)
		w.buf.WriteString("\r\n" + body)
	})
}

// file writes a part in base64. Pictures and voice notes may be shown where they stand.
func (w *headerWriter) file(f part) {
	kind := []string{f.kind + ";"}
	if strings.HasPrefix(f.kind, "text/") {
		kind = append(kind, "charset=utf-8;")
	}
	w.field("Content-Type", append(kind, nameParam("name", f.name)...)...)
	w.field("Content-Transfer-Encoding", "base64")
	disposition := "attachment;"
	if strings.HasPrefix(f.kind, "image/") || strings.HasPrefix(f.kind, "audio/") {
		disposition = "inline;"
	}
	w.field("Content-Disposition", append([]string{disposition}, nameParam("filename", f.name)...)...)
	w.buf.WriteString("\r\n")
	w.base64(f.content)
}

// nameParam writes a file name as a parameter: in quotes, or as RFC 2231 has it, in pieces that fit into lines.
func nameParam(param, name string) []string {
	plain := len(name) < lineFold-len(param)-10
	for i := range len(name) {
		plain = plain && name[i] >= ' ' && name[i] < 0x7f && name[i] != '"' && name[i] != '\\'
	}
	if plain && !strings.Contains(name, "=?") {
		return []string{param + `="` + name + `"`}
	}
	most := lineFold - len(param) - len("  *99*=utf-8'';")
	var pieces []string
	piece := "utf-8''"
	most += len(piece)
	for _, r := range name {
		c := strings.ReplaceAll(url.QueryEscape(string(r)), "+", "%20")
		if len(piece)+len(c) > most {
			pieces, piece = append(pieces, piece), ""
		}
		piece += c
	}
	if len(pieces) == 0 {
		return []string{param + "*=" + piece}
	}
	pieces = append(pieces, piece)
	for i, p := range pieces {
		pieces[i] = param + "*" + strconv.Itoa(i) + "*=" + p
		if i < len(pieces)-1 {
			pieces[i] += ";"
		}
	}
	return pieces
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
