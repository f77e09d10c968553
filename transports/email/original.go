package email

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"

	"gangway/core"
	"gangway/transports/email/mime"
	"gangway/transports/email/unsubscribe"
)

// originalSettings say how long mail is kept as it came.
type originalSettings struct {
	Originals time.Duration `toml:"keep_originals"` // 0: not at all
}

const (
	usualOriginals = 30 * 24 * time.Hour
	maxOriginal    = 256 << 10 // bytes of one; its files are kept by themselves
	maxLately      = 20        // mails of a conversation that can be asked for
	maxRecent      = 1000      // conversations whose list is in memory
	maxAutocrypt   = 10 << 10  // bytes of a header field, as Autocrypt 1.1 section 2.1 has it
)

func defaultOriginals() originalSettings { return originalSettings{Originals: usualOriginals} }

func (t *transport) configureOriginals() error {
	if t.settings.Originals < 0 {
		return errors.New("keep_originals must not be negative")
	}
	return nil
}

// lately is what has come in a conversation, and how to leave it where it is a list.
type lately struct {
	Mails []mailed         `json:"mails"` // the newest last
	Leave unsubscribe.Ways `json:"leave,omitzero"`
}

// mailed is a mail that came in.
type mailed struct {
	Key     string    `json:"key"` // of its original
	At      time.Time `json:"at"`
	Subject string    `json:"subject,omitempty"`
}

// recent are the lists of conversations in which something has come in since the start: of two mails at once neither
// may take the other's place.
type recent struct {
	mu    sync.Mutex
	lists map[string]lately
}

func latelyKey(a core.AccountID, peer core.Address) string {
	return "lately " + core.Digest(strings.ToLower(string(peer))) + " " + string(a)
}

func originalKey(a core.AccountID, l *letter) string {
	return "original " + core.Digest(l.id, l.print()) + " " + string(a)
}

func autocryptKey(a core.AccountID, from address) string {
	return "autocrypt " + core.Digest(from.folded()) + " " + string(a)
}

// keep are the rows that a mail leaves beside its place in a thread: itself, that it is there, and the key of who sent
// it.
func (t *transport) keep(ctx context.Context, a core.AccountID, peer core.Address, l *letter) ([]core.Note, error) {
	var all []core.Note
	one := mailed{Key: originalKey(a, l), At: l.date, Subject: mime.Truncate(l.subject, 100)}
	if t.settings.Originals > 0 {
		raw := bytes.Clone(l.raw[:min(len(l.raw), maxOriginal)])
		all = append(all, core.Note{Key: one.Key, Value: raw, Keep: t.settings.Originals})
	}
	list, err := t.cameLately(ctx, latelyKey(a, peer), one, l.leave())
	if err != nil {
		return nil, err
	}
	b, err := json.Marshal(list)
	if err != nil {
		return nil, core.Wrap(core.Internal, "email: lately", err)
	}
	all = append(all, core.Note{Key: latelyKey(a, peer), Value: b, Keep: keepThreads})
	if field := l.autocrypt(); field != "" {
		all = append(all, core.Note{Key: autocryptKey(a, l.from), Value: []byte(field), Keep: keepThreads})
	}
	return all, nil
}

// leave is how to leave the list that a mail came by.
func (l *letter) leave() unsubscribe.Ways {
	h := l.mail.Root.Header
	return unsubscribe.Read(mime.Truncate(h.Get("List-Unsubscribe"), 8<<10), h.Get("List-Unsubscribe-Post"))
}

// autocrypt is the field with the key of who wrote a mail (Autocrypt 1.1 section 2.3): of who it is from, and the only
// one; empty if there is none that counts.
func (l *letter) autocrypt() string {
	all := l.mail.Root.Header.All("Autocrypt", 2)
	if len(all) != 1 || len(all[0]) > maxAutocrypt || l.list != nil || l.automatic || l.forgeable() {
		return ""
	}
	for attribute := range strings.SplitSeq(all[0], ";") {
		name, value, _ := strings.Cut(attribute, "=")
		if strings.TrimSpace(name) != "addr" {
			continue
		}
		if a, err := parseAddress(strings.TrimSpace(value)); err == nil && a.folded() == l.from.folded() {
			return all[0]
		}
	}
	return ""
}

