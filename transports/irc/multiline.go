package irc

import (
	"strconv"
	"strings"

	"gangway/transports/irc/format"
	"gangway/transports/irc/wire"
)

// multiline are the bounds of a draft/multiline batch on this network; false if there are none such.
func (l *link) multiline() (bytes, lines int, ok bool) {
	if l.caps&capMultiline == 0 || l.caps&capBatch == 0 {
		return 0, 0, false
	}
	bytes, lines = 4096, 24
	for token := range strings.SplitSeq(l.offers[batchMultiline], ",") {
		key, value, _ := strings.Cut(token, "=")
		n, err := strconv.Atoi(value)
		switch {
		case err != nil || n < 1:
		case key == "max-bytes":
			bytes = n
		case key == "max-lines":
			lines = n
		}
	}
	return bytes, lines, true
}

// whole is what pieces say together, if the network takes them as one message. Pieces of one line that carry styles
// over their cuts are not taken: joined, their marks would switch off what they go on with.
func (s *session) whole(pieces []format.Piece) (text string, ok bool) {
	if !s.open() || len(pieces) < 2 {
		return "", false
	}
	bytes, lines, ok := s.link.multiline()
	if !ok {
		return "", false
	}
	var b strings.Builder
	for i, p := range pieces {
		if p.Wire[0] == wire.CTCPMark || p.Goes && strings.ContainsFunc(p.Wire, wire.IsControl) {
			return "", false
		}
		if lines -= 1 + p.Above; i > 0 && !p.Goes {
			b.WriteString(strings.Repeat("\n", 1+p.Above))
		}
		b.WriteString(p.Glue)
		b.WriteString(p.Wire)
	}
	return b.String(), lines >= 0 && b.Len() <= bytes
}

// sayWhole queues a message of several lines as the one message that it is.
func (s *session) sayWhole(target string, o *outgoing, pieces []format.Piece, text string) {
	l := s.link
	l.refs++
	ref := "m" + strconv.FormatUint(l.refs, 36)
	var shown strings.Builder
	for i, p := range pieces {
		if i > 0 && !p.Goes {
			shown.WriteString(strings.Repeat("\n", 1+p.Above))
		}
		shown.WriteString(p.Glue)
		shown.WriteString(p.Text)
	}
	o.left = 1
	ask := &request{verb: "BATCH", targets: [2]string{s.fold.Fold(target)}, part: &part{
		of: o, first: true, wire: text, text: shown.String(),
	}}
	first := &command{Command: s.answering(wire.MultilineOpen(ref, target), o.replyTo)}
	last := &command{Command: wire.BatchClose(ref)}
	if l.caps&capLabels != 0 {
		first.ask = ask
	} else {
		last.ask = ask
	}
	s.enqueue(first)
	for i, p := range pieces {
		for range p.Above {
			s.enqueue(&command{Command: wire.MultilineLine(ref, target, "", false)})
		}
		line := p.Wire
		if i+1 < len(pieces) && pieces[i+1].Goes {
			line += pieces[i+1].Glue
		}
		s.enqueue(&command{Command: wire.MultilineLine(ref, target, line, p.Goes)})
	}
	s.enqueue(last)
}
