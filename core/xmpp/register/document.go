package register

import (
	"context"
	"strings"
	"unicode/utf8"

	"gangway/core"
	"gangway/core/xmpp"
	"gangway/core/xmpp/stream"
)

const (
	maxPiece    = 16 << 10 // bytes of a document in one message
	maxPieces   = 60
	maxInAnswer = 100 << 10 // bytes of a document that a form takes
)

// writeDocument sends a long text in pieces, which is how clients can show it.
func (d *Desk) writeDocument(ctx context.Context, w xmpp.Sender, user core.UserID, document string) error {
	for n := 0; document != ""; n++ {
		piece := cut(document, maxPiece)
		document = document[len(piece):]
		if n == maxPieces {
			piece, document = "... It is too long to be shown in full. Please ask the administrator for the rest.", ""
		}
		if err := patiently(ctx, w, func(enc *stream.Encoder) { d.say(enc, user, piece, nil) }); err != nil {
			return err
		}
	}
	return nil
}

// cut returns the beginning of a text, at most n bytes, and whole lines if there
// are any.
func cut(s string, n int) string {
	if len(s) <= n {
		return s
	}
	if i := strings.LastIndexByte(s[:n], '\n'); i > 0 {
		return s[:i+1]
	}
	for n > 1 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}
