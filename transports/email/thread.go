package email

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"gangway/core"
)

const (
	keepThreads   = 400 * 24 * time.Hour
	answerWindow  = 14 * 24 * time.Hour // an own message without a subject goes on with what was said so recently
	subjectWindow = 30 * 24 * time.Hour // "Re:" without references answers the same subject of so long ago
	maxReferences = 20
)

// row is what is remembered of one mail of an account, in either direction.
type row struct {
	Mid     string        `json:"mid"`               // Message-ID, with brackets
	Remote  core.RemoteID `json:"remote"`            // as the rest of the house knows the mail; Mid, mostly
	Peer    core.Address  `json:"peer"`              // whose conversation it is in
	Thread  core.ThreadID `json:"thread"`            //
	Subject string        `json:"subject"`           // without prefixes, in its case
	Refs    []string      `json:"refs,omitempty"`    // its References
	Parent  string        `json:"parent,omitempty"`  // its In-Reply-To, where it was sent by us
	Title   string        `json:"title,omitempty"`   // its whole subject, where it was sent by us
	Print   string        `json:"print,omitempty"`   // tells it from another mail with the same Message-ID
	Answers core.Address  `json:"answers,omitempty"` // where answers to it go, if that is not Peer
	To      core.Address  `json:"to,omitempty"`      // where it went, if that was not Peer
	Said    []uint32      `json:"said,omitempty"`    // its lines, where it was sent by us: see lineOf
	At      time.Time     `json:"at"`
}

// threads keeps rows in the transport's notes, under three keys: by Message-ID, the newest of a thread, and the newest
// with a peer. The keys end with the account, so that they go with it.
type threads struct{ notes core.Notes }

func midKey(a core.AccountID, mid string) string {
	return "mid " + core.Digest(mid) + " " + string(a)
}

func threadKey(a core.AccountID, t core.ThreadID) string {
	return "thread " + core.Digest(string(t)) + " " + string(a)
}

func peerKey(a core.AccountID, peer core.Address) string {
	return "peer " + core.Digest(strings.ToLower(string(peer))) + " " + string(a)
}

// get reads a row; nil if there is none.
func (t threads) get(ctx context.Context, key string) (*row, error) {
	b, err := t.notes.Get(ctx, key)
	if err != nil {
		if core.KindOf(err) == core.NotFound {
			return nil, nil
		}
		return nil, core.Wrap(core.Unavailable, "email: threads", err)
	}
	r := new(row)
	if err := json.Unmarshal(b, r); err != nil {
		return nil, core.Wrap(core.Internal, "email: threads", err)
	}
	return r, nil
}

func (t threads) put(ctx context.Context, r *row, keys ...string) error {
	b, err := json.Marshal(r)
	if err != nil {
		return core.Wrap(core.Internal, "email: threads", err)
	}
	var all errgroup.Group // at once, so that they share a commit
	for _, key := range keys {
		all.Go(func() error { return t.notes.Put(ctx, key, b, keepThreads) })
	}
	if err := all.Wait(); err != nil {
		return core.Wrap(core.Unavailable, "email: threads", err)
	}
	return nil
}

// newest makes r the newest of its thread and of its peer.
func (t threads) newest(ctx context.Context, a core.AccountID, r *row) error {
	return t.put(ctx, r, threadKey(a, r.Thread), peerKey(a, r.Peer))
}

// placed says where an incoming mail belongs.
type placed struct {
	row     row
	replyTo core.RemoteID // of the known mail that it answers
	parent  *row          // that mail
	topic   bool          // it begins a thread, or has another subject than what it answers
}

