package register

import (
	"context"
	"errors"
	"strings"
	"time"
	"unicode/utf8"

	"gangway/core"
	"gangway/core/xmpp"
	"gangway/core/xmpp/stream"
)

const (
	maxPiece    = 16 << 10 // bytes of a document in one message
	maxPieces   = 60
	maxInAnswer = 100 << 10 // bytes of a document that a form takes

	whileFull   = 100 * time.Millisecond // between attempts while the host server does not read
	fullForLong = 50                     // attempts
)

// writeDocument sends a long text in pieces, which is how clients can show it.
func (c chatDoor) writeDocument(ctx context.Context, w xmpp.Sender, user core.UserID, document string) error {
	for n := 0; document != ""; n++ {
		piece := cut(document, maxPiece)
		document = document[len(piece):]
		if n == maxPieces {
			piece, document = "... It is too long to be shown in full. Please ask the administrator for the rest.", ""
		}
		if err := patiently(ctx, w, func(enc *stream.Encoder) { c.say(enc, user, piece, nil) }); err != nil {
			return err
		}
	}
	return nil
}

// patiently writes, and waits a while for a host server that does not read.
func patiently(ctx context.Context, w xmpp.Sender, fn func(*stream.Encoder)) error {
	for range fullForLong {
		if err := w.Write(fn); !errors.Is(err, xmpp.ErrFull) {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(whileFull):
		}
	}
	return xmpp.ErrFull
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
