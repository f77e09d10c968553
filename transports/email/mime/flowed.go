package mime

import "strings"

// unflow joins the paragraphs of format=flowed text (RFC 3676). delSp: the space before a soft break goes as well.
func unflow(text string, delSp bool) string {
	var out strings.Builder
	open, depth := false, 0 // a paragraph is open, at this quote depth
	for line := range strings.SplitSeq(newlines(text), "\n") {
		d := 0
		for d < len(line) && line[d] == '>' {
			d++
		}
		line = strings.TrimPrefix(line[d:], " ")
		signature := line == "-- "
		if open && (d != depth || signature) {
			out.WriteByte('\n') // improperly flowed: section 4.5
			open = false
		}
		if !open && d > 0 {
			out.WriteString(strings.Repeat(">", d) + " ")
		}
		flowed := !signature && strings.HasSuffix(line, " ")
		if flowed && delSp {
			line = line[:len(line)-1]
		}
		out.WriteString(line)
		if !flowed {
			out.WriteByte('\n')
		}
		open, depth = flowed, d
	}
	s := out.String()
	if !open {
		s = strings.TrimSuffix(s, "\n")
	}
	return s
}