// place finds the thread of an incoming mail.
func (t threads) place(ctx context.Context, a core.AccountID, l *letter, peer core.Address) (placed, error) {
	remote, err := t.remote(ctx, a, l)
	if err != nil {
		return placed{}, err
	}
	base, answer := baseSubject(l.subject)
	p := placed{row: row{
		Mid: l.id, Remote: remote, Peer: peer, Subject: base, Print: l.print(), At: l.date,
		Refs: references(append(slices.Clone(l.references), l.inReplyTo...), ""),
	}}
	if to := l.answersTo(); l.list.isForum() && len(to) > 0 {
		p.row.Answers = core.Address(to[0])
	}
	parent, err := t.parent(ctx, a, l, base)
	if err != nil {
		return placed{}, err
	}
	if parent != nil {
		p.row.Thread, p.replyTo, p.parent = parent.Thread, parent.Remote, parent
		p.topic = !sameSubject(parent.Subject, base)
		return p, nil
	}
	if l.threadIndex != "" { // Outlook's: the first 22 bytes are the same in the whole thread
		p.row.Thread = core.ThreadID(core.Digest("thread-index", string(a), l.threadIndex))
		last, err := t.get(ctx, threadKey(a, p.row.Thread))
		p.topic = last == nil || !sameSubject(last.Subject, base)
		return p, err
	}
	if answer && base != "" {
		last, err := t.get(ctx, peerKey(a, peer))
		if err != nil {
			return placed{}, err
		}
		if last != nil && sameSubject(last.Subject, base) && l.date.Sub(last.At) < subjectWindow {
			p.row.Thread = last.Thread
			return p, nil
		}
	}
	p.row.Thread, p.topic = newThread(a, l.id), true
	return p, nil
}

// newThread names the thread that a mail begins.
func newThread(a core.AccountID, mid string) core.ThreadID {
	return core.ThreadID(core.Digest("thread", string(a), mid))
}

// parent finds the known mail that l answers. References alone count only under the same subject, because people
// answer any mail to start a new topic.
func (t threads) parent(ctx context.Context, a core.AccountID, l *letter, base string) (*row, error) {
	for _, mid := range l.inReplyTo {
		if r, err := t.get(ctx, midKey(a, mid)); r != nil || err != nil {
			return r, err
		}
	}
	for _, mid := range slices.Backward(l.references) {
		r, err := t.get(ctx, midKey(a, mid))
		if err != nil {
			return nil, err
		}
		if r != nil && sameSubject(r.Subject, base) {
			return r, nil
		}
	}
	return nil, nil
}

// remote names an incoming mail: by its Message-ID, unless another mail of the account has that already. Some programs
// use the same one for all they send, and those mails must not be taken for repetitions.
func (t threads) remote(ctx context.Context, a core.AccountID, l *letter) (core.RemoteID, error) {
	known, err := t.get(ctx, midKey(a, l.id))
	if err != nil {
		return "", err
	}
	if known == nil || known.Print == l.print() {
		return core.RemoteID(l.id), nil
	}
	return core.RemoteID(l.id + " " + l.print()), nil
}

// answered finds the mail that an own message answers: the one it says, else the newest of its thread, else, if it has
// no subject, the newest with that peer. nil if it starts a thread.
func (t threads) answered(ctx context.Context, m *core.Message, now time.Time) (*row, error) {
	if mid, _, _ := strings.Cut(string(m.ReplyTo.Remote), " "); mid != "" {
		if r, err := t.get(ctx, midKey(m.Account, mid)); r != nil || err != nil {
			return r, err
		}
	}
	if m.Thread != "" {
		if r, err := t.get(ctx, threadKey(m.Account, m.Thread)); r != nil || err != nil {
			return r, err
		}
	}
	if m.Subject != "" {
		return nil, nil
	}
	r, err := t.get(ctx, peerKey(m.Account, m.Peer))
	if r == nil || err != nil || now.Sub(r.At) > answerWindow {
		return nil, err
	}
	return r, nil
}

// references makes the References of an answer to the last of ids and then mid: no id twice, the first and the newest
// of them (RFC 5322 section 3.6.4).
func references(ids []string, mid string) []string {
	var all []string
	for _, id := range append(slices.Clone(ids), mid) {
		if id != "" && !slices.Contains(all, id) {
			all = append(all, id)
		}
	}
	if n := len(all) - maxReferences; n > 0 {
		all = append(all[:1:1], all[n+1:]...)
	}
	return all
}