// cameLately adds a mail to a conversation's list, once, and returns it.
func (t *transport) cameLately(ctx context.Context, key string, one mailed, leave unsubscribe.Ways) (lately, error) {
	t.recent.mu.Lock()
	defer t.recent.mu.Unlock()
	list, ok := t.recent.lists[key]
	if !ok {
		var err error
		if list, err = t.lately(ctx, key); err != nil {
			return lately{}, err
		}
	}
	mails := make([]mailed, 0, len(list.Mails)+1)
	for _, m := range list.Mails {
		if m.Key != one.Key {
			mails = append(mails, m)
		}
	}
	mails = append(mails, one)
	list.Mails = mails[max(0, len(mails)-maxLately):]
	if leave.Known() {
		list.Leave = leave
	}
	if t.recent.lists == nil || len(t.recent.lists) >= maxRecent {
		t.recent.lists = map[string]lately{}
	}
	t.recent.lists[key] = list
	return list, nil
}

func (t *transport) lately(ctx context.Context, key string) (lately, error) {
	var list lately
	b, err := t.host.Notes().Get(ctx, key)
	switch {
	case err != nil && core.KindOf(err) == core.NotFound:
		return list, nil
	case err != nil:
		return list, core.Wrap(core.Unavailable, "email: lately", err)
	}
	if err := json.Unmarshal(b, &list); err != nil {
		return list, core.Wrap(core.Internal, "email: lately", err)
	}
	return list, nil
}

// original shows the whole of a mail that came in lately: the one of a number, counted from the newest.
func (t *transport) original(ctx context.Context, a core.Account, peer core.Address, which string) (core.Step, error) {
	list, err := t.lately(ctx, latelyKey(a.ID, peer))
	if err != nil {
		return core.Step{}, err
	}
	n := 1
	if which != "" {
		if n, err = strconv.Atoi(which); err != nil || n < 1 {
			return core.Step{}, core.E(core.Invalid, "email: original", "Write a number: 1 is the newest mail, 2 the one before it.")
		}
	}
	if n > len(list.Mails) {
		return core.Step{}, core.E(core.NotFound, "email: original", fmt.Sprintf("Of this conversation %d mails are known here.", len(list.Mails)))
	}
	raw, err := t.host.Notes().Get(ctx, list.Mails[len(list.Mails)-n].Key)
	if err != nil {
		if core.KindOf(err) == core.NotFound {
			err = core.E(core.NotFound, "email: original", "That mail is not kept here any more.")
		}
		return core.Step{}, err
	}
	return t.whole(ctx, a, raw), nil
}

// whole shows a mail with the fields that say what it is, and all of its text; and as it came, where there is a place
// for a file.
func (t *transport) whole(ctx context.Context, a core.Account, raw []byte) core.Step {
	l := readLetter(raw, "", t.now())
	var b strings.Builder
	for _, field := range []string{"From", "To", "Cc", "Reply-To", "Date", "Subject"} {
		if v := l.mail.Root.Text(field); v != "" {
			b.WriteString(field + ": " + mime.Truncate(v, 1000) + "\n")
		}
	}
	if len(raw) == maxOriginal {
		b.WriteString("[only its beginning is kept]\n")
	}
	step := core.Step{Done: true, Text: strings.TrimRight(b.String(), "\n"), Document: l.full.Text}
	if step.Text == "" {
		step.Text = noText
	}
	file := core.Attachment{Name: "message.eml", Type: "message/rfc822", Size: int64(len(raw))}
	kept, err := t.keepFile(ctx, a, incoming{Attachment: file, content: func() []byte { return raw }})
	if err != nil {
		t.host.Logger().Debug("original not kept as a file", "account", a.ID, "err", err)
		return step
	}
	step.File = &kept
	return step
}
