package mime

import (
	"bytes"
	"regexp"
	"strings"
)

var uuBegin = regexp.MustCompile(`(?m)^begin [0-7]{3,4} (\S[^\n]{0,200})\n`)

// maxUU bounds the files that are looked for in one text; each may have its rest read.
const maxUU = 20

// cutUUEncoded takes the files out of a text that were encoded into it, as was done before there was MIME. What has
// no end stays.
func cutUUEncoded(p *Part, text string) (rest string, files []*Part) {
	if !strings.Contains(text, "begin ") { // the pattern is slow
		return text, nil
	}
	var out strings.Builder
	for range maxUU {
		m := uuBegin.FindStringSubmatchIndex(text)
		if m == nil {
			break
		}
		content, size, ok := decodeUULines(text[m[1]:])
		if !ok {
			out.WriteString(text[:m[1]])
			text = text[m[1]:]
			continue
		}
		out.WriteString(text[:m[0]])
		files = append(files, p.made(OneLine(text[m[2]:m[3]]), "application/octet-stream", content))
		text = text[m[1]+size:]
	}
	if len(files) == 0 && out.Len() == 0 {
		return text, nil
	}
	return out.String() + text, files
}

// decodeUULines decodes lines up to "end"; size is that of all of them.
func decodeUULines(b string) (content []byte, size int, ok bool) {
	for at := 0; at < len(b); {
		line, _, _ := strings.Cut(b[at:], "\n")
		at += len(line) + 1
		line = strings.TrimRight(line, "\r")
		if strings.TrimRight(line, " ") == "end" {
			return content, min(at, len(b)), true
		}
		if line == "" || line == "`" {
			continue
		}
		n := int(line[0]-' ') & 0x3f
		if line[0] < ' ' || line[0] > '`' || len(line) > 70 {
			return nil, 0, false
		}
		content = append(content, decodeUULine(line[1:], n)...)
	}
	return nil, 0, false
}

// decodeUULine decodes n bytes; blanks at the end of a line may have been lost.
func decodeUULine(line string, n int) []byte {
	var out []byte
	value := func(i int) byte {
		if i < len(line) {
			return (line[i] - ' ') & 0x3f
		}
		return 0
	}
	for i := 0; len(out) < n; i += 4 {
		a, b, c, d := value(i), value(i+1), value(i+2), value(i+3)
		out = append(out, a<<2|b>>4, b<<4|c>>2, c<<6|d)
	}
	return out[:n]
}

// decodeUUPart decodes a part whose transfer encoding this is, with or without its first and last line.
func decodeUUPart(b []byte, limit int) []byte {
	b = bytes.ReplaceAll(b, []byte("\r\n"), []byte("\n"))
	if m := uuBegin.FindIndex(b); m != nil {
		b = b[m[1]:]
	}
	if !bytes.Contains(b, []byte("\nend")) {
		b = append(bytes.Clone(b), "\nend\n"...)
	}
	content, _, ok := decodeUULines(string(b))
	if !ok {
		return b[:min(len(b), limit)]
	}
	return content[:min(len(content), limit)]
}
