package style

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Writer makes a line of styled text out of runs of one style each. The zero Writer is ready to use.
type Writer struct{ out strings.Builder }

// Write appends words in a style. The directives stand where they work: around what is not white space, at the
// beginning or after a space. Where they would not, and where the words hold the same character, which would end the
// style too early, the words stay plain, so that no sign is seen that nobody typed.
func (w *Writer) Write(run string, s Style) {
	inner := strings.TrimFunc(run, unicode.IsSpace)
	before, after, _ := strings.Cut(run, inner)
	if s == 0 || inner == "" || before == "" && !w.mayOpen() {
		w.out.WriteString(run)
		return
	}
	if s&Verbatim != 0 {
		s = Verbatim
	}
	var marks []byte
	for _, one := range All() {
		if s&one != 0 && strings.IndexByte(inner, one.Directive()) < 0 {
			marks = append(marks, one.Directive())
		}
	}
	w.out.WriteString(before)
	w.out.Write(marks)
	w.out.WriteString(inner)
	for i := len(marks) - 1; i >= 0; i-- {
		w.out.WriteByte(marks[i])
	}
	w.out.WriteString(after)
}

// mayOpen says whether a directive may stand here.
func (w *Writer) mayOpen() bool {
	r, n := utf8.DecodeLastRuneInString(w.out.String())
	return n == 0 || unicode.IsSpace(r)
}

// String returns the line so far.
func (w *Writer) String() string { return w.out.String() }
