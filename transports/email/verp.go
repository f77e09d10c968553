package email

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base32"
	"errors"
	"strconv"
	"strings"
	"time"

	"gangway/core"
)

// A variable envelope return path (VERP) names the mail that a bounce is about, so that no bounce has to be parsed
// for that, and is signed, so that nobody can send bounces of mail that we did not send.
const (
	verpPrefix = "b="
	verpWindow = 30 * 24 * time.Hour
	macLength  = 8 // characters, 40 bits
	keyNote    = "hmac"
)

var (
	errNotVERP    = errors.New("not an envelope sender of ours")
	errVERPForged = errors.New("envelope sender was not signed by us")
	errVERPOld    = errors.New("envelope sender has expired")
)

type verp struct{ key []byte }

// local returns the local part of a mail's envelope sender: b=<id>=<hour>=<mac>. It has no upper-case letters,
// because some servers fold case.
func (v *verp) local(id core.MessageID, now time.Time) string {
	text := string(id) + "=" + strconv.FormatInt(now.Unix()/3600, 36)
	return verpPrefix + text + "=" + v.mac(text)
}

// parse returns the mail that a local part names.
func (v *verp) parse(local string, now time.Time) (core.MessageID, error) {
	rest, ok := strings.CutPrefix(strings.ToLower(local), verpPrefix)
	if !ok {
		return "", errNotVERP
	}
	i := strings.LastIndexByte(rest, '=')
	if i < 0 || !hmac.Equal([]byte(rest[i+1:]), []byte(v.mac(rest[:i]))) {
		return "", errVERPForged
	}
	id, hour, _ := strings.Cut(rest[:i], "=")
	h, err := strconv.ParseInt(hour, 36, 64)
	if err != nil {
		return "", errVERPForged
	}
	if now.Sub(time.Unix(h*3600, 0)) > verpWindow {
		return "", errVERPOld
	}
	return core.MessageID(id), nil
}

func (v *verp) mac(text string) string {
	h := hmac.New(sha256.New, v.key)
	h.Write([]byte(text))
	return strings.ToLower(base32.StdEncoding.EncodeToString(h.Sum(nil))[:macLength])
}

// isVERP says whether a local part claims to be an envelope sender of ours.
func isVERP(local string) bool { return strings.HasPrefix(strings.ToLower(local), verpPrefix) }

// loadKey returns the kept key, making it if there is none. Of two processes that make one at once, both end up
// with what was written last.
func loadKey(ctx context.Context, notes core.Notes) ([]byte, error) {
	key, err := notes.Get(ctx, keyNote)
	if err == nil {
		return key, nil
	}
	if core.KindOf(err) != core.NotFound {
		return nil, err
	}
	key = make([]byte, 32)
	_, _ = rand.Read(key) // never fails: crypto/rand ends the program instead
	if err := notes.Put(ctx, keyNote, key, 0); err != nil {
		return nil, err
	}
	return notes.Get(ctx, keyNote)
}

// sendable says whether an id can stand in an envelope sender and a Message-ID. Ids of core always can.
func sendable(id core.MessageID) bool {
	return id != "" && len(id) <= 40 && strings.Trim(string(id), "abcdefghijklmnopqrstuvwxyz0123456789-") == ""
}
