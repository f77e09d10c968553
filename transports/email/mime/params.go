package mime

import (
	"fmt"
	"net/url"
	"path"
	"strings"
)

// setType understands the part's Content-Type; p.Type holds the default.
func (p *Part) setType() {
	v := p.Header.Get("Content-Type")
	if v == "" {
		p.unsure = true
		return
	}
	kind, rest, _ := strings.Cut(v, ";")
	p.Params = parseParams(rest, p.msg.limits.Params)
	kind = strings.ToLower(strings.Join(strings.Fields(stripComments(kind)), ""))
	major, minor, ok := strings.Cut(kind, "/")
	switch {
	case kind == "text", kind == "html":
		p.Type = "text/" + map[string]string{"text": "plain", "html": "html"}[kind]
	case ok && isToken(major) && isToken(minor):
		p.Type = kind
	default:
		p.msg.defect("Content-Type is not understood")
		p.unsure = true
		if p.FileName() != "" { // somebody's file
			p.Type = "application/octet-stream"
		}
	}
}

// Disposition returns "inline", "attachment" or whatever the part says, in lower case, and its parameters.
func (p *Part) Disposition() (string, map[string]string) {
	kind, rest, _ := strings.Cut(p.Header.Get("Content-Disposition"), ";")
	return strings.ToLower(strings.TrimSpace(stripComments(kind))), parseParams(rest, p.msg.limits.Params)
}

// Inline says whether the part belongs into the text: its sender says so, or refers to it from there.
func (p *Part) Inline() bool {
	kind, _ := p.Disposition()
	return kind == "inline" || kind != "attachment" && p.Header.Has("Content-ID")
}

// FileName returns the name the sender gave the part, as a single safe path element, or "".
func (p *Part) FileName() string {
	_, params := p.Disposition()
	name := params["filename"]
	if name == "" {
		name = p.Params["name"]
	}
	name = OneLine(p.msg.decodeWords(Truncate(name, maxWord)))
	name = path.Base(strings.ReplaceAll(name, `\`, "/"))
	if name == "." || name == "/" || name == ".." {
		return ""
	}
	if ext := path.Ext(name); len(name) > 128 && len(ext) < 32 {
		name = Truncate(name[:len(name)-len(ext)], 128-len(ext)) + ext
	}
	return Truncate(name, 128)
}

func isToken(s string) bool {
	for i := range len(s) {
		if c := s[i]; c <= ' ' || c >= 0x7f || strings.IndexByte(`()<>@,;:\"/[]?=`, c) >= 0 {
			return false
		}
	}
	return s != ""
}

// parseParams reads `; a=b; c="d e"; f*0*=charset'lang'%20` leniently (RFC 2045 section 5.1, RFC 2231).
func parseParams(s string, limit int) map[string]string {
	all := map[string]string{}
	for n := 0; n < limit && s != ""; n++ {
		s = strings.TrimLeft(s, "; \t")
		name, rest, ok := strings.Cut(s, "=")
		if semi := strings.IndexByte(name, ';'); semi >= 0 { // a parameter without a value
			s = s[semi:]
			continue
		}
		if !ok {
			break
		}
		name = strings.ToLower(strings.TrimSpace(name))
		var value string
		value, s = paramValue(strings.TrimLeft(rest, " \t"))
		if _, dup := all[name]; !dup && name != "" {
			all[name] = value
		}
	}
	joinContinuations(all, limit)
	return all
}

// paramValue reads one value; rest begins after it.
func paramValue(s string) (value, rest string) {
	if !strings.HasPrefix(s, `"`) {
		value, rest, _ = strings.Cut(s, ";")
		return strings.TrimSpace(stripComments(value)), rest
	}
	var b strings.Builder
	for i := 1; i < len(s); i++ {
		switch c := s[i]; {
		case c == '"':
			_, rest, _ = strings.Cut(s[i+1:], ";")
			return b.String(), rest
		case c == '\\' && i+1 < len(s) && (s[i+1] == '"' || s[i+1] == '\\'):
			i++
			b.WriteByte(s[i])
		default:
			b.WriteByte(c)
		}
	}
	value, rest, _ = strings.Cut(s[1:], ";") // never closed
	return value, rest
}

// joinContinuations puts RFC 2231 parameters together: name*, name*0, name*1*, ...
func joinContinuations(all map[string]string, limit int) {
	for name, v := range all {
		base, ok := strings.CutSuffix(name, "*")
		if ok && !strings.Contains(base, "*") {
			all[base] = decodeExtended(v)
		}
	}
	for name := range all {
		base, ok := strings.CutSuffix(strings.TrimSuffix(name, "*"), "*0")
		if !ok {
			continue
		}
		var joined strings.Builder
		for i := range limit {
			key := fmt.Sprintf("%s*%d", base, i)
			if v, ok := all[key+"*"]; ok {
				joined.WriteString(v)
			} else if v, ok := all[key]; ok {
				joined.WriteString(strings.ReplaceAll(v, "%", "%25"))
			} else {
				break
			}
		}
		all[base] = decodeExtended(joined.String())
	}
}

// decodeExtended decodes charset'language'percent-encoded.
func decodeExtended(s string) string {
	charset, rest, ok := strings.Cut(s, "'")
	if !ok {
		charset, rest = "", "'"+s
	}
	_, text, ok := strings.Cut(rest, "'")
	if !ok {
		charset, text = "", s
	}
	decoded, err := url.PathUnescape(text)
	if err != nil {
		return text
	}
	return decodeCharset([]byte(decoded), charset)
}

// stripComments drops (comments), which may nest, outside of quotes (RFC 5322 section 3.2.2).
func stripComments(s string) string {
	if strings.IndexByte(s, '(') < 0 {
		return s
	}
	var b strings.Builder
	depth, quoted := 0, false
	for i := 0; i < len(s); i++ {
		c := s[i]
		switch {
		case c == '\\' && i+1 < len(s):
			if depth == 0 {
				b.WriteString(s[i : i+2])
			}
			i++
			continue
		case depth == 0 && c == '"':
			quoted = !quoted
		case !quoted && c == '(':
			depth++
			continue
		case !quoted && c == ')' && depth > 0:
			depth--
			continue
		}
		if depth == 0 {
			b.WriteByte(c)
		}
	}
	return b.String()
}
