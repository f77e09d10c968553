package email

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base32"
	"hash"
	"slices"
	"strings"

	"gangway/transports/email/mime"
)

// traceField is put on top of every mail of ours, once. It is signed with our key, so that a mail that comes back is
// known to be ours, whoever has passed it on, and one that comes back again and again is known to be in a loop. What is
// signed is what stays of a mail on its way: the sender, the Message-ID, and the text but for its blanks.
const traceField = "X-Gateway-Trace"

// trace puts our mark on a mail that is about to go out.
func (t *transport) trace(ctx context.Context, mail []byte) ([]byte, error) {
	v, err := t.envelopes(ctx)
	if err != nil {
		return nil, err
	}
	field := traceField + ": " + t.wire + " " + v.trace(mime.Parse(mail).Root.Header, mail) + "\r\n"
	return append([]byte(field), mail...), nil
}

// traced says whether a mail is one of ours, unchanged.
func (t *transport) traced(ctx context.Context, mail []byte) bool {
	v, err := t.envelopes(ctx)
	if err != nil {
		t.host.Logger().Warn("traces cannot be checked", "err", err)
		return false
	}
	header := mime.Parse(mail).Root.Header
	if header.Count("From") != 1 || header.Count("Message-ID") != 1 {
		return false
	}
	mark := []byte(t.wire + " " + v.trace(header, mail))
	return slices.ContainsFunc(header.All(traceField, 2*maxLoops), func(value string) bool { return hmac.Equal([]byte(value), mark) })
}

// passages counts how often a mail has gone out from here, by whatever it says.
func (l *letter) passages(domain string) int {
	n := 0
	for _, value := range l.mail.Root.Header.All(traceField, 1000) {
		if by, _, _ := strings.Cut(value, " "); strings.EqualFold(by, domain) {
			n++
		}
	}
	return n
}

// trace is the signature of a mail.
func (v *verp) trace(header mime.Header, mail []byte) string {
	h := hmac.New(sha256.New, v.key)
	for _, part := range []string{"trace", header.Get("From"), header.Get("Message-ID")} {
		h.Write([]byte(part))
		h.Write([]byte{0})
	}
	inked(h, bodyOf(mail))
	return strings.ToLower(base32.StdEncoding.EncodeToString(h.Sum(nil)[:20]))
}

// inked writes a text without its blanks, which servers change.
func inked(h hash.Hash, text []byte) {
	for len(text) > 0 {
		n := bytes.IndexAny(text, " \t\r\n")
		if n < 0 {
			n = len(text)
		}
		h.Write(text[:n])
		text = text[min(n+1, len(text)):]
	}
}
