package email

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/json"
	"regexp"
	"slices"
	"strings"

	"gangway/core"
	"gangway/transports/email/mime"
)

// sentMail is what is remembered of a mail for as long as something may come back about it.
type sentMail struct {
	Account core.AccountID `json:"account"`
	Peer    core.Address   `json:"peer"`
	Remote  core.RemoteID  `json:"remote"`
}

func sentKey(id core.MessageID) string { return "sent " + string(id) }

// sentMail returns what is remembered; zero if that is nothing.
func (t *transport) sentMail(ctx context.Context, id core.MessageID) (sentMail, error) {
	var sent sentMail
	b, err := t.host.Notes().Get(ctx, sentKey(id))
	if err != nil {
		if core.KindOf(err) == core.NotFound {
			return sent, nil
		}
		return sent, core.Wrap(core.Unavailable, "email: sent", err)
	}
	if err := json.Unmarshal(b, &sent); err != nil {
		return sentMail{}, core.Wrap(core.Internal, "email: sent", err)
	}
	return sent, nil
}

func (t *transport) rememberSent(ctx context.Context, id core.MessageID, sent sentMail) error {
	b, err := json.Marshal(sent)
	if err != nil {
		return core.Wrap(core.Internal, "email: send", err)
	}
	if err := t.host.Notes().Put(ctx, sentKey(id), b, verpWindow); err != nil {
		return core.Wrap(core.Unavailable, "email: send", err)
	}
	return nil
}

// messageID makes a Message-ID: the same for the same parts. It says nothing about who wrote the mail, or where, and
// nobody can guess it: one that could be would let others put themselves into a thread.
func (v *verp) messageID(domain string, parts ...string) string {
	h := hmac.New(sha256.New, v.key)
	for _, part := range append([]string{"message-id"}, parts...) {
		h.Write([]byte(core.Digest(part)))
	}
	return "<" + core.Digest(string(h.Sum(nil))) + "@" + domain + ">"
}

// messageID names the mail that a message of ours is, however often it is sent. The copies for several recipients are
// one mail.
func (s *session) messageID(ctx context.Context, m *core.Message) (string, error) {
	v, err := s.t.envelopes(ctx)
	if err != nil {
		return "", err
	}
	if len(m.Also) == 0 {
		return v.messageID(s.own.wire, string(s.account.ID), string(m.ID)), nil
	}
	return v.messageID(s.own.wire, string(s.account.ID), "copies", m.Origin.ID, m.At.String(), m.Subject, m.Text), nil
}

// ownID is the Message-ID of a message of ours that is named by itself only.
func (s *session) ownID(ctx context.Context, ids *core.IDs) error {
	if ids.Remote != "" || ids.ID == "" {
		return nil
	}
	mid, err := s.messageID(ctx, &core.Message{IDs: core.IDs{ID: ids.ID}})
	ids.Remote = core.RemoteID(mid)
	return err
}

// prepare decides where the message belongs and writes that down, before anything is sent: an answer or a bounce may
// come at once. A message that is sent again keeps its place, whatever has come in meanwhile.
func (s *session) prepare(ctx context.Context, m *core.Message) (*row, error) {
	mid, err := s.messageID(ctx, m)
	if err != nil {
		return nil, err
	}
	r, err := s.t.threads.get(ctx, midKey(m.Account, mid))
	if err != nil {
		return nil, err
	}
	if r == nil {
		if r, err = s.begin(ctx, m, mid); err != nil {
			return nil, err
		}
	} else {
		r = r.toward(m.Peer)
	}
	return r, s.t.rememberSent(ctx, m.ID, sentMail{Account: m.Account, Peer: m.Peer, Remote: r.Remote})
}

// begin makes the row of a message that was never tried.
func (s *session) begin(ctx context.Context, m *core.Message, mid string) (*row, error) {
	own := *m
	for _, ids := range []*core.IDs{&own.ReplyTo, &own.Replaces} {
		if err := s.ownID(ctx, ids); err != nil {
			return nil, err
		}
	}
	now := s.t.now()
	parent, err := s.t.threads.answered(ctx, &own, now)
	if err != nil {
		return nil, err
	}
	r := s.place(&own, mid, parent)
	r.At = now
	return r, s.t.threads.put(ctx, r, midKey(m.Account, mid))
}

