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
	Tagged  core.Address  `json:"tagged,omitempty"`  // the subaddress of the user's that the conversation is with
	Said    []uint32      `json:"said,omitempty"`    // its lines, where it was sent by us: see lineOf
	Mine    bool          `json:"mine,omitempty"`    // the user wrote it
	Back    string        `json:"back,omitempty"`    // who may be told that it went to nobody: see backTo
	At      time.Time     `json:"at"`

	Several []core.Address `json:"several,omitempty"` // to whom it went, where those are more than one: see company
	Notify  core.Address   `json:"notify,omitempty"`  // who wants to know when it is read
}

// remoteFor is the name of a copy: a mail to several is one mail, and a message in each of their conversations.
func (r *row) remoteFor(peer core.Address) core.RemoteID {
	return core.RemoteID(r.Mid + " " + core.Digest("copy", strings.ToLower(string(peer))))
}

// toward is the row of the copy that went to peer; r itself if none did.
func (r *row) toward(peer core.Address) *row {
	if len(r.Several) == 0 {
		return r
	}
	own := *r
	own.Peer, own.Remote = peer, r.remoteFor(peer)
	return &own
}

// went says whether a mail of the user's went to peer.
func (r *row) went(peer core.Address) bool {
	if strings.EqualFold(string(r.Peer), string(peer)) {
		return true
	}
	return slices.ContainsFunc(r.Several, func(a core.Address) bool { return strings.EqualFold(string(a), string(peer)) })
}

// with names the conversation that a mail without a subject goes on with: that of its peer, or of all to whom it goes.
func (r *row) with() core.Address { return conversation(r.Peer, r.Several) }

func conversation(peer core.Address, several []core.Address) core.Address {
	if len(several) == 0 {
		return peer
	}
	all := make([]string, len(several))
	for i, a := range several {
		all[i] = string(a)
	}
	return core.Address(strings.Join(all, ","))
}

// threads keeps rows in the transport's notes, under up to four keys: by Message-ID, the newest of a thread, the newest
// with a peer, and the one that began to speak of its subject with that peer. The keys end with the account, so that they
// go with it.
type threads struct{ notes core.Notes }

func midKey(a core.AccountID, mid string) string {
	return "mid " + core.Digest(mid) + " " + string(a)
}

func threadKey(a core.AccountID, t core.ThreadID) string {
	return "thread " + core.Digest(string(t)) + " " + string(a)
}

// topicKey is where the mail is that began to speak with peer about something.
func topicKey(a core.AccountID, peer core.Address, subject string) string {
	return "topic " + core.Digest(strings.ToLower(string(peer)), strings.ToLower(subject)) + " " + string(a)
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

// newest makes r, which went out, the newest of its thread and of its conversation.
func (t threads) newest(ctx context.Context, a core.AccountID, r *row) error {
	keys := []string{threadKey(a, r.Thread), peerKey(a, r.with())}
	if r.Parent == "" {
		keys = append(keys, topicKey(a, r.Peer, r.Subject))
	}
	return t.put(ctx, r, keys...)
}

// notes are what is to be remembered of the place of a mail that came in: written in the same moment as the message,
// because an answer to it may come as soon as it is delivered. A thread is found by its first mail, too: see firstOf.
func (p *placed) notes(a core.AccountID) ([]core.Note, error) {
	keys := []string{midKey(a, p.row.Mid), peerKey(a, p.row.Peer)}
	if p.row.Thread != newThread(p.row.Mid) {
		keys = append(keys, threadKey(a, p.row.Thread))
	}
	if p.topic && p.row.Subject != "" {
		keys = append(keys, topicKey(a, p.row.Peer, p.row.Subject))
	}
	b, err := json.Marshal(&p.row)
	if err != nil {
		return nil, core.Wrap(core.Internal, "email: threads", err)
	}
	all := make([]core.Note, len(keys))
	for i, key := range keys {
		all[i] = core.Note{Key: key, Value: b, Keep: keepThreads}
	}
	return all, nil
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
	if l.notify.local != "" {
		p.row.Notify = l.notify.address()
	}
	if to := l.answersTo(); l.list.isForum() && len(to) > 0 {
		p.row.Answers = core.Address(to[0])
	}
	parent, err := t.parent(ctx, a, l, base)
	if err != nil {
		return placed{}, err
	}
	if parent != nil {
		if parent.went(peer) {
			parent = parent.toward(peer)
		}
		p.row.Thread, p.replyTo, p.parent = parent.Thread, parent.Remote, parent
		p.topic = !sameSubject(parent.Subject, base)
		return p, nil
	}
	p.row.Thread, p.topic = newThread(l.id), true
	if l.threadIndex != "" { // Outlook's: the first 22 bytes are the same in the whole thread
		p.row.Thread = core.ThreadID(core.Digest("thread-index", string(a), l.threadIndex))
		last, err := t.get(ctx, threadKey(a, p.row.Thread))
		if last != nil || err != nil {
			p.topic = last == nil || !sameSubject(last.Subject, base)
			return p, err
		}
	}
	if !answer || base == "" {
		return p, nil
	}
	last, err := t.about(ctx, a, peer, base)
	if last != nil && l.date.Sub(last.At) < subjectWindow {
		p.row.Thread, p.topic = last.Thread, false
	}
	return p, err
}

// about finds the newest mail in the conversation with peer, or the one that began a thread there, if it is about a
// subject; nil if there is none.
func (t threads) about(ctx context.Context, a core.AccountID, peer core.Address, subject string) (*row, error) {
	last, err := t.get(ctx, peerKey(a, peer))
	if err != nil || last != nil && sameSubject(last.Subject, subject) {
		return last, err
	}
	return t.get(ctx, topicKey(a, peer, subject))
}

// newThread names the thread that a mail begins, so that firstOf finds it.
func newThread(mid string) core.ThreadID { return core.ThreadID(core.Digest(mid)) }

// firstOf is the midKey of the mail that began a thread, if newThread named it.
func firstOf(a core.AccountID, t core.ThreadID) string { return "mid " + string(t) + " " + string(a) }

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
// no subject, the newest of its conversation, unless that is old. nil if it starts a thread. A correction answers what it
// corrects.
func (t threads) answered(ctx context.Context, m *core.Message, now time.Time) (*row, error) {
	for _, ids := range []core.IDs{m.Replaces, m.ReplyTo} {
		if r, err := t.named(ctx, m.Account, ids.Remote); r != nil || err != nil {
			return r, err
		}
	}
	if m.Thread != "" {
		for _, key := range []string{threadKey(m.Account, m.Thread), firstOf(m.Account, m.Thread)} {
			if r, err := t.get(ctx, key); r != nil || err != nil {
				return r, err
			}
		}
	}
	if m.Subject != "" {
		return nil, nil
	}
	r, err := t.get(ctx, peerKey(m.Account, conversation(m.Peer, company(m))))
	if r == nil || err != nil || now.Sub(r.At) > answerWindow {
		return nil, err
	}
	return r, nil
}

// named finds the mail that the rest of the house knows by a name.
func (t threads) named(ctx context.Context, a core.AccountID, remote core.RemoteID) (*row, error) {
	mid, _, _ := strings.Cut(string(remote), " ")
	if mid == "" {
		return nil, nil
	}
	return t.get(ctx, midKey(a, mid))
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
