package stream

import "fmt"

// Again writes the last finished stanza once more, to somebody else. What goes to many is so encoded once. The stanza
// must have had a "to".
func (e *Encoder) Again(to string) {
	switch {
	case e.err != nil:
		return
	case len(e.open) > 0 || len(e.ends) == 0 || !e.to:
		e.Fail(fmt.Errorf("%w: no stanza to repeat", ErrUnbalanced))
		return
	case to == "":
		e.Fail(ErrAddress)
		return
	}
	start, end, at := 0, e.done(), e.toAt
	if n := len(e.ends); n > 1 {
		start = e.ends[n-2]
	}
	base := len(e.buf)
	e.buf = append(e.buf, e.buf[start:at[0]]...)
	first := len(e.buf)
	e.buf = appendEscaped(e.buf, to, true)
	e.toAt = [2]int{first, len(e.buf)}
	e.buf = append(e.buf, e.buf[at[1]:end]...)
	if e.bound(); e.err == nil && len(e.buf) > base {
		e.ends = append(e.ends, len(e.buf))
	}
}