// place makes the row of a new message. Another subject than the parent's begins another thread.
func (s *session) place(m *core.Message, mid string, parent *row) *row {
	subject := mime.Truncate(mime.OneLine(m.Subject), 500)
	base, _ := baseSubject(subject)
	if parent != nil && base != "" && !sameSubject(base, parent.Subject) && !m.Replaces.Known() {
		parent = nil
	}
	r := &row{
		Mid: mid, Remote: core.RemoteID(mid), Peer: m.Peer, Thread: m.Thread, Subject: base, Title: subject,
		Said: linesOf(m.Text), Mine: true,
	}
	if all := company(m); len(all) > 0 {
		r.Several = all
		r.Remote = r.remoteFor(m.Peer)
	}
	if parent == nil {
		if r.Title == "" {
			r.Title = phrasesIn(m.Lang).messageFrom(s.name())
			r.Subject = r.Title
		}
		if r.Thread == "" {
			r.Thread = newThread(mid)
		}
		return r
	}
	r.Subject, r.Title, r.Tagged = parent.Subject, "Re: "+parent.Subject, parent.Tagged
	if r.Thread == "" {
		r.Thread = parent.Thread
	}
	if to, _, _ := strings.Cut(string(m.ReplyTo.Remote), " "); to == parent.Mid {
		r.To = parent.Answers // to this one, and not to all of a list
	}
	if !strings.HasSuffix(parent.Mid, noID) {
		r.Parent, r.Refs = parent.Mid, references(parent.Refs, parent.Mid)
	}
	return r
}

// subjectLine is how a message says its subject where the client has no field for one.
var subjectLine = regexp.MustCompile(`(?i)^\s*subject:[ \t]*(\S[^\n]*)(?:\n|$)`)

// withSubjectLine takes the subject out of the first line of a message, if it is there.
func withSubjectLine(m *core.Message) *core.Message {
	if m.Subject != "" || m.Replaces.Known() {
		return m
	}
	found := subjectLine.FindStringSubmatchIndex(m.Text)
	if found == nil {
		return m
	}
	own := *m
	own.Subject = strings.TrimSpace(m.Text[found[2]:found[3]])
	own.Text = strings.TrimLeft(m.Text[found[1]:], "\n")
	return &own
}

// quotation is what stands below an answer: what the user's client quotes of the message that is answered.
func (s *session) quotation(ctx context.Context, m *core.Message, r *row) quote {
	text := strings.Trim(mime.Clean(mime.Truncate(m.Quoted, maxQuoted)), "\n")
	ids := m.ReplyTo
	if text == "" || r.Parent == "" || s.ownID(ctx, &ids) != nil {
		return quote{}
	}
	if mid, _, _ := strings.Cut(string(ids.Remote), " "); mid != r.Parent {
		return quote{} // another subject: it is no answer
	}
	parent, err := s.t.threads.get(ctx, midKey(s.account.ID, r.Parent))
	if err != nil || parent == nil {
		return quote{} // it is a courtesy
	}
	who := string(parent.Peer)
	if parent.Mine {
		who = s.name()
	} else if name := s.t.knownName(ctx, core.Ref{Account: s.account.ID, Peer: parent.Peer}); name != "" {
		who = name + " <" + who + ">"
	}
	return quote{phrasesIn(m.Lang).wrote(parent.At, who), text}
}

const maxQuoted = 4 << 10 // bytes of a message that are quoted

// company are the others, too, where a message goes to several who know of one another; in an order that does not depend
// on whose copy it is.
func company(m *core.Message) []core.Address {
	if len(m.Also) == 0 {
		return nil
	}
	all := slices.Clone(m.Also)
	if !m.Hidden {
		all = append(all, m.Peer)
	}
	slices.SortFunc(all, func(a, b core.Address) int {
		return strings.Compare(strings.ToLower(string(a)), strings.ToLower(string(b)))
	})
	return slices.CompactFunc(all, func(a, b core.Address) bool { return strings.EqualFold(string(a), string(b)) })
}
